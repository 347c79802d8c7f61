package storetest

import (
	"fmt"
	"strings"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

var matchTests = []test{
	{"tokens by system and code", matchTokens},
	{"texts of tokens", matchTokenTexts},
	{"identifiers by type", matchOfType},
	{"tokens among many", matchConcepts},
	{"strings by start, part and whole", matchStrings},
	{"long strings to their end", matchLongStrings},
	{"dates by every prefix", matchDates},
	{"numbers by every prefix", matchNumbers},
	{"number ranges with open ends", matchRanges},
	{"quantities by unit", matchQuantities},
	{"quantities in all units of a dimension of UCUM", matchUCUM},
	{"references by type and id, id and text", matchReferences},
	{"uris equal, below and above", matchURIs},
	{"positions by distance", matchNear},
	{"composites within one value", matchComposites},
}

// indexed writes observations with index values and another one without any,
// called "none".
type indexed []struct {
	id     string
	values []searchparam.Entry
}

func (in indexed) write(f *fixture) {
	f.Helper()
	for _, o := range in {
		f.put(o.id, o.values...)
	}
	f.put("none")
}

type values = []searchparam.Entry

func matchTokens(f *fixture) {
	indexed{
		{"a", values{token("s|x")}},
		{"b", values{token("t|x")}},
		{"c", values{token("x")}},
		{"d", values{token("s|y")}},
		{"e", values{token("s|x"), token("t|y")}},
		{"f", values{token("s|X")}},
		{"g", values{token("s|xx")}},
		{"h", values{token("st|x")}},
		{"i", values{entry(code, searchparam.Value{System: "s", Code: "t|x"})}},
		{"j", values{token("s|x"), token("s|x")}}, // twice the same is once
		{"k", values{token("s|" + strings.Repeat("x", 2000))}},
	}.write(f)
	for _, c := range []struct {
		operand search.Token
		want    string
	}{
		{search.Token{AnySystem: true, Code: "x"}, "a b c e h j"},
		{search.Token{System: "s", Code: "x"}, "a e j"},
		{search.Token{System: "t", Code: "x"}, "b"},
		{search.Token{System: "s", Code: "y"}, "d"}, // e has system and code in two values
		{search.Token{Code: "x"}, "c"},
		{search.Token{Code: "y"}, ""},
		{search.Token{System: "s", AnyCode: true}, "a d e f g i j k"},
		{search.Token{System: "u", AnyCode: true}, ""},
		{search.Token{AnySystem: true, Code: "X"}, "f"},
		{search.Token{AnySystem: true, Code: "xx"}, "g"},
		{search.Token{System: "s|t", Code: "x"}, ""},
		{search.Token{System: "s", Code: "t|x"}, "i"},
		{search.Token{System: "s", Code: strings.Repeat("x", 2000)}, "k"},
		{search.Token{System: "s", Code: strings.Repeat("x", 1999)}, ""},
	} {
		f.finds(match(code, c.operand), c.want)
	}
}

func matchTokenTexts(f *fixture) {
	named := func(c, text string) searchparam.Entry {
		return entry(code, searchparam.Value{System: "s", Code: c, Text: text})
	}
	indexed{
		{"a", values{named("x", "Blood pressure")}},
		{"b", values{named("x", "Müdigkeit")}},
		{"c", values{entry(code, searchparam.Value{Text: "blood group"})}}, // a concept with text only
		{"d", values{named("blood", "Other")}},
	}.write(f)
	f.finds(match(code, search.Text{Text: "BLOOD"}), "a c")
	f.finds(match(code, search.Text{Text: "mudig"}), "b")
	f.finds(match(code, search.Text{Text: "pressure"}), "")
	f.finds(hasCode(observation, "x"), "a b")
	f.finds(present(observation, code), "a b c d")
}

func matchOfType(f *fixture) {
	identifier := func(typ, value string) searchparam.Entry {
		return entry(code, searchparam.Value{Parts: []searchparam.Value{tokenValue(typ), {Code: value}}})
	}
	indexed{
		{"a", values{token("s|1"), identifier("t|MR", "1")}},
		{"b", values{token("s|1"), identifier("t|SS", "1"), identifier("u|MR", "1")}},
		{"c", values{token("s|12"), identifier("t|MR", "12")}},
		{"d", values{token("t|MR"), token("1")}},
	}.write(f)
	f.finds(match(code, search.OfType{System: "t", Code: "MR", Value: "1"}), "a")
	f.finds(match(code, search.OfType{System: "u", Code: "MR", Value: "1"}), "b")
	f.finds(match(code, search.OfType{System: "t", Code: "MR", Value: "12"}), "c")
	f.finds(match(code, search.OfType{System: "t", Code: "MR1", Value: ""}), "")
	f.finds(match(code, search.OfType{System: "t", Code: "mr", Value: "1"}), "")
	f.finds(hasCode(observation, "1"), "a b d")
	f.finds(match(code, search.Token{System: "t", AnyCode: true}), "d")
}

func matchConcepts(f *fixture) {
	indexed{
		{"a", values{token("s|c1")}},
		{"b", values{token("s|c999"), token("s|other")}},
		{"c", values{token("s|other")}},
		{"d", values{token("t|c1")}},
		{"e", values{token("c1")}},
		{"f", values{token("s|c5000")}},
	}.write(f)
	var many []search.Token
	for i := range 3000 {
		many = append(many, search.Token{System: "s", Code: fmt.Sprintf("c%d", i)})
	}
	f.finds(match(code, &search.Concepts{Codes: many}), "a b")
	f.finds(match(code, &search.Concepts{Codes: many[:2]}), "a")
	f.finds(match(code, &search.Concepts{}), "")
	f.finds(match(code, &search.Concepts{Codes: []search.Token{{System: "t", Code: "c1"}, {System: "s", Code: "other"}}}), "b c d")
}

func matchStrings(f *fixture) {
	indexed{
		{"a", values{text("Müller")}},
		{"b", values{text("muller")}},
		{"c", values{text("Meier-Müller")}},
		{"d", values{text("Anna"), text("Berta")}},
		{"e", values{text("100%_x*?")}},
		{"f", values{text("Ångström")}},
		{"g", values{text("王秀英")}},
		{"h", values{text("M")}},
	}.write(f)
	for _, c := range []struct {
		operand search.Text
		want    string
	}{
		{search.Text{Text: "mull"}, "a b"},
		{search.Text{Text: "MÜLLER"}, "a b"},
		{search.Text{Text: "m"}, "a b c h"},
		{search.Text{Text: "muller2"}, ""},
		{search.Text{Text: "eier"}, ""},
		{search.Text{Text: "berta"}, "d"},
		{search.Text{Text: "anna berta"}, ""},
		{search.Text{Text: "angstrom"}, "f"},
		{search.Text{Text: "王秀"}, "g"},
		{search.Text{Text: "1%"}, ""},
		{search.Text{Mode: search.Contains, Text: "ulle"}, "a b c"},
		{search.Text{Mode: search.Contains, Text: "R-M"}, "c"},
		{search.Text{Mode: search.Contains, Text: "ü"}, "a b c"},
		{search.Text{Mode: search.Contains, Text: "%_X"}, "e"},
		{search.Text{Mode: search.Contains, Text: "_%"}, ""},
		{search.Text{Mode: search.Contains, Text: "秀"}, "g"},
		{search.Text{Mode: search.Contains, Text: "muller"}, "a b c"},
		{search.Text{Mode: search.Exact, Text: "Müller"}, "a"},
		{search.Text{Mode: search.Whole, Text: "MULLER"}, "a b"},
		{search.Text{Mode: search.Whole, Text: "mulle"}, ""},
		{search.Text{Mode: search.Ends, Text: "ÜLLER"}, "a b c"},
		{search.Text{Mode: search.Ends, Text: "mulle"}, ""},
		{search.Text{Mode: search.Exact, Text: "muller"}, "b"},
		{search.Text{Mode: search.Exact, Text: "MULLER"}, ""},
		{search.Text{Mode: search.Exact, Text: "Mülle"}, ""},
		{search.Text{Mode: search.Exact, Text: "Berta"}, "d"},
	} {
		f.finds(match(name, c.operand), c.want)
	}
}

// matchLongStrings has texts that an engine may not want to keep whole in an
// index key. They differ only behind 256 and behind 2,000 characters.
func matchLongStrings(f *fixture) {
	head := strings.Repeat("lorem ipsum ", 30) // 360
	deep := head + strings.Repeat("é", 2000)
	indexed{
		{"a", values{text(head + "Alpha")}},
		{"b", values{text(head + "Beta")}},
		{"c", values{text(deep + "Gamma")}},
		{"d", values{text(deep + "Delta")}},
		{"e", values{text("lorem")}},
	}.write(f)
	for _, c := range []struct {
		operand search.Text
		want    string
	}{
		{search.Text{Text: "lorem"}, "a b c d e"},
		{search.Text{Text: head + "a"}, "a"},
		{search.Text{Text: head + "e"}, "c d"},
		{search.Text{Text: head}, "a b c d"},
		{search.Text{Text: deep}, "c d"},
		{search.Text{Text: deep + "del"}, "d"},
		{search.Text{Text: deep + "x"}, ""},
		{search.Text{Mode: search.Contains, Text: "gamm"}, "c"},
		{search.Text{Mode: search.Contains, Text: "ta"}, "b d"},
		{search.Text{Mode: search.Contains, Text: strings.Repeat("é", 1000)}, "c d"},
		{search.Text{Mode: search.Exact, Text: deep + "Delta"}, "d"},
		{search.Text{Mode: search.Whole, Text: deep + "delta"}, "d"},
		{search.Text{Mode: search.Ends, Text: "DELTA"}, "d"},
		{search.Text{Mode: search.Exact, Text: deep + "delta"}, ""},
		{search.Text{Mode: search.Exact, Text: head + "Beta"}, "b"},
	} {
		f.finds(match(name, c.operand), c.want)
	}
}

func matchReferences(f *fixture) {
	identifier := entry(subject, searchparam.Value{System: "s", Code: "mrn"})
	indexed{
		{"a", values{ref("Patient/1")}},
		{"b", values{ref("Encounter/1")}},
		{"c", values{ref("Patient/1/_history/2")}}, // to a version is also to the resource
		{"d", values{ref("http://other/fhir/Patient/9")}},
		{"e", values{ref("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0")}},
		{"f", values{ref("http://example.org/canonical|1.0")}},
		{"g", values{identifier}},
		{"h", values{ref("Patient/1"), ref("Patient/2")}},
		{"i", values{ref("Patient/11")}},
		{"j", values{ref("1")}}, // an id alone
		{"k", values{ref("http://other/fhir/Patient/8")}},
		{"l", values{ref("http://other/fhir/Patient/8/_history/3")}},
	}.write(f)
	for _, c := range []struct {
		operand search.Ref
		want    string
	}{
		{search.Ref{Type: patient, ID: "1"}, "a c h"},
		{search.Ref{Type: encounter, ID: "1"}, "b"},
		{search.Ref{Type: patient, ID: "2"}, "h"},
		{search.Ref{Type: patient, ID: "3"}, ""},
		{search.Ref{Type: patient, ID: "9"}, "d"}, // elsewhere
		{search.Ref{Type: patient, ID: "9", Here: true}, ""},
		{search.Ref{Type: patient, ID: "1", Here: true}, "a c h"},
		{search.Ref{Type: patient, ID: "8"}, "k l"},
		{search.Ref{URL: "http://other/fhir/Patient/8"}, "k l"}, // a version of it too
		{search.Ref{URL: "http://other/fhir/Patient/8/_history/3"}, "l"},
		{search.Ref{Types: []fhir.Type{patient, encounter}, ID: "1"}, "a b c h j"},
		{search.Ref{Types: []fhir.Type{encounter}, ID: "1"}, "b j"},
		{search.Ref{Types: []fhir.Type{observation}, ID: "1"}, "j"},
		{search.Ref{Types: []fhir.Type{patient}, ID: "9"}, "d"},
		{search.Ref{Types: []fhir.Type{patient}, ID: "9", Here: true}, ""},
		{search.Ref{Types: []fhir.Type{encounter}, ID: "9"}, ""},
		{search.Ref{URL: "http://other/fhir/Patient/9"}, "d"},
		{search.Ref{URL: "http://another/fhir/Patient/9"}, ""},
		{search.Ref{URL: "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}, "e"},
		{search.Ref{URL: "http://example.org/canonical|1.0"}, "f"},
		{search.Ref{URL: "http://example.org/canonical"}, ""},
	} {
		f.finds(match(subject, c.operand), c.want)
	}
	f.finds(match(subject, search.Token{System: "s", Code: "mrn"}), "g")
	f.finds(match(subject, search.Token{AnySystem: true, Code: "mrn"}), "g")
	f.finds(match(subject, search.Token{System: "t", Code: "mrn"}), "")
	f.finds(present(observation, subject), "a b c d e f g h i j k l")
}

func matchURIs(f *fixture) {
	long := "http://example.org/" + strings.Repeat("segment/", 100)
	indexed{
		{"a", values{uri("http://example.org/vs")}},
		{"b", values{uri("http://example.org/vs/one")}},
		{"c", values{uri("http://example.org/VS")}},
		{"d", values{uri("http://example.com/vs")}},
		{"e", values{uri("urn:oid:1.2.3")}},
		{"f", values{uri("urn:oid:1.2")}},
		{"g", values{uri(long + "x"), uri("http://y")}},
		{"h", values{uri(long + "z")}},
	}.write(f)
	for _, c := range []struct {
		operand search.URI
		want    string
	}{
		{search.URI{Text: "http://example.org/vs"}, "a"},
		{search.URI{Text: "http://example.org/VS"}, "c"},
		{search.URI{Text: "http://EXAMPLE.org/vs"}, ""},
		{search.URI{Text: "urn:oid:1.2.3"}, "e"},
		{search.URI{Text: "http://y"}, "g"},
		{search.URI{Text: long + "z"}, "h"},
		{search.URI{Text: long}, ""},
		{search.URI{Mode: search.Below, Text: "http://example.org/vs"}, "a b"},
		{search.URI{Mode: search.Below, Text: "http://example"}, "a b c d g h"},
		{search.URI{Mode: search.Below, Text: "urn:oid:1.2"}, ""},
		{search.URI{Mode: search.Below, Text: long}, "g h"},
		{search.URI{Mode: search.Below, Text: long + "x"}, "g"},
		{search.URI{Mode: search.Above, Text: "http://example.org/vs/one/two"}, "a b"},
		{search.URI{Mode: search.Above, Text: "http://example.org/vs"}, "a"},
		{search.URI{Mode: search.Above, Text: long + "zz"}, "h"},
		{search.URI{Mode: search.Above, Text: "urn:oid:1.2.3"}, ""},
		{search.URI{Mode: search.Below, Segments: true, Text: "http://example.org/vs"}, "a b"},
		{search.URI{Mode: search.Below, Segments: true, Text: "http://example.org/v"}, ""},
		{search.URI{Mode: search.Below, Segments: true, Text: "http://example.org/"}, "a b c g h"},
		{search.URI{Mode: search.Below, Segments: true, Text: long}, "g h"},
		{search.URI{Mode: search.Below, Segments: true, Text: long[:len(long)-1]}, "g h"},
		{search.URI{Mode: search.Below, Segments: true, Text: long[:len(long)-2]}, ""},
		{search.URI{Mode: search.Below, Segments: true, Text: long[:256]}, ""},
		{search.URI{Mode: search.Above, Segments: true, Text: "http://example.org/vs/one/two"}, "a b"},
		{search.URI{Mode: search.Above, Segments: true, Text: "http://example.org/vs2"}, ""},
		{search.URI{Mode: search.Above, Segments: true, Text: long + "z/y"}, "h"},
		{search.URI{Mode: search.Above, Segments: true, Text: long + "zz"}, ""},
	} {
		f.finds(match(url, c.operand), c.want)
	}
}

func matchComposites(f *fixture) {
	long := strings.Repeat("weithin ", 100)
	indexed{
		{"a", values{pair(reading, token("s|sys"), qty("120 u|mm")), pair(reading, token("s|dia"), qty("80 u|mm"))}},
		{"b", values{pair(reading, token("s|sys"), qty("80 u|mm")), pair(reading, token("s|dia"), qty("50 u|mm"))}},
		{"c", values{token("s|sys"), qty("120 u|mm")}}, // components of no composite
		{"d", values{pair(timing, token("s|x"), when("2020-01-15")), pair(timing, token("s|y"), when("2021"))}},
		{"e", values{pair(remark, token("s|x"), text("Große Probe")), pair(remark, token("s|y"), text("Kleine"))}},
		{"f", values{pair(relation, ref("Patient/1"), token("s|old")), pair(relation, ref("Patient/2"), token("s|new"))}},
		{"g", values{pair(reading, token("s|sys"), qty("100..140 u|mm"))}},
		{"h", values{pair(relation, ref("http://other/fhir/Patient/1"), token("s|old"))}},
		{"i", values{pair(remark, token("s|z"), text(long+"Ende"))}},
		{"j", values{pair(remark, token("s|z1"), text(long+"one")), pair(remark, token("s|z2"), text(long+"two"))}},
	}.write(f)
	of := func(c string, parts ...search.Operand) search.Filter { return match(c, search.Composite{Parts: parts}) }
	sys, dia := search.Token{System: "s", Code: "sys"}, search.Token{AnySystem: true, Code: "dia"}
	mm := func(p search.Prefix, n string) search.Operand {
		return search.Quantity{Number: numberIs(p, n), System: "u", Code: "mm"}
	}
	x, z := search.Token{AnySystem: true, Code: "x"}, search.Token{AnySystem: true, Code: "z"}
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{of(reading, sys, mm(search.Eq, "120")), "a"},
		{of(reading, sys, mm(search.Eq, "80")), "b"},
		{of(reading, dia, mm(search.Gt, "60")), "a"},
		{of(reading, dia, mm(search.Ge, "50")), "a b"},
		{of(reading, sys, mm(search.Gt, "100")), "a g"},
		{of(reading, search.Token{System: "s", AnyCode: true}, mm(search.Lt, "60")), "b"},
		{of(reading, sys), "a b g"},
		{of(timing, x, dateIs(search.Eq, "2020")), "d"},
		{of(timing, x, dateIs(search.Ge, "2021")), ""},
		{of(timing, search.Token{System: "s", AnyCode: true}, dateIs(search.Sa, "2020-02")), "d"},
		{of(remark, x, search.Text{Text: "gro"}), "e"},
		{of(remark, x, search.Text{Text: "klein"}), ""},
		{of(remark, x, search.Text{Mode: search.Contains, Text: "prob"}), "e"},
		{of(remark, z, search.Text{Text: "weithin"}), "i"},
		{of(remark, z, search.Text{Text: long + "ende"}), "i"},
		{of(remark, z, search.Text{Text: long[:500]}), "i"},
		{of(remark, z, search.Text{Text: long + "anfang"}), ""},
		{of(remark, x, search.Text{Text: long + "ende"}), ""},
		{of(remark, z, search.Text{Mode: search.Contains, Text: "ende"}), "i"},
		{of(remark, search.Token{System: "s", Code: "z1"}, search.Text{Text: long + "on"}), "j"},
		{of(remark, search.Token{System: "s", Code: "z1"}, search.Text{Text: long + "two"}), ""}, // is another value's
		{of(relation, search.Ref{Type: patient, ID: "1"}, search.Token{AnySystem: true, Code: "old"}), "f h"},
		{of(relation, search.Ref{Type: patient, ID: "1", Here: true}, search.Token{AnySystem: true, Code: "old"}), "f"},
		{of(relation, search.Ref{Type: patient, ID: "1"}), "f h"},
		{of(relation, search.Ref{URL: "http://other/fhir/Patient/1"}, search.Token{System: "s", Code: "old"}), "h"},
		{of(relation, search.Ref{Type: patient, ID: "1"}, search.Token{AnySystem: true, Code: "new"}), ""},
		{of(relation, search.Ref{Types: []fhir.Type{patient}, ID: "2"}, search.Token{System: "s", Code: "new"}), "f"},
	} {
		f.finds(c.filter, c.want)
	}
}
