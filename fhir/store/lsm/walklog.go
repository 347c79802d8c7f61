package lsm

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
)

// byPosition picks the members in the order of their current versions, of those
// from a position on up to but without another. Where keys come behind, versions
// of one instant are gathered before they are ordered.
func (w *walk) byPosition(descending bool, from, behind seqNo) error {
	typ, ok := w.q.s.names.knownType(w.typ)
	if !ok {
		return nil
	}
	lower, upper, err := w.positions(typ, descending)
	if err != nil {
		return err
	}
	lower = maxKey(lower, typeLogKey(nil, typ, from))
	upper = minKey(upper, typeLogKey(nil, typ, behind))
	best := top{order: w.order, want: w.want - len(w.found), from: w.from}
	var instant sortValue // of the member before
	err = w.scan(lower, upper, descending, func(key, value []byte) (bool, error) {
		doc, seq := binary.BigEndian.Uint32(value), binary.BigEndian.Uint64(key[3:])
		member, err := w.result.has(doc)
		if err != nil || !member {
			return true, err
		}
		d, _, err := w.q.s.document(&w.q.at, doc)
		if err != nil || d.seq != seq { // an older version
			return true, err
		}
		c, err := w.q.sortValues(w.order, w.typ, doc)
		if err != nil {
			return false, err
		}
		at := c.keys[w.order.lead]
		if len(best.found) >= best.want && at.compare(instant) != 0 {
			return false, nil
		}
		best.add(c)
		instant = at
		return true, nil
	})
	w.found = append(w.found, best.take()...)
	return err
}

// positions returns the keys of the type's log between which the walk goes.
func (w *walk) positions(typ uint16, descending bool) (lower, upper []byte, err error) {
	lower, upper = typeLogKey(nil, typ, 0), after(appendU16([]byte{spaceTypeLog}, typ))
	if w.from == nil {
		return lower, upper, nil
	}
	if len(w.start().term) != 8 {
		return nil, nil, fault.New(fault.Invalid, "the continuation does not belong to this search")
	}
	at := binary.BigEndian.Uint64(w.start().term)
	first, end := at, at+1 // positions at which the walk goes on
	if !w.last() {         // at is a time
		if first, err = w.q.s.positionAt(w.q.snap, int64(at)); err != nil {
			return nil, nil, err
		}
		if end, err = w.q.s.positionAt(w.q.snap, int64(at)+1); err != nil {
			return nil, nil, err
		}
	}
	if descending {
		return lower, typeLogKey(nil, typ, end), nil
	}
	return typeLogKey(nil, typ, first), upper, nil
}

// byID picks the members in the order of their ids.
func (w *walk) byID(descending bool) error {
	typ, ok := w.q.s.names.knownType(w.typ)
	if !ok {
		return nil
	}
	lower := headKey(nil, typ, "")
	upper := after(lower)
	if w.from != nil { // a resource of another type may have the same id
		at := append(headKey(nil, typ, ""), w.start().term...)
		if descending {
			upper = append(at, 0)
		} else {
			lower = at
		}
	}
	return w.scan(lower, upper, descending, func(_, value []byte) (bool, error) {
		h, err := parseHead(value)
		if err != nil || !h.live() {
			return true, err
		}
		member, err := w.result.has(h.doc)
		if err != nil || !member {
			return true, err
		}
		c, err := w.q.sortValues(w.order, w.typ, h.doc)
		if err == nil && (w.from == nil || w.order.compare(&c, w.from) > 0) {
			w.found = append(w.found, c)
		}
		return len(w.found) < w.want, err
	})
}

// scan calls f for each key from lower up to but without upper, or the other way
// round, until f returns false. Key and value are only valid during the call.
func (w *walk) scan(lower, upper []byte, descending bool, f func(key, value []byte) (bool, error)) error {
	it, err := w.q.snap.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	step, start := it.Next, it.First
	if descending {
		step, start = it.Prev, it.Last
	}
	n := 0
	for ok := start(); ok; ok = step() {
		if n++; n%4096 == 0 {
			if err := w.q.canceled(); err != nil {
				return closeAfter(it, err)
			}
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return closeAfter(it, err)
		}
		if goOn, err := f(it.Key(), value); err != nil || !goOn {
			return closeAfter(it, err)
		}
	}
	return closeAfter(it, it.Error())
}
