package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"salus/fault"
	"salus/sqldb"
	"salus/sqldb/postgres"
	"salus/sqldb/sqlite"
)

var files = fstest.MapFS{
	"sqlite/0001_things.sql":   {Data: []byte("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);")},
	"postgres/0001_things.sql": {Data: []byte("CREATE TABLE thing (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL UNIQUE);")},
	"sqlite/0002_more.sql":     {Data: []byte("ALTER TABLE thing ADD COLUMN note TEXT; CREATE INDEX thing_note ON thing (note);")},
	"postgres/0002_more.sql":   {Data: []byte("ALTER TABLE thing ADD COLUMN note TEXT; CREATE INDEX thing_note ON thing (note);")},
}

// onEach runs a test on every database that there is.
func onEach(t *testing.T, test func(t *testing.T, open func() *sqldb.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a folder", "test?.db")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		test(t, opener(t, func() (*sqldb.DB, error) { return sqlite.Open(path, sqlite.Options{}) }))
	})
	t.Run("postgres", func(t *testing.T) {
		server := os.Getenv("SALUS_TEST_POSTGRES")
		if server == "" {
			t.Skip("NOT COVERED: PostgreSQL; SALUS_TEST_POSTGRES is not set")
		}
		schema := "t" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_").Replace(t.Name()))
		admin, err := postgres.Open(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		for _, s := range []string{"DROP SCHEMA IF EXISTS " + schema + " CASCADE", "CREATE SCHEMA " + schema} {
			if err := admin.Write(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(s); return err }); err != nil {
				t.Fatal(err)
			}
		}
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("search_path", schema)
		u.RawQuery = q.Encode()
		test(t, opener(t, func() (*sqldb.DB, error) { return postgres.Open(context.Background(), u.String()) }))
	})
}

func opener(t *testing.T, open func() (*sqldb.DB, error)) func() *sqldb.DB {
	return func() *sqldb.DB {
		t.Helper()
		db, err := open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		if err := db.Migrate(t.Context(), "test", files); err != nil {
			t.Fatal(err)
		}
		return db
	}
}

func insert(name string) func(*sqldb.Tx) error {
	return func(tx *sqldb.Tx) error {
		var id int64
		_, err := tx.Get("INSERT INTO thing (name, note) VALUES (?, '?') RETURNING id", []any{name}, &id)
		return err
	}
}

func count(t *testing.T, db *sqldb.DB, where string, args ...any) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Get("SELECT COUNT(*) FROM thing WHERE "+where, args, &n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWritersThatFailFailAlone(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		refused := errors.New("refused")
		if err := db.Write(t.Context(), insert("there already")); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		outcomes := make([]error, 90)
		for i := range outcomes {
			group.Go(func() {
				outcomes[i] = db.Write(context.Background(), func(tx *sqldb.Tx) error {
					if i%3 == 1 {
						return insert("there already")(tx)
					}
					if err := insert(fmt.Sprintf("thing %d", i))(tx); err != nil {
						return err
					}
					switch i % 9 {
					case 2:
						return refused
					case 5:
						panic("a defect")
					}
					return nil
				})
			})
		}
		group.Wait()
		for i, err := range outcomes {
			switch {
			case i%3 == 1:
				if !sqldb.IsUnique(err) || fault.KindOf(err) != fault.Conflict {
					t.Errorf("%d: a name that is there already: %v", i, err)
				}
			case i%9 == 2:
				if !errors.Is(err, refused) {
					t.Errorf("%d: %v, want its own error", i, err)
				}
			case i%9 == 5:
				if err == nil || strings.Contains(err.Error(), "a defect") {
					t.Errorf("%d: a panic: %v", i, err)
				}
			case err != nil:
				t.Errorf("%d: %v", i, err)
			}
		}
		if n := count(t, db, "name <> ?", "there already"); n != 40 {
			t.Errorf("%d are there, want 40", n)
		}
	})
}

func TestWhatWasWrittenIsThereAgain(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		if err := db.Write(t.Context(), insert("kept")); err != nil {
			t.Fatal(err)
		}
		if n := count(t, open(), "name = ?", "kept"); n != 1 {
			t.Errorf("%d after opening again", n)
		}
	})
}

func TestAReaderSeesOneState(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
			var before, after int
			if _, err := tx.Get("SELECT COUNT(*) FROM thing", nil, &before); err != nil {
				return err
			}
			if err := db.Write(t.Context(), insert("meanwhile")); err != nil {
				return err
			}
			_, err := tx.Get("SELECT COUNT(*) FROM thing", nil, &after)
			if before != after {
				t.Errorf("%d and then %d in one transaction", before, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "name = 'meanwhile'"); n != 1 {
			t.Errorf("%d afterwards", n)
		}
	})
}

func TestReadersCannotWrite(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		if err := open().Read(t.Context(), insert("no")); err == nil {
			t.Error("a reader wrote")
		}
	})
}

func TestCanceledWritersDoNothing(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Write(ctx, insert("never")); fault.KindOf(err) != fault.Canceled {
			t.Errorf("error %v", err)
		}
		if n := count(t, db, "name = 'never'"); n != 0 {
			t.Error("it was written")
		}
	})
}

func TestManyDifferentStatements(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		for i := range 600 {
			if n := count(t, db, fmt.Sprintf("id < %d", -i)); n != 0 {
				t.Fatal(n)
			}
		}
	})
}

func TestNewerDatabasesAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		older := fstest.MapFS{db.Dialect() + "/0001_things.sql": files[db.Dialect()+"/0001_things.sql"]}
		if err := db.Migrate(t.Context(), "test", older); fault.KindOf(err) != fault.Unprocessable {
			t.Errorf("error %v", err)
		}
		gap := fstest.MapFS{db.Dialect() + "/0002_things.sql": {}}
		if err := db.Migrate(t.Context(), "other", gap); err == nil {
			t.Error("a gap in the numbers is let through")
		}
	})
}

func TestSeveralMigrateAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, open func() *sqldb.DB) {
		db := open()
		steps := fstest.MapFS{db.Dialect() + "/0001_once.sql": {Data: []byte("CREATE TABLE once (a TEXT)")}}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := db.Migrate(context.Background(), "once", steps); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

func BenchmarkWrite(b *testing.B) {
	db, err := sqlite.Open(filepath.Join(b.TempDir(), "bench.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(b.Context(), "test", files); err != nil {
		b.Fatal(err)
	}
	for _, writers := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					for i := w; i < b.N; i += writers {
						if err := db.Write(context.Background(), insert(fmt.Sprint(b.Name(), b.N, " ", i))); err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
		})
	}
}
