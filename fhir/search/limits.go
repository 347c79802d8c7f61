package search

import (
	"slices"

	"salus/fhir/searchparam"
)

// joinLimits puts a lower and an upper limit of the same date parameter
// together where no resource has more than one value: date=ge… and date=lt… each
// hold for very many, both together for what overlaps with the time between.
func joinLimits(f And) And {
	for i := 0; i < len(f); i++ {
		from, ok := limit(f[i], endsFrom)
		if !ok {
			continue
		}
		p := f[i].(Match).Param
		j := slices.IndexFunc(f, func(other Filter) bool {
			to, ok := limit(other, startsUpTo)
			return ok && other.(Match).Param == p && from <= to
		})
		if j < 0 {
			continue
		}
		to, _ := limit(f[j], startsUpTo)
		f[i] = Match{p, Date{Prefix: Eq, Start: from, End: to}}
		if f = slices.Delete(f, j, j+1); j < i {
			i--
		}
	}
	return f
}

// limit returns what an end of the only value of a date parameter is held to.
func limit(f Filter, of func(Date) (searchparam.Ticks, bool)) (searchparam.Ticks, bool) {
	m, ok := f.(Match)
	if !ok || !m.Param.Single {
		return 0, false
	}
	d, ok := m.Operand.(Date)
	if !ok {
		return 0, false
	}
	return of(d)
}

// endsFrom returns x when d holds for exactly the intervals with E ≥ x.
func endsFrom(d Date) (x searchparam.Ticks, ok bool) {
	switch {
	case d.Prefix == Gt && d.End < searchparam.MaxTicks:
		return d.End + 1, true
	case d.Prefix == Ge && !d.Within:
		return d.Start, true
	}
	return 0, false
}

// startsUpTo returns x when d holds for exactly the intervals with S ≤ x.
func startsUpTo(d Date) (x searchparam.Ticks, ok bool) {
	switch {
	case d.Prefix == Lt && d.Start > searchparam.MinTicks:
		return d.Start - 1, true
	case d.Prefix == Le && !d.Within:
		return d.End, true
	}
	return 0, false
}
