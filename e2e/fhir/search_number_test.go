package fhir_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// The expectations of these tables are worked out here, from the definition of
// the prefixes alone: with [l, h] for what is stored and the implicit window of
// the query's last digit for eq and ne, all other prefixes being exact.

// prefixes are the comparisons that numbers and quantities know.
var prefixes = []string{"", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

// decimal returns a number and half a unit of its last digit.
func decimal(s string) (value, half *big.Rat) {
	value, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	digits := 0
	if _, fraction, found := strings.Cut(mantissa, "."); found {
		digits = len(fraction)
	}
	half = big.NewRat(1, 2)
	ten := big.NewRat(10, 1)
	for range digits {
		half.Quo(half, ten)
	}
	if exponent != "" {
		var n int
		fmt.Sscan(exponent, &n) // a number, as the tables have it
		for ; n > 0; n-- {
			half.Mul(half, ten)
		}
		for ; n < 0; n++ {
			half.Quo(half, ten)
		}
	}
	return value, half
}

// holds reports whether a stored range compares with a query as the prefix
// wants it. nil is an open end. The window of 4 is [3.5, 4.5] in the reference
// and [3.5, 4.5) in FHIR (R4 search §3.1.1.4.6).
func holds(prefix string, low, high *big.Rat, query string, rules mode) bool {
	v, half := decimal(query)
	from, to := new(big.Rat).Sub(v, half), new(big.Rat).Add(v, half)
	if prefix == "ap" {
		tenth := new(big.Rat).Mul(new(big.Rat).Abs(v), big.NewRat(1, 10))
		from, to = new(big.Rat).Sub(v, tenth), new(big.Rat).Add(v, tenth)
	}
	above := func(bound *big.Rat) bool { return high == nil || high.Cmp(bound) > 0 }
	below := func(bound *big.Rat) bool { return low == nil || low.Cmp(bound) < 0 }
	within := low != nil && high != nil && low.Cmp(from) >= 0 && high.Cmp(to) <= 0
	if rules == strict && prefix != "ap" {
		within = within && high.Cmp(to) < 0
	}
	switch prefix {
	case "", "eq":
		return within
	case "ne":
		return !within
	case "gt":
		return above(v)
	case "ge":
		return high == nil || high.Cmp(v) >= 0
	case "lt":
		return below(v)
	case "le":
		return low == nil || low.Cmp(v) <= 0
	case "sa":
		return low != nil && low.Cmp(v) > 0
	case "eb":
		return high != nil && high.Cmp(v) < 0
	default: // ap
		return above(from) && below(to) || within
	}
}

// probabilities are stored numbers by name.
var probabilities = []struct{ name, value string }{{"n1", "3"}, {"n2", "4"}, {"n3", "5"}, {"n4", "4.5"}, {"n5", "4.123"}, {"n6", "1500"}}

func TestSearch_Number(t *testing.T) {
	t.Parallel()
	alternatives(t, "RiskAssessment?probability=gt1,lt3")
	on(t, func(t *testing.T, service target) {
		var things []thing
		for _, p := range probabilities {
			things = append(things, thing{p.name, `{"resourceType":"RiskAssessment","status":"final","subject":{"reference":"Patient/x"},"prediction":[{"probabilityDecimal":` + p.value + `}]}`})
		}
		things = append(things, thing{"none", `{"resourceType":"RiskAssessment","status":"final","subject":{"reference":"Patient/x"}}`})
		w := build(t, service, things...)
		rows := []find{
			{"missing", "RiskAssessment?probability:missing=true", "none"},
			{"or", "RiskAssessment?probability=3.0,4.123", "n1 n5"},
			{"and", "RiskAssessment?probability=gt3&probability=lt5", "n2 n4 n5"}}
		for _, query := range []string{"3", "4", "4.0", "4.5", "4.1", "4.12", "4.123", "4.1230", "5", "1500", "1.5e3", "15e2", "3.5", "0", "-1"} {
			for _, prefix := range prefixes {
				if prefix == "ap" && query == "0" {
					continue // a tenth of nothing
				}
				var want []string
				for _, p := range probabilities {
					v, _ := decimal(p.value)
					if holds(prefix, v, v, query, service.mode) {
						want = append(want, p.name)
					}
				}
				rows = append(rows, find{"", "RiskAssessment?probability=" + prefix + query, strings.Join(want, " ")})
			}
		}
		w.finds(t, rows)
		refuses(t, service, []refusal{
			{"RiskAssessment?probability=high", 400, "invalid"},
			{"RiskAssessment?probability=1x", 400, "invalid"},
			{"RiskAssessment?probability=gt", 400, ""},
			{"RiskAssessment?probability=1e400000000000", 400, ""},
			{"RiskAssessment?probability:exact=1", 403, "invalid"},
			{"RiskAssessment?probability:missing=maybe", 403, "invalid"},
		})
	})
}

// amounts are stored quantities by name.
var amounts = []struct{ name, value, system, code string }{
	{"q1", "0.002", "system1", "unit1"},
	{"q2", "1.0", "system1", "unit1"},
	{"q3", "3.12", "system1", "unit2"},
	{"q4", "4.0", "system2", "unit1"},
	{"q5", "5.40", "system2", "unit2"},
	{"q6", "6", "", ""},
	{"q7", "8.95", "system1", "unit1"},
	{"q8", "10", "system1", "unit1"},
}

func TestSearch_Quantity(t *testing.T) {
	t.Parallel()
	alternatives(t, "Observation?value-quantity=gt1,lt3")
	on(t, func(t *testing.T, service target) {
		var things []thing
		for _, a := range amounts {
			unit := ""
			if a.system != "" {
				unit = `,"system":"http://` + a.system + `","code":"` + a.code + `"`
			}
			things = append(things, thing{a.name, `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":` + a.value + unit + `}}`})
		}
		things = append(things, thing{"none", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`})
		w := build(t, service, things...)
		rows := []find{
			{"missing", "Observation?value-quantity:missing=true", "none"},
			{"or", "Observation?value-quantity=6,10", "q6 q8"},
			{"or of units", "Observation?value-quantity=4||unit1,5.40||unit2", "q4 q5"},
			{"and", "Observation?value-quantity=gt3&value-quantity=lt6", "q3 q4 q5"},
			{"by any of several parameters", "Observation?combo-value-quantity=5.40", "q5"},
		}
		for _, query := range []string{"0.002", "0.0020", "1.0", "1", "1.00", "3.12", "3", "4", "4.0", "5.40", "5.4", "5", "6", "9", "10", "1e1"} {
			for _, prefix := range prefixes {
				for _, unit := range []struct{ text, system, code string }{{"", "", ""}, {"|http://system1|unit1", "system1", "unit1"}, {"||unit2", "", "unit2"}, {"|http://system2|", "system2", ""}} {
					if unit.text != "" && len(query)%2 == 1 && prefix != "" {
						continue // not every combination
					}
					var want []string
					for _, a := range amounts {
						v, _ := decimal(a.value)
						if holds(prefix, v, v, query, service.mode) && (unit.system == "" || unit.system == a.system) && (unit.code == "" || unit.code == a.code) {
							want = append(want, a.name)
						}
					}
					rows = append(rows, find{"", "Observation?value-quantity=" + prefix + query + unit.text, strings.Join(want, " ")})
				}
			}
		}
		w.finds(t, rows)
		refuses(t, service, []refusal{
			{"Observation?value-quantity=many", 400, "invalid"},
			{"Observation?value-quantity=1|a|b|c", 400, "invalid"},
			{"Observation?value-quantity=|http://s|u", 400, ""},
			{"Observation?value-quantity:exact=1", 403, "invalid"},
		})
	})
}
