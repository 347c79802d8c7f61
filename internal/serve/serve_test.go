package serve_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"salus/fault"
	"salus/internal/serve"
)

// writeText is the error writer of the tests: status by kind, body the message.
func writeText(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusInternalServerError
	switch fault.KindOf(err) {
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Canceled, fault.Timeout:
		status = http.StatusRequestTimeout
	}
	http.Error(w, fault.As(err).Message, status)
}

// edge serves h under the pattern and returns the response and the log.
func edge(t *testing.T, h serve.Handler, pattern string, r *http.Request) (*http.Response, string) {
	t.Helper()
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.Handle(pattern, serve.Adapt(h, writeText))
	e := serve.Edge{Logger: slog.New(slog.NewTextHandler(&log, nil)), NewID: func() string { return "own-id" }}
	w := httptest.NewRecorder()
	e.Wrap(serve.Service("fhir", mux)).ServeHTTP(w, r)
	return w.Result(), log.String()
}

func TestEdge_GivesEachRequestItsOwnIDAndKeepsTheClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sent, correlation string }{
		{"sent", "client-7", "client-7"},
		{"none", "", "own-id"},
		{"unfit to log", "a\"b c", "own-id"},
		{"too long", strings.Repeat("x", 200), "own-id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/x", nil)
			if c.sent != "" {
				r.Header.Set("X-Request-Id", c.sent)
			}
			var seen string
			resp, _ := edge(t, func(_ http.ResponseWriter, r *http.Request) error {
				seen = serve.CorrelationID(r.Context())
				return nil
			}, "GET /x", r)
			if got := resp.Header.Get("X-Request-Id"); got != "own-id" {
				t.Errorf("X-Request-Id = %q, want own-id", got)
			}
			if got := resp.Header.Get("X-Correlation-Id"); got != c.correlation || seen != c.correlation {
				t.Errorf("X-Correlation-Id = %q, handler saw %q, want %q", got, seen, c.correlation)
			}
			if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options = %q", got)
			}
		})
	}
}

func TestEdge_LogsTheRouteAndNeverThePathOrQuery(t *testing.T) {
	t.Parallel()
	_, log := edge(t, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "12345")
		return err
	}, "GET /{type}/{id}", httptest.NewRequest("GET", "/Patient/marker-id?family=Marker", nil))
	for _, want := range []string{"level=INFO", "method=GET", "service=fhir", "route=/{type}/{id}", "status=200", "bytes=5", "request_id=own-id", "duration="} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q: %s", want, log)
		}
	}
	if strings.Contains(strings.ToLower(log), "marker") {
		t.Errorf("log holds a value of the request: %s", log)
	}
	if n := strings.Count(log, "\n"); n != 1 {
		t.Errorf("%d log lines, want 1", n)
	}
}

func TestAdapt_ErrorsAreWrittenAndLoggedOnce(t *testing.T) {
	t.Parallel()
	secret := errors.New("Marker is no number")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		h      serve.Handler
		status int
		want   []string
		not    string
	}{
		{"a fault", t.Context(), func(http.ResponseWriter, *http.Request) error {
			return fault.Wrap(fault.NotFound, secret, "no such thing")
		}, 404, []string{"level=INFO", `kind="not found"`}, "no such thing"},
		{"another error", t.Context(), func(http.ResponseWriter, *http.Request) error {
			return errors.New("disk on fire")
		}, 500, []string{"level=ERROR", "kind=internal", "disk on fire"}, "Marker"},
		{"a panic with a value", t.Context(), func(http.ResponseWriter, *http.Request) error {
			panic("Marker")
		}, 500, []string{"level=ERROR", "panic with a string", "serve_test.go"}, "Marker"},
		{"a panic of the runtime", t.Context(), func(_ http.ResponseWriter, r *http.Request) error {
			var none []int
			return errors.New(string(rune(none[len(r.Method)])))
		}, 500, []string{"level=ERROR", "index out of range"}, "Marker"},
		{"the client went away", canceled, func(_ http.ResponseWriter, r *http.Request) error {
			return r.Context().Err()
		}, 408, []string{"level=INFO", "kind=canceled"}, "Marker"},
		{"a deadline", t.Context(), func(http.ResponseWriter, *http.Request) error {
			return context.DeadlineExceeded
		}, 408, []string{"level=INFO", "kind=timeout"}, "Marker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp, log := edge(t, c.h, "GET /x", httptest.NewRequest("GET", "/x", nil).WithContext(c.ctx))
			if resp.StatusCode != c.status {
				t.Errorf("status = %d, want %d", resp.StatusCode, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(log, want) {
					t.Errorf("log lacks %q: %s", want, log)
				}
			}
			if strings.Contains(log, c.not) {
				t.Errorf("log holds %q: %s", c.not, log)
			}
		})
	}
}

func TestAdapt_CutsTheConnectionWhenAnErrorComesTooLate(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := serve.Adapt(func(w http.ResponseWriter, _ *http.Request) error {
		if _, err := w.Write(make([]byte, 5000)); err != nil {
			return err
		}
		return errors.New("too late")
	}, writeText)
	e := serve.Edge{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	server := httptest.NewServer(e.Wrap(serve.Compress(h)))
	resp, err := http.Get(server.URL)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	server.Close()
	if err == nil {
		t.Error("the client read half an answer without an error")
	}
	if !strings.Contains(log.String(), "aborted=true") || !strings.Contains(log.String(), "too late") {
		t.Errorf("log = %s", log.String())
	}
}

func TestEdge_LogsARequestWhoseErrorCannotBeAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := serve.Edge{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Limits: serve.Limits{URL: 1},
		Error: func(http.ResponseWriter, *http.Request, error) { panic("Marker") },
	}
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("the connection is not cut off: %v", v)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "serve_test.go") || strings.Contains(log.String(), "Marker") {
			t.Errorf("log: %s", log.String())
		}
	}()
	e.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/long", nil))
}

func TestEdge_AnswersAPanicOutsideOfHandlers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := serve.Edge{Logger: slog.New(slog.NewTextHandler(&log, nil)), Error: writeText}
	w := httptest.NewRecorder()
	e.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("Marker") })).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || strings.TrimSpace(w.Body.String()) != "internal error" {
		t.Errorf("got %d %q, want 500 by the error writer", w.Code, w.Body)
	}
	if strings.Contains(log.String()+w.Body.String(), "Marker") {
		t.Errorf("the panic's value came out: %s", log.String())
	}
}

func TestMetrics_CountByRouteTemplate(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	metrics, err := serve.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/{type}/{id}", serve.Adapt(func(http.ResponseWriter, *http.Request) error { return nil }, writeText))
	at := time.Unix(0, 0)
	e := serve.Edge{Metrics: metrics, Now: func() time.Time { at = at.Add(time.Second); return at }}
	h := e.Wrap(serve.Service("fhir", mux))
	for _, path := range []string{"/Patient/1", "/Patient/2", "/nowhere"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	want := `
# HELP salus_http_requests_in_flight HTTP requests being served now.
# TYPE salus_http_requests_in_flight gauge
salus_http_requests_in_flight 0
# HELP salus_http_requests_total HTTP requests answered.
# TYPE salus_http_requests_total counter
salus_http_requests_total{code="200",method="GET",route="/{type}/{id}",service="fhir"} 2
salus_http_requests_total{code="404",method="GET",route="none",service="fhir"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "salus_http_requests_total", "salus_http_requests_in_flight"); err != nil {
		t.Error(err)
	}
	if _, err := serve.NewMetrics(reg); err == nil {
		t.Error("registering twice gave no error")
	}
}
