package serve_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"salus/internal/serve"
)

// broken is a connection that takes nothing.
type broken struct {
	http.ResponseWriter
	err error
}

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestEdge_TellsALostClientFromAWrongResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{syscall.EPIPE, "level=INFO"},
		{http.ErrContentLength, "level=ERROR"},
	} {
		var log bytes.Buffer
		h := serve.Adapt(func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write([]byte("text"))
			return err
		}, writeText)
		e := serve.Edge{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%v: recovered %v, want the connection cut", c.err, v)
				}
			}()
			e.Wrap(h).ServeHTTP(broken{httptest.NewRecorder(), c.err}, httptest.NewRequest("GET", "/", nil))
		}()
		if !strings.Contains(log.String(), c.want) || !strings.Contains(log.String(), "aborted=true") {
			t.Errorf("%v: log %q, want %s", c.err, log.String(), c.want)
		}
	}
}
