// Package sqlite opens SQLite databases for package sqldb: one connection that writes and several that read, with a write-ahead log that is
// on the disk when a commit returns.
package sqlite

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"runtime"
	"strconv"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"salus/fault"
	"salus/sqldb"
)

// Options are what can be chosen; the zero value is good for most.
type Options struct {
	CacheBytes int64 // of the writer, and of each reader an eighth of it; 0 means 64 MiB
	MapBytes   int64 // of the file that readers see without copying; 0 means 2 GiB less one page, the most that SQLite maps
}

// Open opens a database file, which is made with mode 0600 when it is missing.
func Open(path string, o Options) (*sqldb.DB, error) {
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MapBytes == 0 {
		o.MapBytes = 2<<30 - 64<<10
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database file cannot be opened")
	}
	if err := f.Close(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database file cannot be opened")
	}
	write, err := sql.Open("sqlite", dsn(path, "", o.CacheBytes, 0))
	if err != nil {
		return nil, err
	}
	if err := write.Ping(); err != nil { // sets the journal mode, which readers need
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "the database file cannot be opened"), write.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "&_pragma=query_only(1)", o.CacheBytes/8, o.MapBytes))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	dialect := sqldb.Dialect{Name: "sqlite", Alone: true, BeginRead: "BEGIN", BeginWrite: "BEGIN IMMEDIATE", Kind: kind}
	return sqldb.New(dialect, write, read, 4*runtime.NumCPU()), nil
}

// dsn names a file with settings that each connection makes for itself.
func dsn(path, mode string, cache, mapped int64) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	pragmas := url.Values{}
	for _, p := range []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)",
		"cache_size(-" + strconv.FormatInt(cache>>10, 10) + ")", "mmap_size(" + strconv.FormatInt(mapped, 10) + ")",
		"wal_autocheckpoint(4000)",
	} {
		pragmas.Add("_pragma", p)
	}
	u.RawQuery = pragmas.Encode() + mode
	return u.String()
}

// kind says what an error of SQLite means (https://sqlite.org/rescode.html).
func kind(err error) (fault.Kind, bool) {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return fault.Internal, false
	}
	switch e.Code() {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_ROWID:
		return fault.Conflict, true
	}
	switch e.Code() & 0xFF {
	case codes.SQLITE_FULL:
		return fault.OutOfSpace, false
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_CANTOPEN:
		return fault.Unavailable, false
	}
	return fault.Internal, false
}
