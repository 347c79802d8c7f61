package serve_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"salus/internal/serve"
)

func TestDeadline_AnswersWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := serve.Deadline(time.Minute, serve.Adapt(func(_ http.ResponseWriter, r *http.Request) error {
			<-r.Context().Done()
			return r.Context().Err()
		}, writeText))
		w, start := httptest.NewRecorder(), time.Now()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if took := time.Since(start); w.Code != 408 || took != time.Minute {
			t.Errorf("%d after %v: %s", w.Code, took, w.Body)
		}
	})
}

func TestDeadline_CutsAnAnswerThatHasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := serve.Deadline(time.Minute, serve.Adapt(func(w http.ResponseWriter, r *http.Request) error {
			if _, err := io.WriteString(w, "half"); err != nil {
				return err
			}
			<-r.Context().Done()
			return r.Context().Err()
		}, writeText))
		defer func() {
			if v := recover(); v != http.ErrAbortHandler {
				t.Errorf("recovered %v, want the connection cut", v)
			}
		}()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	})
}

func TestDeadline_LeavesTheClientsOwnEndAlone(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	var got error
	h := serve.Deadline(time.Minute, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Context().Err() }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	if !errors.Is(got, context.Canceled) {
		t.Errorf("the context ended with %v", got)
	}
}

// TestDeadline_AnswersWhoseBodyDoesNotCome goes over a connection, whose own
// deadlines end the wait.
func TestDeadline_AnswersWhoseBodyDoesNotCome(t *testing.T) {
	t.Parallel()
	h := serve.Deadline(time.Millisecond, serve.Adapt(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := serve.ReadBody(r, 1<<20)
		return err
	}, writeText))
	server := httptest.NewServer(serve.Edge{}.Wrap(h))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%d", res.StatusCode)
	}
}

// clocked notes the deadlines of a connection.
type clocked struct {
	http.ResponseWriter
	read, write time.Time
}

func (c *clocked) SetReadDeadline(t time.Time) error  { c.read = t; return nil }
func (c *clocked) SetWriteDeadline(t time.Time) error { c.write = t; return nil }

func TestDeadline_BoundsTheConnectionToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, start := &clocked{ResponseWriter: httptest.NewRecorder()}, time.Now()
		serve.Deadline(time.Minute, http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.read.Sub(start) != 61*time.Second || w.write.Sub(start) != 65*time.Second {
			t.Errorf("reading ends after %v, writing after %v", w.read.Sub(start), w.write.Sub(start))
		}
	})
}
