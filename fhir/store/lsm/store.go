// Package lsm is the embedded engine of a FHIR service: an inverted index of
// chunked roaring bitmaps and a change log in one Pebble database, in one
// directory.
//
// It promises what package store asks of an engine, and that no query shape
// reads more than the postings it names: a page stops when it is full, a count
// is a cardinality. DESIGN.md explains keys, terms, commits and queries. It
// leaves to others what a value means (searchparam) and what may be written
// (interaction).
package lsm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// Format is the version of the directory's format that this engine writes.
const Format = 1

const (
	formatFile   = "FORMAT"
	formatPrefix = "salus-fhir-lsm "
	databaseDir  = "db"
)

// Options of Open. The zero value is good for use.
type Options struct {
	Now          func() time.Time // clock; time.Now when nil
	CacheBytes   int64            // memory for what was read; 128 MiB when 0
	MemBytes     uint64           // size of a write buffer; 32 MiB when 0
	Reserve      uint64           // free disk space below which writes are refused; 128 MiB when 0
	TextPatience time.Duration    // how long a search for words waits until they are indexed; 4 s when 0
	Logger       *slog.Logger     // warnings of the engine; discarded when nil
	FS           vfs.FS           // file system; the machine's when nil
}

// recentShare is which part of the cache holds versions ready for use; the rest
// holds blocks of the database.
const recentShare = 4

// Store is an open engine.
type Store struct {
	db     *pebble.DB
	now    func() time.Time
	log    *slog.Logger
	names  *catalogue
	bodies *bodies
	recent recent
	space  *spaceGuard
	tables sstable.WriterOptions // of tables to ingest
	claims claims
	queue  commitQueue
	stats  counters
	limits limits

	text    textIndex
	syncing sync.WaitGroup // the goroutines that answer committed calls

	// state of the one committer; protected by the queue, which lets one commit at a time
	seq     seqNo // last used
	updated int64 // milliseconds of the last commit
	posts   postings
	heat    heat

	closing sync.RWMutex // protects closed; no call holds it for longer than it takes to enter
	closed  bool
	calls   sync.WaitGroup // calls in work
	once    sync.Once      // of Close
}

var _ store.Store = (*Store)(nil)

// Open opens the store in dir, which it makes if need be. Errors: Unavailable
// when another process has it open, Unprocessable when it is of a newer format.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := checkFormat(o.FS, dir); err != nil {
		return nil, err
	}
	guard := newSpaceGuard(o, dir)
	unpacked := o.CacheBytes / recentShare
	cache := pebble.NewCache(o.CacheBytes - unpacked)
	defer cache.Unref()
	opt := databaseOptions(o, guard, cache)
	db, err := pebble.Open(filepath.Join(dir, databaseDir), opt)
	if err != nil {
		if isLocked(err) {
			return nil, fault.Wrap(fault.Unavailable, err, "the data directory is in use by another process")
		}
		return nil, fault.Wrap(fault.Internal, err, "the database cannot be opened")
	}
	s := &Store{db: db, now: o.Now, log: o.Logger, space: guard, limits: usualLimits}
	s.tables = opt.MakeWriterOptions(0, db.FormatMajorVersion().MaxTableFormat())
	s.text.open(o.TextPatience)
	if s.recent, err = newRecent(unpacked); err == nil {
		err = s.load()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if o.MemBytes == 0 {
		o.MemBytes = 32 << 20
	}
	if o.Reserve == 0 {
		o.Reserve = 128 << 20
	}
	if o.TextPatience == 0 {
		o.TextPatience = 4 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	return o
}

func databaseOptions(o Options, guard *spaceGuard, cache *pebble.Cache) *pebble.Options {
	opt := &pebble.Options{
		Cache:                       cache,
		FS:                          guard,
		Merger:                      postingMerger,
		Logger:                      databaseLog{o.Logger},
		FormatMajorVersion:          pebble.FormatValueSeparation,
		MemTableSize:                o.MemBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		BytesPerSync:                1 << 20,
	}
	opt.CompactionConcurrencyRange = func() (int, int) { return 1, 2 }
	for i := range opt.Levels {
		l := &opt.Levels[i]
		l.BlockSize = 16 << 10
		l.IndexBlockSize = 64 << 10
		l.FilterPolicy = bloom.FilterPolicy(10)
		l.Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	}
	opt.Levels[len(opt.Levels)-1].Compression = func() *sstable.CompressionProfile { return sstable.ZstdCompression }
	opt.EnsureDefaults()
	return opt
}

// isLocked recognises the error of a database that is open elsewhere. For this
// process itself the library has no error value.
func isLocked(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held by current process")
}

// makeDirectory makes dir and makes it durable, with every directory above it
// that had to be made.
func makeDirectory(fs vfs.FS, dir string) error {
	first := dir // the uppermost one that does not exist
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := fs.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		first = at
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if err := syncDirectory(fs, filepath.Dir(at)); err != nil || at == first {
			return err
		}
	}
}

func syncDirectory(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkFormat makes the directory with its format file, or reads the one there.
func checkFormat(fs vfs.FS, dir string) error {
	if err := makeDirectory(fs, filepath.Join(dir, databaseDir)); err != nil {
		return fault.Wrap(fault.Internal, err, "the data directory cannot be made")
	}
	path := filepath.Join(dir, formatFile)
	f, err := fs.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeFormat(fs, dir, path)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the format file cannot be read")
	}
	b := make([]byte, 64)
	n, _ := f.ReadAt(b, 0) // a short file gives fewer bytes and io.EOF; what it holds is judged below
	if err := f.Close(); err != nil {
		return fault.Wrap(fault.Internal, err, "the format file cannot be read")
	}
	var version int
	if _, err := fmt.Sscanf(string(b[:n]), formatPrefix+"%d", &version); err != nil {
		return fault.New(fault.Unprocessable, "%s in the data directory is not a format file of Salus", formatFile)
	}
	if version > Format {
		return fault.New(fault.Unprocessable,
			"the data directory has format %d; this program knows formats up to %d: use a newer Salus", version, Format)
	}
	return nil
}

func writeFormat(fs vfs.FS, dir, path string) error {
	err := func() error {
		f, err := fs.Create(path+".new", vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(f, "%s%d\n", formatPrefix, Format)
		if err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if err := fs.Rename(path+".new", path); err != nil {
			return err
		}
		return syncDirectory(fs, dir)
	}()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the format file cannot be written")
	}
	return nil
}

// load reads what the engine keeps in memory: names, dictionaries and the ends
// of the number sequences.
func (s *Store) load() error {
	var err error
	if s.names, err = openCatalogue(s.db); err != nil {
		return err
	}
	if s.bodies, err = newBodies(); err != nil {
		return err
	}
	err = scan(s.db, []byte{spaceDict}, func(key, value []byte) error {
		if len(key) != 2 {
			return damaged("dictionary")
		}
		return s.bodies.use(key[1], append([]byte(nil), value...))
	})
	if err != nil {
		return err
	}
	s.claims.inflight = map[string]*claim{}
	err = s.last(spaceDocument, func(key, _ []byte) error {
		s.claims.next = binary.BigEndian.Uint32(key[1:]) + 1
		return nil
	})
	if err != nil {
		return err
	}
	return s.last(spaceVersion, func(key, value []byte) error {
		s.seq = binary.BigEndian.Uint64(key[1:])
		r, err := parseRecord(value)
		s.updated = r.updated
		return err
	})
}

// last calls f with the last entry of a key space, if there is one.
func (s *Store) last(space byte, f func(key, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err != nil {
		return err
	}
	if !it.Last() {
		return closeAfter(it, it.Error())
	}
	value, err := it.ValueAndErr()
	if err == nil {
		err = f(it.Key(), value)
	}
	return closeAfter(it, err)
}

// enter marks the start of a call; the returned function ends it. A call within
// another, as from the body of a loop over Changes, never waits for Close: it is refused.
func (s *Store) enter(ctx context.Context) (func(), error) {
	if err := canceled(ctx); err != nil {
		return nil, err
	}
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return nil, fault.New(fault.Unavailable, "the store is closed")
	}
	s.calls.Add(1)
	return s.calls.Done, nil
}

// Close implements store.Store. It writes buffers out, so that the next Open
// has no log to replay.
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		s.closing.Lock()
		s.closed = true
		s.closing.Unlock()
		s.text.stop()
		s.calls.Wait()
		s.text.work.Wait()
		s.syncing.Wait()
		err = errors.Join(s.db.Flush(), s.db.Close())
	})
	return err
}

// getter looks up single keys: the database, a snapshot, or the points of a query.
type getter interface {
	Get(key []byte) (value []byte, closer io.Closer, err error)
}

// get calls f with the value of key; found is false when there is none. The
// value is only valid during the call.
func get(r getter, key []byte, f func(value []byte) error) (found bool, err error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.Internal, err, "the database cannot be read")
	}
	err = f(value)
	return true, errors.Join(err, closer.Close())
}

func readHead(r getter, key []byte) (h head, found bool, err error) {
	found, err = get(r, key, func(value []byte) (err error) {
		h, err = parseHead(value)
		return err
	})
	return h, found, err
}

func (s *Store) headOf(r getter, key fhir.Key) (head, bool, error) {
	typ, ok := s.names.knownType(key.Type)
	if !ok {
		return head{}, false, nil
	}
	var b [96]byte
	return readHead(r, headKey(b[:0], typ, key.ID))
}

// databaseLog passes on what the database reports. Its texts name files and
// levels, never data.
type databaseLog struct{ log *slog.Logger }

func (l databaseLog) Infof(format string, args ...any) { l.log.Debug(fmt.Sprintf(format, args...)) }

func (l databaseLog) Errorf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }

// Fatalf is called when the database cannot go on without risking its files.
func (l databaseLog) Fatalf(format string, args ...any) {
	l.log.Error(fmt.Sprintf(format, args...))
	panic("lsm: " + fmt.Sprintf(format, args...))
}
