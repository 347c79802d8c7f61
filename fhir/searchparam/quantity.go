package searchparam

import (
	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/spec"
)

// currencies is the system of the codes of Money.currency.
const currencies = "urn:iso:std:iso:4217"

// quantityConverter returns how a value of a type becomes quantities, nil when
// it does not. SampledData is none: its numbers are only to be had by decoding
// every sample.
func quantityConverter(t *spec.Type) converter {
	switch {
	case t.Is("Quantity"):
		return plainQuantity
	case t.Is("Money"):
		return moneyQuantity
	case t.Is("Range"):
		return rangeQuantity
	}
	return nil
}

func plainQuantity(x *extraction, s *sink, n fhir.Node) {
	if v, ok := amount(n); ok {
		v.System, v.Code = unit(n)
		x.add(s.param, v)
	}
}

func moneyQuantity(x *extraction, s *sink, n fhir.Node) {
	if v, ok := amount(n); ok {
		if v.Code = n.Get("currency").Text(); v.Code != "" {
			v.System = currencies
		}
		x.add(s.param, v)
	}
}

// rangeQuantity takes the unit of whichever end has one.
func rangeQuantity(x *extraction, s *sink, n fhir.Node) {
	if v, ok := limits(n); ok {
		if v.System, v.Code = unit(n.Get("low")); v.Code == "" {
			v.System, v.Code = unit(n.Get("high"))
		}
		x.add(s.param, v)
	}
}

// amount reads the number of a Quantity. A comparator makes it a range that is
// open at one end: "<5" is not 5, but it is less than 6.
func amount(n fhir.Node) (v Value, ok bool) {
	d, ok := number(n.Get("value"))
	v = Value{Low: d, High: d}
	switch n.Get("comparator").Text() {
	case "<", "<=":
		v.Low, v.OpenLow = decimal.Decimal{}, true
	case ">", ">=":
		v.High, v.OpenHigh = decimal.Decimal{}, true
	}
	return v, ok
}

// unit returns the unit's system and code, or its text when it is not coded.
func unit(n fhir.Node) (system, code string) {
	if code = n.Get("code").Text(); code != "" {
		return n.Get("system").Text(), code
	}
	return "", n.Get("unit").Text()
}
