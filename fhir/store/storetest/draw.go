package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// The universe of the model test is small, so that operations meet: four ids
// of three types and a handful of values of each kind.
var universe = func() []fhir.Key {
	var all []fhir.Key
	for _, t := range []fhir.Type{patient, observation, encounter} {
		for _, id := range []fhir.ID{"a", "b", "c", "d"} {
			all = append(all, fhir.Key{Type: t, ID: id})
		}
	}
	return all
}()

// The texts that values and operands are made of. Dates are such that starts
// and ends have the same order, and strings differ in more than case and
// accents, because the contract says nothing of the order of those that do not.
var (
	tokens     = []string{"s|x", "s|y", "t|x", "x", "s|X"}
	texts      = []string{"Anna", "Änne", "Berta Anna", "carl", "Anna-" + strings.Repeat("lang ", 100) + "Z"}
	dates      = []string{"2019", "2020-01-15", "2020-01-16T10:00:00Z", "2020-02", "2020-02-20..2021", "1999-12-31"}
	numbers    = []string{"0", "1", "1.00", "1.04", "-7", "1e3", "99.99"}
	ranges     = []string{"1..3", "..2", "50..", "-10..-7"}
	units      = []string{"u|mg", "u|g", "v|mg", "mg", "", search.UCUM + "|mg", search.UCUM + "|g", search.UCUM + "|L"}
	uris       = []string{"http://x/vs", "http://x/vs/a", "http://x/VS", "urn:oid:1.2", "urn:oid:1.2.3"}
	elsewhere  = []string{"http://other/fhir/Patient/zz", "urn:uuid:8d3ff1c4-0d6c-4f5a-9f0e-6a3c3c0c7a11", "http://c/canon|2", "http://other/fhir/Patient/a", "http://other/fhir/Patient/a/_history/2"}
	prefixes   = []search.Prefix{search.Eq, search.Ne, search.Gt, search.Lt, search.Ge, search.Le, search.Sa, search.Eb, search.Ap}
	words      = []string{"Husten", "husten-reiz", "Hüfte", "Fieber", ""}
	degrees    = []string{"0", "1.00", "-7", "89.999"}
	textModes  = []search.TextMode{search.Starts, search.Contains, search.Exact, search.Whole, search.Ends}
	uriModes   = []search.URIMode{search.Equal, search.Below, search.Above}
	allTypes   = []fhir.Type{patient, observation, encounter}
	valueCodes = []string{code, name, date, number, quantity, subject, url, near, reading, relation}
	sortCodes  = []string{name, date, number}
)

func pick[T any](r *rapid.T, label string, from []T) T { return rapid.SampledFrom(from).Draw(r, label) }

func chance(r *rapid.T, label string, percent int) bool {
	return rapid.IntRange(1, 100).Draw(r, label) <= percent
}

// drawWrites draws up to four writes of different keys, most of which expect
// what is there.
func drawWrites(r *rapid.T, numberOf func(fhir.Key) int64) []store.Write {
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(universe), 1, 4, rapid.ID).Draw(r, "keys")
	var writes []store.Write
	for _, k := range keys {
		w := store.Write{Key: k, Expect: store.AnyVersion}
		w.Method = pick(r, "method", []fhir.Method{fhir.Put, fhir.Put, fhir.Put, fhir.Put, fhir.Post, fhir.Patch, fhir.Delete, fhir.Delete, fhir.Purge})
		if w.Method == fhir.Purge && numberOf(k) == 0 {
			continue // whether this leaves a mark in the change log is the engine's choice
		}
		switch n := rapid.IntRange(0, 30).Draw(r, "expect"); {
		case n <= 15:
			w.Expect = numberOf(k)
		case n == 16:
			w.Expect = numberOf(k) + 1
		case n == 17:
			w.Expect = 0
		}
		w.DropSuperseded = chance(r, "drop", 20)
		if w.Method != fhir.Delete && w.Method != fhir.Purge {
			w.Body = body(k, fmt.Sprintf(`"n":%d,"note":%q,"text":{"div":%q}`, rapid.IntRange(0, 1000).Draw(r, "body"),
				pick(r, "word", words)+" "+pick(r, "word", words), "<div>"+pick(r, "word", words)+"</div>"))
			for range rapid.IntRange(0, 6).Draw(r, "values") {
				c := pick(r, "code", append(slices.Clone(valueCodes), subject, subject)) // references join
				w.Values = append(w.Values, searchparam.Entry{Param: params[k.Type][c], Value: drawValue(r, c)})
			}
		}
		if chance(r, "require", 5) {
			w.Require = append(w.Require, pick(r, "required", universe))
		}
		if chance(r, "unless", 10) {
			t := pick(r, "type", allTypes)
			w.Unless = append(w.Unless, search.Branch{Type: t, Filter: drawFilter(r, t, 1)})
		}
		writes = append(writes, w)
	}
	return writes
}

func drawValue(r *rapid.T, c string) searchparam.Value {
	switch c {
	case code:
		v := tokenValue(pick(r, "token", tokens))
		if chance(r, "of a type", 10) {
			return searchparam.Value{Parts: []searchparam.Value{v, {Code: pick(r, "identifier", tokens)}}}
		}
		if chance(r, "token text", 30) {
			v.Text = pick(r, "text", texts)
		}
		return v
	case name:
		return searchparam.Value{Text: pick(r, "text", texts)}
	case date:
		return when(pick(r, "date", dates)).Value
	case number:
		return rangeValue(pick(r, "number", numbers))
	case quantity:
		v := quantityValue("0 " + pick(r, "unit", units))
		n := rangeValue(pick(r, "number", append(slices.Clone(ranges), numbers...)))
		v.Low, v.High, v.OpenLow, v.OpenHigh = n.Low, n.High, n.OpenLow, n.OpenHigh
		return v
	case near:
		return searchparam.Value{Low: dec(pick(r, "latitude", degrees)), High: dec(pick(r, "longitude", degrees))}
	case url:
		return searchparam.Value{Text: pick(r, "uri", uris)}
	case subject:
		switch {
		case chance(r, "elsewhere", 10):
			return ref(pick(r, "url", elsewhere)).Value
		case chance(r, "logical", 5):
			return tokenValue(pick(r, "token", tokens))
		case chance(r, "version", 10):
			return ref(pick(r, "target", universe).String() + "/_history/1").Value
		}
		return ref(pick(r, "target", universe).String()).Value
	}
	p := parts[c]
	return searchparam.Value{Parts: []searchparam.Value{drawPart(r, p[0]), drawPart(r, p[1])}}
}

// drawPart draws a component's value: one that exists.
func drawPart(r *rapid.T, c string) searchparam.Value {
	switch c {
	case code:
		return tokenValue(pick(r, "token", tokens))
	case subject:
		return ref(pick(r, "target", universe).String()).Value
	}
	return drawValue(r, c)
}

// drawOperand draws what values of a code are compared with.
func drawOperand(r *rapid.T, c string) search.Operand {
	switch c {
	case code:
		if chance(r, "by text", 15) {
			return search.Text{Text: pick(r, "text", texts)[:4]}
		}
		if chance(r, "among many", 10) {
			c := &search.Concepts{}
			for _, text := range rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 4).Draw(r, "codes") {
				v := tokenValue(text)
				c.Codes = append(c.Codes, search.Token{System: v.System, Code: v.Code})
			}
			return c
		}
		if chance(r, "by type", 10) {
			v := tokenValue(pick(r, "token", tokens))
			return search.OfType{System: v.System, Code: v.Code, Value: pick(r, "identifier", tokens)}
		}
		return drawToken(r)
	case name:
		text := pick(r, "text", texts)
		mode := pick(r, "mode", textModes)
		if mode != search.Exact && chance(r, "cut", 50) {
			runes := []rune(text)
			if text = string(runes[:3]); mode == search.Ends {
				text = string(runes[len(runes)-3:])
			}
		}
		if chance(r, "lower", 20) {
			text = strings.ToLower(text)
		}
		return search.Text{Mode: mode, Text: text}
	case date:
		d := dateIs(pick(r, "prefix", prefixes), pick(r, "date", append([]string{"2020", "2020-01", "..2020-01", "2020-02-25.."}, dates...)))
		switch d.Within = slices.Contains([]search.Prefix{search.Eq, search.Ge, search.Le}, d.Prefix) && chance(r, "within", 50); rapid.IntRange(0, 5).Draw(r, "touch") {
		case 0: // only the last tick
			d.Start = d.End
		case 1: // only the first
			d.End = d.Start
		}
		return d
	case number:
		n := numberIs(pick(r, "prefix", prefixes), pick(r, "number", numbers))
		n.Open = chance(r, "open", 30)
		return n
	case quantity:
		q := search.Quantity{Number: numberIs(pick(r, "prefix", prefixes), pick(r, "number", numbers))}
		if chance(r, "wide", 25) {
			q.Low, q.High = dec("-10"), dec("10")
		}
		unit := tokenValue(pick(r, "unit", units))
		q.System, q.Code = unit.System, unit.Code
		q.AnyUnit = chance(r, "any unit", 25)
		q.AnySystem = chance(r, "any system", 25)
		q.AnyCode = !q.AnySystem && q.System != "" && chance(r, "any code", 25)
		return q
	case url:
		uri := search.URI{Mode: pick(r, "mode", uriModes), Text: pick(r, "uri", append([]string{"http://x/vs/a/b", "http", "http://x/"}, uris...))}
		uri.Segments = uri.Mode != search.Equal && chance(r, "segments", 50)
		return uri
	case subject:
		return drawRef(r)
	case near:
		return search.Near{Latitude: pick(r, "latitude", []float64{0, 1, 89}), Metres: pick(r, "metres", []float64{0, 2000, 2e5, 2e7})}
	}
	composite := search.Composite{Parts: []search.Operand{drawToken(r)}}
	if c == relation {
		composite.Parts[0] = drawRef(r)
	}
	if chance(r, "second part", 80) {
		second := drawOperand(r, parts[c][1])
		switch second.(type) {
		case search.Text, search.OfType, *search.Concepts:
			second = drawToken(r)
		}
		composite.Parts = append(composite.Parts, second)
	}
	return composite
}

func drawToken(r *rapid.T) search.Operand {
	v := tokenValue(pick(r, "token", tokens))
	o := search.Token{System: v.System, Code: v.Code, AnySystem: chance(r, "any system", 40)}
	o.AnyCode = !o.AnySystem && o.System != "" && chance(r, "any code", 20)
	return o
}

func drawRef(r *rapid.T) search.Operand {
	k := pick(r, "target", universe)
	switch rapid.IntRange(0, 4).Draw(r, "form") {
	case 0:
		return search.Ref{URL: pick(r, "url", elsewhere)}
	case 1:
		return search.Ref{ID: k.ID, Types: allTypes[:rapid.IntRange(1, 3).Draw(r, "types")], Here: chance(r, "here", 30)}
	default:
		return search.Ref{Type: k.Type, ID: k.ID, Here: chance(r, "here", 30)}
	}
}

// drawFilter draws a condition on a type, at most depth conditions deep.
func drawFilter(r *rapid.T, t fhir.Type, depth int) search.Filter {
	kinds := []string{"match", "match", "match", "missing", "ids", "updated", "identifier", "content"}
	if depth > 0 {
		kinds = append(kinds, "and", "or", "not", "chain", "has", "and", "or", "not", "chain", "has")
	}
	several := func() []search.Filter {
		return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) search.Filter { return drawFilter(r, t, depth-1) }), 0, 3).Draw(r, "parts")
	}
	switch pick(r, "filter", kinds) {
	case "and":
		return search.And(several())
	case "or":
		return search.Or(several())
	case "not":
		return search.Not{Filter: drawFilter(r, t, depth-1)}
	case "chain":
		to := pick(r, "type", allTypes)
		return search.Chain{Param: params[t][subject], Target: to, Filter: drawJoined(r, to, depth)}
	case "has":
		from := pick(r, "type", allTypes)
		return search.Has{Param: params[from][subject], Filter: drawJoined(r, from, depth)}
	case "missing":
		return search.Missing{Param: params[t][pick(r, "code", valueCodes)], Missing: rapid.Bool().Draw(r, "missing")}
	case "ids":
		return search.IDs(rapid.SliceOfN(rapid.SampledFrom([]fhir.ID{"a", "b", "c", "d", "e"}), 0, 3).Draw(r, "ids"))
	case "updated":
		at := newClock().at.Add(pick(r, "at", []time.Duration{0, time.Second, 5 * time.Second, 24 * time.Hour, 48 * time.Hour}))
		d := search.Date{Prefix: pick(r, "prefix", prefixes), Start: searchparam.TicksOf(at)}
		d.End = d.Start + pick(r, "span", []searchparam.Ticks{0, 10e7, 48 * 3600e7})
		return search.Updated{Date: d}
	case "content":
		return drawContent(r)
	case "identifier":
		return search.Match{Param: params[t][subject], Operand: drawToken(r)}
	default:
		c := pick(r, "code", valueCodes)
		return search.Match{Param: params[t][c], Operand: drawOperand(r, c)}
	}
}

func drawJoined(r *rapid.T, t fhir.Type, depth int) search.Filter {
	if chance(r, "any", 20) {
		return nil
	}
	return drawFilter(r, t, depth-1)
}

func drawPlan(r *rapid.T) search.Plan {
	plan := search.Plan{Count: rapid.IntRange(0, 5).Draw(r, "page"), Total: rapid.Bool().Draw(r, "total")}
	types := rapid.SliceOfNDistinct(rapid.SampledFrom(allTypes), 1, 3, rapid.ID).Draw(r, "types")
	for _, t := range types {
		branch := search.Branch{Type: t}
		if chance(r, "filtered", 85) {
			branch.Filter = drawFilter(r, t, 3)
		}
		plan.Branches = append(plan.Branches, branch)
	}
	for range pick(r, "sort keys", []int{0, 0, 1, 1, 2}) {
		key := search.SortKey{Descending: rapid.Bool().Draw(r, "descending")}
		switch rapid.IntRange(0, 7).Draw(r, "by") {
		case 0, 1:
			key.Updated = true
		case 2:
			key.ID = true
		case 3:
			key.Type = true
		default:
			key.Param = params[types[0]][pick(r, "sort", sortCodes)]
		}
		plan.Sort = append(plan.Sort, key)
	}
	if chance(r, "includes", 40) {
		plan.MaxIncludes = pick(r, "limit", []int{1, 2, 3, 100})
		plan.Includes, plan.RevIncludes = drawIncludes(r), drawIncludes(r)
	}
	return plan
}

func drawIncludes(r *rapid.T) []search.Include {
	var all []search.Include
	for range rapid.IntRange(0, 3).Draw(r, "includes") {
		target := pick(r, "target", append([]fhir.Type{""}, allTypes...))
		i := search.Include{Param: params[pick(r, "type", allTypes)][subject], Target: target}
		if i.Iterate = chance(r, "iterate", 25); i.Iterate {
			i.Once = rapid.Bool().Draw(r, "once")
		}
		all = append(all, i)
	}
	return all
}

func drawHistory(r *rapid.T, now time.Time) store.HistoryQuery {
	q := store.HistoryQuery{
		OldestFirst: rapid.Bool().Draw(r, "oldest first"),
		Count:       rapid.IntRange(0, 7).Draw(r, "page"),
		Total:       rapid.Bool().Draw(r, "total"),
	}
	switch k := pick(r, "key", universe); rapid.IntRange(0, 2).Draw(r, "level") {
	case 0:
		q.Type, q.ID = k.Type, k.ID
	case 1:
		q.Type = k.Type
	}
	ago := []time.Duration{0, time.Second, 2 * time.Second, time.Hour, 24 * time.Hour, 100 * time.Hour}
	if chance(r, "since", 30) {
		q.Since = now.Add(-pick(r, "since ago", ago))
	}
	if chance(r, "before", 30) {
		q.Before = now.Add(-pick(r, "before ago", ago))
	}
	return q
}

// describePlan writes a plan for a failure message.
func describePlan(plan search.Plan) string {
	var b strings.Builder
	for _, branch := range plan.Branches {
		fmt.Fprintf(&b, "%s: %s\n", branch.Type, describe(branch.Filter))
	}
	for _, key := range plan.Sort {
		what := "lastUpdated"
		switch {
		case key.ID:
			what = "id"
		case key.Type:
			what = "type"
		case key.Param != nil:
			what = key.Param.Code
		}
		fmt.Fprintf(&b, "sort by %s, descending: %t\n", what, key.Descending)
	}
	for i, includes := range [][]search.Include{plan.Includes, plan.RevIncludes} {
		for _, include := range includes {
			fmt.Fprintf(&b, "%s %s target %q, iterate: %t, once: %t\n",
				[]string{"include", "revinclude"}[i], include.Param.Name(), include.Target, include.Iterate, include.Once)
		}
	}
	fmt.Fprintf(&b, "count %d, includes %d", plan.Count, plan.MaxIncludes)
	return b.String()
}

// inGivenOrder writes versions as "Type/id Type/id".
func inGivenOrder(versions []fhir.Version) string {
	var all []string
	for _, v := range versions {
		all = append(all, v.Key.String())
	}
	return strings.Join(all, " ")
}
