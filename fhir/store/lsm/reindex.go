package lsm

import (
	"context"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// Current implements store.Store. A resource's number is that of its document
// and one, so that none has 0.
func (s *Store) Current(ctx context.Context, t fhir.Type, after uint64, count int) ([]store.Current, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	param, ok := s.names.knownParam(string(t) + paramLive)
	if !ok || count < 1 || after > 1<<32-1 {
		return nil, nil
	}
	snap := s.db.NewSnapshot()
	defer snap.Close() //nolint:errcheck // a snapshot's Close fails only when called twice
	docs, err := liveDocuments(snap, param, docID(after), count)
	if err != nil {
		return nil, err
	}
	found := make([]store.Current, 0, len(docs))
	for _, doc := range docs {
		d, known, err := s.document(snap, doc)
		if err != nil {
			return nil, err
		}
		v, there, err := s.version(snap, d.seq, fhir.Key{Type: t, ID: d.id})
		if err == nil && !(known && there) {
			err = damaged("a current version is missing")
		}
		if err != nil {
			return nil, err
		}
		found = append(found, store.Current{Number: uint64(doc) + 1, Position: d.seq, Version: v})
	}
	return found, nil
}

// CurrentOf implements store.Store.
func (s *Store) CurrentOf(ctx context.Context, key fhir.Key) (store.Current, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return store.Current{}, err
	}
	defer leave()
	snap := s.db.NewSnapshot()
	defer snap.Close() //nolint:errcheck // a snapshot's Close fails only when called twice
	h, found, err := s.headOf(snap, key)
	if err == nil && !(found && h.live()) {
		err = notFound(key)
	}
	if err != nil {
		return store.Current{}, err
	}
	v, there, err := s.version(snap, h.seq, key)
	if err == nil && !there {
		err = damaged("a current version is missing")
	}
	return store.Current{Number: uint64(h.doc) + 1, Position: h.seq, Version: v}, err
}

// LastNumber implements store.Store.
func (s *Store) LastNumber(ctx context.Context) (uint64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return uint64(s.claims.next), nil
}

// liveDocuments returns up to count documents, ascending, that a type's posting of
// live ones has from a number on.
func liveDocuments(r pebble.Reader, param uint16, from docID, count int) ([]docID, error) {
	prefix := postingPrefix(nil, param, nil)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: appendU32(slices.Clone(prefix), from>>16), UpperBound: after(prefix)})
	if err != nil {
		return nil, err
	}
	var docs []docID
	for ok := it.First(); ok && len(docs) < count; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, closeAfter(it, err)
		}
		bitmap, err := decodePosting(value)
		if err != nil {
			return nil, closeAfter(it, err)
		}
		chunk := chunkOf(it.Key()) << 16
		lows := bitmap.Iterator()
		if chunk < from {
			lows.AdvanceIfNeeded(from & 0xffff)
		}
		for lows.HasNext() && len(docs) < count {
			docs = append(docs, chunk|lows.Next())
		}
	}
	return docs, closeAfter(it, it.Error())
}

// Reindex implements store.Store. It goes the way of a write, and its commit
// changes only the postings in which old and new values differ.
func (s *Store) Reindex(ctx context.Context, entries []store.Index) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	p := &pending{
		index: make([]store.Index, 0, len(entries)), claims: make(claimSet, len(entries)),
		done: make(chan struct{}), lead: make(chan struct{}),
	}
	defer func() { s.release(p.claims) }()
	if err := s.prepareIndex(p, entries); err != nil {
		return 0, err
	}
	if err := s.space.check(p.size); err != nil {
		return 0, err
	}
	if len(p.index) == 0 {
		return 0, nil
	}
	s.queue.join(p)
	_, err = s.await(p)
	return p.replaced, err
}

// prepareIndex computes the terms of the entries whose resources are there.
func (s *Store) prepareIndex(p *pending, entries []store.Index) error {
	for _, e := range entries {
		h, found, err := s.headOf(s.db, e.Key)
		if err != nil {
			return err
		}
		if !found || h.seq != e.Position {
			continue
		}
		if p.claims[e.Key] != nil {
			return fault.New(fault.Invalid, "a resource occurs twice in one reindexing")
		}
		c, err := s.claim(p.claims, e.Key, false)
		if err != nil {
			return err
		}
		p.index, p.prepared = append(p.index, e), append(p.prepared, prepared{claim: c})
	}
	enc := s.encoder(p)
	for i := range p.index {
		if err := s.prepareTerms(p.index[i].Key.Type, p.index[i].Values, &p.prepared[i], &enc); err != nil {
			return err
		}
		p.size += 24 * len(p.prepared[i].terms)
	}
	return nil
}

// applyIndex puts new values into the batch for what is still the current version.
func (c *committer) applyIndex(p *pending) error {
	p.replaced = 0
	for i := range p.index {
		claim := p.prepared[i].claim
		h, err := c.head(claim)
		if err != nil {
			return err
		}
		if !h.live() || h.seq != p.index[i].Position {
			continue
		}
		if err := c.reindex(claim, h, h, p.prepared[i].terms); err != nil {
			return err
		}
		p.replaced++
	}
	return c.storeMentioned(p.claims)
}

// State implements store.Store.
func (s *Store) State(ctx context.Context, prefix string) (map[string][]byte, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	found := map[string][]byte{}
	return found, scan(s.db, append([]byte{spaceMeta}, prefix...), func(key, value []byte) error {
		found[string(key[1:])] = slices.Clone(value)
		return nil
	})
}

// SetState implements store.Store.
func (s *Store) SetState(ctx context.Context, values map[string][]byte) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	b := s.db.NewBatch()
	size := 0
	for name, value := range values {
		key := append([]byte{spaceMeta}, name...)
		size += len(key) + len(value)
		if len(value) == 0 {
			err = b.Delete(key, nil)
		} else {
			err = b.Set(key, value, nil)
		}
		if err != nil {
			return closeBatch(b, err)
		}
	}
	if err := s.space.check(size); err != nil {
		return closeBatch(b, err)
	}
	if err := b.Commit(pebble.Sync); err != nil {
		err = fault.Wrap(fault.Internal, err, "the state could not be kept")
		return closeBatch(b, err)
	}
	return b.Close()
}

// closeBatch closes b and returns err, which is why it is not applied.
func closeBatch(b *pebble.Batch, err error) error {
	if cerr := b.Close(); err == nil {
		err = cerr
	}
	return err
}
