// Package archivetest opens archives for tests.
package archivetest

import (
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"salus/blob"
	"salus/blob/file"
	"salus/dicom/archive"
	"salus/dicom/index/sqlindex"
	"salus/sqldb/sqlite"
)

// MaxFile is the most bytes that a file may have.
const MaxFile = 1 << 20

// Archive is an archive with what it stands on.
type Archive struct {
	*archive.Archive
	Index   *sqlindex.Index
	Objects blob.Store
	Out     blob.Store // the container named out, for exports
}

// Open opens an archive on SQLite and files in a directory, as a service on this machine has it. It is the caller's to close.
func Open(t testing.TB, dir string) Archive {
	t.Helper()
	folder := func(name string) blob.Store {
		s, err := file.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := Archive{Objects: folder("objects"), Out: folder("out")}
	db, err := sqlite.Open(filepath.Join(dir, "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Index, err = sqlindex.Open(t.Context(), db, time.Now); err != nil {
		t.Fatal(err)
	}
	a.Archive, err = archive.Open(t.Context(), a.Index, a.Objects, archive.Options{
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Random: rand.Reader, Base: "/default/dicom/v2", MaxFile: MaxFile,
		Exports: map[string]blob.Store{"out": a.Out},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
