package search_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"salus/fhir/search"
)

func TestParseSortKeys(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for query, want := range map[string][]search.SortKey{
		"Patient?_sort=-_id":                                  {{ID: true, Descending: true}},
		"?_sort=_type,-_lastUpdated":                          {{Type: true}, {Updated: true, Descending: true}},
		"?_type=Patient,Observation&_sort=_type,_lastUpdated": {{Type: true}, {Updated: true}},
	} {
		q := parse(t, p, query)
		if diff := cmp.Diff(want, q.Plan.Sort); diff != "" || len(q.Warnings) > 0 {
			t.Errorf("%s: %s %v", query, diff, q.Warnings)
		}
	}
	q := parse(t, p, "Patient?_sort=family,-birthdate,_id")
	if len(q.Plan.Sort) != 3 || q.Plan.Sort[0].Param.Code != "family" || !q.Plan.Sort[1].Descending || !q.Plan.Sort[2].ID {
		t.Errorf("several keys: %+v", q.Plan.Sort)
	}
}
