package lsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// ingestDir holds tables that are being made. What a crash leaves there is
// part of nothing and removed at the next Open.
const ingestDir = "ingest"

// Ingest is Write for many resources at once: what would go through the log
// and the write buffer and be sorted by compactions is sorted here and handed to
// the database as finished tables. All that Write promises holds. Other writes
// wait meanwhile, so calls should have some ten thousand resources at most;
// with fewer than a thousand it is slower than Write. It takes no purges.
func (s *Store) Ingest(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	if slices.ContainsFunc(writes, func(w store.Write) bool { return w.Method == fhir.Purge }) {
		return nil, fault.New(fault.Invalid, "a purge cannot be ingested")
	}
	return s.write(ctx, writes, true)
}

// changes is where a commit puts what it changes: a batch, or tables.
type changes interface {
	Set(key, value []byte, _ *pebble.WriteOptions) error
	Merge(key, value []byte, _ *pebble.WriteOptions) error
	Delete(key []byte, _ *pebble.WriteOptions) error
	DeleteRange(start, end []byte, _ *pebble.WriteOptions) error
}

// tables are changes to be ingested. No key is changed twice in one commit.
type tables struct {
	spaces map[byte][]tableEntry // by the first byte of the key
	arena  []byte
}

type tableEntry struct {
	kind       pebble.InternalKeyKind
	key, value []byte
}

// arenaBlock is how much memory is taken at once.
const arenaBlock = 1 << 20

func (t *tables) copy(b []byte) []byte {
	if cap(t.arena)-len(t.arena) < len(b) {
		t.arena = make([]byte, 0, max(arenaBlock, len(b)))
	}
	start := len(t.arena)
	t.arena = append(t.arena, b...)
	return t.arena[start:len(t.arena):len(t.arena)]
}

func (t *tables) add(kind pebble.InternalKeyKind, key, value []byte) error {
	if t.spaces == nil {
		t.spaces = map[byte][]tableEntry{}
	}
	t.spaces[key[0]] = append(t.spaces[key[0]], tableEntry{kind, t.copy(key), t.copy(value)})
	return nil
}

func (t *tables) Set(key, value []byte, _ *pebble.WriteOptions) error {
	return t.add(pebble.InternalKeyKindSet, key, value)
}

func (t *tables) Merge(key, value []byte, _ *pebble.WriteOptions) error {
	return t.add(pebble.InternalKeyKindMerge, key, value)
}

func (t *tables) Delete(key []byte, _ *pebble.WriteOptions) error {
	return t.add(pebble.InternalKeyKindDelete, key, nil)
}

// DeleteRange is needed by purges only.
func (t *tables) DeleteRange(_, _ []byte, _ *pebble.WriteOptions) error {
	return fault.New(fault.Internal, "a purge cannot be ingested")
}

// ingest hands the tables to the database, which takes all or none, durably.
// One table for each key space lets those with only new keys go straight to
// the lowest level.
func (s *Store) ingest(ctx context.Context, t *tables) error {
	// What the tables rely on, names and commits under way, may still be on its way
	// to the disk. The log keeps order, so that it is there when this is.
	if err := s.db.LogData(nil, pebble.Sync); err != nil {
		return err
	}
	dir := filepath.Join(s.space.dir, ingestDir)
	if err := s.space.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var paths []string
	for space, entries := range t.spaces {
		path := filepath.Join(dir, fmt.Sprintf("%c.sst", space))
		paths = append(paths, path)
		if err := s.writeTable(path, entries); err != nil {
			return errors.Join(err, s.clearIngest())
		}
	}
	if err := s.db.Ingest(ctx, paths); err != nil {
		return errors.Join(err, s.clearIngest())
	}
	return nil
}

func (s *Store) writeTable(path string, entries []tableEntry) error {
	slices.SortFunc(entries, func(a, b tableEntry) int { return bytes.Compare(a.key, b.key) })
	f, err := s.space.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	w := sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.tables)
	for _, e := range entries {
		switch e.kind {
		case pebble.InternalKeyKindSet:
			err = w.Set(e.key, e.value)
		case pebble.InternalKeyKindMerge:
			err = w.Merge(e.key, e.value)
		default:
			err = w.Delete(e.key)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return w.Close()
}

// clearIngest removes tables that were not ingested.
func (s *Store) clearIngest() error {
	err := s.space.RemoveAll(filepath.Join(s.space.dir, ingestDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
