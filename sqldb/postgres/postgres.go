// Package postgres opens PostgreSQL databases for package sqldb.
package postgres

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx

	"salus/fault"
	"salus/sqldb"
)

// connections is how many each of readers and writers can have.
const connections = 16

// migrating is the key of the lock that keeps two processes from migrating at a time.
const migrating = "SELECT pg_advisory_xact_lock(7310579202311)"

// Open opens the database of a URL such as postgres://user@host/name. It connects once, so that a wrong URL is an error here.
func Open(ctx context.Context, url string) (*sqldb.DB, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the URL of the database cannot be read")
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "the database cannot be reached"), db.Close())
	}
	return sqldb.New(sqldb.Dialect{
		Name: "postgres", Dollars: true, Lock: migrating, Kind: kind,
		BeginRead: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", BeginWrite: "BEGIN",
	}, db, db, connections), nil
}

// kind says what an error of PostgreSQL means (its documentation, appendix A).
func kind(err error) (fault.Kind, bool) {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting || pgconn.SafeToRetry(err) {
			return fault.Unavailable, false
		}
		return fault.Internal, false
	}
	switch {
	case e.Code == "23505":
		return fault.Conflict, true
	case e.Code == "40001" || e.Code == "40P01":
		return fault.Busy, false
	case e.Code == "53100":
		return fault.OutOfSpace, false
	case e.Code[:2] == "08" || e.Code[:2] == "53" || e.Code[:2] == "57":
		return fault.Unavailable, false
	}
	return fault.Internal, false
}
