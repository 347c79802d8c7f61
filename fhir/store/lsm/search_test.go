package lsm_test

import (
	"strings"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

func found(t *testing.T, s store.Store, p *searchparam.Param, op search.Operand) string {
	t.Helper()
	page, err := s.Search(t.Context(), &search.Plan{Count: 100, Branches: []search.Branch{{
		Type: p.Type, Filter: search.Match{Param: p, Operand: op},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, v := range page.Matches {
		ids = append(ids, string(v.ID))
	}
	return strings.Join(ids, " ")
}

// with is a write of a patient with values of one parameter.
func with(id fhir.ID, p *searchparam.Param, values ...searchparam.Value) store.Write {
	w := patient(id, "x")
	for _, v := range values {
		w.Values = append(w.Values, searchparam.Entry{Param: p, Value: v})
	}
	return w
}

func TestSearch_CompositesOfAnyComponents(t *testing.T) {
	kinds := func(code string, kinds ...searchparam.Kind) *searchparam.Param {
		p := &searchparam.Param{Type: "Patient", Code: code, Kind: searchparam.Composite}
		for _, k := range kinds {
			p.Components = append(p.Components, &searchparam.Param{Type: "Patient", Code: "part", Kind: k})
		}
		return p
	}
	n := decimal.FromInt
	num := func(low, high int64) searchparam.Value { return searchparam.Value{Low: n(low), High: n(high)} }
	eq := func(v int64) search.Number {
		return search.Number{Prefix: search.Eq, Value: n(v), Low: n(v), High: n(v)}
	}
	tok := func(c string) search.Token { return search.Token{AnySystem: true, Code: c} }
	text := func(s string) search.Text { return search.Text{Text: s} }
	tokens := kinds("three-tokens", searchparam.Token, searchparam.Token, searchparam.Token)
	numbers := kinds("token-numbers", searchparam.Token, searchparam.Number, searchparam.Number)
	texts := kinds("text-uri-token", searchparam.String, searchparam.URI, searchparam.Token)
	long := strings.Repeat("long ", 100)
	code := func(c string) searchparam.Value { return searchparam.Value{System: "s", Code: c} }

	s := open(t, t.TempDir(), time.Now)
	defer s.Close()
	if _, err := s.Write(t.Context(), []store.Write{
		with("a", tokens, searchparam.Value{Parts: []searchparam.Value{code("x"), code("y"), code("z")}}),
		with("b", numbers, searchparam.Value{Parts: []searchparam.Value{code("x"), num(5, 5), num(10, 20)}}),
		with("c", numbers, searchparam.Value{Parts: []searchparam.Value{code("x"), num(5, 7), num(30, 30)}}),
		with("d", texts, searchparam.Value{Parts: []searchparam.Value{{Text: "Ann"}, {Text: "http://u"}, code("z")}}),
		with("e", texts, searchparam.Value{Parts: []searchparam.Value{{Text: long}, {Text: "http://u"}, code("z")}}),
	}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		param *searchparam.Param
		parts []search.Operand
		want  string
	}{
		{tokens, []search.Operand{tok("x")}, "a"},
		{tokens, []search.Operand{tok("x"), tok("y")}, "a"},
		{tokens, []search.Operand{tok("x"), tok("z")}, ""},
		{tokens, []search.Operand{tok("x"), tok("y"), tok("z")}, "a"},
		{numbers, []search.Operand{tok("x"), eq(5)}, "b"},
		{numbers, []search.Operand{tok("x"), search.Number{Prefix: search.Ge, Value: n(7)}}, "c"},
		{numbers, []search.Operand{tok("x"), search.Number{Prefix: search.Gt, Value: n(7)}}, ""},
		{numbers, []search.Operand{tok("x"), search.Number{Prefix: search.Ge, Value: n(5)}, eq(30)}, "c"},
		{numbers, []search.Operand{tok("x"), eq(5), search.Number{Prefix: search.Le, Value: n(10)}}, "b"},
		{texts, []search.Operand{text("an")}, "d"},
		{texts, []search.Operand{text("an"), search.URI{Text: "http://u"}}, "d"},
		{texts, []search.Operand{text("an"), search.URI{Text: "http://u"}, tok("z")}, "d"},
		{texts, []search.Operand{text("an"), search.URI{Text: "http://u"}, tok("y")}, ""},
		{texts, []search.Operand{text("lo"), search.URI{Text: "http://u"}, tok("z")}, "e"},
	} {
		if got := found(t, s, test.param, search.Composite{Parts: test.parts}); got != test.want {
			t.Errorf("%s %+v: found %q, want %q", test.param.Code, test.parts, got, test.want)
		}
	}
}

// The cost of a search does not grow with the square of what a client sends.
func TestSearch_AboveAVeryLongURI(t *testing.T) {
	p := &searchparam.Param{Type: "Patient", Code: "url", Kind: searchparam.URI}
	s := open(t, t.TempDir(), time.Now)
	defer s.Close()
	long := "http://" + strings.Repeat("a/", 200_000)
	uri := func(text string) searchparam.Value { return searchparam.Value{Text: text} }
	if _, err := s.Write(t.Context(), []store.Write{
		with("whole", p, uri(long)), with("longer", p, uri(long+"b")), with("limit", p, uri(long[:256])),
		with("short", p, uri("http://a/")), with("beyond", p, uri(long[:257])), with("other", p, uri(long[:300]+"b")),
	}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if got, want := found(t, s, p, search.URI{Mode: search.Above, Text: long}), "whole limit short beyond"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestSearch_OfNoTypeFindsNothing(t *testing.T) {
	s := open(t, t.TempDir(), time.Now)
	defer s.Close()
	page, err := s.Search(t.Context(), &search.Plan{Count: 10, Sort: []search.SortKey{{Updated: true}}})
	if err != nil || len(page.Matches) != 0 {
		t.Errorf("search gave %v, %v", page, err)
	}
}
