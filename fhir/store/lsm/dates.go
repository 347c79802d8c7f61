package lsm

import (
	"bytes"

	"salus/fhir/search"
	"salus/fhir/searchparam"
)

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
		if op.Within {
			return q.orWithin(op, func() (set, error) { return q.starting(at, searchparam.MinTicks, s-1) }, at)
		}
		return q.starting(at, searchparam.MinTicks, e)
	case search.Gt:
		return q.ending(at, e+1, searchparam.MaxTicks)
	case search.Ge:
		if op.Within {
			return q.orWithin(op, func() (set, error) { return q.ending(at, e+1, searchparam.MaxTicks) }, at)
		}
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

// orWithin returns what beyond returns and the resources with an interval
// within op's.
func (q *query) orWithin(op search.Date, beyond func() (set, error), at place) (set, error) {
	found, err := beyond()
	if err != nil {
		return nil, err
	}
	in, err := q.within(at, op.Start, op.End)
	return unite(found, in), err
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
