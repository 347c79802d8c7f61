package lsm

import (
	"bytes"

	"salus/fhir/search"
)

// number returns the resources with a number that satisfies op. exact, head
// and ranges are the places of the values, of their heads (sign, exponent and
// two digits) and of stored ranges. Values whose heads lie wholly within the
// limits are found by their heads; only those at the ends are looked at singly.
func (q *query) number(exact, head, ranges []byte, op search.Number) (set, error) {
	value, low := ordered(op.Value), ordered(op.Low)
	behind := append(bytes.Clone(exact), ordered(op.High)...) // the first place behind the window
	if !op.Open {
		behind = after(behind)
	}
	var single set
	var err error
	switch op.Prefix {
	case search.Gt, search.Sa:
		single, err = q.numbers(exact, head, after(append(bytes.Clone(exact), value...)), nil)
	case search.Ge:
		single, err = q.numbers(exact, head, append(bytes.Clone(exact), value...), nil)
	case search.Lt, search.Eb:
		single, err = q.numbers(exact, head, nil, append(bytes.Clone(exact), value...))
	case search.Le:
		single, err = q.numbers(exact, head, nil, after(append(bytes.Clone(exact), value...)))
	case search.Ne:
		var below, above set
		if below, err = q.numbers(exact, head, nil, append(bytes.Clone(exact), low...)); err == nil {
			above, err = q.numbers(exact, head, behind, nil)
			single = unite(below, above)
		}
	default:
		single, err = q.numbers(exact, head, append(bytes.Clone(exact), low...), behind)
	}
	if err != nil {
		return nil, err
	}
	skip := len(ranges) - 3
	stored, err := q.gather(ranges, after(ranges), func(term []byte) bool {
		return rangeMatches(term[skip:], op)
	})
	return unite(single, stored), err
}

// numbers returns the resources with a value whose key lies from lower to
// upper (nil: no limit).
func (q *query) numbers(exact, head, lower, upper []byte) (set, error) {
	if lower == nil {
		lower = exact
	}
	if upper == nil {
		upper = after(exact)
	}
	if bytes.Compare(lower, upper) >= 0 {
		return loaded{}, nil
	}
	width := len(exact)
	firstHead := func(key []byte) []byte { // the head of the value at which a limit lies
		if !bytes.HasPrefix(key, exact) {
			return nil
		}
		return append(bytes.Clone(head), key[width:min(len(key), width+4)]...)
	}
	from, to := firstHead(lower), firstHead(upper)
	if from == nil || to != nil && bytes.Equal(from, to) {
		return q.terms(lower, upper, nil)
	}
	parts := make([]set, 0, 3)
	inner := bytes.Clone(from)
	if n := len(from) - len(head); n == 4 || n == 1 && from[len(head)] == 0x80 { // values that share the head of the lower limit, one by one
		end := after(append(bytes.Clone(exact), from[len(head):]...))
		edge, err := q.terms(lower, minKey(end, upper), nil)
		if err != nil {
			return nil, err
		}
		parts = append(parts, edge)
		inner = after(from)
	}
	outer := after(head)
	if to != nil {
		begin := append(bytes.Clone(exact), to[len(head):]...)
		edge, err := q.terms(maxKey(begin, lower), upper, nil)
		if err != nil {
			return nil, err
		}
		parts = append(parts, edge)
		outer = to
	}
	if bytes.Compare(inner, outer) < 0 {
		middle, err := q.headPostings(inner, outer, len(head))
		if err != nil {
			return nil, err
		}
		parts = append(parts, middle)
	}
	return unite(parts...), nil
}

// headPostings returns the union of the postings of heads from lower to upper.
// The head of zero is one byte long, all others have four.
func (q *query) headPostings(lower, upper []byte, width int) (set, error) {
	var found [][]byte
	for ok := q.iter.SeekGE(lower); ok && bytes.Compare(q.iter.Key(), upper) < 0; {
		key := q.iter.Key()
		h := bytes.Clone(key[:len(key)-4])
		if len(h) <= width { // no head at all: cannot be
			return nil, damaged("number head")
		}
		found = append(found, h)
		ok = q.iter.SeekGE(after(h))
	}
	if err := q.iter.Error(); err != nil {
		return nil, err
	}
	return q.spread(found)
}

func minKey(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return a
	}
	return b
}

func maxKey(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}

// rangeMatches reports whether a stored range (flags, low, high) satisfies a
// comparison.
func rangeMatches(b []byte, op search.Number) bool {
	if len(b) < 3 {
		return false
	}
	value, low, high := ordered(op.Value), ordered(op.Low), ordered(op.High)
	n := decimalLen(b[1:])
	below, above := b[0]&openLow != 0, b[0]&openHigh != 0 // no end on that side
	storedLow, storedHigh := b[1:1+n], b[1+n:]
	lowCmp := func(x []byte) int {
		if below {
			return -1
		}
		return bytes.Compare(storedLow, x)
	}
	highCmp := func(x []byte) int {
		if above {
			return 1
		}
		return bytes.Compare(storedHigh, x)
	}
	within := lowCmp(low) >= 0 && highCmp(high) <= 0 && (!op.Open || highCmp(high) < 0)
	switch op.Prefix {
	case search.Gt:
		return highCmp(value) > 0
	case search.Ge:
		return highCmp(value) >= 0
	case search.Lt:
		return lowCmp(value) < 0
	case search.Le:
		return lowCmp(value) <= 0
	case search.Sa:
		return lowCmp(value) > 0
	case search.Eb:
		return highCmp(value) < 0
	case search.Ne:
		return !within
	}
	return within
}
