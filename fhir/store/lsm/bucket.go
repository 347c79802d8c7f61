package lsm

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// heads are the derived postings of a sort key's values, each of which stands
// for a range of values: the month of a date, sign, exponent and two digits of a
// number or quantity, a bucket of positions. They are gone along in the order of the ranges.
type heads struct {
	q        *query
	prefixes [][]byte // places of heads: of a quantity one for each unit, of a date for short and long intervals
	at       [][]byte // for each prefix the head that is next; nil at the end
	down     bool
}

// bucketed reports whether values of a kind of terms have heads.
func bucketed(tag byte) bool {
	return tag == tagDate || tag == tagNumber || tag == tagQuantity || tag == noTagPosition
}

// valueHead returns the head to which an ordered term belongs.
func valueHead(tag byte, term []byte) []byte {
	switch tag {
	case tagDate:
		return monthOf(searchparam.Ticks(binary.BigEndian.Uint64(term)))
	case noTagPosition:
		return bucketOf(binary.BigEndian.Uint64(term))
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
	case noTagPosition:
		h.prefixes = [][]byte{at}
	case tagQuantity:
		units := at.key(tagQtyHead)
		var err error
		if h.prefixes, err = q.heads(units, after(units), len(units)+4); err != nil {
			return nil, err
		}
	}
	h.at = make([][]byte, len(h.prefixes))
	var bound []byte
	if from != nil {
		if bound = valueHead(tag, from); down {
			bound = after(bound)
		}
	}
	return h, h.seek(bound)
}

// seek moves all to the first head at bound or later, or if down to the last
// one before it (nil: no bound).
func (h *heads) seek(bound []byte) error {
	for i := range h.prefixes {
		if err := h.seekOne(i, bound); err != nil {
			return err
		}
	}
	return nil
}

func (h *heads) seekOne(i int, bound []byte) error {
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

// peek returns the head that comes next; nil at the end.
func (h *heads) peek() (head []byte) {
	for _, at := range h.at {
		if at == nil {
			continue
		}
		if c := bytes.Compare(at, head); head == nil || h.down && c > 0 || !h.down && c < 0 {
			head = at
		}
	}
	return head
}

// next returns the head that comes next and the documents that have a value
// within it, by prefix; head is nil at the end.
func (h *heads) next() (head []byte, docs []set, err error) {
	if head = h.peek(); head == nil {
		return nil, nil, h.q.canceled()
	}
	docs = make([]set, len(h.at))
	for i, at := range h.at {
		if docs[i] = (loaded{}); at == nil || !bytes.Equal(at, head) {
			continue
		}
		if docs[i], err = h.q.posting(append(bytes.Clone(h.prefixes[i]), head...)); err != nil {
			return nil, nil, err
		}
		bound := head
		if !h.down {
			bound = after(head)
		}
		if err := h.seekOne(i, bound); err != nil {
			return nil, nil, err
		}
	}
	return head, docs, nil
}

// barren is after how many heads without a member years are looked at first.
const barren = 3

// heads picks the members in the order of their values, head by head: those of
// one head are collected and sorted, or when they are very many, walked along
// value by value. A range without members costs one look at its heads' postings.
func (w *walk) heads(key search.SortKey, name string) error {
	param, ok := w.q.s.names.knownParam(name)
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
	empty := 0
	for len(w.found) < w.want {
		if w.tired = len(w.found) == 0 && w.q.read.chunks > w.patience; w.tired {
			return nil
		}
		if empty == barren && tag == tagDate {
			empty = 0
			if err := w.skipYears(param, along); err != nil {
				return err
			}
		}
		head, docs, err := along.next()
		if err != nil || head == nil {
			return err
		}
		any, err := w.head(key, param, along.prefixes, head, docs)
		if err != nil {
			return err
		}
		if empty++; any {
			empty = 0
		}
	}
	return nil
}

// skipYears moves along to the first month of a year that has members.
func (w *walk) skipYears(param uint16, along *heads) error {
	at := place(postingPrefix(nil, param, nil))
	for {
		head := along.peek()
		if head == nil || w.q.read.chunks > w.patience {
			return w.q.canceled()
		}
		year := month(head) / 12
		short, err := w.q.posting(at.key(tagYear, appendU16(nil, uint16(year))))
		if err != nil {
			return err
		}
		long, err := w.q.posting(at.key(tagLongYear, appendU16(nil, uint16(year))))
		if err != nil {
			return err
		}
		if any, err := some(intersect(unite(short, long), w.result), w.q.last); err != nil || any {
			return err
		}
		if !along.down {
			year++
		}
		if err := along.seek(appendMonth(nil, year*12)); err != nil {
			return err
		}
	}
}

// head picks the members whose value lies within one head, and reports whether
// there are any. docs are the documents that have such values, by prefix.
func (w *walk) head(key search.SortKey, param uint16, prefixes [][]byte, head []byte, docs []set) (bool, error) {
	tag := w.order.tags[w.order.lead]
	in := unite(slices.Clone(docs)...)
	few := int(w.q.s.limits.head * math.Sqrt(float64(w.want)*float64(in.size())))
	var members []docID
	err := each(intersect(in, w.result), 0, w.q.last, func(doc docID) (bool, error) {
		members = append(members, doc)
		return len(members) <= few || tag == tagQuantity, w.q.canceled()
	})
	if err != nil || len(members) == 0 {
		return false, err
	}
	if len(members) > few {
		if tag == noTagPosition {
			bucket := seqNo(binary.BigEndian.Uint32(head))
			return true, w.byPosition(key.Descending, bucket<<updatedBucket, (bucket+1)<<updatedBucket)
		}
		prefix := place(postingPrefix(nil, param, nil)).key(tag)
		if tag != tagQuantity {
			return true, w.terms(key, prefix, head)
		}
		unit, err := w.unit(members, docs)
		if err != nil {
			return true, err
		}
		if unit >= 0 {
			return true, w.terms(key, append(prefix, prefixes[unit][len(prefix):]...), head)
		}
	}
	best := top{order: w.order, want: w.want - len(w.found), from: w.from}
	for _, doc := range members {
		c, err := w.q.sortValues(w.order, w.typ, doc)
		if err != nil {
			return true, err
		}
		if v := c.keys[w.order.lead]; v.present && bytes.Equal(valueHead(tag, v.term), head) {
			best.add(c) // otherwise another of its values is the one it is ordered by
		}
	}
	w.found = append(w.found, best.take()...)
	return true, nil
}

// unit returns the only one of docs that has members; -1 when several have.
func (w *walk) unit(members []docID, docs []set) (unit int, err error) {
	found := loaded{}
	for _, doc := range members {
		found.add(doc)
	}
	unit = -1
	for i, s := range docs {
		any, err := some(intersect(s, found), w.q.last)
		if err != nil || any && unit >= 0 {
			return -1, err
		}
		if any {
			unit = i
		}
	}
	return unit, nil
}

// headRange returns the keys of the terms within a head.
func headRange(prefix []byte, tag byte, head []byte) (lower, upper []byte) {
	if tag != tagDate {
		lower = append(slices.Clip(prefix), head...)
		return lower, after(lower)
	}
	lower = appendU64(slices.Clip(prefix), uint64(startOfMonth(month(head))))
	return lower, appendU64(slices.Clip(prefix), uint64(startOfMonth(month(head)+1)))
}
