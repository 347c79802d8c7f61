package lsm

import (
	"bytes"
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// query is one search at work on a snapshot.
type query struct {
	s    *Store
	ctx  context.Context
	snap *pebble.Snapshot
	iter *pebble.Iterator // over postings, moved about by everyone
	at   points           // looks up single keys, and leaves iter where it is
	last docID            // greatest document number

	read  reads
	trace *trace // nil unless the plan asks to be explained
}

func (s *Store) newQuery(ctx context.Context) (*query, error) {
	q := &query{s: s, ctx: ctx, snap: s.db.NewSnapshot()}
	q.at.snap = q.snap
	var err error
	q.iter, err = q.snap.NewIter(&pebble.IterOptions{LowerBound: []byte{spacePosting}, UpperBound: []byte{spacePosting + 1}})
	if err == nil {
		s.claims.mu.Lock()
		q.last = max(s.claims.next, 1) - 1
		s.claims.mu.Unlock()
		return q, nil
	}
	return nil, closeSnapshot(q.snap, err)
}

func closeSnapshot(snap *pebble.Snapshot, err error) error {
	if cerr := snap.Close(); err == nil {
		err = cerr
	}
	return err
}

func (q *query) close(err error) error {
	err = closeAfter(q.iter, err)
	if cerr := q.at.close(); err == nil {
		err = cerr
	}
	return closeSnapshot(q.snap, err)
}

// canceled returns a fault once the caller has gone away or its time is over.
func (q *query) canceled() error { return canceled(q.ctx) }

func canceled(ctx context.Context) error {
	err := ctx.Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the request took too long")
	}
	return fault.Wrap(fault.Canceled, err, "the request was cancelled")
}

// scanKeys calls f for each posting key from lower up to but without upper.
// Key and value are only valid during the call.
func (q *query) scanKeys(lower, upper []byte, f func(key, value []byte) error) error {
	n := 0
	for ok := q.iter.SeekGE(lower); ok && bytes.Compare(q.iter.Key(), upper) < 0; ok = q.iter.Next() {
		if n++; n%4096 == 0 {
			if err := q.canceled(); err != nil {
				return err
			}
		}
		q.read.scanned++
		value, err := q.iter.ValueAndErr()
		if err == nil {
			err = f(q.iter.Key(), value)
		}
		if err != nil {
			return err
		}
	}
	return q.iter.Error()
}

// gather reads the union of the postings from lower to upper whose term
// passes keep (nil: all).
func (q *query) gather(lower, upper []byte, keep func(term []byte) bool) (loaded, error) {
	found := loaded{}
	return found, q.scanKeys(lower, upper, func(key, value []byte) error {
		if keep != nil && !keep(termOf(key)) {
			return nil
		}
		b, err := decodePosting(value)
		if err == nil {
			found.unite(chunkOf(key), b)
		}
		return err
	})
}

// heads returns the distinct first n bytes of the keys from lower to upper.
// It seeks from one to the next, so that what lies between costs nothing.
func (q *query) heads(lower, upper []byte, n int) ([][]byte, error) {
	var found [][]byte
	for ok := q.iter.SeekGE(lower); ok && bytes.Compare(q.iter.Key(), upper) < 0; {
		if len(found)%1024 == 1023 {
			if err := q.canceled(); err != nil {
				return nil, err
			}
		}
		key := q.iter.Key()
		head := bytes.Clone(key[:min(n, len(key))])
		found = append(found, head)
		next := after(head)
		if next == nil {
			break
		}
		ok = q.iter.SeekGE(next)
	}
	return found, q.iter.Error()
}

// postings returns the union of the postings whose keys without chunk have
// length n and lie from lower to upper.
func (q *query) postings(lower, upper []byte, n int) (set, error) {
	heads, err := q.heads(lower, upper, n)
	if err != nil {
		return nil, err
	}
	return q.spread(heads)
}

// own returns one of the engine's own postings of a type.
func (q *query) own(t fhir.Type, param string, term []byte) (set, error) {
	n, ok := q.s.names.knownParam(string(t) + param)
	if !ok {
		return loaded{}, nil
	}
	return q.posting(postingPrefix(nil, n, term))
}

// live returns the current, undeleted resources of a type.
func (q *query) live(t fhir.Type) (set, error) { return q.own(t, paramLive, nil) }

// results returns what a plan selects, by branch.
func (q *query) results(plan *search.Plan) ([]*cached, error) {
	parts := make([]*cached, len(plan.Branches))
	for i, b := range plan.Branches {
		found, err := q.filter(b.Type, b.Filter)
		if err != nil {
			return nil, err
		}
		parts[i] = &cached{set: found, seen: loaded{}}
	}
	return parts, nil
}

// branches returns what a plan selects.
func (q *query) branches(plan *search.Plan) (set, error) {
	parts := make([]set, len(plan.Branches))
	for i, b := range plan.Branches {
		var err error
		if parts[i], err = q.filter(b.Type, b.Filter); err != nil {
			return nil, err
		}
	}
	return unite(parts...), nil
}

// filter returns the resources of type t for which f holds.
func (q *query) filter(t fhir.Type, f search.Filter) (set, error) {
	if q.trace != nil {
		return q.traced(t, f)
	}
	return q.evaluate(t, f)
}

func (q *query) evaluate(t fhir.Type, f search.Filter) (set, error) {
	switch f := f.(type) {
	case nil:
		return q.live(t)
	case search.And:
		return q.and(t, f)
	case search.Or:
		parts := make([]set, len(f))
		for i := range f {
			var err error
			if parts[i], err = q.filter(t, f[i]); err != nil {
				return nil, err
			}
		}
		return unite(parts...), nil
	case search.Not:
		return q.not(t, f.Filter)
	case search.Match:
		return q.match(f.Param, f.Operand)
	case search.Missing:
		return q.missing(t, f)
	case search.IDs:
		return q.ids(t, f)
	case search.Updated:
		return q.updated(t, f.Date)
	case search.Chain:
		return q.chain(t, f)
	case search.Has:
		return q.has(t, f)
	case search.Content:
		return q.content(t, f)
	}
	return nil, fault.New(fault.Internal, "unknown filter %T", f)
}

func (q *query) and(t fhir.Type, f search.And) (set, error) {
	var positive, negative []set
	for _, part := range f {
		not, isNot := part.(search.Not)
		if isNot {
			part = not.Filter
		}
		s, err := q.filter(t, part)
		if err != nil {
			return nil, err
		}
		if isNot {
			negative = append(negative, s)
		} else {
			positive = append(positive, s)
		}
	}
	if len(positive) == 0 {
		live, err := q.live(t)
		if err != nil {
			return nil, err
		}
		positive = append(positive, live)
	}
	left := intersect(positive...)
	if len(negative) > 0 {
		return without{left, unite(negative...)}, nil
	}
	return left, nil
}

func (q *query) not(t fhir.Type, f search.Filter) (set, error) {
	live, err := q.live(t)
	if err != nil {
		return nil, err
	}
	take, err := q.filter(t, f)
	return without{live, take}, err
}

func (q *query) missing(t fhir.Type, f search.Missing) (set, error) {
	present, err := q.present(t, f.Param.Name())
	if err != nil || !f.Missing {
		return present, err
	}
	live, err := q.live(t)
	return without{live, present}, err
}

// present returns the resources of a type that have a value of a parameter.
func (q *query) present(t fhir.Type, name string) (set, error) {
	typ, ok := q.s.names.knownType(t)
	param, known := q.s.names.knownParam(name)
	if !ok || !known {
		return loaded{}, nil
	}
	var parts []set
	for _, hash := range q.s.names.having(typ, param) {
		s, err := q.own(t, paramPresent, signatureTerm(hash))
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}

func (q *query) ids(t fhir.Type, ids search.IDs) (set, error) {
	found := loaded{}
	for _, id := range ids {
		h, ok, err := q.s.headOf(&q.at, fhir.Key{Type: t, ID: id})
		if err != nil {
			return nil, err
		}
		if ok && h.live() {
			found.add(h.doc)
		}
	}
	return found, nil
}
