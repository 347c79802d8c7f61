package fhirpath

import (
	"time"

	"salus/fhir/decimal"
)

// lengths of the units below the day, in nanoseconds.
var lengths = [...]int64{
	calendarHour:        int64(time.Hour),
	calendarMinute:      int64(time.Minute),
	calendarSecond:      int64(time.Second),
	calendarMillisecond: int64(time.Millisecond),
}

// maxAmount bounds what is added, so that no sum leaves the range of the arithmetic below.
const maxAmount = 10_000 * 366

// temporalSum adds a duration to a date or time, or subtracts it.
func temporalSum(t Temporal, q Quantity, minus bool) ([]Item, error) {
	unit := calendarUnits[q.Unit] // also in quotes: 1 'month'
	if unit == 0 {
		unit = calendarOf[q.Unit]
	}
	if unit == 0 || q.foreign {
		return nil, invalid("to a %s only a duration can be added, in a word such as months or a definite unit", t.kind)
	}
	if t.kind == TimeKind && unit <= calendarDay {
		return nil, invalid("to a Time only hours, minutes, seconds and milliseconds can be added")
	}
	amount := q.Value
	if minus {
		amount = amount.Neg()
	}
	if unit >= calendarSecond { // only of seconds the fraction counts (FHIRPath N1 §6.6.7)
		n, ok := amount.Mul(decimal.FromInt(lengths[unit])).Round(0, decimal.Down).Int64()
		if !ok {
			return nil, nil
		}
		return t.add(0, n), nil
	}
	n, ok := amount.Round(0, decimal.Down).Int64()
	if !ok || n > maxAmount || n < -maxAmount {
		return nil, nil
	}
	switch unit {
	case calendarYear:
		return t.addMonths(int(n) * 12), nil
	case calendarMonth:
		return t.addMonths(int(n)), nil
	case calendarWeek:
		return t.add(int(n)*7, 0), nil
	case calendarDay:
		return t.add(int(n), 0), nil
	}
	span := n * (lengths[unit] / int64(time.Second)) // whole days apart, since nanoseconds end after 292 years
	const day = 24 * 60 * 60
	return t.add(int(span/day), span%day*int64(time.Second)), nil
}

// addMonths keeps the day unless the month is shorter; of a partial date whole units count.
func (t Temporal) addMonths(n int) []Item {
	if t.prec == Year {
		n -= n % 12
	}
	months := int(t.year)*12 + int(t.month) - 1 + n
	year, month := months/12, months%12+1
	if months < 12 || year > 9999 {
		return nil
	}
	t.year, t.month = int16(year), uint8(month)
	t.day = min(t.day, uint8(daysIn(year, month)))
	return []Item{Time(t)}
}

// add adds days and nanoseconds. What is finer than a partial date's precision
// counts in whole units of that precision: a month is 30 days, a year 365.
func (t Temporal) add(days int, nanos int64) []Item {
	const day = int64(24 * time.Hour)
	switch t.prec {
	case Year:
		return t.addMonths((days + int(nanos/day)) / 365 * 12)
	case Month:
		return t.addMonths((days + int(nanos/day)) / 30)
	case Day:
		nanos -= nanos % day
	case Hour:
		nanos -= nanos % int64(time.Hour)
	case Minute:
		nanos -= nanos % int64(time.Minute)
	}
	sum := t.local().AddDate(0, 0, days).Add(time.Duration(nanos))
	if t.kind != TimeKind {
		if sum.Year() < 1 || sum.Year() > 9999 {
			return nil
		}
		t.setDate(sum)
	}
	t.setClock(sum)
	if t.prec == Second && t.nano != 0 {
		t.prec, t.digits = Millisecond, 3
	}
	for t.prec == Millisecond && t.digits < 9 && t.nano%pow10[9-t.digits] != 0 {
		t.digits++
	}
	return []Item{Time(t)}
}

var pow10 = [...]int32{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000}
