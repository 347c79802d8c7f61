package lsm

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// History implements store.Store.
func (s *Store) History(ctx context.Context, hq store.HistoryQuery) (page *store.HistoryPage, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	q, err := s.newQuery(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = q.close(err); err != nil {
			page = nil
		}
	}()
	low, high, err := q.window(hq)
	if err != nil {
		return nil, err
	}
	page = &store.HistoryPage{Total: -1}
	if hq.Total || hq.Count == 0 {
		page.Total = 0
		if err := q.positions(hq, low, high, func(seqNo) bool { page.Total++; return true }); err != nil {
			return nil, err
		}
	}
	if hq.Count == 0 {
		return page, nil
	}
	if len(hq.After) > 0 {
		if len(hq.After) != 9 || hq.After[0] != cursorForm {
			return nil, fault.New(fault.Invalid, "the continuation does not belong to this history")
		}
		seq := binary.BigEndian.Uint64(hq.After[1:])
		if hq.OldestFirst {
			low = max(low, seq+1)
		} else {
			high = min(high, seq)
		}
	}
	var seqs []seqNo
	if err := q.positions(hq, low, high, func(seq seqNo) bool { seqs = append(seqs, seq); return len(seqs) <= hq.Count }); err != nil {
		return nil, err
	}
	if len(seqs) > hq.Count {
		seqs = seqs[:hq.Count]
		page.Next = appendU64([]byte{cursorForm}, seqs[hq.Count-1])
	}
	page.Versions, err = q.versions(seqs)
	return page, err
}

// window returns the positions that a history is about: from low to before high.
func (q *query) window(hq store.HistoryQuery) (low, high seqNo, err error) {
	low, high = 0, 1<<62
	if !hq.Since.IsZero() {
		since := hq.Since.UnixMilli()
		if hq.Since.Nanosecond()%1e6 != 0 {
			since++
		}
		if low, err = q.s.positionAt(q.snap, since); err != nil {
			return low, high, err
		}
	}
	if !hq.Before.IsZero() {
		before := hq.Before.UnixMilli()
		if hq.Before.Nanosecond()%1e6 != 0 {
			before++
		}
		high, err = q.s.positionAt(q.snap, before)
	}
	return low, high, err
}

// positions calls f with the position of each version that hq asks for, from
// low to before high, in its order, until f returns false.
func (q *query) positions(hq store.HistoryQuery, low, high seqNo, f func(seqNo) bool) error {
	if hq.ID != "" {
		return q.ofInstance(hq, low, high, f)
	}
	prefix, width := []byte{spaceVersion}, 1
	if hq.Type != "" {
		typ, ok := q.s.names.knownType(hq.Type)
		if !ok {
			return nil
		}
		prefix, width = appendU16([]byte{spaceTypeLog}, typ), 3
	}
	if low >= high {
		return nil
	}
	it, err := q.snap.NewIter(&pebble.IterOptions{
		LowerBound: appendU64(slices.Clone(prefix), low), UpperBound: appendU64(slices.Clone(prefix), high),
	})
	if err != nil {
		return err
	}
	step, start := it.Prev, it.Last
	if hq.OldestFirst {
		step, start = it.Next, it.First
	}
	n := 0
	for ok := start(); ok; ok = step() {
		if n++; n%4096 == 0 {
			if err := q.canceled(); err != nil {
				return closeAfter(it, err)
			}
		}
		if width == 1 { // a purge is no version
			value, err := it.ValueAndErr()
			if err != nil {
				return closeAfter(it, err)
			}
			if len(value) > 0 && fhir.Method(value[0]) == fhir.Purge {
				continue
			}
		}
		if !f(binary.BigEndian.Uint64(it.Key()[width:])) {
			break
		}
	}
	return closeAfter(it, it.Error())
}

// ofInstance is positions for one resource.
func (q *query) ofInstance(hq store.HistoryQuery, low, high seqNo, f func(seqNo) bool) error {
	h, found, err := q.s.headOf(&q.at, fhir.Key{Type: hq.Type, ID: hq.ID})
	if err != nil {
		return err
	}
	if !found || h.version == 0 {
		return nil
	}
	var seqs []seqNo // ascending
	err = scan(q.snap, olderKey(nil, h.doc, 0)[:5], func(_, value []byte) error {
		seq, err := parseSeq(value)
		seqs = append(seqs, seq)
		return err
	})
	if err != nil {
		return err
	}
	seqs = append(seqs, h.seq)
	if !hq.OldestFirst {
		slices.Reverse(seqs)
	}
	for _, seq := range seqs {
		if seq >= low && seq < high && !f(seq) {
			break
		}
	}
	return nil
}

// versions reads the versions at positions of the change log.
func (q *query) versions(seqs []seqNo) ([]fhir.Version, error) {
	var found []fhir.Version
	for _, seq := range seqs {
		if err := q.canceled(); err != nil {
			return nil, err
		}
		var rec record
		var v fhir.Version
		ok, err := get(&q.at, versionKey(nil, seq), func(value []byte) (err error) {
			if rec, err = parseRecord(value); err != nil {
				return err
			}
			key, err := q.keyOf(rec.doc)
			if err != nil {
				return err
			}
			v, err = q.s.toVersion(&rec, key)
			return err
		})
		if err == nil && !ok {
			err = damaged("the history names a version that is not there")
		}
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, nil
}

func (q *query) keyOf(doc docID) (fhir.Key, error) { return q.s.keyOf(&q.at, doc) }
