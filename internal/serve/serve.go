// Package serve is what every HTTP surface of Salus shares: handlers that return
// errors, request ids, one access-log line per request, recovery from panics,
// limits on requests, admission to work, deadlines, compression and metrics.
//
// It promises that a request is logged and counted once, at the edge, by route
// template and never by path, query or body; that a response that has begun is
// cut off rather than finished with an error text; and that an inflated body
// never exceeds its limit. How an error looks on the wire is left to each
// protocol's ErrorWriter, who may call to package auth, and routing to
// http.ServeMux.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"salus/fault"
)

// Handler answers a request or returns an error before it has written anything.
type Handler func(http.ResponseWriter, *http.Request) error

// ErrorWriter writes an error in the form of its protocol. It gets every error
// once, with a response that has not begun.
type ErrorWriter func(http.ResponseWriter, *http.Request, error)

// Adapt makes an http.Handler of h. Its errors, and its panics as faults of kind
// Internal, go to write and into the access log. An error after the response has
// begun ends the connection, so that no client takes half an answer for a whole
// one.
func Adapt(h Handler, write ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := infoOf(r.Context())
		info.route = r.Pattern
		t := &tracker{ResponseWriter: w}
		err := Try(h, t, r)
		if err == nil {
			return
		}
		info.err = err
		if t.started {
			panic(http.ErrAbortHandler)
		}
		write(w, r, err)
	})
}

// Try runs h and turns a panic into a fault of kind Internal, and the end of the
// request's context into one of kind Canceled or Timeout.
func Try(h Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err = fault.Wrap(fault.Internal, &panicked{value: v, stack: debug.Stack()}, "internal error")
		}
	}()
	return settle(r.Context(), h(w, r))
}

// settle names what the end of the request's context means.
func settle(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case fault.KindOf(err) != fault.Internal:
		return err
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return fault.Wrap(fault.Canceled, err, "the client went away")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the request took too long")
	}
	return err
}

// panicked is a panic as an error. Its text holds the value only if the runtime
// made it: what other code panics with could hold patient data.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string {
	if e, ok := p.value.(runtime.Error); ok {
		return fmt.Sprintf("panic: %v\n%s", e, p.stack)
	}
	return fmt.Sprintf("panic with a %T\n%s", p.value, p.stack)
}

// tracker knows whether the response has begun.
type tracker struct {
	http.ResponseWriter
	started bool
}

func (t *tracker) WriteHeader(status int) {
	t.started = t.started || status >= 200
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracker) Write(b []byte) (int, error) {
	t.started = true
	return t.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (t *tracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }
