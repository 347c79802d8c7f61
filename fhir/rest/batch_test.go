package rest_test

import (
	"strings"
	"testing"
)

func entry(method, url, resource string, more ...string) string {
	e := `{"request":{"method":"` + method + `","url":"` + url + `"` + strings.Join(append([]string{""}, more...), ",") + `}`
	if resource != "" {
		e += `,"resource":` + resource
	}
	return e + "}"
}

func bundleOf(typ string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
}

func TestBatch(t *testing.T) {
	t.Parallel()
	p1 := []string{"PUT /Patient/p1 " + patientP1}
	gone := append(p1, "DELETE /Patient/p1")
	runAll(t, []scenario{
		{name: "a write", method: "POST", path: "/", body: bundleOf("batch", entry("POST", "Patient", patient)), status: 200,
			has: []string{`"type":"batch-response","entry":[{"fullUrl":"http://salus.test/Patient/n1","resource":{"resourceType":"Patient","id":"n1"`,
				`"response":{"status":"201","location":"http://salus.test/Patient/n1/_history/1","etag":"W/\"1\"","lastModified":"2026-`}},
		{name: "minimal", method: "POST", path: "/", body: bundleOf("batch", entry("POST", "Patient", patient)), header: map[string]string{"Prefer": "return=minimal"}, status: 200, lacks: []string{"birthDate", "outcome"}, has: []string{`"status":"201"`}},
		{name: "outcomes", method: "POST", path: "/", body: bundleOf("batch", entry("POST", "Patient", patient)), header: map[string]string{"Prefer": "return=OperationOutcome"}, status: 200, lacks: []string{"birthDate"}, has: []string{`"outcome":{"resourceType":"OperationOutcome"`, "the resource was created"}},
		{name: "a read", before: p1, method: "POST", path: "/", body: bundleOf("batch", entry("GET", "Patient/p1", "")), status: 200,
			has: []string{`"entry":[{"resource":{"resourceType":"Patient"`, `"response":{"status":"200","etag":"W/\"1\"","lastModified":"2026-01-02T03:04:0`}},
		{name: "a read of what the client has", before: p1, method: "POST", path: "/", body: bundleOf("batch", entry("GET", "Patient/p1", "", `"ifNoneMatch":"W/\"1\""`)), status: 200, has: []string{`"entry":[{"response":{"status":"304"`}},
		{name: "a read of what has not changed", before: p1, method: "POST", path: "/", body: bundleOf("batch", entry("GET", "Patient/p1", "", `"ifModifiedSince":"2026-02-01T00:00:00Z"`)), status: 200, has: []string{`"status":"304"`}},
		{name: "a vread and a history", before: p1, method: "POST", path: "/", body: bundleOf("batch", entry("GET", "Patient/p1/_history/1", ""), entry("GET", "Patient/p1/_history", "")), status: 200, has: []string{`"type":"history"`}},
		{name: "a search behind a proxy", before: p1, method: "POST", path: "/", body: bundleOf("batch", entry("GET", "Patient?family=muster", "")), header: map[string]string{"X-Forwarded-Host": "fhir.example"}, status: 200,
			has: []string{`"type":"searchset"`, `"url":"http://fhir.example/Patient?family=muster"`, `"fullUrl":"http://fhir.example/Patient/p1"`}},
		{name: "a search of the whole service", before: p1, method: "POST", path: "/", body: bundleOf("batch", entry("GET", "?_type=Patient", "")), status: 200, has: []string{"Patient/p1"}},
		{name: "failures stay with their entries", before: gone, method: "POST", path: "/",
			body:   bundleOf("batch", entry("GET", "Patient/none", ""), entry("GET", "Patient/p1", ""), entry("GET", "$nonsense", ""), entry("GET", "Patient/$everything", ""), entry("GET", "Patient/p1?_format=ttl", ""), entry("PUT", "Patient/p9", patientP1), entry("GET", "%zz", ""), entry("GET", "//evil/Patient/p1", ""), entry("GET", "http://evil/Patient/p1", "")),
			status: 200, has: []string{
				`"response":{"status":"404","outcome":{"resourceType":"OperationOutcome"`, `"response":{"status":"410","etag":"W/\"2\"","outcome"`,
				`"status":"404","outcome":{"resourceType":"OperationOutcome","id":"own-id","meta":{"lastUpdated":"2026-01-02T03:04:12.000Z"},"issue":[{"severity":"error","code":"not-found","diagnostics":"there is no operation`, `"status":"405","outcome"`, `"response":{"status":"406","outcome"`, `"response":{"status":"400","outcome"`, `"code":"deleted"`,
			}, lacks: []string{"nonsense", "%zz", `"status":"2`, `"status":"3`, "evil"}},
		{name: "what asks and is no GET", before: p1, method: "POST", path: "/",
			body: bundleOf("batch", entry("POST", "Patient/_search?family=muster", ""), entry("POST", "Patient/p1/$none", `{"resourceType":"Parameters"}`), entry("HEAD", "Patient/p1", "")), status: 200,
			has: []string{`"type":"searchset"`, `"status":"404"`, `"status":"405"`}},
		{name: "every place", before: append(p1, `PUT /Observation/o1 {"resourceType":"Observation","id":"o1","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p1"}}`), method: "POST", path: "/",
			body: bundleOf("batch", entry("GET", "metadata", ""), entry("GET", "_history", ""), entry("GET", "Patient/_history", ""), entry("GET", "?_type=Patient", "")), status: 200,
			has: []string{`"resourceType":"CapabilityStatement"`, `"type":"history"`}, lacks: []string{`"status":"4`}},
		{name: "parallel, one resource twice", method: "POST", path: "/", body: bundleOf("batch", entry("PUT", "Patient/p1", patientP1), entry("PUT", "Patient/p1", patientP1), entry("PUT", "Basic/p1", `{"resourceType":"Basic","id":"p1","code":{"text":"x"}}`)),
			header: map[string]string{"X-Bundle-Processing-Logic": "Parallel"}, status: 200, has: []string{`"status":"201"`, `"status":"400"`, "in parallel"}},
		{name: "sequential, one resource twice", method: "POST", path: "/", body: bundleOf("batch", entry("PUT", "Patient/p1", patientP1), entry("PUT", "Patient/p1", patientP1)),
			header: map[string]string{"X-Bundle-Processing-Logic": "sequential"}, status: 200, has: []string{`"status":"201"`, `"status":"200"`}, lacks: []string{`"status":"4`}},
		{name: "an unknown logic", method: "POST", path: "/", body: bundleOf("batch", entry("POST", "Patient", patient)),
			header: map[string]string{"X-Bundle-Processing-Logic": "sideways"}, status: 200, has: []string{`"status":"201"`, `{"response":{"status":"405","outcome":`, `"severity":"warning","code":"not-supported"`}, lacks: []string{"sideways"}},
		{name: "no type", method: "POST", path: "/", body: `{"resourceType":"Bundle"}`, status: 405, issue: "error forbidden Bundle.type", headers: map[string]string{"Allow": "GET, POST, OPTIONS"}},
		{name: "a document", method: "POST", path: "/", body: bundleOf("document"), status: 400, issue: "error invalid Bundle.type"},
		{name: "no bundle", method: "POST", path: "/", body: patient, status: 400, issue: "error invalid"},
		{name: "no JSON", method: "POST", path: "/", body: bundleOf("batch"), header: map[string]string{"Content-Type": "text/plain"}, status: 415, issue: "error not-supported"},
	})
}

func TestTransaction(t *testing.T) {
	t.Parallel()
	linked := strings.Replace(bundleOf("transaction",
		`{"fullUrl":"urn:uuid:p","resource":`+patient+`,"request":{"method":"POST","url":"Patient"}}`,
		entry("POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"t"},"subject":{"reference":"urn:uuid:p"}}`)), "\n", "", -1)
	runAll(t, []scenario{
		{name: "links", method: "POST", path: "/", body: linked, status: 200, has: []string{`"type":"transaction-response"`, `"subject":{"reference":"Patient/n`, `"status":"201"`}, lacks: []string{"urn:uuid"}},
		{name: "one fails, all fail", method: "POST", path: "/", body: bundleOf("transaction", entry("POST", "Patient", patient), entry("GET", "Patient/none", "")), status: 404, issue: "error processing", has: []string{`"code":"not-found"`, "GET Patient/none"}},
	})
	f := newFixture(t)
	f.do("POST", "/", bundleOf("transaction", entry("POST", "Patient", patient), entry("GET", "Patient/none", "")), nil)
	if body := f.must(t, 200, "GET", "/Patient?_summary=count", "").Body.String(); !strings.Contains(body, `"total":0`) {
		t.Errorf("a failed transaction left something: %s", body)
	}
}

// TestBatch_StreamsWhatIsLarge reads a response that is sent in several pieces.
func TestBatch_StreamsWhatIsLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	long := strings.Replace(patient, "Maria", strings.Repeat("M", 5000), 1)
	entries := make([]string, 100)
	for i := range entries {
		entries[i] = entry("POST", "Patient", long)
	}
	w := f.must(t, 200, "POST", "/", bundleOf("batch", entries...))
	if page := readPage(t, w.Body.Bytes()); len(page.Entry) != 100 || w.Header().Get("Content-Length") != "" {
		t.Errorf("%d entries, Content-Length %q", len(page.Entry), w.Header().Get("Content-Length"))
	}
	page := readPage(t, f.must(t, 200, "GET", "/Patient?_count=100", "").Body.Bytes())
	if len(page.Entry) != 100 {
		t.Errorf("%d matches", len(page.Entry))
	}
	pretty := readPage(t, f.must(t, 200, "GET", "/Patient?_count=100&_pretty=true", "").Body.Bytes())
	if len(pretty.Entry) != 100 {
		t.Errorf("%d matches", len(pretty.Entry))
	}
}
