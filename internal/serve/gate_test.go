package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"salus/fault"
	"salus/internal/serve"
)

// desk is a handler behind a gate that works on a request until it is told to
// end it.
type desk struct {
	handler http.Handler
	metrics *prometheus.Registry
	begun   []string // X-Request-Id of requests in the order in which their work began
	end     chan struct{}
	refused []error
}

func newDesk(t *testing.T, o serve.GateOptions) *desk {
	t.Helper()
	d := &desk{metrics: prometheus.NewRegistry(), end: make(chan struct{})}
	gate, err := serve.NewGate(o, d.metrics)
	if err != nil {
		t.Fatal(err)
	}
	work := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d.begun = append(d.begun, r.Header.Get("X-Request-Id"))
		<-d.end
	})
	isProbe := func(r *http.Request) bool { return r.URL.Path == "/metadata" }
	d.handler = gate.Admit(work, isProbe, func(w http.ResponseWriter, _ *http.Request, err error) {
		d.refused = append(d.refused, err)
		w.WriteHeader(http.StatusTooManyRequests)
	})
	return d
}

// send sends a request in a goroutine of the bubble.
func (d *desk) send(ctx context.Context, path, id string) {
	r := httptest.NewRequest("POST", path, untouchable{}).WithContext(ctx)
	r.Header.Set("X-Request-Id", id)
	go d.handler.ServeHTTP(httptest.NewRecorder(), r)
	synctest.Wait()
}

// untouchable is a body that must not be read.
type untouchable struct{}

func (untouchable) Read([]byte) (int, error) {
	panic("the body was read before the request was admitted")
}

func (d *desk) want(t *testing.T, begun []string, working, queued, refused int) {
	t.Helper()
	if !slices.Equal(d.begun, begun) {
		t.Errorf("work began on %v, want %v", d.begun, begun)
	}
	want := fmt.Sprintf(`
# HELP salus_http_body_bytes Bytes that the bodies of HTTP requests in work may take now, small ones excepted.
# TYPE salus_http_body_bytes gauge
salus_http_body_bytes 0
# HELP salus_http_requests_in_work HTTP requests admitted to work now.
# TYPE salus_http_requests_in_work gauge
salus_http_requests_in_work %d
# HELP salus_http_requests_queued HTTP requests waiting to be admitted now.
# TYPE salus_http_requests_queued gauge
salus_http_requests_queued %d
# HELP salus_http_requests_refused_total HTTP requests refused because too many, or too large ones, were in work.
# TYPE salus_http_requests_refused_total counter
salus_http_requests_refused_total %d
`, working, queued, refused)
	if err := testutil.GatherAndCompare(d.metrics, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestGate_AdmitsInOrderAndRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, serve.GateOptions{Work: 1, Queue: 2, Wait: time.Minute})
		for _, id := range []string{"a", "b", "c", "d"} {
			d.send(t.Context(), "/", id)
		}
		d.want(t, []string{"a"}, 1, 2, 1)
		if f := fault.As(d.refused[0]); f.Kind != fault.Throttled || f.RetryAfter <= 0 {
			t.Errorf("refused with %v, retry after %v", f, f.RetryAfter)
		}
		d.end <- struct{}{}
		synctest.Wait()
		d.want(t, []string{"a", "b"}, 1, 1, 1)
		d.send(t.Context(), "/", "e")
		d.end <- struct{}{}
		synctest.Wait()
		d.want(t, []string{"a", "b", "c"}, 1, 1, 1)
		close(d.end)
		synctest.Wait()
		d.want(t, []string{"a", "b", "c", "e"}, 0, 0, 1)
	})
}

func TestGate_RefusesWhoHasWaitedTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, serve.GateOptions{Work: 1, Queue: 2, Wait: time.Minute})
		d.send(t.Context(), "/", "a")
		d.send(t.Context(), "/", "b")
		time.Sleep(time.Minute) // of the bubble's clock
		synctest.Wait()
		d.want(t, []string{"a"}, 1, 0, 1)
		if !fault.Is(d.refused[0], fault.Throttled) {
			t.Errorf("refused with %v", d.refused[0])
		}
		close(d.end)
	})
}

func TestGate_GivesThePlaceOfAClientThatLeftToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, serve.GateOptions{Work: 1, Queue: 1, Wait: time.Minute})
		ctx, leave := context.WithCancel(t.Context())
		d.send(t.Context(), "/", "a")
		d.send(ctx, "/", "b")
		leave()
		synctest.Wait()
		d.send(t.Context(), "/", "c")
		d.want(t, []string{"a"}, 1, 1, 0)
		if !fault.Is(d.refused[0], fault.Canceled) {
			t.Errorf("refused with %v", d.refused[0])
		}
		close(d.end)
		synctest.Wait()
		d.want(t, []string{"a", "c"}, 0, 0, 0)
	})
}

func TestGate_LetsProbesPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, serve.GateOptions{Work: 1})
		d.send(t.Context(), "/", "a")
		d.send(t.Context(), "/metadata", "b")
		d.send(t.Context(), "/", "c")
		d.want(t, []string{"a", "b"}, 1, 0, 1)
		close(d.end)
	})
}

func TestGate_FreesThePlaceOfAPanic(t *testing.T) {
	t.Parallel()
	gate, err := serve.NewGate(serve.GateOptions{Work: 1}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h := gate.Admit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		func(*http.Request) bool { return false },
		func(_ http.ResponseWriter, _ *http.Request, err error) { t.Errorf("refused: %v", err) })
	for range 2 {
		func() {
			defer func() {
				if recover() != http.ErrAbortHandler {
					t.Error("the handler was not reached")
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}()
	}
}
