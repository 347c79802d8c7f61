package sqldb

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"salus/fault"
)

// Migrate brings the tables of a component to the newest version. files has a folder for each dialect with statements in files such as
// 0001_first.sql, which are numbered without gaps, never changed once they are released, and only go forward. Each is run in a transaction of its
// own and noted with it. A database that is newer than the files is refused.
func (db *DB) Migrate(ctx context.Context, component string, files fs.FS) error {
	steps, err := migrations(files, db.dialect.Name)
	if err != nil {
		return err
	}
	for {
		done := true
		err := db.Write(ctx, func(tx *Tx) error {
			if db.dialect.Lock != "" {
				if err := tx.script(db.dialect.Lock); err != nil {
					return err
				}
			}
			have, err := tx.version(component)
			if err != nil {
				return err
			}
			if have > len(steps) {
				return fault.New(fault.Unprocessable, "the database of %s has version %d, and this program knows only %d: use a newer one", component, have, len(steps))
			}
			if done = have == len(steps); done {
				return nil
			}
			return tx.step(component, have+1, steps[have])
		})
		if err != nil || done {
			return err
		}
	}
}

// migrations reads the statements of a dialect in their order.
func migrations(files fs.FS, dialect string) ([]string, error) {
	entries, err := fs.ReadDir(files, dialect)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "there are no migrations for %s", dialect)
	}
	var steps []string
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for i, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fault.New(fault.Internal, "migration %s of %s: number %d is due", e.Name(), dialect, i+1)
		}
		text, err := fs.ReadFile(files, path.Join(dialect, e.Name()))
		if err != nil {
			return nil, err
		}
		steps = append(steps, string(text))
	}
	return steps, nil
}

// version returns the number of the last migration of a component that was run, and makes the table of them when it is missing.
func (t *Tx) version(component string) (int, error) {
	const table = "CREATE TABLE IF NOT EXISTS migration (component TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (component, version))"
	if err := t.script(table); err != nil {
		return 0, err
	}
	var have int
	_, err := t.Get("SELECT COALESCE(MAX(version), 0) FROM migration WHERE component = ?", []any{component}, &have)
	return have, err
}

// step runs the statements of one migration and notes it. They are not kept prepared: each runs once.
func (t *Tx) step(component string, version int, statements string) error {
	if err := t.script(statements); err != nil {
		return fault.Wrap(fault.Internal, err, "migration %d of %s failed", version, component)
	}
	_, err := t.Exec("INSERT INTO migration (component, version) VALUES (?, ?)", component, version)
	return err
}
