package fhir_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestLarge_Narratives stores, pages through and sorts resources of half a
// megabyte.
func TestLarge_Narratives(t *testing.T) {
	t.Parallel()
	const n = 8
	service, u := first(), unique()
	div := strings.Repeat("<p>lorem ipsum</p>", 500_000/18)
	for i := range n {
		body := fmt.Sprintf(`{"resourceType":"Patient","id":"%[1]s-%[2]d","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">%[3]s</div>"},"identifier":[{"value":"%[1]s"}],"birthDate":"19%[4]d"}`, u, i, div, 90-i)
		r, err := send("PUT", fmt.Sprintf("%s/Patient/%s-%d", service.base, u, i), body, "Prefer", "return=minimal")
		must(t, 201, r, err)
	}
	w := &world{on: service, prefix: u}
	for _, sort := range []string{"_lastUpdated", "birthdate", "-birthdate"} {
		pages := w.walk(t, service.base+"/Patient?identifier="+u+"&_count=3&_sort="+sort)
		all := slices.Concat(pages...)
		first := map[string]string{"_lastUpdated": "0", "birthdate": "7", "-birthdate": "0"}[sort]
		if len(all) != n || all[0] != first {
			t.Errorf("by %s: %q", sort, pages)
		}
	}
	r, err := send("GET", fmt.Sprintf("%s/Patient/%s-3", service.base, u), "")
	if got := must(t, 200, r, err).text("text.div"); !strings.Contains(got, div) {
		t.Errorf("the narrative has %d bytes of %d", len(got), len(div))
	}
}

// TestLarge_History removes 51 versions for good.
func TestLarge_History(t *testing.T) {
	t.Parallel()
	steps := append(changes(51), do("GET Patient/{u}/_history?_summary=count", 200, at("total", "51")), do("DELETE Patient/{u}?_hardDelete=true", 204), do("GET Patient/{u}", 404),
		do("GET Patient/{u}/_history", 404), do("GET Patient/{u}/_history/1", 404), do("GET Patient/{u}/_history/51", 404))
	tell("", steps...).run(t, first(), false)
}

// TestLarge_Bundle writes as many entries as a bundle may have.
func TestLarge_Bundle(t *testing.T) {
	t.Parallel()
	var entries []string
	for i := range 499 {
		entries = append(entries, sends("", fmt.Sprintf(`{"resourceType":"Basic","identifier":[{"value":"{u}"}],"code":{"text":"%d"}}`, i), "POST", "Basic"))
	}
	for _, kind := range []string{"batch", "transaction"} {
		tell(kind, do("POST ", 200, bundled(kind, entries...), has("entry", 499), at("entry.498.response.status", "~201")), do("GET Basic?identifier={u}&_summary=count", 200, at("total", "499"))).run(t, first(), false)
	}
}
