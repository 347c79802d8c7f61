package lsm

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
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
}

func (w *walk) run() ([]cursor, error) {
	key := w.order.keys[0]
	if key.Updated {
		return w.found, w.byPosition(key.Descending)
	}
	steps := []func(search.SortKey) error{w.lacking, w.terms}
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

// lacking picks the members without a value under the first key.
func (w *walk) lacking(key search.SortKey) error {
	if w.from != nil && w.from.keys[0].present && !key.Descending {
		return nil // they came first
	}
	present, err := w.q.withTerms(w.typ, key, w.order.tags[0])
	if err != nil {
		return err
	}
	return w.equals(without{w.result, present}, sortValue{})
}

// equals picks those of s that have value under the first key.
func (w *walk) equals(s set, value sortValue) error {
	first := docID(0)
	single := len(w.order.keys) == 1
	if single && w.from != nil && w.from.keys[0].compare(value) == 0 {
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
		if c.keys[0].compare(value) != 0 {
			return true, nil // another of its values is the one it is ordered by
		}
		best.add(c)
		return !single || len(best.found) < best.want, w.q.canceled()
	})
	w.found = append(w.found, best.take()...)
	return err
}

// withTerms returns the resources that have a value to order by.
func (q *query) withTerms(t fhir.Type, key search.SortKey, tag byte) (set, error) {
	name := string(t) + "." + key.Param.Code
	if tag != tagNumber { // every value of these kinds has an ordered term
		return q.present(t, name)
	}
	param, ok := q.s.names.knownParam(name)
	if !ok {
		return loaded{}, nil
	}
	head := place(postingPrefix(nil, param, nil)).key(tagNumberHead)
	return q.headPostings(head, after(head), len(head))
}

// terms picks the members in the order of their terms.
func (w *walk) terms(key search.SortKey) error {
	param, ok := w.q.s.names.knownParam(string(w.typ) + "." + key.Param.Code)
	if !ok {
		return nil
	}
	prefix := place(postingPrefix(nil, param, nil)).key(w.order.tags[0])
	lower, upper := prefix, after(prefix)
	it := w.q.iter
	if w.from != nil {
		if !w.from.keys[0].present {
			if key.Descending {
				return nil // those with a value came first
			}
		} else if at := append(bytes.Clone(prefix), w.from.keys[0].term...); key.Descending {
			upper = after(at) // the term itself again, for the rest of its documents
		} else {
			lower = at
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

// byPosition picks the members in the order of their current versions.
func (w *walk) byPosition(descending bool) error {
	typ, ok := w.q.s.names.knownType(w.typ)
	if !ok {
		return nil
	}
	opt := &pebble.IterOptions{LowerBound: typeLogKey(nil, typ, 0), UpperBound: after(appendU16([]byte{spaceTypeLog}, typ))}
	if w.from != nil {
		if len(w.from.keys[0].term) != 8 {
			return fault.New(fault.Invalid, "the continuation does not belong to this search")
		}
		seq := binary.BigEndian.Uint64(w.from.keys[0].term)
		if descending {
			opt.UpperBound = typeLogKey(nil, typ, seq)
		} else {
			opt.LowerBound = typeLogKey(nil, typ, seq+1)
		}
	}
	it, err := w.q.snap.NewIter(opt)
	if err != nil {
		return err
	}
	step, start := it.Next, it.First
	if descending {
		step, start = it.Prev, it.Last
	}
	n := 0
	for ok := start(); ok && len(w.found) < w.want; ok = step() {
		if n++; n%4096 == 0 {
			if err := w.q.canceled(); err != nil {
				return closeAfter(it, err)
			}
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return closeAfter(it, err)
		}
		doc := binary.BigEndian.Uint32(value)
		member, err := w.result.has(doc)
		if err != nil {
			return closeAfter(it, err)
		}
		if !member {
			continue
		}
		seq := binary.BigEndian.Uint64(it.Key()[3:])
		d, _, err := w.q.s.document(w.q.snap, doc)
		if err != nil {
			return closeAfter(it, err)
		}
		if d.seq == seq { // otherwise an older version
			w.found = append(w.found, cursor{keys: []sortValue{{true, appendU64(nil, seq)}}, doc: doc})
		}
	}
	return closeAfter(it, it.Error())
}
