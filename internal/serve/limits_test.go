package serve_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"salus/fault"
	"salus/internal/serve"
)

func TestEdge_RefusesWhatIsOverALimit(t *testing.T) {
	t.Parallel()
	audit := func(n, size int) http.Header {
		h := http.Header{}
		for i := range n {
			h.Set("x-ms-azurefhir-audit-"+strconv.Itoa(i), strings.Repeat("v", size))
		}
		return h
	}
	for _, c := range []struct {
		name   string
		url    string
		header http.Header
		want   fault.Kind // Internal: not refused
	}{
		{"nothing special", "/", nil, fault.Internal},
		{"the longest URL", "/" + strings.Repeat("u", 99), nil, fault.Internal},
		{"a longer URL", "/" + strings.Repeat("u", 100), nil, fault.URITooLong},
		{"a long query", "/?" + strings.Repeat("u", 99), nil, fault.URITooLong},
		{"the largest headers", "/", http.Header{"A": {strings.Repeat("v", 29_995)}}, fault.Internal},
		{"larger headers", "/", http.Header{"A": {strings.Repeat("v", 29_996)}}, fault.HeadersTooLarge},
		{"many headers", "/", http.Header{"A": strings.Split(strings.Repeat(",", 6_000), ",")}, fault.HeadersTooLarge},
		{"ten audit headers as long as can be", "/", audit(10, 2048), fault.Internal},
		{"eleven audit headers", "/", audit(11, 1), fault.HeadersTooLarge},
		{"an audit header that is too long", "/", audit(1, 2049), fault.HeadersTooLarge},
		{"an audit header that is too long by repetition", "/", http.Header{"X-Ms-Azurefhir-Audit-A": {strings.Repeat("v", 1024), strings.Repeat("v", 1024)}}, fault.HeadersTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, reached := error(nil), false
			e := serve.Edge{Limits: serve.Limits{URL: 100, Headers: 30_000}, Error: func(_ http.ResponseWriter, _ *http.Request, err error) { got = err }}
			r := httptest.NewRequest("GET", c.url, nil)
			maps.Copy(r.Header, c.header)
			e.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })).ServeHTTP(httptest.NewRecorder(), r)
			if refused := c.want != fault.Internal; reached == refused || refused && !fault.Is(got, c.want) {
				t.Errorf("reached: %v, error %v, want %v", reached, got, c.want)
			}
		})
	}
}

func TestAuditFields_AreWhatTheCallerAdds(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Add("X-MS-AZUREFHIR-AUDIT-Site", "north")
	r.Header.Add("x-ms-azurefhir-audit-site", "south")
	r.Header.Set("X-Ms-Other", "x")
	var got map[string]string
	serve.Edge{}.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = serve.AuditFields(r.Context()) })).
		ServeHTTP(httptest.NewRecorder(), r)
	if want := map[string]string{"x-ms-azurefhir-audit-site": "north,south"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEdge_MakesEveryAnswerSafe(t *testing.T) {
	t.Parallel()
	h := serve.Edge{}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Cache-Control", "private")
		if r.URL.Path == "/panic" {
			panic("x")
		}
	}))
	for range 2 { // what one answer adds is not in the next
		for _, path := range []string{"/", "/panic"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
				"Referrer-Policy": "no-referrer", "Cache-Control": "no-store,private", "Server": "",
			} {
				if got := strings.Join(w.Header().Values(name), ","); got != want {
					t.Errorf("%s: %s = %q, want %q", path, name, got, want)
				}
			}
		}
	}
}

func TestForwarded_IsBelievedOfProxiesAlone(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		remote   string
		believed bool
	}{
		{"127.0.0.1:5000", true}, {"[::ffff:127.1.2.3]:5000", true}, {"[fd00::1]:5000", true}, {"[fd00::1%eth0]:5000", true},
		{"192.0.2.1:5000", false}, {"[::1]:5000", false}, {"", false}, {"@", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix"} {
			r.Header.Set(name, "x")
		}
		serve.Forwarded(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix"} {
				if got := r.Header.Get(name) != ""; got != c.believed {
					t.Errorf("%s of %q is there: %v", name, c.remote, got)
				}
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}
