package fhirpath

import (
	"strings"

	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/ucum"
)

// UCUM is the URI of the code system of units.
const UCUM = "http://unitsofmeasure.org"

// Quantity is a System.Quantity: a number with a unit.
type Quantity struct {
	Value decimal.Decimal
	Unit  string // UCUM code, or the word of a calendar duration as written: "weeks"

	calendar bool // the unit is a calendar duration
	foreign  bool // the unit is of another system than UCUM: equal only to itself
}

// Calendar reports whether the unit is a word for a calendar duration, such as months.
func (q Quantity) Calendar() bool { return q.calendar }

// String renders q as toString() does, with the unit as it is (FHIRPath N1 §5.5.6).
func (q Quantity) String() string {
	if q.calendar {
		return q.Value.String() + " " + q.Unit
	}
	return q.Value.String() + " '" + q.Unit + "'"
}

// literal renders q as a literal, with the unit escaped.
func (q Quantity) literal() string {
	if q.calendar {
		return q.String()
	}
	return q.Value.String() + " " + quote(q.Unit)
}

// calendarUnit is the unit of a calendar duration.
type calendarUnit uint8

const (
	calendarYear calendarUnit = iota + 1
	calendarMonth
	calendarWeek
	calendarDay
	calendarHour
	calendarMinute
	calendarSecond
	calendarMillisecond
)

var calendarUnits = map[string]calendarUnit{
	"year": calendarYear, "years": calendarYear, "month": calendarMonth, "months": calendarMonth,
	"week": calendarWeek, "weeks": calendarWeek, "day": calendarDay, "days": calendarDay,
	"hour": calendarHour, "hours": calendarHour, "minute": calendarMinute, "minutes": calendarMinute,
	"second": calendarSecond, "seconds": calendarSecond, "millisecond": calendarMillisecond, "milliseconds": calendarMillisecond,
}

// definite are the UCUM units of the same length as calendar units; years and
// months of the calendar have none (FHIRPath N1 §6.1.1).
var definite = [...]string{
	calendarWeek: "wk", calendarDay: "d", calendarHour: "h", calendarMinute: "min", calendarSecond: "s", calendarMillisecond: "ms",
}

var calendarOf = map[string]calendarUnit{
	"wk": calendarWeek, "d": calendarDay, "h": calendarHour, "min": calendarMinute, "s": calendarSecond, "ms": calendarMillisecond,
}

// quantityOf reads a FHIR Quantity (FHIR R4 fhirpath §2.9.1.2). One with a
// comparator stands for a range and converts to nothing.
func quantityOf(n fhir.Node) (Quantity, bool) {
	value := n.Get("value")
	if value.Kind() != fhir.Number || n.Get("comparator").Exists() {
		return Quantity{}, false
	}
	d, err := decimal.Parse(value.Text())
	if err != nil {
		return Quantity{}, false
	}
	q := Quantity{Value: d, Unit: n.Get("code").Text()}
	system := n.Get("system").Text()
	if q.Unit == "" {
		q.Unit = n.Get("unit").Text()
	}
	switch {
	case q.Unit == "":
		q.Unit = "1"
	case system != UCUM:
		q.foreign = true
	}
	return q, true
}

// ParseQuantity reads what toQuantity() reads: "4", "4.5 'mg'", "4 days".
func ParseQuantity(s string) (Quantity, bool) {
	number, unit, _ := strings.Cut(s, " ")
	if i := strings.IndexByte(number, '\''); i >= 0 {
		number, unit = s[:i], s[i:]
	}
	if !isNumber(number) {
		return Quantity{}, false
	}
	d, err := decimal.Parse(number)
	if err != nil {
		return Quantity{}, false
	}
	unit = strings.TrimSpace(unit)
	switch {
	case unit == "":
		return Quantity{Value: d, Unit: "1"}, !strings.HasSuffix(s, " ")
	case calendarUnits[unit] != 0:
		return Quantity{Value: d, Unit: unit, calendar: true}, true
	case len(unit) > 2 && unit[0] == '\'' && unit[len(unit)-1] == '\'':
		unit = unit[1 : len(unit)-1]
		return Quantity{Value: d, Unit: unit}, strings.IndexByte(unit, '\'') < 0
	}
	return Quantity{}, false
}

// isNumber reports whether s is of the form (+|-)?digits(.digits)?.
func isNumber(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	whole, fraction, point := strings.Cut(s, ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// calendarMonths is the unit to which years and months of the calendar reduce.
const calendarMonths = "calendar month"

// canonical returns value and unit in a form that compares; ok is false for units unknown to UCUM.
func (q Quantity) canonical() (v decimal.Decimal, unit string, ok bool) {
	if q.foreign {
		return q.Value, "", false
	}
	unit = q.Unit
	if q.calendar {
		switch c := calendarUnits[q.Unit]; c {
		case calendarYear:
			return q.Value.Mul(decimal.FromInt(12)), calendarMonths, true
		case calendarMonth:
			return q.Value, calendarMonths, true
		default:
			unit = definite[c]
		}
	}
	v, unit, err := ucum.Canonical(q.Value, unit)
	return v, unit, err == nil
}

// compare orders two quantities; known is false when their units do not compare.
func (q Quantity) compare(o Quantity) (order int, known bool) {
	if q.Unit == o.Unit && q.calendar == o.calendar && q.foreign == o.foreign {
		return q.Value.Cmp(o.Value), true
	}
	v, unit, ok := q.canonical()
	if !ok {
		return 0, false
	}
	w, other, ok := o.canonical()
	if !ok || unit != other {
		return 0, false
	}
	return v.Cmp(w), true
}

// ucumUnit returns the unit as a UCUM code, also for years and months, which
// equivalence treats as their definite counterparts.
func (q Quantity) ucumUnit() string {
	if !q.calendar {
		return q.Unit
	}
	switch c := calendarUnits[q.Unit]; c {
	case calendarYear:
		return "a"
	case calendarMonth:
		return "mo"
	default:
		return definite[c]
	}
}

// equivalent reports whether both are the same to the precision of the one
// whose last digit weighs more (FHIRPath N1 §6.1.2).
func (q Quantity) equivalent(o Quantity) bool {
	if q.foreign || o.foreign || q.Unit == o.Unit {
		return q.Unit == o.Unit && equivalentDecimals(q.Value, o.Value)
	}
	one := decimal.FromInt(1)
	ratio, err := ucum.Convert(one, q.ucumUnit(), o.ucumUnit()) // how many o in one q
	if err != nil {
		return false
	}
	if ulp(q.Value).Mul(ratio).Cmp(ulp(o.Value)) < 0 {
		q, o = o, q // q has the coarser last digit
	}
	v, err := ucum.Convert(o.Value, o.ucumUnit(), q.ucumUnit())
	return err == nil && v.Rescale(q.Value.Scale()).Cmp(q.Value) == 0
}

// ulp returns the weight of the last digit.
func ulp(d decimal.Decimal) decimal.Decimal { return d.HalfUnit().Mul(decimal.FromInt(2)) }

// equivalentDecimals compares at the scale of the less precise one, trailing zeros not counted.
func equivalentDecimals(a, b decimal.Decimal) bool {
	scale := min(a.Reduce().Scale(), b.Reduce().Scale())
	return a.Rescale(scale).Cmp(b.Rescale(scale)) == 0
}
