package search

import (
	"salus/fhir/decimal"
	"salus/fhir/ucum"
)

// UCUM is the system of the units of the Unified Code for Units of Measure.
const UCUM = "http://unitsofmeasure.org"

// In returns what numbers in a stored unit are compared with; ok is false when
// no number in that unit satisfies q. A unit that q names in UCUM is compared with
// every UCUM unit of its dimension, in which the bounds are then given
// (FHIR R4 search §3.1.1.4.11: "search for quantities by canonical units").
// Left out are scales that run the other way, such as pH against mol/L.
func (q Quantity) In(system, code string) (n Number, ok bool) {
	if q.AnyUnit || (q.AnyCode || code == q.Code) && (q.AnySystem || system == q.System) {
		return q.Number, true
	}
	if q.AnySystem || q.AnyCode || q.System != UCUM || system != UCUM || !ucum.Comparable(q.Code, code) {
		return Number{}, false
	}
	n = q.Number
	var ends [2]decimal.Decimal
	for _, c := range []struct{ to, from *decimal.Decimal }{
		{&n.Value, &q.Value}, {&n.Low, &q.Low}, {&n.High, &q.High}, {&ends[0], &one}, {&ends[1], &two},
	} {
		converted, err := ucum.Convert(*c.from, q.Code, code)
		if err != nil {
			return Number{}, false
		}
		*c.to = converted
	}
	return n, ends[0].Cmp(ends[1]) < 0
}

var one, two = mustParse("1"), mustParse("2")

func mustParse(s string) decimal.Decimal {
	d, err := decimal.Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}
