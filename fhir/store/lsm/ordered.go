package lsm

import (
	"bytes"

	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// number returns the resources with a number that satisfies op. exact, head
// and ranges are the places of the values, of their heads (sign, exponent and
// two digits) and of stored ranges. Values whose heads lie wholly within the
// limits are found by their heads; only those at the ends are looked at singly.
func (q *query) number(exact, head, ranges []byte, op search.Number) (set, error) {
	value := ordered(op.Value)
	low, high := ordered(op.Low), ordered(op.High)
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
			above, err = q.numbers(exact, head, after(append(bytes.Clone(exact), high...)), nil)
			single = unite(below, above)
		}
	default:
		single, err = q.numbers(exact, head, append(bytes.Clone(exact), low...), after(append(bytes.Clone(exact), high...)))
	}
	if err != nil {
		return nil, err
	}
	skip := len(ranges) - 3
	stored, err := q.gather(ranges, after(ranges), func(term []byte) bool {
		return rangeMatches(term[skip:], op.Prefix, value, low, high)
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
		return q.gather(lower, upper, nil)
	}
	parts := make([]set, 0, 3)
	inner := bytes.Clone(from)
	if n := len(from) - len(head); n == 4 || n == 1 && from[len(head)] == 0x80 { // values that share the head of the lower limit, one by one
		end := after(append(bytes.Clone(exact), from[len(head):]...))
		edge, err := q.gather(lower, minKey(end, upper), nil)
		if err != nil {
			return nil, err
		}
		parts = append(parts, edge)
		inner = after(from)
	}
	outer := after(head)
	if to != nil {
		begin := append(bytes.Clone(exact), to[len(head):]...)
		edge, err := q.gather(maxKey(begin, lower), upper, nil)
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
	var parts []set
	for ok := q.iter.SeekGE(lower); ok && bytes.Compare(q.iter.Key(), upper) < 0; {
		key := q.iter.Key()
		h := bytes.Clone(key[:len(key)-4])
		if len(h) <= width { // no head at all: cannot be
			return nil, damaged("number head")
		}
		s, err := q.posting(h)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
		ok = q.iter.SeekGE(after(h))
	}
	return unite(parts...), q.iter.Error()
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
// comparison; value, low and high are ordered encodings.
func rangeMatches(b []byte, prefix search.Prefix, value, low, high []byte) bool {
	if len(b) < 3 {
		return false
	}
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
	within := lowCmp(low) >= 0 && highCmp(high) <= 0
	switch prefix {
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

// date returns the resources with an interval that satisfies op; S and E are
// the ends of a stored one.
func (q *query) date(at place, op search.Date) (set, error) {
	s, e := op.Start, op.End
	switch op.Prefix {
	case search.Ne:
		before, err := q.starting(at, searchparam.MinTicks, s-1)
		if err != nil {
			return nil, err
		}
		later, err := q.ending(at, e+1, searchparam.MaxTicks)
		return unite(before, later), err
	case search.Lt:
		return q.starting(at, searchparam.MinTicks, s-1)
	case search.Le:
		return q.starting(at, searchparam.MinTicks, e)
	case search.Gt:
		return q.ending(at, e+1, searchparam.MaxTicks)
	case search.Ge:
		return q.ending(at, s, searchparam.MaxTicks)
	case search.Sa:
		return q.starting(at, e+1, searchparam.MaxTicks)
	case search.Eb:
		return q.ending(at, searchparam.MinTicks, s-1)
	case search.Eq:
		if op.Within {
			return q.within(at, s, e)
		}
	}
	in, err := q.starting(at, s, e)
	if err != nil {
		return nil, err
	}
	over, err := q.spanning(at, s)
	return unite(in, over), err
}

// starting returns the resources with low ≤ S ≤ high.
func (q *query) starting(at place, low, high searchparam.Ticks) (set, error) {
	if low > high {
		return loaded{}, nil
	}
	cal := newSpan(low, high)
	short, err := q.calendar(at, tagYear, tagMonth, cal)
	if err != nil {
		return nil, err
	}
	long, err := q.calendar(at, tagLongYear, tagLongMonth, cal)
	if err != nil {
		return nil, err
	}
	edges, err := q.edges(at, tagDate, cal, nil)
	return unite(short, long, edges), err
}

// ending returns the resources with low ≤ E ≤ high.
func (q *query) ending(at place, low, high searchparam.Ticks) (set, error) {
	if low > high {
		return loaded{}, nil
	}
	// Long intervals by their ends.
	cal := newSpan(low, high)
	long, err := q.calendar(at, tagEndYear, tagEndMonth, cal)
	if err != nil {
		return nil, err
	}
	longEdges, err := q.edges(at, tagEnd, cal, nil)
	if err != nil {
		return nil, err
	}
	// Short ones by their starts: those that start from low to high - day end in
	// time for certain, those a day before and after are looked at singly.
	inner, err := q.shortStarting(at, low, high-day)
	if err != nil {
		return nil, err
	}
	keep := func(s, e searchparam.Ticks) bool { return e-s <= day && low <= e && e <= high }
	before, err := q.dates(at, tagDate, low-day, low-1, keep)
	if err != nil {
		return nil, err
	}
	late, err := q.dates(at, tagDate, max(low, high-day+1), high, keep)
	return unite(long, longEdges, inner, before, late), err
}

// shortStarting returns the resources with low ≤ S ≤ high and E - S ≤ a day.
func (q *query) shortStarting(at place, low, high searchparam.Ticks) (set, error) {
	if low > high {
		return loaded{}, nil
	}
	cal := newSpan(low, high)
	whole, err := q.calendar(at, tagYear, tagMonth, cal)
	if err != nil {
		return nil, err
	}
	edges, err := q.edges(at, tagDate, cal, func(s, e searchparam.Ticks) bool { return e-s <= day })
	return unite(whole, edges), err
}

// spanning returns the resources with S < x ≤ E. How far before x such an
// interval may start is bounded by its class of length.
func (q *query) spanning(at place, x searchparam.Ticks) (set, error) {
	reaches := func(_, e searchparam.Ticks) bool { return e >= x }
	found, err := q.dates(at, tagDate, x-day, x-1, reaches)
	if err != nil {
		return nil, err
	}
	parts := []set{found}
	for class := byte(1); class <= openClass; class++ {
		prefix := at.key(tagLong, []byte{class})
		lower := appendU64(bytes.Clone(prefix), uint64(max(0, x-classSpan(class))))
		skip := len(prefix) - 3
		s, err := q.gather(lower, appendU64(prefix, uint64(max(0, x))), func(term []byte) bool { return reaches(dateOf(term[skip:])) })
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}

// within returns the resources with low ≤ S and E ≤ high.
func (q *query) within(at place, low, high searchparam.Ticks) (set, error) {
	inner, err := q.shortStarting(at, low, high-day)
	if err != nil {
		return nil, err
	}
	late, err := q.dates(at, tagDate, max(low, high-day+1), high, func(s, e searchparam.Ticks) bool { return e-s <= day && e <= high })
	if err != nil {
		return nil, err
	}
	parts := []set{inner, late}
	for class := byte(1); class <= openClass; class++ {
		prefix := at.key(tagLong, []byte{class})
		skip := len(prefix) - 3
		lower := appendU64(bytes.Clone(prefix), uint64(max(0, low)))
		s, err := q.gather(lower, after(appendU64(prefix, uint64(max(0, high)))), func(term []byte) bool {
			_, e := dateOf(term[skip:])
			return e <= high
		})
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}

// dates returns the resources with a term of tag (tagDate: ordered by S,
// tagEnd: by E) from low to high that passes keep, which gets S and E.
func (q *query) dates(at place, tag byte, low, high searchparam.Ticks, keep func(s, e searchparam.Ticks) bool) (set, error) {
	low, high = max(low, searchparam.MinTicks), min(high, searchparam.MaxTicks)
	if low > high {
		return loaded{}, nil
	}
	prefix := at.key(tag)
	skip := len(prefix) - 3
	return q.gather(appendU64(bytes.Clone(prefix), uint64(low)), after(appendU64(prefix, uint64(high))), func(term []byte) bool {
		if keep == nil {
			return true
		}
		s, e := dateOf(term[skip:])
		if tag == tagEnd {
			s, e = e, s
		}
		return keep(s, e)
	})
}

// edges returns the resources with a term of tag in the parts of a span that
// are no whole months.
func (q *query) edges(at place, tag byte, cal span, keep func(s, e searchparam.Ticks) bool) (set, error) {
	first, err := q.dates(at, tag, cal.low, cal.edgeLow, keep)
	if err != nil {
		return nil, err
	}
	last, err := q.dates(at, tag, cal.edgeHigh, cal.high, keep)
	return unite(first, last), err
}

// calendar returns the resources in the whole months and years of a span.
func (q *query) calendar(at place, year, month byte, cal span) (set, error) {
	var parts []set
	for _, m := range cal.months {
		if m[0] > m[1] {
			continue
		}
		prefix := at.key(month)
		s, err := q.postings(appendMonth(bytes.Clone(prefix), m[0]), appendMonth(bytes.Clone(prefix), m[1]+1), len(prefix)+3)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	if cal.years[0] <= cal.years[1] {
		prefix := at.key(year)
		lower := appendU16(bytes.Clone(prefix), uint16(cal.years[0]))
		s, err := q.postings(lower, appendU16(bytes.Clone(prefix), uint16(cal.years[1]+1)), len(prefix)+2)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}
