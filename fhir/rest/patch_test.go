package rest_test

import (
	"strings"
	"testing"

	"salus/fhir"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	const path = `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.birthDate"},{"name":"value","valueDate":"1980-01-01"}]}]}`
	const pathXML = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="replace"/></part><part><name value="path"/><valueString value="Patient.birthDate"/></part><part><name value="value"/><valueDate value="1980-01-01"/></part></parameter></Parameters>`
	const born = `[{"op":"replace","path":"/birthDate","value":"1980-01-01"}]`
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	as := func(more ...string) map[string]string {
		h := map[string]string{"Content-Type": "application/json-patch+json"}
		for i := 0; i+1 < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	two := []string{
		`PUT /Patient/a {"resourceType":"Patient","id":"a","identifier":[{"system":"urn:s","value":"1"}]}`,
		`PUT /Patient/b {"resourceType":"Patient","id":"b","identifier":[{"system":"urn:s","value":"2"}]}`,
	}
	runAll(t, []scenario{
		{name: "by JSON Patch", before: p1, method: "PATCH", path: "/Patient/p1", body: born, header: as(), status: 200, headers: map[string]string{"ETag": `W/"2"`, "Location": "-"}, has: []string{`"birthDate":"1980-01-01"`, `"versionId":"2"`}},
		{name: "by FHIRPath Patch", before: p1, method: "PATCH", path: "/Patient/p1", body: path, status: 200, headers: map[string]string{"ETag": `W/"2"`}, has: []string{`"birthDate":"1980-01-01"`}},
		{name: "by FHIRPath Patch in XML", before: p1, method: "PATCH", path: "/Patient/p1", body: pathXML, header: as("Content-Type", "application/fhir+xml"), status: 200, headers: map[string]string{"ETag": `W/"2"`}, has: []string{`"birthDate":"1980-01-01"`}},
		{name: "nothing to do", before: p1, method: "PATCH", path: "/Patient/p1", body: `[]`, header: as(), status: 200, headers: map[string]string{"ETag": `W/"1"`}},
		{name: "minimal", before: p1, method: "PATCH", path: "/Patient/p1", body: born, header: as("Prefer", "return=minimal"), status: 200, lacks: []string{"{"}},
		{name: "an outcome", before: p1, method: "PATCH", path: "/Patient/p1", body: born, header: as("Prefer", "return=OperationOutcome"), status: 200, has: []string{`"informational"`}},
		{name: "of nothing", method: "PATCH", path: "/Patient/p1", body: born, header: as(), status: 404, issue: "error not-found"},
		{name: "of what was deleted", before: append(p1[:1:1], "DELETE /Patient/p1"), method: "PATCH", path: "/Patient/p1", body: born, header: as(), status: 410, issue: "error deleted", headers: map[string]string{"ETag": `W/"2"`}},
		{name: "an empty body", before: p1, method: "PATCH", path: "/Patient/p1", header: as(), status: 400, issue: "error structure"},
		{name: "an empty body as FHIR", before: p1, method: "PATCH", path: "/Patient/p1", header: as("Content-Type", "application/fhir+json"), status: 400, issue: "error structure"},
		{name: "a resource", before: p1, method: "PATCH", path: "/Patient/p1", body: patientP1, status: 400, issue: "error invalid"},
		{name: "another format", before: p1, method: "PATCH", path: "/Patient/p1", body: "<diff/>", header: as("Content-Type", "application/xml-patch+xml"), status: 415, issue: "error not-supported"},
		{name: "no format", before: p1, method: "PATCH", path: "/Patient/p1", body: born, header: as("Content-Type", ""), status: 415, issue: "error not-supported"},
		{name: "immutable", before: p1, method: "PATCH", path: "/Patient/p1", body: `[{"op":"replace","path":"/id","value":"x"}]`, header: as(), status: 400, issue: "error invalid", has: []string{"immutable"}},
		{name: "an invalid outcome", before: p1, method: "PATCH", path: "/Patient/p1", body: `[{"op":"replace","path":"/birthDate","value":"MARKER"}]`, header: as(), status: 400, issue: "error value Patient.birthDate", lacks: []string{"MARKER"}},
		{name: "If-Match holds", before: p1, method: "PATCH", path: "/Patient/p1", body: born, header: as("If-Match", `W/"1"`), status: 200},
		{name: "If-Match is stale", before: p1, method: "PATCH", path: "/Patient/p1", body: born, header: as("If-Match", `W/"2"`), status: 412, issue: "error required"},
		{name: "by criteria", before: two, method: "PATCH", path: "/Patient?identifier=urn:s|2", body: `[{"op":"add","path":"/active","value":true}]`, header: as(), status: 200, has: []string{`"id":"b"`, `"active":true`}, headers: map[string]string{"Content-Location": "http://salus.test/Patient/b/_history/2"}},
		{name: "by criteria, none", before: two, method: "PATCH", path: "/Patient?identifier=urn:s|3", body: `[]`, header: as(), status: 404, issue: "error not-found"},
		{name: "by criteria, several", before: two, method: "PATCH", path: "/Patient?identifier=urn:s|1,urn:s|2", body: `[]`, header: as(), status: 412, issue: "error required"},
		{name: "without criteria", before: two, method: "PATCH", path: "/Patient", body: `[]`, header: as(), status: 412, issue: "error required"},
		{name: "in the history", before: append(p1[:1:1], "PUT /Patient/p1 "+strings.Replace(patientP1, "Maria", "Mara", 1)), method: "GET", path: "/Patient/p1/_history", status: 200, has: []string{`"method":"PUT"`}},
	})
}

func TestPatch_IsPATCHInHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must(t, 201, "PUT", "/Patient/p1", patientP1)
	header := map[string]string{"Content-Type": "application/json-patch+json"}
	if w := f.do("PATCH", "/Patient/p1", `[{"op":"remove","path":"/birthDate"}]`, header); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	body := f.must(t, 200, "GET", "/Patient/p1/_history", "").Body.String()
	if !strings.Contains(body, `"request":{"method":"PATCH","url":"Patient/p1"},"response":{"status":"200 OK"`) {
		t.Error(body)
	}
	if w := f.do("PATCH", "/Patient/p1?_meta-history=false", `[{"op":"add","path":"/meta/tag","value":[{"code":"x"}]}]`, header); w.Code != 200 || w.Header().Get("ETag") != `W/"3"` {
		t.Fatal(w.Code, w.Body)
	}
	if body := f.must(t, 200, "GET", "/Patient/p1/_history?_summary=count", "").Body.String(); !strings.Contains(body, `"total":2`) {
		t.Error(body)
	}
}

func TestVersioningPolicies(t *testing.T) {
	t.Parallel()
	policies := fhir.Versioning{Types: map[fhir.Type]fhir.VersionPolicy{"Patient": fhir.NoVersion, "Basic": fhir.VersionedUpdate}}
	f := newFixtureOf(t, policies, fhir.Azure, maxBody)
	f.must(t, 201, "PUT", "/Patient/p1", patientP1)
	f.must(t, 200, "PUT", "/Patient/p1", strings.Replace(patientP1, "Maria", "Mara", 1))
	f.must(t, 404, "GET", "/Patient/p1/_history/1", "")
	f.must(t, 200, "GET", "/Patient/p1/_history/2", "")
	f.must(t, 405, "GET", "/Patient/p1/_history", "")
	f.must(t, 405, "GET", "/Patient/_history", "")
	f.must(t, 200, "GET", "/_history", "")
	basic := `{"resourceType":"Basic","id":"b","code":{"text":"x"}}`
	f.must(t, 201, "PUT", "/Basic/b", basic)
	w := f.must(t, 400, "PUT", "/Basic/b", strings.Replace(basic, `"x"`, `"y"`, 1))
	if !strings.Contains(w.Body.String(), "a valid if-match header is required for resource type Basic") {
		t.Error(w.Body)
	}
}
