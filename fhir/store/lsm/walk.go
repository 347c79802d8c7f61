package lsm

import (
	"bytes"
	"slices"

	"salus/fhir"
	"salus/fhir/search"
)

// walk goes along the order of the first key and picks out the members of a
// result. Members that are equal under it are ordered by the keys that follow.
type walk struct {
	q      *query
	result *cached
	typ    fhir.Type
	order  order
	from   *cursor
	want   int
	found  []cursor

	patience int  // how many chunks the query may have read in the end when the first member is found by heads
	tired    bool // they were more
}

func (w *walk) run() ([]cursor, error) {
	if w.order.lead == len(w.order.keys) {
		return w.found, w.equals(w.result, sortValue{})
	}
	key := w.order.keys[w.order.lead]
	switch {
	case key.Updated && w.last():
		return w.found, w.heads(key, string(w.typ)+paramUpdated)
	case key.Updated:
		return w.found, w.byPosition(key.Descending, 0, 1<<62)
	case key.ID:
		return w.found, w.byID(key.Descending)
	}
	steps := []func(search.SortKey) error{w.lacking, w.values}
	if key.Descending {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(key); err != nil || len(w.found) >= w.want {
			return w.found, err
		}
	}
	return w.found, nil
}

// start returns what the walk's first key has where it goes on; only when from is set.
func (w *walk) start() sortValue { return w.from.keys[w.order.lead] }

// last reports whether no key comes behind the one that is walked along.
func (w *walk) last() bool { return w.order.lead+1 >= len(w.order.keys) }

// lacking picks the members without a value under the first key.
func (w *walk) lacking(key search.SortKey) error {
	if w.from != nil && w.start().present && !key.Descending {
		return nil // they came first
	}
	present, err := w.q.withTerms(w.typ, key, w.order.tags[w.order.lead])
	if err != nil {
		return err
	}
	return w.equals(without{w.result, present}, sortValue{})
}

// equals picks those of s that have value under the first key.
func (w *walk) equals(s set, value sortValue) error {
	first := docID(0)
	all := w.order.lead == len(w.order.keys) // no key tells them apart
	if w.last() && w.from != nil && (all || w.start().compare(value) == 0) {
		if first = w.from.doc + 1; first == 0 {
			return nil
		}
	}
	best := top{order: w.order, want: w.want - len(w.found), from: w.from}
	err := each(s, first, w.q.last, func(doc docID) (bool, error) {
		c, err := w.q.sortValues(w.order, w.typ, doc)
		if err != nil {
			return false, err
		}
		if !all && c.keys[w.order.lead].compare(value) != 0 {
			return true, nil // another of its values is the one it is ordered by
		}
		best.add(c)
		return !w.last() || len(best.found) < best.want, w.q.canceled()
	})
	w.found = append(w.found, best.take()...)
	return err
}

// withTerms returns the resources that have a value to order by: all that have one, but for numbers and quantities not those that have ranges only.
// The few with ranges are told apart, for the postings of all values are many.
func (q *query) withTerms(t fhir.Type, key search.SortKey, tag byte) (set, error) {
	name := string(t) + "." + key.Param.Code
	present, err := q.present(t, name)
	kinds, numeric := map[byte][2]byte{tagNumber: {tagNumRange, tagNumberHead}, tagQuantity: {tagQtyRange, tagQtyHead}}[tag]
	param, known := q.s.names.knownParam(name)
	if err != nil || !numeric || !known {
		return present, err
	}
	at := place(postingPrefix(nil, param, nil))
	lower := at.key(kinds[0])
	ranges, err := q.gather(lower, after(lower), nil)
	if err != nil || len(ranges) == 0 {
		return present, err
	}
	prefix := at.key(kinds[1])
	valued, err := q.headPostings(prefix, after(prefix), len(prefix))
	if err != nil {
		return nil, err
	}
	return without{present, without{ranges, valued}}, nil
}

// values picks the members in the order of their values.
func (w *walk) values(key search.SortKey) error {
	name, tag := string(w.typ)+"."+key.Param.Code, w.order.tags[w.order.lead]
	if bucketed(tag) {
		return w.heads(key, name)
	}
	param, ok := w.q.s.names.knownParam(name)
	if !ok {
		return nil
	}
	return w.terms(key, place(postingPrefix(nil, param, nil)).key(tag), nil)
}

// terms picks the members in the order of their terms behind a prefix, of all or
// of those within a head.
func (w *walk) terms(key search.SortKey, prefix, head []byte) error {
	lower, upper := prefix, after(prefix)
	if head != nil {
		lower, upper = headRange(prefix, w.order.tags[w.order.lead], head)
	}
	it := w.q.iter
	if w.from != nil {
		if !w.start().present {
			if key.Descending {
				return nil // those with a value came first
			}
		} else if at := append(bytes.Clone(prefix), w.start().term...); key.Descending {
			upper = minKey(upper, after(at)) // the term itself again, for the rest of its documents
		} else {
			lower = maxKey(lower, at)
		}
	}
	seek := func() bool {
		if key.Descending {
			return it.SeekLT(upper)
		}
		return it.SeekGE(lower)
	}
	for n := 0; seek() && bytes.Compare(it.Key(), lower) >= 0 && bytes.Compare(it.Key(), upper) < 0; n++ {
		if n%256 == 0 {
			if err := w.q.canceled(); err != nil {
				return err
			}
		}
		at := bytes.Clone(it.Key()[:len(it.Key())-4])
		if key.Descending {
			upper = at
		} else {
			lower = after(at)
		}
		s, err := w.q.posting(at)
		if err == nil {
			err = w.equals(intersect(s, w.result), sortValue{true, at[len(prefix):]})
		}
		if err != nil || len(w.found) >= w.want {
			return err
		}
	}
	return it.Error()
}
