package lsm

import (
	"context"
	"encoding/binary"
	"iter"
	"math"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// counters of what the store has done since it was opened.
type counters struct {
	commits, writes, versions atomic.Int64
}

// Stats are figures of a store for metrics.
type Stats struct {
	Commits  int64  // groups committed
	Writes   int64  // calls of Write that they held
	Versions int64  // versions written
	Syncs    int64  // of the log file
	Bytes    uint64 // on disk
}

// Stats returns the figures since the store was opened.
func (s *Store) Stats() Stats {
	st := Stats{Commits: s.stats.commits.Load(), Writes: s.stats.writes.Load(), Versions: s.stats.versions.Load()}
	leave, err := s.enter(context.Background())
	if err != nil {
		return st
	}
	defer leave()
	m := s.db.Metrics()
	st.Bytes = m.DiskSpaceUsage()
	st.Syncs = s.space.syncs.Load()
	return st
}

// Full reports whether writes are refused for lack of disk space.
func (s *Store) Full() bool { return s.space.check(0) != nil }

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, key fhir.Key) (fhir.Version, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return fhir.Version{}, err
	}
	defer leave()
	for tried := seqNo(0); ; {
		h, found, err := s.headOf(s.db, key)
		if err != nil {
			return fhir.Version{}, err
		}
		if !found || h.version == 0 {
			return fhir.Version{}, notFound(key)
		}
		if h.seq == tried {
			return fhir.Version{}, damaged("a current version is missing")
		}
		tried = h.seq
		v, found, err := s.version(s.db, h.seq, key)
		if found || err != nil {
			return v, err
		}
		// It was purged between the two reads; what is there now is in the head.
	}
}

func notFound(key fhir.Key) error {
	return fault.New(fault.NotFound, "there is no %s with this id", key.Type)
}

// version reads the version at a position of the change log. Its body belongs
// to all who read it and must not be changed.
func (s *Store) version(r getter, seq seqNo, key fhir.Key) (v fhir.Version, found bool, err error) {
	if v, found = s.recent.get(seq); found {
		return v, true, nil
	}
	var b [9]byte
	found, err = get(r, versionKey(b[:0], seq), func(value []byte) error {
		rec, err := parseRecord(value)
		if err == nil {
			v, err = s.toVersion(&rec, key)
		}
		return err
	})
	if found && err == nil {
		s.recent.put(seq, v)
	}
	return v, found, err
}

// ReadVersion implements store.Store.
func (s *Store) ReadVersion(ctx context.Context, key fhir.Key, n int64) (fhir.Version, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return fhir.Version{}, err
	}
	defer leave()
	snap := s.db.NewSnapshot()
	defer snap.Close() //nolint:errcheck // a snapshot's Close fails only when called twice
	h, found, err := s.headOf(snap, key)
	if err != nil {
		return fhir.Version{}, err
	}
	if !found || n < 1 || n > h.version {
		return fhir.Version{}, noVersion(key)
	}
	seq := h.seq
	if n < h.version {
		var b [13]byte
		found, err = get(snap, olderKey(b[:0], h.doc, n), func(value []byte) (err error) {
			seq, err = parseSeq(value)
			return err
		})
		if err != nil {
			return fhir.Version{}, err
		}
	}
	if found {
		var v fhir.Version
		if v, found, err = s.version(snap, seq, key); found || err != nil {
			return v, err
		}
	}
	return fhir.Version{}, noVersion(key)
}

func noVersion(key fhir.Key) error {
	return fault.New(fault.NotFound, "there is no such version of this %s", key.Type)
}

func parseSeq(value []byte) (seqNo, error) {
	seq, n := binary.Uvarint(value)
	if n <= 0 {
		return 0, damaged("history entry")
	}
	return seq, nil
}

// document reads what is known of a document's number.
func (s *Store) document(r getter, doc docID) (d document, found bool, err error) {
	var b [5]byte
	found, err = get(r, documentKey(b[:0], doc), func(value []byte) (err error) {
		d, err = parseDocument(value)
		return err
	})
	return d, found, err
}

// keyOf returns the resource that has a document's number.
func (s *Store) keyOf(r getter, doc docID) (fhir.Key, error) {
	d, found, err := s.document(r, doc)
	if err == nil && !found {
		err = damaged("document entry is missing")
	}
	return fhir.Key{Type: s.names.typeName(d.typ), ID: d.id}, err
}

// Count implements store.Store.
func (s *Store) Count(ctx context.Context) (map[fhir.Type]int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	snap := s.db.NewSnapshot()
	defer snap.Close() //nolint:errcheck // a snapshot's Close fails only when called twice
	counts := map[fhir.Type]int64{}
	for _, t := range s.names.allTypes() {
		param, ok := s.names.knownParam(string(t) + paramLive)
		if !ok {
			continue
		}
		n := int64(0)
		err := scan(snap, postingPrefix(nil, param, nil), func(_, value []byte) error {
			set, err := decodePosting(value)
			if err == nil {
				n += int64(set.GetCardinality())
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if n > 0 {
			counts[t] = n
		}
	}
	return counts, nil
}

// Changes implements store.Store.
func (s *Store) Changes(ctx context.Context, after uint64) iter.Seq2[store.Change, error] {
	return func(yield func(store.Change, error) bool) {
		leave, err := s.enter(ctx)
		if err != nil {
			yield(store.Change{}, err)
			return
		}
		defer leave()
		if after == math.MaxUint64 {
			return
		}
		snap := s.db.NewSnapshot()
		defer snap.Close() //nolint:errcheck // a snapshot's Close fails only when called twice
		it, err := snap.NewIter(&pebble.IterOptions{LowerBound: versionKey(nil, after+1), UpperBound: []byte{spaceVersion + 1}})
		if err != nil {
			yield(store.Change{}, err)
			return
		}
		goOn := true
		for ok := it.First(); ok && goOn; ok = it.Next() {
			var c store.Change
			if c.Version, err = s.logged(ctx, snap, it); err != nil {
				break
			}
			c.Position = binary.BigEndian.Uint64(it.Key()[1:])
			goOn = yield(c, nil)
		}
		if err == nil {
			err = it.Error()
		}
		if err = closeAfter(it, err); err != nil && goOn {
			yield(store.Change{}, err)
		}
	}
}

// logged reads the version at which an iterator over the change log stands.
func (s *Store) logged(ctx context.Context, r pebble.Reader, it *pebble.Iterator) (fhir.Version, error) {
	if err := canceled(ctx); err != nil {
		return fhir.Version{}, err
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return fhir.Version{}, err
	}
	rec, err := parseRecord(value)
	if err != nil {
		return fhir.Version{}, err
	}
	key, err := s.keyOf(r, rec.doc)
	if err != nil {
		return fhir.Version{}, err
	}
	return s.toVersion(&rec, key)
}

// storeDictionary makes dict the dictionary for new bodies. It is written
// before any body that needs it.
func (s *Store) storeDictionary(dict []byte) error {
	const number = 1
	if err := s.db.Set([]byte{spaceDict, number}, dict, pebble.NoSync); err != nil {
		return err
	}
	return s.bodies.use(number, dict)
}
