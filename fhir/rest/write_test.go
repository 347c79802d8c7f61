package rest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	two := []string{
		`POST /Patient {"resourceType":"Patient","identifier":[{"system":"urn:s","value":"1"}]}`,
		`POST /Patient {"resourceType":"Patient","identifier":[{"system":"urn:s","value":"2"}]}`,
	}
	runAll(t, []scenario{
		{
			name: "a patient", method: "POST", path: "/Patient", body: patientP1, status: 201,
			headers: map[string]string{
				"ETag": `W/"1"`, "Location": "http://salus.test/Patient/n1/_history/1", "Content-Type": "application/fhir+json; charset=utf-8",
				"Last-Modified": "Fri, 02 Jan 2026 03:04:07 GMT", "X-Request-Id": "own-id",
			},
			has:   []string{`"id":"n1"`, `"versionId":"1"`, `"lastUpdated":"2026-01-02T03:04:07.000Z"`, `"birthDate":"1970-03-03"`},
			lacks: []string{`"p1"`},
		},
		{name: "the query is ignored", method: "POST", path: "/Patient?q=<script>", body: patient, status: 201},
		{name: "unknown type", method: "POST", path: "/Pateint", body: patient, status: 404, issue: "error not-found"},
		{name: "no Content-Type", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Content-Type": ""}, status: 415, issue: "error not-supported"},
		{name: "text", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Content-Type": "text/plain"}, status: 415, issue: "error not-supported"},
		{name: "XML that is none", method: "POST", path: "/Patient", body: "<Patient/>", header: map[string]string{"Content-Type": "application/fhir+xml"}, status: 400, issue: "error structure"},
		{name: "form", method: "POST", path: "/Patient", body: "a=b", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, status: 415, issue: "error not-supported"},
		{name: "another charset", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Content-Type": "application/json; charset=latin1"}, status: 415, issue: "error not-supported"},
		{name: "text/json", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Content-Type": "text/json; charset=utf-8"}, status: 201},
		{name: "R4 by parameter", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Content-Type": "application/fhir+json; fhirVersion=4.0"}, status: 201},
		{name: "R5 by parameter", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Content-Type": "application/fhir+json; fhirVersion=5.0"}, status: 415, issue: "error not-supported"},
		{name: "broken JSON", method: "POST", path: "/Patient", body: `{"resourceType":"Patient",}`, status: 400, issue: "error structure", has: []string{`"location":["line 1, column 27"]`}},
		{name: "empty body", method: "POST", path: "/Patient", header: map[string]string{"Content-Type": "application/json"}, status: 400, issue: "error structure"},
		{name: "another type", method: "POST", path: "/Observation", body: patient, status: 400, issue: "error invalid resourceType"},
		{name: "too large", method: "POST", path: "/Patient", body: `{"resourceType":"Patient","language":"` + strings.Repeat("x", maxBody) + `"}`, status: 413, issue: "error too-long"},
		{name: "minimal", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Prefer": "return=minimal"}, status: 201, lacks: []string{"{"}, headers: map[string]string{"ETag": `W/"1"`}},
		{name: "an outcome", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Prefer": "return=OperationOutcome"}, status: 201, has: []string{`"OperationOutcome"`, `"severity":"information"`, `"details":{"text":"the resource was created"}`}},
		{name: "bad return", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Prefer": "return="}, status: 400, issue: "error invalid"},
		{name: "bad handling", method: "POST", path: "/Patient", body: patient, header: map[string]string{"Prefer": "handling=loose"}, status: 400, issue: "error invalid"},
		{name: "provenance that is none", method: "POST", path: "/Patient", body: patient, header: map[string]string{"X-Provenance": "{}"}, status: 400, issue: "error invalid"},
		{name: "provenance that is no JSON", method: "POST", path: "/Patient", body: patient, header: map[string]string{"X-Provenance": "MARKER"}, status: 400, issue: "error invalid", lacks: []string{"MARKER"}},
		{name: "conditional without a match", before: two, method: "POST", path: "/Patient", body: patient, header: map[string]string{"If-None-Exist": "identifier=urn:s|3"}, status: 201, headers: map[string]string{"Location": "http://salus.test/Patient/n3/_history/1", "Content-Location": "http://salus.test/Patient/n3/_history/1"}},
		{name: "conditional without match", before: two, method: "POST", path: "/Patient", body: patient, header: map[string]string{"If-None-Exist": "identifier=urn:s|3"}, status: 201, headers: map[string]string{"Location": "http://salus.test/Patient/n3/_history/1"}},
		{name: "conditional with one match", before: two, method: "POST", path: "/Patient", body: patient, header: map[string]string{"If-None-Exist": "identifier=urn:s|2"}, status: 200, headers: map[string]string{"Location": "http://salus.test/Patient/n2/_history/1", "Content-Location": "http://salus.test/Patient/n2/_history/1", "ETag": `W/"1"`}, has: []string{`"value":"2"`}},
		{name: "conditional with one match, an outcome", before: two, method: "POST", path: "/Patient", body: patient, header: map[string]string{"If-None-Exist": "identifier=urn:s|2", "Prefer": "return=OperationOutcome"}, status: 200, has: []string{`"code":"informational","details":{"text":`}},
		{name: "conditional with several matches", before: two, method: "POST", path: "/Patient", body: patient, header: map[string]string{"If-None-Exist": "identifier=urn:s|1,urn:s|2"}, status: 412, issue: "error required", headers: map[string]string{"Location": "-", "ETag": "-"}},
		{name: "conditional without criteria", before: two, method: "POST", path: "/Patient", body: patient, header: map[string]string{"If-None-Exist": "&"}, status: 400, issue: "error invalid"},
	})
}

func TestCreate_ReadsGzip(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(patient)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w := newFixture(t).do("POST", "/Patient", zipped.String(), map[string]string{"Content-Encoding": "gzip"})
	if w.Code != 201 || !strings.Contains(w.Body.String(), `"family":"Muster"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	changed := strings.Replace(patientP1, "Maria", "Mara", 1)
	runAll(t, []scenario{
		{name: "creates", method: "PUT", path: "/Patient/p1", body: patientP1, status: 201, headers: map[string]string{"ETag": `W/"1"`, "Location": "http://salus.test/Patient/p1/_history/1"}},
		{name: "changes", before: p1, method: "PUT", path: "/Patient/p1", body: changed, status: 200, headers: map[string]string{"ETag": `W/"2"`, "Location": "-"}, has: []string{`"versionId":"2"`, "Mara"}},
		{name: "changes nothing", before: p1, method: "PUT", path: "/Patient/p1", body: patientP1, status: 200, headers: map[string]string{"ETag": `W/"1"`}},
		{name: "If-Match holds", before: p1, method: "PUT", path: "/Patient/p1", body: changed, header: map[string]string{"If-Match": `W/"1"`}, status: 200},
		{name: "If-Match is stale", before: p1, method: "PUT", path: "/Patient/p1", body: changed, header: map[string]string{"If-Match": `W/"2"`}, status: 412, issue: "error required"},
		{name: "If-Match is broken", before: p1, method: "PUT", path: "/Patient/p1", body: changed, header: map[string]string{"If-Match": `1`}, status: 400, issue: "error invalid"},
		{name: "another id", method: "PUT", path: "/Patient/p2", body: patientP1, status: 400, issue: "error invalid Patient.id"},
		{name: "no id", method: "PUT", path: "/Patient/p2", body: patient, status: 400, issue: "error invalid Patient.id"},
		{name: "no id at all", method: "PUT", path: "/Patient/a_b", body: patient, status: 400, issue: "error invalid"},
		{name: "minimal", before: p1, method: "PUT", path: "/Patient/p1", body: changed, header: map[string]string{"Prefer": "return=minimal"}, status: 200, lacks: []string{"{"}},
		{name: "without history", before: p1, method: "PUT", path: "/Patient/p1?_meta-history=false", body: changed, status: 200, headers: map[string]string{"ETag": `W/"2"`}},
		{name: "conditional, one match", before: p1, method: "PUT", path: "/Patient?family=muster&_format=json", body: patient[:len(patient)-1] + `,"gender":"female"}`, status: 200, headers: map[string]string{"ETag": `W/"2"`, "Content-Location": "http://salus.test/Patient/p1/_history/2"}, has: []string{`"id":"p1"`}},
		{name: "conditional, no match", before: p1, method: "PUT", path: "/Patient?family=nobody", body: patient, status: 201, headers: map[string]string{"Location": "http://salus.test/Patient/n1/_history/1"}},
		{name: "conditional, no criteria", before: p1, method: "PUT", path: "/Patient", body: patient, status: 400, issue: "error invalid"},
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	gone := append(p1, "DELETE /Patient/p1")
	purged := append(p1, "DELETE /Patient/p1?hardDelete=true")
	three := append(p1, "POST /Patient "+patient, "POST /Patient "+patient)
	runAll(t, []scenario{
		{name: "soft", before: p1, method: "DELETE", path: "/Patient/p1", status: 204, headers: map[string]string{"ETag": `W/"2"`}},
		{name: "what is not there", method: "DELETE", path: "/Patient/p1", status: 204, headers: map[string]string{"ETag": "-"}},
		{name: "again", before: gone, method: "DELETE", path: "/Patient/p1", status: 204, headers: map[string]string{"ETag": `W/"2"`}},
		{name: "read after", before: gone, method: "GET", path: "/Patient/p1", status: 410, headers: map[string]string{"ETag": `W/"2"`}, issue: "error deleted"},
		{name: "vread of the deletion", before: gone, method: "GET", path: "/Patient/p1/_history/2", status: 410, headers: map[string]string{"ETag": `W/"2"`}, issue: "error deleted"},
		{name: "vread of what was before", before: gone, method: "GET", path: "/Patient/p1/_history/1", status: 200, headers: map[string]string{"ETag": `W/"1"`}},
		{name: "recreate", before: gone, method: "PUT", path: "/Patient/p1", body: patientP1, status: 201, headers: map[string]string{"ETag": `W/"3"`}},
		{name: "hard", before: p1, method: "DELETE", path: "/Patient/p1?hardDelete=true", status: 204},
		{name: "hard by the other name", before: append(p1, "DELETE /Patient/p1?_hardDelete=true"), method: "GET", path: "/Patient/p1/_history/1", status: 404, issue: "error not-found"},
		{name: "read after hard", before: purged, method: "GET", path: "/Patient/p1", status: 404, issue: "error not-found"},
		{name: "bad flag", before: p1, method: "DELETE", path: "/Patient/p1?hardDelete=1", status: 400, issue: "error invalid"},
		{name: "by criteria", before: p1, method: "DELETE", path: "/Patient?family=muster", status: 204, headers: map[string]string{"Items-Deleted": "-"}},
		{name: "by criteria, several", before: three, method: "DELETE", path: "/Patient?family=muster", status: 412, issue: "error required"},
		{name: "by criteria, several wanted", before: three, method: "DELETE", path: "/Patient?family=muster&_count=2", status: 204, headers: map[string]string{"Items-Deleted": "2"}},
		{name: "by no criteria", before: three, method: "DELETE", path: "/Patient", status: 412, issue: "error required"},
	})
}

func TestProvenance_ComesWithTheWrite(t *testing.T) {
	t.Parallel()
	const header = `{"resourceType":"Provenance","recorded":"2026-01-31T12:00:00Z","agent":[{"who":{"display":"x"}}]}`
	f := newFixture(t)
	for _, request := range []string{"POST /Patient 201", "PUT /Patient/p1 201", "PUT /Patient/p1 200"} {
		var method, path string
		var status int
		if _, err := fmt.Sscan(request, &method, &path, &status); err != nil {
			t.Fatal(err)
		}
		body := patientP1
		if status == 200 {
			body = strings.Replace(body, "Maria", "Marie", 1)
		}
		if w := f.do(method, path, body, map[string]string{"X-Provenance": header}); w.Code != status {
			t.Fatalf("%s = %d: %s", request, w.Code, w.Body)
		}
	}
	page := f.must(t, 200, "GET", "/Provenance?target=Patient/p1", "").Body.String()
	for _, want := range []string{"Patient/p1/_history/1", "Patient/p1/_history/2"} {
		if !strings.Contains(page, `"target":[{"reference":"`+want+`"}]`) {
			t.Errorf("nothing about %s: %s", want, page)
		}
	}
	r := httptest.NewRequest("PUT", "http://salus.test/Patient/p1", strings.NewReader(patientP1))
	r.Header["X-Provenance"] = []string{header, header}
	r.Header.Set("Content-Type", "application/fhir+json")
	w := httptest.NewRecorder()
	if f.handler.ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("two headers: %d", w.Code)
	}
}
