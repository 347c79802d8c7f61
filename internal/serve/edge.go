package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"salus/fault"
)

// Edge is the outermost handler: it gives each request its ids and each answer
// the headers that make it safe, refuses what is over a limit, answers panics
// that nothing below has caught, and logs and counts the request when it is over.
type Edge struct {
	Logger  *slog.Logger
	Limits  Limits
	Error   ErrorWriter      // of what the edge itself answers; nil: 500 without a body
	Metrics *Metrics         // nil: not counted
	Now     func() time.Time // nil: time.Now
	NewID   func() string    // makes request ids; nil: random UUIDs
}

// info is what the edge learns of a request while it is served.
type info struct {
	requestID, correlationID string
	service, route           string
	audit                    map[string]string
	body                     *account // nil: bodies are not counted
	err                      error
}

type infoKey struct{}

func infoOf(ctx context.Context) *info {
	if i, ok := ctx.Value(infoKey{}).(*info); ok {
		return i
	}
	return new(info)
}

// RequestID returns the id that the edge gave to the request, "" outside of one.
func RequestID(ctx context.Context) string { return infoOf(ctx).requestID }

// CorrelationID returns the id by which the client knows the request: the
// X-Request-Id it sent, otherwise the request's own id.
func CorrelationID(ctx context.Context) string { return infoOf(ctx).correlationID }

// Service names the service that next is part of, for log and metrics. Names
// must come from a small set, not from requests.
func Service(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		infoOf(r.Context()).service = name
		next.ServeHTTP(w, r)
	})
}

// safety are headers of every answer. Health data is not to be kept where others
// can find it, and a browser that shows an answer by itself is not to run
// anything out of it. A handler may set others in their place. The slices are
// shared, and full, so that adding to one copies it.
var safety = map[string][]string{
	"Cache-Control":           {"no-store"},                                   // RFC 9111 §5.2.2.5
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"}, // CSP level 3 §6
	"Referrer-Policy":         {"no-referrer"},                                // URLs hold ids and queries
	"X-Content-Type-Options":  {"nosniff"},                                    // Fetch standard §3.6
}

// Wrap puts the edge around next.
func (e Edge) Wrap(next http.Handler) http.Handler {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.NewID == nil {
		e.NewID = uuid.NewString
	}
	if e.Error == nil {
		e.Error = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusInternalServerError) }
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := e.Now()
		i := &info{requestID: e.NewID()}
		i.correlationID = i.requestID
		if id := r.Header.Get("X-Request-Id"); validRequestID(id) {
			i.correlationID = id
		}
		h := w.Header()
		h.Set("X-Request-Id", i.requestID)
		h.Set("X-Correlation-Id", i.correlationID)
		maps.Copy(h, safety)

		rec := &recorder{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, i))
		e.Metrics.begin()
		defer func() {
			v := recover()
			if v != nil && v != http.ErrAbortHandler {
				i.err = fault.Wrap(fault.Internal, &panicked{value: v, stack: debug.Stack()}, "internal error")
				if rec.status > 0 || !e.answered(rec, r, i.err) {
					v = http.ErrAbortHandler
				}
			}
			e.finish(r, rec, i, e.Now().Sub(start), v == http.ErrAbortHandler)
			if v == http.ErrAbortHandler {
				panic(v)
			}
		}()
		if i.audit, i.err = e.Limits.check(r); i.err != nil {
			e.Error(rec, r, i.err)
			return
		}
		next.ServeHTTP(rec, r)
	})
}

// answered answers an error after a panic and reports whether it could: what
// panicked may have been the answer to another error.
func (e Edge) answered(rec *recorder, r *http.Request, err error) (ok bool) {
	defer func() { ok = recover() == nil }()
	e.Error(rec, r, err)
	return true
}

// finish logs and counts. The route is the pattern that matched; path and query
// stay out, since they hold ids and values of patients.
func (e Edge) finish(r *http.Request, rec *recorder, i *info, took time.Duration, aborted bool) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	method, route := closedMethod(r.Method), template(i.route)
	e.Metrics.end(i.service, method, route, rec.status, took)
	if e.Logger == nil {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("method", method), slog.String("service", i.service), slog.String("route", route),
		slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes), slog.Duration("duration", took),
		slog.String("request_id", i.requestID))
	if i.correlationID != i.requestID {
		attrs = append(attrs, slog.String("correlation_id", i.correlationID))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	level := slog.LevelInfo
	if i.err != nil {
		f := fault.As(i.err)
		attrs = append(attrs, slog.String("kind", f.Kind.String()))
		if rec.status >= 500 || f.Kind == fault.Internal {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", i.err.Error()))
		} // what a client did wrong is for the client: the text may name a patient's id, its cause quote a value
	}
	e.Logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// template cuts the method off a pattern of http.ServeMux.
func template(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	if pattern == "" {
		return "none"
	}
	return pattern
}

func closedMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// validRequestID reports whether a client's id is fit to be echoed and logged.
func validRequestID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._:+/=|", c) >= 0) {
			return false
		}
	}
	return true
}

// recorder notes status and size of a response as it leaves.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, http.ErrContentLength), errors.Is(err, http.ErrBodyNotAllowed), errors.Is(err, http.ErrHijacked):
		return n, fmt.Errorf("write response: %w", err) // the handler's fault
	}
	return n, fault.Wrap(fault.Canceled, err, "the client went away")
}

// Unwrap gives http.ResponseController the writer below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
