// Package ucum reads units of the Unified Code for Units of Measure (UCUM 2.1,
// case sensitive) and converts between them.
//
// It promises exact arithmetic: factors are fractions, so 1 [in_i] is 2.54 cm
// and nothing else, and a result is rounded only where no decimal equals it. It
// knows every unit of the standard's tables that is in clinical use, all
// prefixes, annotations and the special units with a function (Cel, [degF],
// [pH], B, …). It leaves display names to others.
package ucum

import "salus/fhir/decimal"

// Canonical returns value in base units, with the base units in a fixed
// spelling: 5 mg/dL is 50 and "g.m-3". Two units compare exactly when the spelling is equal.
func Canonical(value decimal.Decimal, unit string) (decimal.Decimal, string, error) {
	u, err := Parse(unit)
	if err != nil {
		return decimal.Decimal{}, "", err
	}
	v, err := u.toBase(value)
	return v, u.base, err
}

// Convert returns value, which is in from, in the unit to.
func Convert(value decimal.Decimal, from, to string) (decimal.Decimal, error) {
	f, err := Parse(from)
	if err != nil {
		return decimal.Decimal{}, err
	}
	t, err := Parse(to)
	if err != nil {
		return decimal.Decimal{}, err
	}
	return f.convert(value, t)
}

// Comparable reports whether both are units of the same dimension.
func Comparable(a, b string) bool {
	u, err := Parse(a)
	if err != nil {
		return false
	}
	v, err := Parse(b)
	return err == nil && u.base == v.base
}
