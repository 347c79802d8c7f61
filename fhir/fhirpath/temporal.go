package fhirpath

import (
	"strconv"
	"time"
)

// TemporalKind tells the three temporal types of the System apart.
type TemporalKind uint8

// The temporal types.
const (
	DateKind TemporalKind = iota + 1
	DateTimeKind
	TimeKind
)

// String returns the name of the System type.
func (k TemporalKind) String() string { return [...]string{"", "Date", "DateTime", "Time"}[k] }

// Precision is the smallest part of a Temporal that is given.
type Precision uint8

// The precisions, from coarse to fine.
const (
	Year Precision = iota + 1
	Month
	Day
	Hour
	Minute
	Second
	Millisecond // any number of digits after the second's point
)

// Temporal is a Date, DateTime or Time that may be partial: 2014-03 is a whole month.
type Temporal struct {
	kind   TemporalKind
	prec   Precision
	zoned  bool
	digits uint8 // of the fraction of the second
	month  uint8
	day    uint8
	hour   uint8
	minute uint8
	second uint8
	year   int16
	offset int16 // minutes east of UTC
	nano   int32
}

// Kind returns which temporal type it is.
func (t Temporal) Kind() TemporalKind { return t.kind }

// Precision returns the smallest part that is given.
func (t Temporal) Precision() Precision { return t.prec }

// Zoned reports whether it has an offset from UTC.
func (t Temporal) Zoned() bool { return t.zoned }

// ParseTemporal reads a FHIR date, dateTime, instant or time.
func ParseTemporal(s string, kind TemporalKind) (t Temporal, ok bool) { return parseTemporal(s, kind) }

// cut reads fixed digits off the front of a text.
type cut struct {
	s  string
	ok bool
}

func (c *cut) number(width, low, high int) int {
	if !c.ok || len(c.s) < width {
		c.ok = false
		return 0
	}
	n := 0
	for i := range width {
		d := c.s[i] - '0'
		if d > 9 {
			c.ok = false
			return 0
		}
		n = n*10 + int(d)
	}
	if n < low || n > high {
		c.ok = false
	}
	c.s = c.s[width:]
	return n
}

func (c *cut) take(b byte) bool {
	if c.ok && len(c.s) > 0 && c.s[0] == b {
		c.s = c.s[1:]
		return true
	}
	return false
}

func parseTemporal(s string, kind TemporalKind) (t Temporal, ok bool) {
	t.kind = kind
	c := cut{s, true}
	if kind == TimeKind {
		t.month, t.day = 1, 1
		t.clock(&c)
		return t, c.ok && c.s == ""
	}
	t.calendar(&c)
	if kind == DateTimeKind && c.take('T') && c.s != "" {
		if t.prec != Day {
			return t, false
		}
		t.clock(&c)
		t.zone(&c)
	}
	return t, c.ok && c.s == ""
}

func (t *Temporal) calendar(c *cut) {
	t.year, t.prec = int16(c.number(4, 1, 9999)), Year
	t.month, t.day = 1, 1
	if c.take('-') {
		t.month, t.prec = uint8(c.number(2, 1, 12)), Month
		if c.take('-') {
			t.day, t.prec = uint8(c.number(2, 1, 31)), Day
			if c.ok && int(t.day) > daysIn(int(t.year), int(t.month)) {
				c.ok = false
			}
		}
	}
}

func (t *Temporal) clock(c *cut) {
	t.hour, t.prec = uint8(c.number(2, 0, 23)), Hour
	if !c.take(':') {
		return
	}
	t.minute, t.prec = uint8(c.number(2, 0, 59)), Minute
	if !c.take(':') {
		return
	}
	t.second, t.prec = uint8(c.number(2, 0, 60)), Second // 60: a leap second
	if !c.take('.') {
		return
	}
	t.prec = Millisecond
	unit := int32(100_000_000)
	n := 0
	for ; n < len(c.s) && c.s[n] >= '0' && c.s[n] <= '9'; n++ {
		if unit > 0 {
			t.nano += int32(c.s[n]-'0') * unit
			t.digits++
			unit /= 10
		}
	}
	c.ok = c.ok && n > 0
	c.s = c.s[n:]
}

func (t *Temporal) zone(c *cut) {
	switch {
	case c.take('Z'):
		t.zoned = true
	case c.take('+'):
		t.zoned, t.offset = true, c.offset()
	case c.take('-'):
		t.zoned, t.offset = true, -c.offset()
	}
}

func (c *cut) offset() int16 {
	h := c.number(2, 0, 14)
	if !c.take(':') {
		c.ok = false
	}
	return int16(h*60 + c.number(2, 0, 59))
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// TemporalAt returns t as a Temporal of that kind, with milliseconds and its offset.
func TemporalAt(t time.Time, kind TemporalKind) Temporal {
	_, offset := t.Zone()
	v := Temporal{kind: kind, prec: Millisecond, digits: 3}
	if kind != DateKind {
		v.setClock(t)
		v.nano -= v.nano % 1_000_000
	}
	v.month, v.day = 1, 1
	if kind != TimeKind {
		v.setDate(t)
	}
	switch kind {
	case DateKind:
		v.prec, v.digits = Day, 0
	case DateTimeKind:
		v.zoned, v.offset = true, int16(offset/60)
	}
	return v
}

func (t *Temporal) setDate(at time.Time) {
	y, m, d := at.Date()
	t.year, t.month, t.day = int16(y), uint8(m), uint8(d)
}

func (t *Temporal) setClock(at time.Time) {
	t.hour, t.minute, t.second, t.nano = uint8(at.Hour()), uint8(at.Minute()), uint8(at.Second()), int32(at.Nanosecond())
}

// local returns the first moment that t stands for, as a clock without zone shows it.
func (t Temporal) local() time.Time {
	return time.Date(int(t.year), time.Month(t.month), int(t.day), int(t.hour), int(t.minute), int(t.second), int(t.nano), time.UTC)
}

// Bounds returns the first and the last moment that t can stand for. Without an
// offset the moments are those of UTC. From seconds on both are the same: the
// fraction of a second is a decimal, not a further precision (FHIRPath N1 §6.1.1).
func (t Temporal) Bounds() (first, last time.Time) {
	first = t.local()
	switch t.prec {
	case Year:
		last = first.AddDate(1, 0, 0).Add(-1)
	case Month:
		last = first.AddDate(0, 1, 0).Add(-1)
	case Day:
		last = first.AddDate(0, 0, 1).Add(-1)
	case Hour:
		last = first.Add(time.Hour - 1)
	case Minute:
		last = first.Add(time.Minute - 1)
	default:
		last = first
	}
	if t.zoned {
		shift := -time.Duration(t.offset) * time.Minute
		first, last = first.Add(shift), last.Add(shift)
	}
	return first, last
}

// The widest offsets from UTC in use: what has no offset may be anywhere between.
const (
	eastmost = 14 * time.Hour
	westmost = 12 * time.Hour
)

// compare orders two of the same kind, or a Date and a DateTime. known is false
// when the missing precision or offset leaves the order open.
func (t Temporal) compare(o Temporal) (order int, known bool) {
	if t.zoned == o.zoned && t.prec == o.prec && t.prec >= Day && t.offset == o.offset {
		return t.local().Compare(o.local()), true
	}
	tFirst, tLast := t.Bounds()
	oFirst, oLast := o.Bounds()
	switch {
	case t.zoned == o.zoned:
		if tFirst.Equal(oFirst) && tLast.Equal(oLast) {
			return 0, true
		}
	case t.zoned:
		oFirst, oLast = oFirst.Add(-eastmost), oLast.Add(westmost)
	default:
		tFirst, tLast = tFirst.Add(-eastmost), tLast.Add(westmost)
	}
	switch {
	case tLast.Before(oFirst):
		return -1, true
	case oLast.Before(tFirst):
		return 1, true
	}
	return 0, false
}

// String renders t as FHIR writes it.
func (t Temporal) String() string { return string(t.append(nil, false)) }

// literal renders t as FHIRPath writes it.
func (t Temporal) literal() string { return string(t.append([]byte{'@'}, true)) }

func (t Temporal) append(b []byte, marked bool) []byte {
	if t.kind != TimeKind {
		b = pad(b, int(t.year), 4)
		if t.prec >= Month {
			b = pad(append(b, '-'), int(t.month), 2)
		}
		if t.prec >= Day {
			b = pad(append(b, '-'), int(t.day), 2)
		}
		if t.kind == DateTimeKind && (marked || t.prec >= Hour) {
			b = append(b, 'T')
		}
	} else if marked {
		b = append(b, 'T')
	}
	if t.prec >= Hour {
		b = pad(b, int(t.hour), 2)
	}
	if t.prec >= Minute {
		b = pad(append(b, ':'), int(t.minute), 2)
	}
	if t.prec >= Second {
		b = pad(append(b, ':'), int(t.second), 2)
	}
	if t.prec >= Millisecond {
		fraction := pad(nil, int(t.nano), 9)
		b = append(append(b, '.'), fraction[:max(1, t.digits)]...)
	}
	return t.appendZone(b)
}

func (t Temporal) appendZone(b []byte) []byte {
	switch {
	case !t.zoned:
	case t.offset == 0:
		b = append(b, 'Z')
	case t.offset < 0:
		b = pad(append(pad(append(b, '-'), int(-t.offset)/60, 2), ':'), int(-t.offset)%60, 2)
	default:
		b = pad(append(pad(append(b, '+'), int(t.offset)/60, 2), ':'), int(t.offset)%60, 2)
	}
	return b
}

func pad(b []byte, n, width int) []byte {
	s := strconv.Itoa(n)
	for i := len(s); i < width; i++ {
		b = append(b, '0')
	}
	return append(b, s...)
}
