package memory

import (
	"context"
	"encoding/binary"
	"iter"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// History returns versions in the order of the change log. Marks of purges are
// no versions.
func (s *Store) History(ctx context.Context, q store.HistoryQuery) (*store.HistoryPage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var after uint64
	if q.After != nil {
		if len(q.After) != 8 {
			return nil, fault.New(fault.Invalid, "the history cannot be continued from there")
		}
		after = binary.BigEndian.Uint64(q.After)
	}
	page := &store.HistoryPage{Total: -1}
	var total int64
	var last uint64 // position of the newest version on the page
	for i := range s.log {
		c := s.log[i]
		if !q.OldestFirst {
			c = s.log[len(s.log)-1-i]
		}
		if !wanted(q, c.Version) {
			continue
		}
		total++
		switch behind := after == 0 || (c.Position > after) == q.OldestFirst && c.Position != after; {
		case !behind || q.Count == 0 || page.Next != nil:
		case len(page.Versions) == q.Count:
			page.Next = binary.BigEndian.AppendUint64(nil, last)
		default:
			page.Versions = append(page.Versions, c.Version)
			last = c.Position
		}
	}
	if q.Total || q.Count == 0 {
		page.Total = total
	}
	return page, nil
}

// wanted reports whether v is among the versions that q asks for.
func wanted(q store.HistoryQuery, v fhir.Version) bool {
	return v.Method != fhir.Purge &&
		(q.Type == "" || q.Type == v.Type) &&
		(q.ID == "" || q.ID == v.ID) &&
		(q.Since.IsZero() || !v.Updated.Before(q.Since)) &&
		(q.Before.IsZero() || v.Updated.Before(q.Before))
}

// Changes yields the change log after a position.
func (s *Store) Changes(ctx context.Context, after uint64) iter.Seq2[store.Change, error] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	log, err := s.log, s.ready(ctx)
	return func(yield func(store.Change, error) bool) {
		if err != nil {
			yield(store.Change{}, err)
			return
		}
		for _, c := range log {
			if c.Position > after && !yield(c, nil) {
				return
			}
		}
	}
}
