package rest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/rest"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store/memory"
	"salus/fhir/validate"
	"salus/internal/serve"
)

// maxBody is the limit of request bodies in the tests.
const maxBody = 1 << 20

var params = sync.OnceValues(func() (*searchparam.Registry, error) { return searchparam.NewRegistry(spec.R4()) })

// fixture is a FHIR service in memory behind its edge. Ids that the service
// assigns are n1, n2, …; the clock moves a second with each look.
type fixture struct {
	handler http.Handler
	log     *bytes.Buffer
	store   *memory.Store
}

func newFixture(tb testing.TB) *fixture { return newFixtureWith(tb, maxBody) }

// newFixtureWith makes a service with a limit of request bodies, 0 for the default.
func newFixtureWith(tb testing.TB, maxBody int64) *fixture {
	tb.Helper()
	return newFixtureAs(tb, fhir.Azure, maxBody)
}

// newFixtureAs makes a service that follows the rules of compat.
func newFixtureAs(tb testing.TB, compat fhir.Compat, maxBody int64) *fixture {
	tb.Helper()
	return newFixtureOf(tb, fhir.Versioning{}, compat, maxBody)
}

// newFixtureOf makes a service with versioning policies.
func newFixtureOf(tb testing.TB, policies fhir.Versioning, compat fhir.Compat, maxBody int64) *fixture {
	tb.Helper()
	registry, err := params()
	if err != nil {
		tb.Fatal(err)
	}
	var mu sync.Mutex
	at, id := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), 0
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	}
	newID := func() fhir.ID {
		mu.Lock()
		defer mu.Unlock()
		id++
		return fhir.ID(fmt.Sprintf("n%d", id))
	}
	f := &fixture{log: new(bytes.Buffer), store: memory.New(now)}
	service := interaction.New(interaction.Options{
		Definitions: spec.R4(), Params: registry, Parser: search.NewParser(registry, search.Options{Compat: compat}),
		Validator: validate.New(spec.R4()), Store: f.store, Compat: compat, Versioning: policies, Now: now, NewID: newID,
	})
	edge := serve.Edge{Logger: slog.New(slog.NewTextHandler(f.log, nil)), NewID: func() string { return "own-id" }}
	f.handler = edge.Wrap(rest.New(rest.Options{
		Service: service, Bundles: bundle.New(service, bundle.Options{}), Definitions: spec.R4(), Params: registry, Compat: compat,
		Version: "1.2.3", Now: now, MaxBody: maxBody, TokenKey: []byte("a key of the tests, 32 bytes long"),
	}))
	return f
}

// do sends a request. Bodies go as application/fhir+json unless header says otherwise.
func (f *fixture) do(method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://salus.test"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for name, value := range header {
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

// must does what a test needs done and fails when it does not work.
func (f *fixture) must(tb testing.TB, status int, method, path, body string) *httptest.ResponseRecorder {
	tb.Helper()
	w := f.do(method, path, body, nil)
	if w.Code != status {
		tb.Fatalf("%s %s = %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return w
}

// scenario is a request and what its answer must look like.
type scenario struct {
	name         string
	before       []string // requests: "METHOD /path body"
	method, path string
	body         string
	header       map[string]string
	status       int
	headers      map[string]string // "-" for none
	has, lacks   []string
	issue        string // "severity code expression" of the first issue; expression may be absent
}

func (c scenario) run(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, b := range c.before {
		method, rest, _ := strings.Cut(b, " ")
		path, body, _ := strings.Cut(rest, " ")
		if w := f.do(method, path, body, nil); w.Code >= 300 {
			t.Fatalf("before: %s %s = %d: %s", method, path, w.Code, w.Body)
		}
	}
	w := f.do(c.method, c.path, c.body, c.header)
	if w.Code != c.status {
		t.Fatalf("status = %d, want %d: %s", w.Code, c.status, w.Body)
	}
	for name, want := range c.headers {
		got := w.Header().Get(name)
		if want == "-" && w.Header().Values(name) != nil || want != "-" && got != want {
			t.Errorf("%s = %q, want %q", name, w.Header().Values(name), want)
		}
	}
	body := w.Body.String()
	for _, want := range c.has {
		if !strings.Contains(body, want) {
			t.Errorf("body lacks %s: %s", want, body)
		}
	}
	for _, not := range c.lacks {
		if strings.Contains(body, not) {
			t.Errorf("body has %s: %s", not, body)
		}
	}
	if body != "" && !json.Valid(asJSON(t, w)) {
		t.Errorf("body is not JSON: %s", body)
	}
	if w.Code >= 400 {
		checkOutcome(t, w, c.issue)
	}
}

// checkOutcome checks the form of an OperationOutcome and its first issue.
func checkOutcome(t *testing.T, w *httptest.ResponseRecorder, want string) {
	t.Helper()
	var o struct {
		ResourceType, ID string
		Meta             struct{ LastUpdated string }
		Issue            []struct {
			Severity, Code, Diagnostics string
			Expression                  []string
		}
	}
	if err := json.Unmarshal(asJSON(t, w), &o); err != nil || o.ResourceType != "OperationOutcome" || len(o.Issue) == 0 {
		t.Fatalf("no OperationOutcome: %v %s", err, w.Body)
	}
	if o.ID != w.Header().Get("X-Correlation-Id") || o.Meta.LastUpdated == "" || o.Issue[0].Diagnostics == "" {
		t.Errorf("OperationOutcome lacks id, meta.lastUpdated or diagnostics: %s", w.Body)
	}
	got := strings.Join(append([]string{o.Issue[0].Severity, o.Issue[0].Code}, o.Issue[0].Expression...), " ")
	if got != want {
		t.Errorf("issue = %q, want %q (%s)", got, want, o.Issue[0].Diagnostics)
	}
	if ct := w.Header().Get("Content-Type"); !strings.HasSuffix(ct, "json; charset=utf-8") && !strings.HasSuffix(ct, "xml; charset=utf-8") {
		t.Errorf("Content-Type = %q", ct)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Error("no nosniff")
	}
}

func runAll(t *testing.T, all []scenario) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, c.run)
	}
}

const (
	patient   = `{"resourceType":"Patient","active":true,"name":[{"family":"Muster","given":["Maria"]}],"birthDate":"1970-03-03"}`
	patientP1 = `{"resourceType":"Patient","id":"p1","active":true,"name":[{"family":"Muster","given":["Maria"]}],"birthDate":"1970-03-03"}`
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{name: "unknown type", method: "GET", path: "/Pateint/1", status: 404, issue: "error not-found"},
		{name: "type in lower case", method: "GET", path: "/patient", status: 404, issue: "error not-found"},
		{name: "unknown route", method: "GET", path: "/Patient/1/2/3", status: 404, issue: "error not-found", lacks: []string{"Patient/1"}},
		{name: "unknown type whatever the method", method: "PATCH", path: "/Nothing", status: 404, issue: "error not-found"},
		{name: "HEAD", method: "HEAD", path: "/Patient/p1", status: 405, headers: map[string]string{"Allow": "DELETE, GET, PATCH, PUT, OPTIONS"}, issue: "error forbidden"},
		{name: "wrong method", method: "POST", path: "/metadata", body: patient, status: 405, headers: map[string]string{"Allow": "GET, OPTIONS"}, issue: "error forbidden"},
		{name: "PATCH of a version", method: "PATCH", path: "/Patient/p1/_history/1", body: "[]", status: 405, headers: map[string]string{"Allow": "GET, OPTIONS"}, issue: "error not-supported"},
		{name: "delete of a version", method: "DELETE", path: "/Patient/p1/_history/1", status: 405, headers: map[string]string{"Allow": "GET, OPTIONS"}, issue: "error not-supported"},
		{name: "operation on the system", method: "POST", path: "/$reindex", status: 405, issue: "error not-supported", lacks: []string{"reindex"}},
		{name: "operation on a type", method: "GET", path: "/Patient/$everything", status: 405, issue: "error not-supported"},
		{name: "operation on a resource", method: "GET", path: "/Patient/p1/$everything", status: 405, issue: "error not-supported"},
		{name: "unknown operation on a resource", method: "GET", path: "/Patient/p1/$none", status: 404, issue: "error not-found"},
		{name: "unknown operation on a type", method: "POST", path: "/Patient/$none", status: 404, issue: "error not-found"},
		{name: "unknown operation", method: "GET", path: "/$none", status: 404, issue: "error not-found"},
		{name: "GET of _search", method: "GET", path: "/Patient/_search", status: 405, headers: map[string]string{"Allow": "POST, OPTIONS"}, issue: "error forbidden"},
		{name: "OPTIONS", method: "OPTIONS", path: "/Patient", status: 204, headers: map[string]string{"Allow": "DELETE, GET, PATCH, POST, PUT, OPTIONS"}},
		{name: "broken escape in the query", method: "GET", path: "/metadata?_summary=%zz", status: 400, issue: "error invalid"},
		{name: "escape cut off at the end of the query", method: "GET", path: "/Patient?name=%C3%A4&family=a%2", status: 400, issue: "error invalid"},
		{name: "broken escape in a query that is not looked at", method: "POST", path: "/Patient?<script>=100%", body: patient, status: 201},
		{name: "two slashes", method: "GET", path: "/Patient//p1", status: 404, issue: "error not-found", headers: map[string]string{"Location": "-"}},
		{name: "dots", method: "GET", path: "/Patient/../metadata", status: 404, issue: "error not-found", headers: map[string]string{"Location": "-"}},
		{name: "escaped slash", method: "GET", path: "/Patient/a%2Fb", status: 404, issue: "error not-found"},
		{name: "slash at the end", before: []string{"PUT /Patient/p1 " + patientP1}, method: "GET", path: "/Patient/p1/", status: 200, has: []string{`"id":"p1"`}},
	})
}

func TestUnavailable_TellsWhenToComeBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	w := f.do("GET", "/Patient/p1", "", nil)
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || w.Header().Get("x-ms-retry-after-ms") != "1000" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	checkOutcome(t, w, "error processing")
	if log := f.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, `route=/{type}/{id}`) {
		t.Errorf("log = %s", log)
	}
}

func TestDefaultLimits_AreLargerForBundles(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, 0)
	binary := func(size int) string {
		return `{"resourceType":"Binary","id":"b1","contentType":"text/plain","data":"` + strings.Repeat("QUJD", size/4) + `"}`
	}
	most := binary(27 << 20)
	f.must(t, 201, "PUT", "/Binary/b1", most)
	if got := f.must(t, 200, "GET", "/Binary/b1", "").Body.Len(); got < len(most) {
		t.Errorf("read back %d bytes", got)
	}
	w := f.do("PUT", "/Binary/b1", binary(30<<20), nil)
	if w.Code != 413 {
		t.Errorf("a resource of 30 MB gave %d", w.Code)
	}
	checkOutcome(t, w, "error too-long")
	f.must(t, 200, "POST", "/", `{"resourceType":"Bundle","type":"batch","entry":[{"resource":`+binary(30<<20)+`,"request":{"method":"PUT","url":"Binary/b1"}}]}`)
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]rest.Options{
		"nothing":   {},
		"short key": {Service: new(interaction.Service), Bundles: new(bundle.Processor), Definitions: spec.R4(), Params: new(searchparam.Registry), TokenKey: []byte("short")},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			rest.New(o)
		}()
	}
}

// TestNoPatientDataInLogsAndOutcomes sends a marker everywhere where patient data
// can be and looks for it in the log and in every OperationOutcome.
func TestNoPatientDataInLogsAndOutcomes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const marker = "Qzmarker"
	good := `{"resourceType":"Patient","id":"` + marker + `","name":[{"family":"` + marker + `"}]}`
	f.must(t, 201, "PUT", "/Patient/"+marker, good)
	f.must(t, 201, "PUT", "/Patient/other", strings.Replace(good, `"id":"`+marker, `"id":"other`, 1))
	bodies := []string{
		good,
		`{"resourceType":"Patient","id":"` + marker + `","birthDate":"` + marker + `"}`,
		`{"resourceType":"Patient","id":"` + marker + `","gender":"` + marker + `"}`,
		`{"resourceType":"Patient","id":"` + marker + `","name":"` + marker + `"}`,
		`{"resourceType":"Patient","id":"` + marker + `","active":"` + marker + `"}`,
		`{"resourceType":"Patient","id":"` + marker + `","managingOrganization":{"reference":"Organization?name=` + marker + `"}}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>` + marker + `</script></div>"}}`,
		`{"resourceType":"Patient","name":[{"family":"` + marker + `"`,
		`{"resourceType":"Patient","name":"` + marker + `" "` + marker + `"}`,
		`{"resourceType":"Patient","birthDate":` + marker + `}`,
		marker,
		`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":` + good + `,"request":{"method":"PUT","url":"Patient?family=` + marker + `"}}]}`,
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":` + good + `,"request":{"method":"POST","url":"Patient","ifNoneExist":"family=` + marker + `"}},` +
			`{"request":{"method":"GET","url":"Patient?birthdate=` + marker + `"}},{"request":{"method":"` + marker + `","url":"Patient"}}]}`,
	}
	paths := []string{
		"/", "/_search", "/_history", "/Patient", "/Patient/_search", "/Patient/_history", "/Patient/other", "/Patient/" + marker,
		"/Patient/" + marker + "/_history", "/Patient/" + marker + "/_history/1", "/Patient/" + marker + "/_history/" + marker,
		"/" + marker, "/Patient/absent-" + marker, "/Patient/" + marker + "/$" + marker, "/metadata", "/$versions",
	}
	queries := []string{
		"", "?family=" + marker, "?birthdate=" + marker, "?_lastUpdated=" + marker, "?_count=" + marker, "?ct=" + marker, "?_sort=" + marker, "?_summary=" + marker,
		"?_format=" + marker, "?_since=" + marker, "?_type=" + marker, "?family:" + "exact=" + marker, "?_include=" + marker, "?_has:Observation:patient:code=" + marker,
		"?general-practitioner:" + "Practitioner.name=" + marker, "?hardDelete=" + marker, "?_elements=" + marker, "?_pretty=" + marker, "?family=%zz" + marker,
	}
	n := 0
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "HEAD", "OPTIONS", marker, "DELETE"} {
		for _, path := range paths {
			for _, query := range queries {
				sent := []string{""}
				if (method == "POST" || method == "PUT") && query != "" {
					sent = []string{good}
				} else if method == "POST" || method == "PUT" {
					sent = bodies
				}
				for _, body := range sent {
					header := map[string]string{"If-None-Exist": "family=" + marker, "If-Match": marker}
					if n++; n%2 == 0 {
						header = nil
					}
					if strings.HasSuffix(path, "_search") {
						body = "family=" + marker + "&birthdate=" + marker + "&nonsense=" + marker + "&_id=" + marker
						header = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
					}
					w := f.do(method, path+query, body, header)
					if w.Code >= 500 {
						t.Fatalf("%s %s%s = %d: %s\n%s", method, path, query, w.Code, w.Body, f.log)
					}
					for _, o := range outcomes(t, w.Body.Bytes()) {
						// Types, ids and names of parameters may be shown; the id is a resource's own.
						o = strings.ReplaceAll(o, "Patient/"+marker, "")
						o = strings.ReplaceAll(o, "Patient/absent-"+marker, "")
						if strings.Contains(o, marker) {
							t.Errorf("%s %s%s %s: patient data in %s", method, path, query, body, o)
						}
					}
				}
			}
		}
	}
	if log := f.log.String(); strings.Contains(log, marker) || strings.Count(log, "\n") < n {
		i := strings.Index(log, marker)
		t.Errorf("patient data in the log, or not all requests logged: %s", log[max(0, i-300):min(len(log), i+300)])
	}
}

// outcomes returns every OperationOutcome in a body as text.
func outcomes(t *testing.T, body []byte) []string {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	d, err := fhir.Parse(slices.Clone(body))
	if err != nil {
		t.Fatalf("the body is not strict JSON: %v", err)
	}
	var found []string
	var walk func(fhir.Node)
	walk = func(n fhir.Node) {
		if n.Type() == "OperationOutcome" {
			found = append(found, string(n.Raw()))
		}
		for c := range n.Children {
			walk(c)
		}
	}
	walk(d.Root())
	return found
}
