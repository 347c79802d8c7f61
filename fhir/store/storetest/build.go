package storetest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// The types of the suite. Each has the same synthetic parameters, so that any
// combination can be tried on any type.
const (
	patient     fhir.Type = "Patient"
	observation fhir.Type = "Observation"
	encounter   fhir.Type = "Encounter"
)

// The codes of the parameters of each type.
const (
	code     = "code"                // token
	name     = "name"                // string
	date     = "date"                // date
	number   = "number"              // number
	quantity = "quantity"            // quantity
	subject  = "subject"             // reference
	url      = "url"                 // uri
	near     = "near"                // position
	reading  = "code-value-quantity" // composite of code and quantity
	timing   = "code-value-date"     // composite of code and date
	remark   = "code-value-string"   // composite of code and name
	relation = "relatesto"           // composite of subject and code
)

// parts are the components of the composites.
var parts = map[string][2]string{
	reading: {code, quantity}, timing: {code, date}, remark: {code, name}, relation: {subject, code},
}

type registry map[fhir.Type]map[string]*searchparam.Param

// params are the parameters of the suite. Engines know parameters by type and
// code; a test of that makes another registry.
var params = newRegistry()

func newRegistry() registry {
	all := registry{}
	for _, t := range []fhir.Type{patient, observation, encounter} {
		all[t] = map[string]*searchparam.Param{}
		for c, kind := range map[string]searchparam.Kind{
			code: searchparam.Token, name: searchparam.String, date: searchparam.Date, number: searchparam.Number,
			quantity: searchparam.Quantity, subject: searchparam.Reference, url: searchparam.URI, near: searchparam.Position,
		} {
			all[t][c] = &searchparam.Param{Type: t, Code: c, Kind: kind}
		}
		all[t][subject].Targets = []fhir.Type{patient, observation, encounter}
		for c, p := range parts {
			all[t][c] = &searchparam.Param{
				Type: t, Code: c, Kind: searchparam.Composite, Components: []*searchparam.Param{all[t][p[0]], all[t][p[1]]},
			}
		}
	}
	return all
}

// key reads "Type/id"; a bare id is an observation's.
func key(name string) fhir.Key {
	if t, id, ok := strings.Cut(name, "/"); ok {
		return fhir.Key{Type: fhir.Type(t), ID: fhir.ID(id)}
	}
	return fhir.Key{Type: observation, ID: fhir.ID(name)}
}

// ids writes the ids of versions as "a b c".
func ids(versions []fhir.Version) string {
	var all []string
	for _, v := range versions {
		all = append(all, string(v.ID))
	}
	return strings.Join(all, " ")
}

// serial makes each body of a run another.
var serial atomic.Int64

// put is a write of a resource with a body of its own. The values' parameters
// become those of the resource's type.
func put(name string, values ...searchparam.Entry) store.Write {
	k := key(name)
	w := store.Write{Key: k, Method: fhir.Put, Expect: store.AnyVersion, Body: body(k, fmt.Sprintf(`"n":%d`, serial.Add(1)))}
	for _, e := range values {
		e.Param = params[k.Type][e.Param.Code]
		w.Values = append(w.Values, e)
	}
	return w
}

// body is a resource with more properties, in the form that fhir.NewBody gives.
func body(k fhir.Key, more string) fhir.Body {
	head := fmt.Sprintf(`{"resourceType":%q,"id":%q,"meta":{`, k.Type, k.ID)
	return fhir.ReadBody([]byte(head+`},`+more+`}`), len(head))
}

func entry(code string, v searchparam.Value) searchparam.Entry {
	return searchparam.Entry{Param: params[observation][code], Value: v}
}

// token is an index value from "system|code", or from "code" without a system.
func token(s string) searchparam.Entry { return entry(code, tokenValue(s)) }

func tokenValue(s string) searchparam.Value {
	system, c, ok := strings.Cut(s, "|")
	if !ok {
		system, c = "", s
	}
	return searchparam.Value{System: system, Code: c}
}

// text is an index value of a string.
func text(s string) searchparam.Entry { return entry(name, searchparam.Value{Text: s}) }

// uri is an index value of a URI.
func uri(s string) searchparam.Entry { return entry(url, searchparam.Value{Text: s}) }

// when is an index value of a date or of a period "start..end".
func when(s string) searchparam.Entry {
	var v searchparam.Value
	v.Start, v.End = interval(s)
	return entry(date, v)
}

// interval reads 2020, 2020-01, 2020-01-15, an instant of seconds, or two of
// them with ".." between; an end that is left out is open.
func interval(s string) (start, end searchparam.Ticks) {
	if from, to, ok := strings.Cut(s, ".."); ok {
		start, end = searchparam.MinTicks, searchparam.MaxTicks
		if from != "" {
			start, _ = interval(from)
		}
		if to != "" {
			_, end = interval(to)
		}
		return start, end
	}
	for _, form := range []struct {
		layout              string
		years, months, days int
		span                time.Duration
	}{
		{"2006", 1, 0, 0, 0}, {"2006-01", 0, 1, 0, 0}, {"2006-01-02", 0, 0, 1, 0}, {time.RFC3339, 0, 0, 0, time.Second},
	} {
		if at, err := time.Parse(form.layout, s); err == nil {
			next := at.AddDate(form.years, form.months, form.days).Add(form.span)
			return searchparam.TicksOf(at), searchparam.TicksOf(next) - 1
		}
	}
	panic("storetest: not a date: " + s)
}

// num is an index value of a number or of a range "low..high".
func num(s string) searchparam.Entry { return entry(number, rangeValue(s)) }

func rangeValue(s string) searchparam.Value {
	low, high, ok := strings.Cut(s, "..")
	if !ok {
		return searchparam.Value{Low: dec(s), High: dec(s)}
	}
	v := searchparam.Value{OpenLow: low == "", OpenHigh: high == ""}
	if !v.OpenLow {
		v.Low = dec(low)
	}
	if !v.OpenHigh {
		v.High = dec(high)
	}
	return v
}

func dec(s string) decimal.Decimal {
	d, err := decimal.Parse(s)
	if err != nil {
		panic("storetest: not a number: " + s)
	}
	return d
}

// qty is an index value of a quantity from "number system|code".
func qty(s string) searchparam.Entry { return entry(quantity, quantityValue(s)) }

func quantityValue(s string) searchparam.Value {
	n, unit, _ := strings.Cut(s, " ")
	v, u := rangeValue(n), tokenValue(unit)
	v.System, v.Code = u.System, u.Code
	return v
}

// ref is an index value of a literal reference.
func ref(s string) searchparam.Entry {
	isType := func(t fhir.Type) bool { return t[0] >= 'A' && t[0] <= 'Z' }
	return entry(subject, searchparam.Value{Ref: fhir.ParseReference(s, isType)})
}

// pair is an index value of a composite from values of its components.
func pair(code string, first, second searchparam.Entry) searchparam.Entry {
	return entry(code, searchparam.Value{Parts: []searchparam.Value{first.Value, second.Value}})
}

// match is a condition on observations.
func match(code string, operand search.Operand) search.Filter {
	return matchOn(observation, code, operand)
}

func matchOn(t fhir.Type, code string, operand search.Operand) search.Filter {
	return search.Match{Param: params[t][code], Operand: operand}
}

// hasCode is the condition on a type that its code is c in any system.
func hasCode(t fhir.Type, c string) search.Filter {
	return matchOn(t, code, search.Token{AnySystem: true, Code: c})
}

// dateIs is an operand for an interval as interval reads it.
func dateIs(p search.Prefix, s string) search.Date {
	d := search.Date{Prefix: p}
	d.Start, d.End = interval(s)
	return d
}

// numberIs is an operand with the window of the number's precision.
func numberIs(p search.Prefix, s string) search.Number {
	v := dec(s)
	return search.Number{Prefix: p, Value: v, Low: v.Sub(v.HalfUnit()), High: v.Add(v.HalfUnit())}
}

func missing(t fhir.Type, code string) search.Filter {
	return search.Missing{Param: params[t][code], Missing: true}
}

func present(t fhir.Type, code string) search.Filter { return search.Missing{Param: params[t][code]} }

// everything is a plan for whole types on one page.
func everything(types ...fhir.Type) *search.Plan {
	plan := &search.Plan{Count: 10_000}
	for _, t := range types {
		plan.Branches = append(plan.Branches, search.Branch{Type: t})
	}
	return plan
}

// describe writes a filter for a failure message.
func describe(filter search.Filter) string {
	switch f := filter.(type) {
	case search.And:
		return "and" + describeAll(f)
	case search.Or:
		return "or" + describeAll(f)
	case search.Not:
		return "not(" + describe(f.Filter) + ")"
	case search.Match:
		return fmt.Sprintf("%s %T%+v", f.Param.Name(), f.Operand, f.Operand)
	case search.Missing:
		return fmt.Sprintf("%s:missing=%t", f.Param.Name(), f.Missing)
	case search.Chain:
		return fmt.Sprintf("%s:%s.(%s)", f.Param.Name(), f.Target, describe(f.Filter))
	case search.Has:
		return fmt.Sprintf("has %s (%s)", f.Param.Name(), describe(f.Filter))
	case search.Updated:
		return fmt.Sprintf("updated %+v", f.Date)
	}
	return fmt.Sprintf("%T%v", filter, filter)
}

func describeAll(parts []search.Filter) string {
	var all []string
	for _, part := range parts {
		all = append(all, describe(part))
	}
	return "(" + strings.Join(all, ", ") + ")"
}
