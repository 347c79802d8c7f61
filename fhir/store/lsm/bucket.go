package lsm

import (
	"bytes"
	"encoding/binary"
	"slices"

	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// heads are the derived postings of a sort key's values, each of which stands
// for a range of values: the month of a date, sign, exponent and two digits of a
// number or quantity. They are gone along in the order of the ranges.
type heads struct {
	q        *query
	prefixes [][]byte // places of heads: of a quantity one for each unit, of a date for short and long intervals
	at       [][]byte // for each prefix the head that is next; nil at the end
	down     bool
}

// bucketed reports whether values of a kind of terms have heads.
func bucketed(tag byte) bool { return tag == tagDate || tag == tagNumber || tag == tagQuantity }

// valueHead returns the head to which an ordered term belongs.
func valueHead(tag byte, term []byte) []byte {
	if tag == tagDate {
		return monthOf(searchparam.Ticks(binary.BigEndian.Uint64(term)))
	}
	return decimalHead(term)
}

// newHeads returns the heads of a parameter from the one that holds the term
// from on (nil: from the first, or if down from the last).
func (q *query) newHeads(param uint16, tag byte, down bool, from []byte) (*heads, error) {
	at := place(postingPrefix(nil, param, nil))
	h := &heads{q: q, down: down}
	switch tag {
	case tagDate:
		h.prefixes = [][]byte{at.key(tagMonth), at.key(tagLongMonth)}
	case tagNumber:
		h.prefixes = [][]byte{at.key(tagNumberHead)}
	case tagQuantity:
		units := at.key(tagQtyHead)
		var err error
		if h.prefixes, err = q.heads(units, after(units), len(units)+4); err != nil {
			return nil, err
		}
	}
	h.at = make([][]byte, len(h.prefixes))
	for i := range h.prefixes {
		var bound []byte
		if from != nil && down {
			bound = after(valueHead(tag, from))
		} else if from != nil {
			bound = valueHead(tag, from)
		}
		if err := h.seek(i, bound); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// seek moves to the first head of a prefix at bound or later, or if down to the
// last one before it (nil: no bound).
func (h *heads) seek(i int, bound []byte) error {
	prefix, it := h.prefixes[i], h.q.iter
	var ok bool
	switch {
	case !h.down:
		ok = it.SeekGE(append(bytes.Clone(prefix), bound...))
	case bound == nil:
		ok = it.SeekLT(after(prefix))
	default:
		ok = it.SeekLT(append(bytes.Clone(prefix), bound...))
	}
	h.at[i] = nil
	if ok && bytes.HasPrefix(it.Key(), prefix) {
		h.at[i] = bytes.Clone(it.Key()[len(prefix) : len(it.Key())-4])
	}
	return it.Error()
}

// next returns the head that comes next and the documents that have a value
// within it; head is nil at the end.
func (h *heads) next() (head []byte, docs set, err error) {
	for _, at := range h.at {
		if at == nil {
			continue
		}
		if c := bytes.Compare(at, head); head == nil || h.down && c > 0 || !h.down && c < 0 {
			head = at
		}
	}
	if head == nil {
		return nil, nil, h.q.canceled()
	}
	var parts []set
	for i, at := range h.at {
		if at == nil || !bytes.Equal(at, head) {
			continue
		}
		s, err := h.q.posting(append(bytes.Clone(h.prefixes[i]), head...))
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, s)
		bound := after(head)
		if h.down {
			bound = head
		}
		if err := h.seek(i, bound); err != nil {
			return nil, nil, err
		}
	}
	return head, unite(parts...), nil
}

// heads picks the members in the order of their values, head by head: those of
// one head are collected and sorted, or when they are very many, walked along
// value by value. A range without members costs one look at its heads' postings.
func (w *walk) heads(key search.SortKey) error {
	param, ok := w.q.s.names.knownParam(string(w.typ) + "." + key.Param.Code)
	if !ok {
		return nil
	}
	var from []byte
	if w.from != nil && w.start().present {
		from = w.start().term
	} else if w.from != nil && key.Descending {
		return nil // those with a value came first
	}
	tag := w.order.tags[w.order.lead]
	along, err := w.q.newHeads(param, tag, key.Descending, from)
	if err != nil {
		return err
	}
	for len(w.found) < w.want {
		head, docs, err := along.next()
		if err != nil || head == nil {
			return err
		}
		if err := w.head(key, param, head, docs); err != nil {
			return err
		}
	}
	return nil
}

// head picks the members whose value lies within one head.
func (w *walk) head(key search.SortKey, param uint16, head []byte, docs set) error {
	tag := w.order.tags[w.order.lead]
	var members []docID
	err := each(intersect(docs, w.result), 0, w.q.last, func(doc docID) (bool, error) {
		members = append(members, doc)
		return len(members) <= w.q.s.limits.head || tag == tagQuantity, w.q.canceled()
	})
	if err != nil {
		return err
	}
	if len(members) > w.q.s.limits.head && tag != tagQuantity {
		return w.terms(key, param, head)
	}
	best := top{order: w.order, want: w.want - len(w.found), from: w.from}
	for _, doc := range members {
		c, err := w.q.sortValues(w.order, w.typ, doc)
		if err != nil {
			return err
		}
		if v := c.keys[w.order.lead]; v.present && bytes.Equal(valueHead(tag, v.term), head) {
			best.add(c) // otherwise another of its values is the one it is ordered by
		}
	}
	w.found = append(w.found, best.take()...)
	return nil
}

// headRange returns the keys of the terms within a head.
func headRange(prefix []byte, tag byte, head []byte) (lower, upper []byte) {
	if tag != tagDate {
		lower = append(slices.Clip(prefix), head...)
		return lower, after(lower)
	}
	month := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	lower = appendU64(slices.Clip(prefix), uint64(startOfMonth(month)))
	return lower, appendU64(slices.Clip(prefix), uint64(startOfMonth(month+1)))
}
