package platform_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"salus/workspace"
)

// send sends a request with alternating header names and values.
func send(h http.Handler, method, url, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	base    = "/default/fhir"
	patient = `{"resourceType":"Patient","id":"p1"}`
	asJSON  = "application/fhir+json"
)

// TestErrors_AreOutcomesWithTheHeadersOfTheirStatus has a request for each
// status that a client can bring about.
func TestErrors_AreOutcomesWithTheHeadersOfTheirStatus(t *testing.T) {
	h := open(t, config(t)).Handler()
	for _, path := range []string{"/Patient/p1", "/Patient/gone"} {
		if w := send(h, "PUT", base+path, strings.Replace(patient, "p1", path[len("/Patient/"):], 1), "Content-Type", asJSON); w.Code != 201 {
			t.Fatal(w.Code, w.Body)
		}
	}
	send(h, "DELETE", base+"/Patient/gone", "")
	long := strings.Repeat("v", 65<<10)
	for _, c := range []struct {
		name, method, url, body string
		header                  []string
		status                  int
		code                    string
		with                    map[string]string // headers; "*" for any value
	}{
		{"malformed JSON", "POST", base + "/Patient", "{", []string{"Content-Type", asJSON}, 400, "structure", nil},
		{"broken escape", "GET", base + "/Patient?name=%zz", "", nil, 400, "invalid", nil},
		{"unsupported modifier", "GET", base + "/Patient?name:nonsense=x", "", nil, 403, "invalid", nil},
		{"no such workspace", "GET", "/nowhere/fhir/Patient", "", nil, 404, "not-found", nil},
		{"no such service", "GET", "/default/nothing/Patient", "", nil, 404, "not-found", nil},
		{"no such type", "GET", base + "/patient", "", nil, 404, "not-found", nil},
		{"no such route", "GET", base + "/Patient/p1/a/b/c", "", nil, 404, "not-found", nil},
		{"no such resource", "GET", base + "/Patient/absent", "", nil, 404, "not-found", nil},
		{"empty segment", "GET", base + "//Patient", "", nil, 404, "not-found", map[string]string{"Location": ""}},
		{"dotted segment", "GET", base + "/../fhir/Patient", "", nil, 404, "not-found", map[string]string{"Location": ""}},
		{"HEAD", "HEAD", base + "/Patient/p1", "", nil, 405, "forbidden", map[string]string{"Allow": "*"}},
		{"wrong method", "PUT", base + "/metadata", "", nil, 405, "forbidden", map[string]string{"Allow": "GET, OPTIONS"}},
		{"wrong method outside of services", "POST", "/health/check", "", nil, 405, "forbidden", map[string]string{"Allow": "GET, HEAD"}},
		{"unknown operation", "POST", base + "/$nothing", "{}", []string{"Content-Type", asJSON}, 404, "not-found", map[string]string{"Allow": ""}},
		{"unknown format", "GET", base + "/metadata?_format=csv", "", nil, 406, "not-supported", nil},
		{"unknown Accept", "GET", base + "/Patient/p1", "", []string{"Accept", "text/csv"}, 406, "not-supported", nil},
		{"deleted", "GET", base + "/Patient/gone", "", nil, 410, "deleted", map[string]string{"ETag": `W/"2"`}},
		{"another version", "PUT", base + "/Patient/p1", patient, []string{"Content-Type", asJSON, "If-Match", `W/"7"`}, 412, "required", nil},
		{"large body", "POST", base + "/Patient", strings.Repeat(" ", 1<<20+1), []string{"Content-Type", asJSON}, 413, "too-long", nil},
		{"long URL", "GET", base + "/Patient?name=" + long, "", nil, 414, "too-long", nil},
		{"another type of body", "POST", base + "/Patient", "a", []string{"Content-Type", "text/plain"}, 415, "not-supported", nil},
		{"large headers", "GET", base + "/Patient", "", []string{"X-A", long}, 431, "invalid", nil},
		{"long audit header", "GET", base + "/Patient", "", []string{"X-MS-AZUREFHIR-AUDIT-A", long[:2049]}, 431, "invalid", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := send(h, c.method, c.url, c.body, append(c.header, "X-Request-Id", "client-1")...)
			var o struct {
				ResourceType, ID string
				Issue            []struct{ Severity, Code, Diagnostics string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil || o.ResourceType != "OperationOutcome" || len(o.Issue) == 0 {
				t.Fatalf("%d, no OperationOutcome: %v %s", w.Code, err, w.Body)
			}
			if w.Code != c.status || o.Issue[0].Code != c.code || o.Issue[0].Severity != "error" || o.ID != "client-1" {
				t.Errorf("%d, want %d %s: %s", w.Code, c.status, c.code, w.Body)
			}
			head := w.Header()
			for name, want := range map[string]string{
				"Content-Type": "application/fhir+json; charset=utf-8", "X-Content-Type-Options": "nosniff", "X-Correlation-Id": "client-1",
				"X-Request-Id": "*", "Cache-Control": "no-store", "Content-Security-Policy": "*", "Server": "",
			} {
				if got := head.Get(name); want != "*" && got != want || want == "*" && got == "" {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if head.Get("X-Request-Id") == "client-1" {
				t.Error("the request has no id of its own")
			}
			for name, want := range c.with {
				if got := head.Get(name); want != "*" && got != want || want == "*" && got == "" {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestErrors_OutsideOfServicesComeAsXMLToo(t *testing.T) {
	h := open(t, config(t)).Handler()
	for path, status := range map[string]int{"/nothing": 404, "/?a=" + strings.Repeat("v", 65<<10): 414} {
		w := send(h, "GET", path, "", "Accept", "application/fhir+xml")
		if got := w.Header().Get("Content-Type"); w.Code != status || got != "application/fhir+xml; charset=utf-8" || !strings.HasPrefix(w.Body.String(), "<OperationOutcome") {
			t.Errorf("%d %s %s", w.Code, got, w.Body)
		}
	}
}

func TestIntegrity_IsToldByTheService(t *testing.T) {
	const policy = `"referencePolicy":["literal","logical","enforced"]`
	for _, keeps := range []bool{false, true} {
		cfg := config(t)
		cfg.Workspace.Services[0].FHIR.ReferentialIntegrity = keeps
		h := open(t, cfg).Handler()
		if w := send(h, "GET", base+"/metadata", ""); w.Code != 200 || strings.Contains(w.Body.String(), policy) != keeps {
			t.Errorf("%v: metadata is %d and does not tell so", keeps, w.Code)
		}
		basic := `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient/absent"}}`
		if w := send(h, "POST", base+"/Basic", basic, "Content-Type", asJSON); (w.Code == 400) != keeps {
			t.Errorf("%v: %d %s", keeps, w.Code, w.Body)
		}
	}
}

func TestCORS_IsWhatTheServiceSays(t *testing.T) {
	cfg := config(t)
	cfg.Workspace.Services[0].FHIR.CORS = workspace.CORS{
		Origins: []string{"https://localhost:6001"}, Methods: []string{"GET", "POST", "PUT", "DELETE"},
		Headers: []string{"authorization", "content-type"}, MaxAge: 1440, Credentials: true,
	}
	cfg.Workspace.Services = append(cfg.Workspace.Services, workspace.Service{Name: "closed", Kind: workspace.FHIR})
	h := open(t, cfg).Handler()
	preflight := func(path, origin, method, headers string) http.Header {
		t.Helper()
		w := send(h, "OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
		if w.Code != 204 {
			t.Errorf("preflight of %s = %d %s", path, w.Code, w.Body)
		}
		return w.Header()
	}
	for _, path := range []string{"/patient", "/Patient/p1", "/nothing/here/at/all/really", "/health/check"} {
		got := preflight(base+path, "https://localhost:6001", "PUT", "authorization,content-type")
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "https://localhost:6001", "Access-Control-Allow-Methods": "PUT",
			"Access-Control-Allow-Headers": "authorization,content-type", "Access-Control-Max-Age": "1440", "Access-Control-Allow-Credentials": "true",
		} {
			if got.Get(name) != want {
				t.Errorf("preflight of %s: %s = %q, want %q", path, name, got.Get(name), want)
			}
		}
	}
	for name, got := range map[string]http.Header{
		"another origin": preflight(base+"/Patient", "https://evil.example", "PUT", "content-type"),
		"another method": preflight(base+"/Patient", "https://localhost:6001", "PATCH", "content-type"),
		"another header": preflight(base+"/Patient", "https://localhost:6001", "PUT", "x-other"),
	} {
		if got.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("%s is allowed: %v", name, got)
		}
	}
	got := send(h, "GET", base+"/Patient/absent", "", "Origin", "https://localhost:6001").Header()
	if got.Get("Access-Control-Allow-Origin") != "https://localhost:6001" || got.Get("Access-Control-Allow-Credentials") != "true" ||
		!strings.Contains(strings.Join(got.Values("Vary"), ","), "Origin") || !strings.Contains(got.Get("Access-Control-Expose-Headers"), "Content-Location") {
		t.Errorf("a request of an allowed origin: %v", got)
	}
	for name, header := range map[string]http.Header{
		"another origin": send(h, "GET", base+"/Patient", "", "Origin", "https://evil.example").Header(),
		"no origin":      send(h, "GET", base+"/Patient", "").Header(),
		"closed service": send(h, "GET", "/default/closed/Patient", "", "Origin", "https://localhost:6001").Header(),
	} {
		for key := range header {
			if strings.HasPrefix(key, "Access-Control-") {
				t.Errorf("%s: %s is there", name, key)
			}
		}
	}
	if w := send(h, "OPTIONS", base+"/Patient", ""); w.Code != 204 || !strings.Contains(w.Header().Get("Allow"), "GET") {
		t.Errorf("OPTIONS that is no preflight: %d %v", w.Code, w.Header())
	}
}

func TestForwarded_ShowsInEveryLink(t *testing.T) {
	cfg := config(t)
	cfg.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // where httptest's requests come from
	trusting := open(t, cfg).Handler()
	wary := open(t, config(t)).Handler()
	const outside = "https://fhir.example/gate/default/fhir"
	ask := func(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
		return send(h, method, base+path, body, "Content-Type", asJSON,
			"X-Forwarded-Host", "fhir.example", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/gate")
	}
	const batch = `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient?_count=1"}},{"request":{"method":"GET","url":"Patient/_history?_count=1"}}]}`
	for name, c := range map[string]struct {
		h           http.Handler
		has, hasNot string
	}{
		"a trusted proxy": {trusting, outside, "http://example.com"},
		"anybody":         {wary, "http://example.com/default/fhir", "fhir.example"},
	} {
		ask(c.h, "PUT", "/Patient/p0", strings.Replace(patient, "p1", "p0", 1))
		created := ask(c.h, "PUT", "/Patient/p1", patient)
		if got := created.Header().Get("Location"); got != c.has+"/Patient/p1/_history/1" {
			t.Errorf("%s: Location %q", name, got)
		}
		for _, w := range []*httptest.ResponseRecorder{
			ask(c.h, "GET", "/Patient?_count=1", ""), ask(c.h, "GET", "/_history?_count=1", ""), ask(c.h, "GET", "/metadata", ""), ask(c.h, "POST", "", batch),
		} {
			body := w.Body.String()
			if !strings.Contains(body, `"`+c.has) || strings.Contains(body, c.hasNot) {
				t.Errorf("%s: %s", name, body)
			}
		}
	}
}

func TestAdmission_KeepsProbesOut(t *testing.T) {
	cfg := config(t)
	cfg.MaxRequests = 1
	h := open(t, cfg).Handler()
	begun, end := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() { // holds the one place while its body does not come
		defer close(done)
		r := httptest.NewRequest("POST", base+"/Patient", &late{begun: begun, end: end})
		r.Header.Set("Content-Type", asJSON)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}()
	<-begun
	w := send(h, "GET", base+"/Patient", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || w.Header().Get("x-ms-retry-after-ms") != "1000" || !strings.Contains(w.Body.String(), `"throttled"`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, path := range []string{"/health/check", "/metrics", "/", base + "/health/check", base + "/metadata", base + "/$versions"} {
		if w := send(h, "GET", path, ""); w.Code != 200 {
			t.Errorf("%s under load: %d", path, w.Code)
		}
	}
	close(end)
	<-done
	if w := send(h, "GET", base+"/Patient", ""); w.Code != 200 {
		t.Errorf("after the load: %d", w.Code)
	}
}

// late is a body that comes when end is closed.
type late struct{ begun, end chan struct{} }

func (l *late) Read(b []byte) (int, error) {
	close(l.begun)
	<-l.end
	return copy(b, "x"), http.ErrBodyReadAfterClose
}
