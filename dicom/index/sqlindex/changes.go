package sqlindex

import (
	"context"
	"strings"
	"time"

	"salus/dicom/index"
	"salus/sqldb"
)

// changes selects entries of the change feed with the watermark of the version that is visible now.
const changes = `SELECT c.sequence, p.name, c.study, c.series, c.instance, c.action, c.at, c.watermark,
	COALESCE((SELECT i.watermark FROM study s JOIN series e ON e.study_key = s.study_key JOIN instance i ON i.series_key = e.series_key
		WHERE s.partition_key = c.partition_key AND s.uid = c.study AND e.uid = c.series AND i.uid = c.instance), 0)
	FROM change c JOIN partition p ON p.partition_key = c.partition_key `

// Changes reads the change feed.
func (x *Index) Changes(ctx context.Context, q index.ChangeQuery) (all []index.Change, err error) {
	query, args := changes+"WHERE c.sequence > ? AND c.sequence <= ? ORDER BY c.sequence", []any{q.Offset, q.Offset + q.Limit}
	if !q.Window {
		var where []string
		args = nil
		if !q.From.IsZero() {
			where, args = append(where, "c.at >= ?"), append(args, q.From.UnixMicro())
		}
		if !q.To.IsZero() {
			where, args = append(where, "c.at < ?"), append(args, q.To.UnixMicro())
		}
		query = changes
		if len(where) > 0 {
			query += "WHERE " + strings.Join(where, " AND ")
		}
		query, args = query+" ORDER BY c.at, c.sequence LIMIT ? OFFSET ?", append(args, q.Limit, q.Offset)
	}
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			c, err := change(r)
			all = append(all, c)
			return err
		})
	})
	return all, err
}

func change(r *sqldb.Rows) (c index.Change, err error) {
	var at int64
	err = r.Scan(&c.Sequence, &c.Partition, &c.Study, &c.Series, &c.Instance, &c.Action, &at, &c.Watermark, &c.Current)
	c.At = time.UnixMicro(at).UTC()
	return c, err
}

// Latest reads the last entry.
func (x *Index) Latest(ctx context.Context, byTime bool) (c index.Change, ok bool, err error) {
	order := "ORDER BY c.sequence DESC LIMIT 1"
	if byTime {
		order = "ORDER BY c.at DESC, c.sequence DESC LIMIT 1"
	}
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(changes + order)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			c, err = change(r)
			ok = true
			return err
		})
	})
	return c, ok, err
}

// Cursor reads how far a follower of the change feed is.
func (x *Index) Cursor(ctx context.Context, name string) (sequence int64, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Get("SELECT sequence FROM cursor WHERE name = ?", []any{name}, &sequence)
		return err
	})
	return sequence, err
}

// SetCursor notes how far a follower of the change feed is.
func (x *Index) SetCursor(ctx context.Context, name string, sequence int64) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec("INSERT INTO cursor (name, sequence) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence", name, sequence)
		return err
	})
}
