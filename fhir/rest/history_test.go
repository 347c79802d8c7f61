package rest_test

import (
	"strings"
	"testing"

	"salus/fhir"
)

func TestHistory_OfParts(t *testing.T) {
	t.Parallel()
	life := []string{"PUT /Patient/p1 " + patientP1, "PUT /Patient/p1 " + strings.Replace(patientP1, "Maria", "Mara", 1)}
	runAll(t, []scenario{
		{name: "summary", before: life, method: "GET", path: "/Patient/p1/_history?_summary=data&_count=1", status: 200, has: []string{"SUBSETTED", `"url":"http://salus.test/Patient/p1/_history?_summary=data&_count=1"`}},
		{name: "elements", before: life, method: "GET", path: "/Patient/p1/_history?_elements=birthDate", status: 200, has: []string{"SUBSETTED", "birthDate"}, lacks: []string{"Muster"}},
		{name: "count", before: life, method: "GET", path: "/Patient/p1/_history?_summary=count", status: 200, has: []string{`"total":2`}},
		{name: "a bad summary", before: life, method: "GET", path: "/Patient/p1/_history?_summary=much", status: 400, issue: "error invalid"},
		{name: "elements of a version", before: life, method: "GET", path: "/Patient/p1/_history/1?_elements=birthDate", status: 200, has: []string{"SUBSETTED"}, lacks: []string{"Muster"}},
	})
}

func TestHistory_UnderFHIRsRules(t *testing.T) {
	t.Parallel()
	f := newFixtureAs(t, fhir.Strict, maxBody)
	f.must(t, 201, "PUT", "/Patient/p1", patientP1)
	f.must(t, 200, "PUT", "/Patient/p1", strings.Replace(patientP1, "Maria", "Mara", 1))
	if w := f.do("DELETE", "/Patient/p1", "", map[string]string{"If-Match": `W/"1"`}); w.Code != 412 {
		t.Errorf("a delete of another version: %d", w.Code)
	}
	f.must(t, 204, "DELETE", "/Patient/p1", "")
	body := f.must(t, 200, "GET", "/Patient/p1/_history", "").Body.String()
	for _, want := range []string{
		`{"fullUrl":"http://salus.test/Patient/p1","request":{"method":"DELETE","url":"Patient/p1"},"response":{"status":"204 No Content"`,
		`"status":"200 OK","etag":"W/\"2\""`, `"status":"201 Created","etag":"W/\"1\""`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %s: %s", want, body)
		}
	}
}
