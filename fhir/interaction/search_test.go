package interaction_test

import (
	"slices"
	"testing"

	"salus/fhir"
	"salus/fhir/search"
)

func TestSearch_ByList(t *testing.T) {
	h := newHarness(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		h.put(patient(id, id))
	}
	h.put(`{"resourceType":"List","id":"l","status":"current","mode":"working","entry":[
		{"item":{"reference":"Patient/c"}},{"item":{"reference":"Patient/a"}},{"deleted":true,"item":{"reference":"Patient/b"}},
		{"item":{"reference":"https://here/fhir/Patient/d"}},{"item":{"reference":"https://there/fhir/Patient/b"}},{"item":{"display":"b"}}]}`)
	for list, want := range map[string][]fhir.ID{"l": {"a", "c", "d"}, "none": nil} {
		r := search.Request{Types: []fhir.Type{"Patient"}, Params: []search.Param{{Name: "_list", Value: list}}, Base: "https://here/fhir"}
		found, err := h.Search(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []fhir.ID
		for _, v := range found.Page.Matches {
			got = append(got, v.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", list, got, want)
		}
	}
}
