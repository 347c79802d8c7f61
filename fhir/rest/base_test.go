package rest_test

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"salus/fhir/rest"
	"salus/internal/serve"
)

func TestBase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, mount, host, proto, prefix string
		tls                              bool
		want                             string
	}{
		{name: "plain", mount: "/default/fhir", want: "http://salus.test/default/fhir"},
		{name: "at the root", mount: "/", want: "http://salus.test"},
		{name: "TLS", tls: true, want: "https://salus.test"},
		{name: "TLS ended by a proxy", mount: "/default/fhir", proto: "HTTPS", host: "fhir.example:8443", want: "https://fhir.example:8443/default/fhir"},
		{name: "a prefix cut off by a proxy", mount: "/default/fhir", prefix: "/gate/", want: "http://salus.test/gate/default/fhir"},
		{name: "several proxies", host: "outer.example, inner.example", proto: "https, http", want: "https://outer.example"},
		{name: "nonsense", host: "a b", proto: "ftp", prefix: "gate", want: "http://salus.test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "http://salus.test/default/fhir/Patient", nil)
			r.TLS = nil
			if c.tls {
				r.TLS = new(tls.ConnectionState)
			}
			for name, value := range map[string]string{"X-Forwarded-Host": c.host, "X-Forwarded-Proto": c.proto, "X-Forwarded-Prefix": c.prefix} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			if got := rest.Base(c.mount)(r); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestMounted drives the service over a connection, compressed and below a prefix.
func TestMounted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	mux := http.NewServeMux()
	mux.Handle("/{workspace}/{service}/", serve.Compress(http.StripPrefix("/default/fhir", f.handler)))
	server := httptest.NewServer(mux)
	defer server.Close()
	resp, err := http.Get(server.URL + "/default/fhir/metadata")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || !resp.Uncompressed {
		t.Errorf("status %d, compressed on the wire: %v", resp.StatusCode, resp.Uncompressed)
	}
	var statement struct{ ResourceType string }
	if err := json.NewDecoder(resp.Body).Decode(&statement); err != nil || statement.ResourceType != "CapabilityStatement" {
		t.Errorf("%+v %v", statement, err)
	}
	sent, err := http.Post(server.URL+"/default/fhir/Patient", "application/fhir+json", strings.NewReader(patient))
	if err != nil {
		t.Fatal(err)
	}
	defer sent.Body.Close()
	if sent.StatusCode != 201 {
		t.Errorf("status %d", sent.StatusCode)
	}
}
