package sqlindex

import (
	"context"
	"strings"

	"salus/dicom/index"
	"salus/fault"
	"salus/sqldb"
)

var _ index.Workitems = (*Index)(nil)

// AddWorkitem adds a workitem.
func (x *Index) AddWorkitem(ctx context.Context, partition string, w index.Workitem) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		p, err := x.partition(tx, partition, true)
		if err != nil {
			return err
		}
		revision, err := lastRevision(tx)
		if err != nil {
			return err
		}
		var key int64
		_, err = tx.Get("INSERT INTO workitem (partition_key, uid, revision, dataset) VALUES (?, ?, ?, ?) RETURNING workitem_key",
			[]any{p, w.UID, revision + 1, w.JSON}, &key)
		if sqldb.IsUnique(err) {
			return fault.Wrap(fault.Conflict, err, "a workitem with this UID is there already")
		}
		if err != nil {
			return err
		}
		return writeWorkitemValues(tx, key, w.Values)
	})
}

// LastWorkitem reads the highest number.
func (x *Index) LastWorkitem(ctx context.Context) (n int64, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Get("SELECT COALESCE(MAX(workitem_key), 0) FROM workitem", nil, &n)
		return err
	})
	return n, err
}

func lastRevision(tx *sqldb.Tx) (n int64, err error) {
	_, err = tx.Get("SELECT COALESCE(MAX(revision), 0) FROM workitem", nil, &n)
	return n, err
}

func writeWorkitemValues(tx *sqldb.Tx, key int64, values []index.WorkitemValue) error {
	if _, err := tx.Exec("DELETE FROM workitem_value WHERE workitem_key = ?", key); err != nil {
		return err
	}
	for _, v := range values {
		if _, err := tx.Exec("INSERT INTO workitem_value (workitem_key, path, value) VALUES (?, ?, ?)", key, v.Path, v.Text); err != nil {
			return err
		}
	}
	return nil
}

// Workitem reads a workitem.
func (x *Index) Workitem(ctx context.Context, partition, uid string) (w index.Workitem, err error) {
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		found, err := tx.Get(`SELECT w.uid, w.workitem_key, w.revision, w.dataset FROM workitem w JOIN partition p ON p.partition_key = w.partition_key
			WHERE p.name = ? AND w.uid = ?`, []any{partition, uid}, &w.UID, &w.Number, &w.Revision, &w.JSON)
		if err == nil && !found {
			err = fault.New(fault.NotFound, "there is no such workitem")
		}
		return err
	})
	return w, err
}

// ChangeWorkitem writes a workitem that is as it was when it was read.
func (x *Index) ChangeWorkitem(ctx context.Context, partition string, w index.Workitem) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		p, err := x.partition(tx, partition, false)
		if err != nil {
			return err
		}
		revision, err := lastRevision(tx)
		if err != nil {
			return err
		}
		var key int64
		found, err := tx.Get("UPDATE workitem SET dataset = ?, revision = ? WHERE partition_key = ? AND uid = ? AND revision = ? RETURNING workitem_key",
			[]any{w.JSON, revision + 1, p, w.UID, w.Revision}, &key)
		if err == nil && !found {
			err = fault.New(fault.Busy, "the workitem was changed by another request")
		}
		if err != nil {
			return err
		}
		return writeWorkitemValues(tx, key, w.Values)
	})
}

// FindWorkitems searches.
func (x *Index) FindWorkitems(ctx context.Context, partition string, matches []index.WorkitemMatch, limit, offset int) (all []index.Workitem, err error) {
	var b strings.Builder
	b.WriteString("SELECT w.uid, w.workitem_key, w.revision, w.dataset FROM workitem w JOIN partition p ON p.partition_key = w.partition_key WHERE p.name = ?")
	args := []any{partition}
	for _, m := range matches {
		text, values := compare("v.value", m.Match)
		b.WriteString(" AND w.workitem_key IN (SELECT v.workitem_key FROM workitem_value v WHERE v.path = ? AND " + text + ")")
		args = append(append(args, m.Path), values...)
	}
	b.WriteString(" ORDER BY w.workitem_key DESC LIMIT ? OFFSET ?")
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(b.String(), append(args, limit, offset)...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var w index.Workitem
			err := r.Scan(&w.UID, &w.Number, &w.Revision, &w.JSON)
			all = append(all, w)
			return err
		})
	})
	return all, err
}

// Subscribe writes a subscription.
func (x *Index) Subscribe(ctx context.Context, partition string, s index.Subscription) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		p, err := x.partition(tx, partition, true)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO subscription (partition_key, workitem, ae_title, off, deletion_lock, filter, until) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (partition_key, workitem, ae_title) DO UPDATE SET
			off = excluded.off, deletion_lock = excluded.deletion_lock, filter = excluded.filter, until = excluded.until`,
			p, s.Workitem, s.AETitle, number(s.Off), number(s.DeletionLock), s.Filter, s.Until)
		return err
	})
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Unsubscribe deletes one or all subscriptions of an application.
func (x *Index) Unsubscribe(ctx context.Context, partition, workitem, aeTitle string, every bool) error {
	return x.db.Write(ctx, func(tx *sqldb.Tx) error {
		p, err := x.partition(tx, partition, false)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		query, args := "DELETE FROM subscription WHERE partition_key = ? AND ae_title = ?", []any{p, aeTitle}
		if !every {
			query, args = query+" AND workitem = ?", append(args, workitem)
		}
		_, err = tx.Exec(query, args...)
		return err
	})
}

// Subscriptions reads who has subscribed to one of some workitems.
func (x *Index) Subscriptions(ctx context.Context, partition string, workitems ...string) (all []index.Subscription, err error) {
	args := []any{partition}
	for _, w := range workitems {
		args = append(args, w)
	}
	query := `SELECT s.workitem, s.ae_title, s.off, s.deletion_lock, s.filter, s.until FROM subscription s
		JOIN partition p ON p.partition_key = s.partition_key WHERE p.name = ? AND s.workitem IN (?` + strings.Repeat(", ?", len(workitems)-1) + ") ORDER BY s.ae_title"
	err = x.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		return rows.Each(func(r *sqldb.Rows) error {
			var s index.Subscription
			var off, lock int64
			err := r.Scan(&s.Workitem, &s.AETitle, &off, &lock, &s.Filter, &s.Until)
			s.Off, s.DeletionLock = off == 1, lock == 1
			all = append(all, s)
			return err
		})
	})
	return all, err
}
