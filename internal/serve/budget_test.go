package serve_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"salus/fault"
	"salus/internal/serve"
)

const mib = 1 << 20

// reading is a handler behind a gate that reads the body of a request, keeps it
// until it is told to end, and answers.
type reading struct {
	handler http.Handler
	read    []string // X-Request-Id of requests whose bodies were read
	refused []string
	end     chan struct{}
}

func newReading(t *testing.T, o serve.GateOptions) *reading {
	t.Helper()
	d := &reading{end: make(chan struct{})}
	gate, err := serve.NewGate(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	read := serve.Adapt(func(w http.ResponseWriter, r *http.Request) error {
		for range 2 { // as who reads again what it has, such as an entry of a bundle
			b, err := serve.ReadBody(r, 8*mib)
			if err != nil {
				return err
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			r.Header.Del("Content-Encoding")
		}
		d.read = append(d.read, r.Header.Get("X-Request-Id"))
		<-d.end
		return nil
	}, func(w http.ResponseWriter, r *http.Request, err error) {
		if !fault.Is(err, fault.Throttled) || fault.As(err).RetryAfter == 0 {
			t.Errorf("%s: %v", r.Header.Get("X-Request-Id"), err)
		}
		d.refused = append(d.refused, r.Header.Get("X-Request-Id"))
	})
	d.handler = serve.Edge{}.Wrap(gate.Admit(read, func(*http.Request) bool { return false }, nil))
	return d
}

// send sends a body of size zeros in a goroutine of the bubble.
func (d *reading) send(t *testing.T, id string, size int, how string) {
	body := make([]byte, size)
	if how == "gzip" {
		body = gzipped(t, body)
	}
	r := httptest.NewRequestWithContext(context.Background(), "POST", "/", bytes.NewReader(body))
	r.Header.Set("X-Request-Id", id)
	switch how {
	case "gzip":
		r.Header.Set("Content-Encoding", "gzip")
	case "chunked":
		r.ContentLength = -1
	}
	go d.handler.ServeHTTP(httptest.NewRecorder(), r)
	synctest.Wait()
}

func (d *reading) want(t *testing.T, read, refused []string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(d.read, read) || !slices.Equal(d.refused, refused) {
		t.Errorf("read %v, refused %v, want %v and %v", d.read, d.refused, read, refused)
	}
}

func TestGate_BodiesWaitForMemory(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"declared", "chunked", "gzip"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newReading(t, serve.GateOptions{Work: 9, Wait: time.Minute, Bytes: 8 * mib})
				d.send(t, "first", 6*mib, how)
				d.send(t, "large", 5*mib, how)
				d.send(t, "small", 60<<10, how)
				d.want(t, []string{"first", "small"}, nil)
				d.end <- struct{}{} // whichever: first came first
				d.end <- struct{}{}
				d.want(t, []string{"first", "small", "large"}, nil)
				d.send(t, "late", 7*mib, how)
				time.Sleep(time.Minute)
				d.want(t, []string{"first", "small", "large"}, []string{"late"})
				close(d.end)
			})
		})
	}
}

func TestGate_ABodyThatIsLargerThanAllMemoryIsReadAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newReading(t, serve.GateOptions{Work: 9, Wait: time.Minute, Bytes: mib})
		d.send(t, "larger", 4*mib, "declared")
		d.send(t, "next", 4*mib, "chunked")
		d.want(t, []string{"larger"}, nil)
		close(d.end)
		d.want(t, []string{"larger", "next"}, nil)
	})
}
