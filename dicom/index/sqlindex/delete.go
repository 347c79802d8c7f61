package sqlindex

import (
	"context"
	"strings"
	"time"

	"salus/dicom/index"
	"salus/sqldb"
)

// gone is an instance that is to be deleted.
type gone struct {
	index.UIDs
	watermark, study, series int64
	object                   string
}

// Delete takes away everything below UIDs.
func (x *Index) Delete(ctx context.Context, partition string, u index.UIDs) error {
	return x.change(ctx, func(tx *sqldb.Tx) error {
		key, err := x.partition(tx, partition, false)
		if err != nil {
			return notFound(u)
		}
		return x.delete(tx, key, u)
	})
}

func (x *Index) delete(tx *sqldb.Tx, partition int64, u index.UIDs) error {
	all, err := doomed(tx, partition, u)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return notFound(u)
	}
	series := map[int64]bool{}
	for _, g := range all {
		if err := discard(tx, g.watermark, g.object); err != nil {
			return err
		}
		if err := x.note(tx, partition, g.UIDs, index.Remove, g.watermark); err != nil {
			return err
		}
		series[g.series] = true
	}
	for s := range series {
		if err := shrink(tx, "series", s); err != nil {
			return err
		}
	}
	if err := shrink(tx, "study", all[0].study); err != nil {
		return err
	}
	return summarize(tx, all[0].study)
}

// expiredBatch is how many studies are deleted in one transaction.
const expiredBatch = 10

// DeleteExpired deletes studies whose time has come.
func (x *Index) DeleteExpired(ctx context.Context, now time.Time) (n int, next time.Time, err error) {
	var first *int64
	if err := x.db.Read(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Get("SELECT MIN(expires) FROM study", nil, &first)
		return err
	}); err != nil || first == nil {
		return 0, next, err
	}
	if next = time.UnixMicro(*first); next.After(now) {
		return 0, next, nil
	}
	type expired struct {
		partition int64
		uid       string
	}
	err = x.change(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query("SELECT partition_key, uid FROM study WHERE expires <= ? ORDER BY expires LIMIT ?", now.UnixMicro(), expiredBatch)
		if err != nil {
			return err
		}
		var all []expired
		if err := rows.Each(func(r *sqldb.Rows) error {
			var e expired
			err := r.Scan(&e.partition, &e.uid)
			all = append(all, e)
			return err
		}); err != nil {
			return err
		}
		for _, e := range all {
			if err := x.delete(tx, e.partition, index.UIDs{Study: e.uid}); err != nil {
				return err
			}
		}
		n = len(all)
		return nil
	})
	return n, next, err
}

func doomed(tx *sqldb.Tx, partition int64, u index.UIDs) (all []gone, err error) {
	where, args := below(partition, u)
	rows, err := tx.Query("SELECT s.uid, e.uid, i.uid, i.watermark, i.object, i.study_key, i.series_key"+joined+" WHERE "+where+" ORDER BY i.watermark", args...)
	if err != nil {
		return nil, err
	}
	return all, rows.Each(func(r *sqldb.Rows) error {
		var g gone
		err := r.Scan(&g.Study, &g.Series, &g.Instance, &g.watermark, &g.object, &g.study, &g.series)
		all = append(all, g)
		return err
	})
}

// shrink counts anew what is left of a study or series, which goes with its last instance. Its attributes stay those of the newest that it had
// (PS3.4 says nothing of it; the reference service does the same).
func shrink(tx *sqldb.Tx, table string, key int64) error {
	column := table + "_key"
	n, err := tx.Exec("DELETE FROM "+table+" WHERE "+column+" = ? AND NOT EXISTS (SELECT 1 FROM instance i WHERE i."+column+" = ?)", key, key)
	if err != nil {
		return err
	}
	if n > 0 {
		_, err := tx.Exec(ownedBy(map[string]index.Level{"study": index.Study, "series": index.Series}[table]), key)
		return err
	}
	_, err = tx.Exec("UPDATE "+table+" SET instances = (SELECT COUNT(*) FROM instance i WHERE i."+column+" = ?),"+
		" newest = (SELECT MAX(watermark) FROM instance i WHERE i."+column+" = ?) WHERE "+column+" = ?", key, key, key)
	return err
}

// NewRun returns a number for naming objects.
func (x *Index) NewRun(ctx context.Context) (run int64, err error) {
	err = x.db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Get("INSERT INTO run (started) VALUES (?) RETURNING run", []any{x.now().UnixMicro()}, &run)
		return err
	})
	return run, err
}

// Unknown returns the objects that no instance has. There may be a few hundred at a time.
func (x *Index) Unknown(ctx context.Context, objects []string) (unknown []string, err error) {
	if len(objects) == 0 {
		return nil, nil
	}
	known := map[string]bool{}
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		args := make([]any, len(objects))
		for i, o := range objects {
			args[i] = o
		}
		these := " WHERE object IN (?" + strings.Repeat(", ?", len(objects)-1) + ")"
		rows, err := tx.Query("SELECT object FROM instance"+these+" UNION SELECT object FROM original"+these, append(args, args...)...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var o string
			err := r.Scan(&o)
			known[o] = true
			return err
		})
	})
	for _, o := range objects {
		if !known[o] {
			unknown = append(unknown, o)
		}
	}
	return unknown, err
}

// Discarded lists objects that no instance has any more.
func (x *Index) Discarded(ctx context.Context, count int) (all []string, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query("SELECT object FROM discarded ORDER BY object LIMIT ?", count)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var o string
			err := r.Scan(&o)
			all = append(all, o)
			return err
		})
	})
	return all, err
}

// Removed forgets objects.
func (x *Index) Removed(ctx context.Context, objects []string) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		for _, o := range objects {
			if _, err := tx.Exec("DELETE FROM discarded WHERE object = ?", o); err != nil {
				return err
			}
		}
		return nil
	})
}
