package serve_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"salus/internal/serve"
)

func TestCompress(t *testing.T) {
	t.Parallel()
	large, small := strings.Repeat("salus ", 2000), "salus"
	for _, c := range []struct {
		name, accept, contentType, body string
		status                          int
		declare, flush                  bool
		gzip, vary                      bool
	}{
		{name: "large json", accept: "gzip, br", contentType: "application/fhir+json; charset=utf-8", body: large, gzip: true, vary: true},
		{name: "large json with declared length", accept: "gzip", contentType: "application/json", body: large, declare: true, gzip: true, vary: true},
		{name: "small json", accept: "gzip", contentType: "application/json", body: small, vary: true},
		{name: "small json with declared length", accept: "gzip", contentType: "application/json", body: small, declare: true, vary: true},
		{name: "error status", accept: "gzip", contentType: "application/json", body: large, status: 404, gzip: true, vary: true},
		{name: "flushed early", accept: "gzip", contentType: "application/json", body: small, flush: true, gzip: true, vary: true},
		{name: "client without gzip", accept: "br", contentType: "application/json", body: large, vary: true},
		{name: "client refuses gzip", accept: "*, gzip;q=0", contentType: "application/json", body: large, vary: true},
		{name: "client takes anything", accept: "*", contentType: "application/json", body: large, gzip: true, vary: true},
		{name: "image", accept: "gzip", contentType: "image/jpeg", body: large},
		{name: "partial content", accept: "gzip", contentType: "application/json", body: large, status: 206},
		{name: "no content", accept: "gzip", status: 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := serve.Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				if c.declare {
					w.Header().Set("Content-Length", strconv.Itoa(len(c.body)))
				}
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				for part := range strings.SplitAfterSeq(c.body, " ") {
					if _, err := io.WriteString(w, part); err != nil && c.status != 204 {
						t.Error(err)
					}
					if c.flush {
						if err := http.NewResponseController(w).Flush(); err != nil {
							t.Error(err)
						}
					}
				}
			}))
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Accept-Encoding", c.accept)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			resp := w.Result()
			if want := max(c.status, 200); c.status != 0 && resp.StatusCode != want {
				t.Errorf("status = %d, want %d", resp.StatusCode, want)
			}
			if got := resp.Header.Get("Content-Encoding") == "gzip"; got != c.gzip {
				t.Fatalf("gzip = %v, want %v", got, c.gzip)
			}
			if got := resp.Header.Get("Vary") == "Accept-Encoding"; got != c.vary {
				t.Errorf("Vary = %q", resp.Header.Values("Vary"))
			}
			var body io.Reader = resp.Body
			if c.gzip {
				if n := w.Body.Len(); n > len(c.body)/2 && !c.flush {
					t.Errorf("%d bytes on the wire for %d", n, len(c.body))
				}
				z, err := gzip.NewReader(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			got, err := io.ReadAll(body)
			if err != nil || string(got) != c.body {
				t.Errorf("got %d bytes, err %v; want %d", len(got), err, len(c.body))
			}
			if n := resp.Header.Get("Content-Length"); n != "" && n != strconv.Itoa(w.Body.Len()) {
				t.Errorf("Content-Length = %s for %d bytes", n, w.Body.Len())
			}
		})
	}
}
