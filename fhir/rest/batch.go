package rest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/internal/serve"
)

// process is POST /: batch and transaction (FHIR R4 http §3.1.0.11).
func (s *server) process(w http.ResponseWriter, r *http.Request) error {
	f, err := formatOf(r, r.URL.Query())
	if err != nil {
		return err
	}
	p, err := prefer(r)
	if err != nil {
		return err
	}
	doc, err := s.body(r, s.maxBundle)
	if err != nil {
		return err
	}
	defer doc.Release()
	in := bundle.Request{Bundle: doc.Root(), Strict: p.strict, Base: s.base(r), Read: s.reader(r)}
	in.Logic = r.Header.Get("X-Bundle-Processing-Logic")
	response, err := s.bundles.Process(r.Context(), in)
	if err != nil {
		return err
	}
	b := s.newPage(w, f, in.Base, response.Type, -1)
	defer b.release()
	for i := range response.Entries {
		if err := b.result(r, &response.Entries[i], p.ret); err != nil {
			return err
		}
	}
	if response.Warning != nil {
		if err := b.warning(r, response.Warning); err != nil {
			return err
		}
	}
	return b.finish()
}

// warning adds an entry about the bundle as a whole.
//
// Compat: a warning about x-bundle-processing-logic is one more entry behind the
// others, with the status 405 as in the reference.
func (p *page) warning(r *http.Request, err error) error {
	issues := slices.Clone(fault.As(err).Issues)
	for i := range issues {
		issues[i].Severity = fault.Warning
	}
	p.open()
	p.member("response")
	*p.b = append(*p.b, `{"status":"405","outcome":`...)
	*p.b = append(appendOutcome(*p.b, p.s.outcomeID(r), p.s.now(), issues), '}')
	return p.close()
}

// result adds the answer to one entry.
func (p *page) result(r *http.Request, e *bundle.EntryResult, ret string) error {
	p.open()
	status, tag := e.Status, e.ETag
	var issues []fault.Issue
	if e.Err != nil {
		f := fault.As(e.Err)
		status, issues = answerTo(f)
		if f.Kind == fault.Gone && f.Version > 0 {
			tag = etag(f.Version)
		}
	}
	switch {
	case e.Err != nil:
	case e.Version != nil && ret != "minimal" && ret != "OperationOutcome":
		p.fullURL(e.Version.Key)
		p.member("resource")
		*p.b = e.Version.AppendJSON(*p.b)
	case len(e.Body) > 0:
		p.member("resource")
		*p.b = append(*p.b, e.Body...)
	}
	p.member("response")
	b := appendNumber(append(*p.b, `{"status":"`...), int64(status))
	b = append(b, '"')
	if e.Location != "" {
		b = fhir.AppendString(append(b, `,"location":`...), e.Location)
	}
	if tag != "" {
		b = fhir.AppendString(append(b, `,"etag":`...), tag)
	}
	if !e.LastModified.IsZero() {
		b = e.LastModified.UTC().AppendFormat(append(b, `,"lastModified":"`...), fhir.InstantLayout)
		b = append(b, '"')
	}
	switch {
	case issues != nil:
		b = appendOutcome(append(b, `,"outcome":`...), p.s.outcomeID(r), p.s.now(), issues)
	case e.Version != nil && ret == "OperationOutcome":
		b = p.s.appendDone(append(b, `,"outcome":`...), r, e.Outcome)
	}
	*p.b = append(b, '}')
	return p.close()
}

// reader answers the entries of a bundle that ask by the handlers that answer
// over HTTP.
func (s *server) reader(outer *http.Request) bundle.Reader {
	return func(ctx context.Context, g bundle.Get) (bundle.Reply, error) {
		target, err := url.ParseRequestURI("/" + g.URL)
		if err != nil {
			return bundle.Reply{}, fault.Wrap(fault.Invalid, err, "the URL of the entry is malformed")
		}
		r := (&http.Request{
			Method: http.MethodGet, URL: target, Host: outer.Host, TLS: outer.TLS, Header: http.Header{},
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
		}).WithContext(ctx)
		if g.Method == http.MethodPost {
			post(r, g.Body)
		}
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Prefer"} {
			r.Header[name] = outer.Header[name]
		}
		if _, err := formatOf(r, target.Query()); err != nil {
			return bundle.Reply{}, err
		}
		target.RawQuery = without(target.RawQuery, "_format", "_pretty") // the bundle has a format, its entries have none
		r.Header.Set("Accept", fhirJSON)                                 // also of a Binary the resource
		if g.IfNoneMatch != "" {
			r.Header.Set("If-None-Match", g.IfNoneMatch)
		}
		if g.IfModifiedSince != "" {
			r.Header.Set("If-Modified-Since", modifiedSince(g.IfModifiedSince))
		}
		inner := &recording{header: http.Header{}}
		serveBy(s.inner, inner, r)
		return inner.reply()
	}
}

// post makes r the POST of an operation with its parameters, or of a search,
// whose parameters all stand in the URL.
func post(r *http.Request, body []byte) {
	r.Method = http.MethodPost
	if strings.HasSuffix(r.URL.Path, "/_search") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return
	}
	r.Header.Set("Content-Type", fhirJSON)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// modifiedSince turns the instant of a bundle entry into an HTTP date.
func modifiedSince(text string) string {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC().Format(http.TimeFormat)
	}
	return text
}

// recording is the response to a GET entry.
type recording struct {
	header http.Header
	status int
	body   []byte
	err    error
}

// record is what stands in for serve.Adapt inside of a bundle: errors go to the
// entry and not to the wire.
func record(h serve.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(*recording).err = serve.Try(h, w, r)
	})
}

func (w *recording) Header() http.Header { return w.header }

func (w *recording) WriteHeader(status int) { w.status = status }

func (w *recording) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

func (w *recording) reply() (bundle.Reply, error) {
	if w.err != nil {
		return bundle.Reply{}, w.err
	}
	reply := bundle.Reply{Status: w.status, Body: w.body, ETag: w.header.Get("ETag")}
	if text := w.header.Get("Last-Modified"); text != "" {
		t, err := http.ParseTime(text)
		if err != nil {
			return bundle.Reply{}, fault.Wrap(fault.Internal, err, "Last-Modified is no HTTP date")
		}
		reply.LastModified = t
	}
	return reply, nil
}

func appendNumber(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
