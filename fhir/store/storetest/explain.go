package storetest

import (
	"strings"

	"github.com/google/go-cmp/cmp"

	"salus/fhir/search"
)

var explainTests = []test{
	{"a search that is asked to explain itself answers the same", explains},
}

// explains asks with and without an explanation for plans of different ways.
func explains(f *fixture) {
	f.put("a", token("s|secret"), text("Secret text"), when("2020"), ref("Observation/b"))
	f.put("b", token("s|secret"), when("2021"))
	f.put("c", token("s|open"))
	secret := search.Token{System: "s", Code: "secret"}
	both := search.And{match(code, secret), search.Not{Filter: match(name, search.Text{Text: "secret"})}}
	either := search.Or{match(code, secret), search.IDs{"c"}}
	chain := search.Chain{Param: params[observation][subject], Target: observation, Filter: match(code, secret)}
	for i, plan := range []*search.Plan{
		{Branches: []search.Branch{{Type: observation}}, Count: 2, Total: true},
		{Branches: []search.Branch{{Type: observation, Filter: both}, {Type: patient}}, Count: 10},
		{Branches: []search.Branch{{Type: observation, Filter: either}}, Count: 2, Sort: []search.SortKey{{Param: params[observation][date]}}},
		{Branches: []search.Branch{{Type: observation, Filter: chain}}, Count: 10, Includes: along(observation, ""), MaxIncludes: 10},
		{Branches: []search.Branch{{Type: observation, Filter: search.Has{Param: params[observation][subject]}}}, Total: true},
	} {
		plain := f.search(plan)
		plan.Explain = true
		explained := f.search(plan)
		told := strings.Join(explained.Explained, "\n")
		if plain.Explained != nil || told == "" || strings.Contains(strings.ToLower(told), "secret") {
			f.Errorf("plan %d: %q, unasked %q", i, told, plain.Explained)
		}
		explained.Explained = nil
		if d := cmp.Diff(answered(plain), answered(explained)); d != "" {
			f.Errorf("plan %d is answered otherwise when it is explained: %s", i, d)
		}
	}
}

// answered reduces a page to what can be compared.
func answered(p *search.Page) []any {
	return []any{ids(p.Matches), names(p.Included), p.Total, string(p.Next), p.Truncated}
}
