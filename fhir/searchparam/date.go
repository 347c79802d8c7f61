package searchparam

import (
	"time"

	"salus/fhir"
	"salus/fhir/spec"
)

// dateConverter returns how a value of a type becomes intervals, nil when it does not.
func dateConverter(t *spec.Type) converter {
	switch t.Name {
	case "date", "dateTime", "instant":
		return pointDate
	case "Period":
		return periodDate
	case "Timing":
		return timingDate
	}
	return nil
}

func pointDate(x *extraction, s *sink, n fhir.Node) {
	if start, end, ok := interval(n.Text(), true); ok {
		x.add(s.param, Value{Start: start, End: end})
	}
}

func periodDate(x *extraction, s *sink, n fhir.Node) {
	if start, end, ok := period(n); ok {
		x.add(s.param, Value{Start: start, End: end})
	}
}

// timingDate takes the outer limits of the events and of the bounds; how often
// something happens in between does not count (FHIR R4 search §3.1.1.4.8).
func timingDate(x *extraction, s *sink, n fhir.Node) {
	start, end, any := MaxTicks, MinTicks, false
	widen := func(from, to Ticks, ok bool) {
		if ok {
			start, end, any = min(start, from), max(end, to), true
		}
	}
	for event := n.Get("event").First(); event.Exists(); event = event.Next() {
		widen(interval(event.Text(), true))
	}
	widen(period(n.Path("repeat", "boundsPeriod")))
	if any {
		x.add(s.param, Value{Start: start, End: end})
	}
}

// period reads a Period; a missing end is open. One that runs backwards counts
// as the time between its ends, so that an interval is never empty.
func period(n fhir.Node) (start, end Ticks, ok bool) {
	a, b, hasStart := interval(n.Get("start").Text(), true)
	c, d, hasEnd := interval(n.Get("end").Text(), true)
	switch {
	case hasStart && hasEnd:
		return min(a, c), max(b, d), true
	case hasStart:
		return a, MaxTicks, true
	case hasEnd:
		return MinTicks, d, true
	}
	return 0, 0, false
}

// ParseDate reads a date, dateTime or instant of any precision from the year on
// and returns the interval of all instants that it may mean. A missing zone is
// UTC. A time needs minutes; up to 7 digits of a fraction of a second count, and
// with one the interval is a single tick. ok is false for everything else.
func ParseDate(s string) (start, end Ticks, ok bool) { return interval(s, false) }

// interval reads a date as ParseDate does; cut leaves out further digits of the
// fraction instead of refusing them.
func interval(s string, cut bool) (start, end Ticks, ok bool) {
	p := dateText{s: s, ok: true}
	year, month, day := p.digits(4), 1, 1
	if year < 1 || !p.ok {
		return 0, 0, false
	}
	switch {
	case p.s == "":
		return wholeDays(year, 1, 1, year+1, 1, 1)
	case p.take('-'):
		month = p.digits(2)
	}
	switch {
	case !p.ok || month < 1 || month > 12:
		return 0, 0, false
	case p.s == "":
		return wholeDays(year, month, 1, year, month+1, 1)
	case p.take('-'):
		day = p.digits(2)
	}
	if !p.ok || day < 1 || day > daysIn(year, month) {
		return 0, 0, false
	}
	if p.s == "" {
		return wholeDays(year, month, day, year, month, day+1)
	}
	if !p.take('T') {
		return 0, 0, false
	}
	first, length, ok := p.clock(cut)
	if !ok {
		return 0, 0, false
	}
	start = midnight(year, month, day) + first
	return clamp(start), clamp(start + length - 1), true
}

const (
	second Ticks = 1e7
	minute       = 60 * second
	hour         = 60 * minute
)

// dateText is a cursor over the text of a date.
type dateText struct {
	s  string
	ok bool
}

func (p *dateText) take(c byte) bool {
	if p.s == "" || p.s[0] != c {
		p.ok = false
		return false
	}
	p.s = p.s[1:]
	return true
}

func (p *dateText) digits(n int) int {
	if len(p.s) < n {
		p.ok = false
		return 0
	}
	v := 0
	for i := range n {
		c := p.s[i]
		if c < '0' || c > '9' {
			p.ok = false
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.s = p.s[n:]
	return v
}

// clock reads the time of the day and the zone: the first tick after midnight
// UTC, and how many ticks are meant.
func (p *dateText) clock(cut bool) (first, length Ticks, ok bool) {
	h := p.digits(2)
	p.take(':')
	m := p.digits(2)
	if !p.ok || h > 23 || m > 59 {
		return 0, 0, false
	}
	first, length = Ticks(h)*hour+Ticks(m)*minute, minute
	if p.s != "" && p.s[0] == ':' {
		p.s = p.s[1:]
		sec := p.digits(2)
		if !p.ok || sec > 60 { // 60 is a leap second
			return 0, 0, false
		}
		first, length = first+Ticks(sec)*second, second
		if p.s != "" && p.s[0] == '.' {
			p.s = p.s[1:]
			part, ok := p.fraction(cut)
			if !ok {
				return 0, 0, false
			}
			first, length = first+part, 1
		}
	}
	zone, ok := p.zone()
	return first - zone, length, ok
}

func (p *dateText) fraction(cut bool) (part Ticks, ok bool) {
	n := 0
	for ; n < len(p.s) && p.s[n] >= '0' && p.s[n] <= '9'; n++ {
		if n < 7 {
			part = part*10 + Ticks(p.s[n]-'0')
		}
	}
	if n == 0 || n > 7 && !cut {
		return 0, false
	}
	for i := n; i < 7; i++ {
		part *= 10
	}
	p.s = p.s[n:]
	return part, true
}

func (p *dateText) zone() (offset Ticks, ok bool) {
	switch {
	case p.s == "" || p.s == "Z":
		return 0, true
	case p.s[0] == '+' || p.s[0] == '-':
		negative := p.s[0] == '-'
		p.s = p.s[1:]
		h := p.digits(2)
		p.take(':')
		m := p.digits(2)
		if !p.ok || p.s != "" || h > 14 || m > 59 {
			return 0, false
		}
		offset = Ticks(h)*hour + Ticks(m)*minute
		if negative {
			offset = -offset
		}
		return offset, true
	}
	return 0, false
}

func wholeDays(y1, m1, d1, y2, m2, d2 int) (start, end Ticks, ok bool) {
	return clamp(midnight(y1, m1, d1)), clamp(midnight(y2, m2, d2) - 1), true
}

func clamp(t Ticks) Ticks { return min(max(t, MinTicks), MaxTicks) }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// midnight returns the first tick of a day UTC; month and day may run over.
// Unlike TicksOf it goes beyond the year 9999.
func midnight(year, month, day int) Ticks {
	const epoch = 62135596800 // seconds from 0001-01-01 to 1970-01-01
	return Ticks(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()+epoch) * second
}
