// Package sqldb is the database for what is relational and small: indexes of DICOM objects, jobs, the control plane. SQL is written once, with
// question marks for values, and runs on SQLite and PostgreSQL.
//
// It promises that Write returns only when what it did is on the disk; that concurrent writers of SQLite share one commit and still fail alone;
// that a transaction whose function panics or fails leaves nothing; and that errors are faults. Which statements are run, and what the tables
// mean, is left to the packages that use it; the drivers are in sqldb/sqlite and sqldb/postgres.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"salus/fault"
)

// Dialect is what differs between databases.
type Dialect struct {
	Name string // of the folder with its migrations: sqlite or postgres
	// Dollars says that values are written $1, $2 … instead of question marks.
	Dollars bool
	// Alone says that only one transaction can write at a time, so that writers share one.
	Alone                 bool
	BeginRead, BeginWrite string
	// Kind says what an error of the driver means; unique is true for a value that is there already.
	Kind func(error) (k fault.Kind, unique bool)
	// Lock keeps other processes from migrating until the transaction ends; empty when writing does that by itself.
	Lock string
}

// DB is a database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	write   *pool
	read    *pool
	group   group
}

// New makes a database of two handles: write is used by one connection when only one can write at a time, read by up to readers. They may be
// the same. Close closes both.
func New(d Dialect, write, read *sql.DB, readers int) *DB {
	writers := readers
	if d.Alone {
		writers = 1
	}
	db := &DB{dialect: d, write: newPool(write, d, d.BeginWrite, writers), read: newPool(read, d, d.BeginRead, readers)}
	db.group.run = db.together
	return db
}

// Dialect returns the name of the database's dialect.
func (db *DB) Dialect() string { return db.dialect.Name }

// Close closes all connections. Nothing may be under way.
func (db *DB) Close() error { return errors.Join(db.read.close(), db.write.close()) }

// Read runs f in a transaction that sees one state of the database.
func (db *DB) Read(ctx context.Context, f func(*Tx) error) error {
	c, err := db.read.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(safely(f, &Tx{ctx, c}), db.read.finish(c, rollback))
}

const (
	commit   = "COMMIT"
	rollback = "ROLLBACK"
)

// Write runs f in a transaction and returns when it is committed and on the disk. Where only one can write at a time, functions of concurrent
// callers run one after the other within one transaction, each of which fails alone; f is then called by another goroutine, and must not
// call Write itself.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if db.dialect.Alone {
		return db.group.do(ctx, f)
	}
	c, err := db.write.open(ctx)
	if err != nil {
		return err
	}
	if err := safely(f, &Tx{ctx, c}); err != nil {
		return errors.Join(err, db.write.finish(c, rollback))
	}
	return db.write.finish(c, commit)
}

// Tx is a transaction, or a part of one that fails alone.
type Tx struct {
	ctx  context.Context
	conn *conn
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := t.statement(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, t.fault(err)
	}
	return r.RowsAffected()
}

// Query runs a query. Its rows are to be closed before the next one.
func (t *Tx) Query(query string, args ...any) (*Rows, error) {
	s, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, args...)
	if err != nil {
		return nil, t.fault(err)
	}
	return &Rows{rows, t}, nil
}

// Get reads the first row of a query into places, and reports whether there was one.
func (t *Tx) Get(query string, args []any, into ...any) (bool, error) {
	s, err := t.statement(query)
	if err != nil {
		return false, err
	}
	switch err := s.QueryRowContext(t.ctx, args...).Scan(into...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, t.fault(err)
	}
	return true, nil
}

func (t *Tx) statement(query string) (*sql.Stmt, error) {
	s, err := t.conn.prepare(t.ctx, query)
	return s, t.fault(err)
}

func (t *Tx) fault(err error) error { return t.conn.dialect.fault(t.ctx, err) }

// script runs several statements, which are not kept ready.
func (t *Tx) script(statements string) error {
	_, err := t.conn.ExecContext(t.ctx, statements)
	return t.fault(err)
}

// Rows are the rows of a query.
type Rows struct {
	*sql.Rows
	tx *Tx
}

// Err returns what ended the rows early, as a fault.
func (r *Rows) Err() error { return r.tx.fault(r.Rows.Err()) }

// Scan reads a row, as sql.Rows does.
func (r *Rows) Scan(into ...any) error { return r.tx.fault(r.Rows.Scan(into...)) }

// Each calls f for every row and closes them.
func (r *Rows) Each(f func(*Rows) error) error {
	defer r.Close()
	for r.Next() {
		if err := f(r); err != nil {
			return err
		}
	}
	return r.Err()
}

// errUnique marks faults of values that are there already.
var errUnique = errors.New("a value is there already")

// IsUnique reports whether an error says that a value is there already which must be there once.
func IsUnique(err error) bool { return errors.Is(err, errUnique) }

// fault turns an error of a driver, met under ctx, into a fault. When ctx has ended that is the reason, whatever the driver says: one that is
// asked to do something for a caller who has gone may give up its connection and report only that.
func (d Dialect) fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = errors.Join(ended, err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Canceled, err, "the caller went away")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the database took too long")
	}
	k, unique := d.Kind(err)
	if unique {
		return fault.Wrap(fault.Conflict, fmt.Errorf("%w: %w", errUnique, err), "it is there already")
	}
	return fault.Wrap(k, err, "%s", messages[k])
}

var messages = map[fault.Kind]string{
	fault.Internal:    "the database failed",
	fault.Unavailable: "the database cannot be reached now",
	fault.OutOfSpace:  "the disk of the database is full",
	fault.Busy:        "another transaction was first",
}
