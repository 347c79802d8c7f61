package fhirpath

import (
	"salus/fhir/decimal"
	"salus/fhir/ucum"
)

// boundaryFunctions are lowBoundary, highBoundary, precision and comparable,
// which came after N1 and which FHIR and its official suite use.
var boundaryFunctions = map[string]*function{
	"lowBoundary":  {max: 1, eval: boundary(-1)},
	"highBoundary": {max: 1, eval: boundary(1)},
	"precision":    {eval: precision},
	"comparable":   {min: 1, max: 1, eval: comparable},
}

// The precisions of results: digits after the point of a number, digits of a date or time.
const (
	defaultScale  = 8
	maxScale      = 31
	dateDigits    = 8
	timeDigits    = 9
	instantDigits = 17
)

// boundary makes lowBoundary (sign -1) and highBoundary: the least or greatest
// value that the input, with the digits it has, can stand for.
func boundary(sign int) evaluator {
	return func(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
		it, ok, err := single(in, "what "+c.Name+" takes")
		if err != nil || !ok {
			return nil, err
		}
		digits := int64(-1)
		if len(c.Args) == 1 {
			n, given, err := r.integerArg(c.Args[0], f, "the precision of "+c.Name)
			switch {
			case err != nil:
				return nil, err
			case given && (n < 0 || n > maxScale):
				return nil, nil
			case given:
				digits = n
			}
		}
		switch v := it.system().(type) {
		case Temporal:
			return v.boundary(sign, int(digits)), nil
		case Quantity:
			v.Value = decimalBoundary(v.Value, sign, int(digits))
			return []Item{QuantityItem(v)}, nil
		default:
			d, ok := number(v)
			if !ok {
				return nil, invalid("%s takes a number, Quantity, date or time, not %s", c.Name, it.TypeName())
			}
			return []Item{Decimal(decimalBoundary(d, sign, int(digits)))}, nil
		}
	}
}

// decimalBoundary goes half a unit of the last digit away, and rounds outwards to the digits asked for.
func decimalBoundary(d decimal.Decimal, sign, digits int) decimal.Decimal {
	if digits < 0 {
		digits = defaultScale
	}
	if sign < 0 {
		return d.Sub(d.HalfUnit()).Round(digits, decimal.TowardsLow)
	}
	return d.Add(d.HalfUnit()).Round(digits, decimal.TowardsTop)
}

// precisions by number of digits.
var (
	datePrecisions = map[int]Precision{4: Year, 6: Month, 8: Day, 10: Hour, 12: Minute, 14: Second, 17: Millisecond}
	timePrecisions = map[int]Precision{2: Hour, 4: Minute, 6: Second, 9: Millisecond}
)

func (t Temporal) boundary(sign, digits int) []Item {
	table, full := datePrecisions, instantDigits
	switch t.kind {
	case DateKind:
		full = dateDigits
	case TimeKind:
		table, full = timePrecisions, timeDigits
	}
	if digits < 0 {
		digits = full
	}
	prec, ok := table[digits]
	if !ok || t.kind == DateKind && prec > Day {
		return nil
	}
	at := t
	at.zoned = false // the bounds as the local clock shows them
	first, last := at.Bounds()
	if sign > 0 {
		first = last
	}
	if t.kind != TimeKind {
		at.setDate(first)
	}
	at.zoned, at.prec = t.zoned, prec
	at.setClock(first)
	at.nano -= at.nano % 1_000_000
	at.digits = 0
	if prec == Millisecond {
		at.digits = 3
	}
	switch {
	case t.kind != DateTimeKind || prec < Hour:
		at.zoned, at.offset = false, 0
	case !t.zoned && sign < 0:
		at.zoned, at.offset = true, int16(eastmost.Minutes())
	case !t.zoned:
		at.zoned, at.offset = true, -int16(westmost.Minutes())
	}
	return []Item{Time(at)}
}

func precision(_ *run, c *Call, in []Item, _ *frame) ([]Item, error) {
	it, ok, err := single(in, "what precision takes")
	if err != nil || !ok {
		return nil, err
	}
	switch v := it.system().(type) {
	case Temporal:
		digits := [...]int64{Year: 4, Month: 6, Day: 8, Hour: 10, Minute: 12, Second: 14, Millisecond: 14}[v.prec]
		if v.kind == TimeKind {
			digits -= dateDigits
		}
		return []Item{Integer(digits + int64(v.digits))}, nil
	case Quantity:
		return []Item{Integer(int64(max(0, v.Value.Scale())))}, nil
	default:
		d, ok := number(v)
		if !ok {
			return nil, invalid("precision takes a number, Quantity, date or time, not %s", it.TypeName())
		}
		return []Item{Integer(int64(max(0, d.Scale())))}, nil
	}
}

func comparable(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	it, ok, err := single(in, "what comparable takes")
	if err != nil || !ok {
		return nil, err
	}
	other, ok, err := r.argument(c.Args[0], f, "the argument of comparable")
	if err != nil || !ok {
		return nil, err
	}
	p, ok := it.AsQuantity()
	q, also := other.AsQuantity()
	if !ok || !also {
		return nil, operands("comparable", it, other)
	}
	return boolean(!p.foreign && !q.foreign && ucum.Comparable(p.ucumUnit(), q.ucumUnit())), nil
}
