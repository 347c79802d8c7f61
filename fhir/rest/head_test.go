package rest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"salus/fhir"
)

// TestHEAD_IsGETWithoutABodyUnderFHIRsRules goes over a connection, since it is
// net/http that leaves the body out.
func TestHEAD_IsGETWithoutABodyUnderFHIRsRules(t *testing.T) {
	t.Parallel()
	f := newFixtureAs(t, fhir.Strict, maxBody)
	f.must(t, 201, "PUT", "/Patient/p1", patientP1)
	server := httptest.NewServer(f.handler)
	defer server.Close()
	for _, c := range []struct {
		path   string
		status int
	}{
		{"/Patient/p1", 200}, {"/Patient/p1/_history/1", 200}, {"/Patient?active=true", 200}, {"/metadata", 200},
		{"/Patient/absent", 404}, {"/Patient/_search", 405},
	} {
		res, err := http.Head(server.URL + c.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || len(body) > 0 || res.StatusCode != c.status || res.ContentLength <= 0 {
			t.Errorf("HEAD %s = %d, Content-Length %d, body %q, %v", c.path, res.StatusCode, res.ContentLength, body, err)
		}
	}
	if got := f.must(t, 204, "OPTIONS", "/metadata", "").Header().Get("Allow"); got != "GET, HEAD, OPTIONS" {
		t.Errorf("Allow = %q", got)
	}
}
