package rest_test

import (
	"strings"
	"testing"

	"salus/fhir"
)

// TestBinary_UnderFHIRsRules stores "hello" as text and looks at it in every way.
func TestBinary_UnderFHIRsRules(t *testing.T) {
	t.Parallel()
	const text, xmlDocument = "text/plain; charset=utf-8", `<ClinicalDocument xmlns="urn:hl7-org:v3"/>`
	stored := `{"resourceType":"Binary","id":"b","contentType":"text/plain; charset=utf-8","securityContext":{"reference":"Patient/p1"},"data":"aGVs\nbG8="}`
	for _, c := range []struct {
		name, method, path string
		body               string
		contentType        string
		accept             string
		status             int
		want               string // of the body
		gives              string // Content-Type
	}{
		{"read by its type", "GET", "/Binary/b", "", "", "text/plain", 200, "hello", text},
		{"read without Accept", "GET", "/Binary/b", "", "", "", 200, "hello", text},
		{"read as anything", "GET", "/Binary/b", "", "", "image/png;q=1, */*;q=0.1", 200, "hello", text},
		{"vread", "GET", "/Binary/b/_history/1", "", "", "text/*", 200, "hello", text},
		{"read as FHIR", "GET", "/Binary/b", "", "", "*/*, application/fhir+json", 200, `"data":"aGVs`, "application/fhir+json; charset=utf-8"},
		{"read as FHIR in XML", "GET", "/Binary/b", "", "", "application/fhir+xml", 200, `<contentType value="text/plain; charset=utf-8"/>`, "application/fhir+xml; charset=utf-8"},
		{"read as plain JSON", "GET", "/Binary/b", "", "", "application/json", 200, `"resourceType":"Binary"`, "application/json; charset=utf-8"},
		{"read by _format", "GET", "/Binary/b?_format=json", "", "", "text/plain", 200, `"resourceType":"Binary"`, "application/fhir+json; charset=utf-8"},
		{"read a part", "GET", "/Binary/b?_elements=contentType", "", "", "", 200, "SUBSETTED", "application/fhir+json; charset=utf-8"},
		{"read as what it is not", "GET", "/Binary/b", "", "", "image/png", 406, "OperationOutcome", "application/fhir+json; charset=utf-8"},
		{"read as what is refused", "GET", "/Binary/b", "", "", "text/plain;q=0, image/*", 406, "OperationOutcome", "application/fhir+json; charset=utf-8"},
		{"read what is not there", "GET", "/Binary/c", "", "", "text/plain", 404, "OperationOutcome", "application/fhir+json; charset=utf-8"},

		{"create", "POST", "/Binary", "hello", "text/plain;charset=utf-8", "application/fhir+json", 201, `"contentType":"text/plain; charset=utf-8","data":"aGVsbG8="}`, "application/fhir+json; charset=utf-8"},
		{"create nothing", "POST", "/Binary", "", "text/plain", "", 201, `"contentType":"text/plain"}`, "application/fhir+json; charset=utf-8"},
		{"create a foreign document", "POST", "/Binary", xmlDocument, "application/xml", "", 201, `"contentType":"application/xml","data":"`, "application/fhir+json; charset=utf-8"},
		{"create another resource", "POST", "/Binary", patient, "application/fhir+json", "", 201, `"contentType":"application/fhir+json","data":"`, "application/fhir+json; charset=utf-8"},
		{"create from a resource", "POST", "/Binary", stored, "application/fhir+json", "", 201, `"contentType":"text/plain; charset=utf-8","securityContext"`, "application/fhir+json; charset=utf-8"},
		{"create from a resource in XML", "POST", "/Binary", `<Binary xmlns="http://hl7.org/fhir"><contentType value="a/b"/></Binary>`, "text/xml", "", 201, `"contentType":"a/b"}`, "application/fhir+json; charset=utf-8"},
		{"create from broken FHIR", "POST", "/Binary", xmlDocument, "application/fhir+xml", "", 400, "OperationOutcome", "application/fhir+json; charset=utf-8"},
		{"create of no type", "POST", "/Binary", "hello", "nonsense;;", "", 415, "OperationOutcome", "application/fhir+json; charset=utf-8"},
		{"update", "PUT", "/Binary/b", "bye", "text/css", "", 200, `"id":"b","meta":{"versionId":"2"`, "application/fhir+json; charset=utf-8"},
		{"update what is not there", "PUT", "/Binary/n", "bye", "text/css", "", 201, `"contentType":"text/css","data":"Ynll"}`, "application/fhir+json; charset=utf-8"},
		{"another type stays as it is", "POST", "/Patient", "hello", "text/plain", "", 415, "OperationOutcome", "application/fhir+json; charset=utf-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixtureAs(t, fhir.Strict, maxBody)
			f.must(t, 201, "PUT", "/Binary/b", stored)
			w := f.do(c.method, c.path, c.body, map[string]string{"Accept": c.accept, "Content-Type": c.contentType})
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || w.Header().Get("Content-Type") != c.gives {
				t.Errorf("%d, %q\n%s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			if raw := c.want == "hello"; raw != strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") || raw != (w.Header().Get("X-Security-Context") == "Patient/p1") {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}

func TestBinary_KeepsItsSecurityContext(t *testing.T) {
	t.Parallel()
	w := newFixtureAs(t, fhir.Strict, maxBody).do("POST", "/Binary", "hello", map[string]string{"Content-Type": "text/plain", "X-Security-Context": "Patient/p1"})
	if w.Code != 201 || !strings.Contains(w.Body.String(), `"securityContext":{"reference":"Patient/p1"}`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBinary_IsAResourceInABundle(t *testing.T) {
	t.Parallel()
	f := newFixtureAs(t, fhir.Strict, maxBody)
	f.must(t, 201, "PUT", "/Binary/b", `{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"aGVsbG8="}`)
	if body := f.must(t, 200, "POST", "/", bundleOf("batch", entry("GET", "Binary/b", ""))).Body.String(); !strings.Contains(body, `"contentType":"text/plain","data":"aGVsbG8="}`) {
		t.Error(body)
	}
}

func TestBinary_IsAResourceLikeOthers(t *testing.T) {
	t.Parallel()
	stored := `PUT /Binary/b {"resourceType":"Binary","id":"b","contentType":"text/plain","data":"aGVsbG8="}`
	runAll(t, []scenario{
		{name: "read", before: []string{stored}, method: "GET", path: "/Binary/b", status: 200, has: []string{`"data":"aGVsbG8="`}},
		{name: "read by its type", before: []string{stored}, method: "GET", path: "/Binary/b", header: map[string]string{"Accept": "text/plain"}, status: 406, issue: "error not-supported"},
		{name: "create", method: "POST", path: "/Binary", body: "hello", header: map[string]string{"Content-Type": "text/plain"}, status: 415, issue: "error not-supported"},
	})
}
