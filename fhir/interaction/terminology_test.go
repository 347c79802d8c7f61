package interaction_test

import (
	"slices"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// matching returns the ids of the observations that a query finds, as "a b c".
func (h *harness) matching(query string) string {
	h.t.Helper()
	params, err := search.ParseParams(query)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.Search(h.t.Context(), search.Request{Types: []fhir.Type{"Observation"}, Params: params, Base: base}, nil)
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	var ids []string
	for _, v := range r.Page.Matches {
		ids = append(ids, string(v.ID))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func TestSearchByValueSetsAndHierarchies(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.put(`{"resourceType":"CodeSystem","id":"cs","url":"http://s","status":"active","content":"complete","concept":[
		{"code":"pain","concept":[{"code":"headache","concept":[{"code":"migraine"}]}]},{"code":"fever"}]}`)
	h.put(`{"resourceType":"ValueSet","id":"vs","url":"http://vs","version":"1","status":"active","compose":{"include":[
		{"system":"http://s","filter":[{"property":"concept","op":"is-a","value":"headache"}]}]}}`)
	for id, code := range map[string]string{"a": "pain", "b": "headache", "c": "migraine", "d": "fever"} {
		h.put(`{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"coding":[{"system":"http://s","code":"` + code + `"}]}}`)
	}
	h.put(`{"resourceType":"Observation","id":"e","status":"final","code":{"text":"headache"}}`)
	for query, want := range map[string]string{
		"code:in=http://vs":                                         "b c",
		"code:in=http://vs|1":                                       "b c",
		"code:in=ValueSet/vs":                                       "b c",
		"code:in=" + base + "/ValueSet/vs":                          "b c",
		"code:not-in=http://vs":                                     "a d e",
		"code:below=http://s|headache":                              "b c",
		"code:above=http://s|headache":                              "a b",
		"code:below=http://s|fever,http://s|migraine":               "c d",
		"_filter=code in http://vs":                                 "b c",
		"_filter=code ni http://vs":                                 "a d e",
		"_filter=code ss http://s|headache":                         "b c",
		"_filter=code sb http://s|headache":                         "a b",
		"status:in=http://hl7.org/fhir/ValueSet/observation-status": "a b c d e",
	} {
		if got := h.matching(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"code:in=http://nowhere", "code:in=http://vs|2", "code:in=ValueSet/x", "code:below=http://t|x"} {
		params, _ := search.ParseParams(query)
		_, err := h.Search(t.Context(), search.Request{Types: []fhir.Type{"Observation"}, Params: params, Base: base}, nil)
		if !fault.Is(err, fault.Refused) {
			t.Errorf("%s: %v", query, err)
		}
	}
	// What is changed counts from the next search on.
	h.put(`{"resourceType":"ValueSet","id":"vs","url":"http://vs","status":"active","compose":{"include":[{"system":"http://s","concept":[{"code":"fever"}]}]}}`)
	if got := h.matching("code:in=http://vs"); got != "d" {
		t.Errorf("after a change: %q", got)
	}
}
