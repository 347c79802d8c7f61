package searchparam

import (
	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/spec"
)

// numberConverter returns how a value of a type becomes numbers, nil when it does not.
func numberConverter(t *spec.Type) converter {
	switch {
	case t.Is("integer"), t.Is("decimal"):
		return plainNumber
	case t.Is("Range"):
		return rangeNumber
	}
	return nil
}

func plainNumber(x *extraction, s *sink, n fhir.Node) {
	if d, ok := number(n); ok {
		x.add(s.param, Value{Low: d, High: d})
	}
}

func rangeNumber(x *extraction, s *sink, n fhir.Node) {
	if v, ok := limits(n); ok {
		x.add(s.param, v)
	}
}

// number reads a decimal. One out of the range that package decimal takes is
// kept in the resource but cannot be searched for.
func number(n fhir.Node) (decimal.Decimal, bool) {
	if n.Kind() != fhir.Number {
		return decimal.Decimal{}, false
	}
	d, err := decimal.Parse(n.Text())
	return d, err == nil
}

// limits reads the numbers of a Range.
func limits(n fhir.Node) (v Value, ok bool) {
	low, hasLow := number(n.Path("low", "value"))
	high, hasHigh := number(n.Path("high", "value"))
	if hasLow && hasHigh && low.Cmp(high) > 0 {
		low, high = high, low
	}
	return Value{Low: low, High: high, OpenLow: !hasLow, OpenHigh: !hasHigh}, hasLow || hasHigh
}
