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

var _ index.Tags = (*Index)(nil)

// AddTags adds tags and an operation for them.
func (x *Index) AddTags(ctx context.Context, tags []index.QueryTag, id string) (running string, err error) {
	err = x.change(ctx, func(tx *sqldb.Tx) error {
		if running, err = unfinished(tx, index.Reindexing); err != nil {
			return err
		}
		names := make([]string, len(tags))
		for i, t := range tags {
			names[i] = t.Tag.Hex()
			_, err := tx.Exec("INSERT INTO query_tag (tag, creator, vr, level, status, enabled, errors, operation) VALUES (?, ?, ?, ?, ?, 1, 0, ?)",
				int64(t.Tag), t.Creator, int64(t.VR), int64(t.Level), int64(index.Adding), id)
			if sqldb.IsUnique(err) {
				return fault.Wrap(fault.Conflict, err, "%s is a query tag already", t.Tag.Hex())
			}
			if err != nil {
				return err
			}
		}
		var end int64
		if _, err := tx.Get("SELECT COALESCE(MAX(watermark), 0) FROM instance", nil, &end); err != nil {
			return err
		}
		o := index.Operation{ID: id, Type: index.Reindexing, End: end}
		return x.insertOperation(tx, o, strings.Join(names, ","))
	})
	return running, err
}

const tagColumns = "SELECT tag, creator, vr, level, status, enabled, errors, operation FROM query_tag"

// QueryTags lists the tags.
func (x *Index) QueryTags(ctx context.Context) (all []index.QueryTag, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		all, err = queryTags(tx)
		return err
	})
	return all, err
}

func queryTags(tx *sqldb.Tx) (all []index.QueryTag, err error) {
	rows, err := tx.Query(tagColumns + " ORDER BY tag")
	if err != nil {
		return nil, err
	}
	return all, rows.Each(func(r *sqldb.Rows) error {
		var t index.QueryTag
		var enabled int64
		err := r.Scan(&t.Tag, &t.Creator, &t.VR, &t.Level, &t.Status, &enabled, &t.Errors, &t.Operation)
		t.Enabled = enabled != 0
		all = append(all, t)
		return err
	})
}

func noTag(t dicom.Tag) error { return fault.New(fault.NotFound, "%s is no query tag", t.Hex()) }

// EnableTag lets searches use a tag, or not.
func (x *Index) EnableTag(ctx context.Context, t dicom.Tag, enabled bool) error {
	return x.changeTag(ctx, t, "UPDATE query_tag SET enabled = ? WHERE tag = ?", map[bool]int64{true: 1}[enabled], int64(t))
}

// DeleteTag takes away a tag, its values and its errors.
func (x *Index) DeleteTag(ctx context.Context, t dicom.Tag) error {
	return x.changeTag(ctx, t, "DELETE FROM query_tag WHERE tag = ?", int64(t))
}

func (x *Index) changeTag(ctx context.Context, t dicom.Tag, statement string, args ...any) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		n, err := tx.Exec(statement, args...)
		if err == nil && n == 0 {
			err = noTag(t)
		}
		return err
	})
}

// TagErrors lists instances whose values could not be indexed and that are still there.
func (x *Index) TagErrors(ctx context.Context, t dicom.Tag, limit, offset int) (all []index.TagError, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		var one int64
		if found, err := tx.Get("SELECT 1 FROM query_tag WHERE tag = ?", []any{int64(t)}, &one); err != nil || !found {
			if err == nil {
				err = noTag(t)
			}
			return err
		}
		rows, err := tx.Query(`SELECT p.name, s.uid, e.uid, i.uid, r.created, r.message FROM tag_error r JOIN instance i ON i.watermark = r.watermark
			JOIN series e ON e.series_key = i.series_key JOIN study s ON s.study_key = i.study_key JOIN partition p ON p.partition_key = s.partition_key
			WHERE r.tag = ? ORDER BY r.watermark LIMIT ? OFFSET ?`, int64(t), limit, offset)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var e index.TagError
			var created int64
			err := r.Scan(&e.Partition, &e.Study, &e.Series, &e.Instance, &created, &e.Message)
			e.Created = time.UnixMicro(created).UTC()
			all = append(all, e)
			return err
		})
	})
	return all, err
}

// writeValues writes what an instance has for query tags.
func (x *Index) writeValues(tx *sqldb.Tx, study, series, watermark int64, values []index.Value) error {
	if len(values) == 0 {
		return nil
	}
	tags, err := queryTags(tx)
	if err != nil {
		return err
	}
	for _, v := range values {
		for _, t := range tags {
			if t.Tag != v.Tag {
				continue
			}
			owner := [...]int64{index.Study: study, index.Series: series, index.Instance: watermark}[t.Level]
			if err := x.writeValue(tx, t, owner, watermark, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Index) writeValue(tx *sqldb.Tx, t index.QueryTag, owner, watermark int64, v index.Value) error {
	switch {
	case v.Error != "":
		n, err := tx.Exec("INSERT INTO tag_error (tag, watermark, created, message) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			int64(v.Tag), watermark, x.now().UnixMicro(), v.Error)
		if err != nil || n == 0 {
			return err
		}
		// Compat: the first error takes the tag out of searches, until somebody puts it in again.
		_, err = tx.Exec("UPDATE query_tag SET errors = errors + 1, enabled = CASE WHEN errors = 0 THEN 0 ELSE enabled END WHERE tag = ?", int64(v.Tag))
		return err
	case v.Text == "":
		_, err := tx.Exec("DELETE FROM tag_value WHERE tag = ? AND owner = ?", int64(v.Tag), owner)
		return err
	}
	text := v.Text
	if index.Folds(t.VR) {
		text = index.Fold(text)
	}
	_, err := tx.Exec("INSERT INTO tag_value (tag, owner, value) VALUES (?, ?, ?) ON CONFLICT (tag, owner) DO UPDATE SET value = excluded.value",
		int64(v.Tag), owner, text)
	return err
}
