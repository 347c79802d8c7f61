package sqlindex

import (
	"context"
	"strings"
	"time"

	"salus/dicom"
	"salus/dicom/index"
	"salus/fault"
	"salus/sqldb"
)

const operationColumns = "SELECT id, type, status, created, updated, tags, position, final, request, results FROM operation"

func operation(r *sqldb.Rows) (o index.Operation, err error) {
	var created, updated int64
	var tags string
	if err := r.Scan(&o.ID, &o.Type, &o.Status, &created, &updated, &tags, &o.Position, &o.End, &o.Request, &o.Results); err != nil {
		return o, err
	}
	o.Created, o.Updated = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	for name := range strings.SplitSeq(tags, ",") {
		if t, ok := dicom.ParseTag(name); ok {
			o.Tags = append(o.Tags, t)
		}
	}
	switch {
	case o.Status == index.Succeeded:
		o.Percent = 100
	case o.End > 0:
		o.Percent = int(min(99, 100*o.Position/o.End))
	}
	return o, nil
}

// unfinished looks for an operation of a type that is not done. It is Busy when there is one.
func unfinished(tx *sqldb.Tx, t index.OperationType) (id string, err error) {
	found, err := tx.Get("SELECT id FROM operation WHERE type = ? AND status < ?", []any{string(t), int64(index.Succeeded)}, &id)
	if err == nil && found {
		err = fault.New(fault.Busy, "another operation of type %s is under way", t)
	}
	return id, err
}

func (x *Index) insertOperation(tx *sqldb.Tx, o index.Operation, tags string) error {
	now := x.now().UnixMicro()
	_, err := tx.Exec("INSERT INTO operation (id, type, status, created, updated, tags, position, final, request) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)",
		o.ID, string(o.Type), int64(index.NotStarted), now, now, tags, o.End, o.Request)
	return err
}

// AddOperation adds an operation.
func (x *Index) AddOperation(ctx context.Context, o index.Operation, alone bool) (running string, err error) {
	err = x.db.Write(ctx, func(tx *sqldb.Tx) error {
		if alone {
			if running, err = unfinished(tx, o.Type); err != nil {
				return err
			}
		}
		return x.insertOperation(tx, o, "")
	})
	return running, err
}

// SetOperation writes how far an operation is.
func (x *Index) SetOperation(ctx context.Context, o index.Operation) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error { return x.setOperation(tx, o) })
}

func (x *Index) setOperation(tx *sqldb.Tx, o index.Operation) error {
	_, err := tx.Exec("UPDATE operation SET status = ?, updated = ?, position = ?, results = ? WHERE id = ?",
		int64(o.Status), x.now().UnixMicro(), o.Position, o.Results, o.ID)
	return err
}

// Operation reads an operation.
func (x *Index) Operation(ctx context.Context, id string) (o index.Operation, err error) {
	all, err := x.operations(ctx, " WHERE id = ?", id)
	if err == nil && len(all) == 0 {
		err = fault.New(fault.NotFound, "there is no such operation")
	}
	if err != nil {
		return o, err
	}
	return all[0], nil
}

// Unfinished lists the operations that are to be done.
func (x *Index) Unfinished(ctx context.Context) ([]index.Operation, error) {
	return x.operations(ctx, " WHERE status < ? ORDER BY created", int64(index.Succeeded))
}

func (x *Index) operations(ctx context.Context, where string, args ...any) (all []index.Operation, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(operationColumns+where, args...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			o, err := operation(r)
			all = append(all, o)
			return err
		})
	})
	return all, err
}

// Sources reads instances to index again.
func (x *Index) Sources(ctx context.Context, after, end int64, count int) (all []index.Source, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query("SELECT watermark, size, crc, deflated FROM metadata WHERE watermark > ? AND watermark <= ? ORDER BY watermark LIMIT ?",
			after, end, count)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var s index.Source
			var crc int64
			err := r.Scan(&s.Watermark, &s.Metadata.Size, &crc, &s.Metadata.Deflated)
			s.Metadata.CRC = uint32(crc)
			all = append(all, s)
			return err
		})
	})
	return all, err
}

// Reindex writes values and how far an operation is.
func (x *Index) Reindex(ctx context.Context, o index.Operation, values map[int64][]index.Value) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		for watermark, v := range values {
			var study, series int64
			found, err := tx.Get("SELECT study_key, series_key FROM instance WHERE watermark = ?", []any{watermark}, &study, &series)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			if err := x.writeValues(tx, study, series, watermark, v); err != nil {
				return err
			}
		}
		if err := x.setOperation(tx, o); err != nil {
			return err
		}
		if o.Status == index.Succeeded {
			_, err := tx.Exec("UPDATE query_tag SET status = ?, operation = '' WHERE operation = ?", int64(index.Ready), o.ID)
			return err
		}
		return nil
	})
}
