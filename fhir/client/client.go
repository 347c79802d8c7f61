// Package client speaks the FHIR RESTful API (R4) over HTTP as a program needs
// it: bodies in and out as bytes, refusals as faults made from the service's
// OperationOutcome.
//
// It promises to send a request again only when the service itself said that it
// did nothing (429, 503), to wait as long as it was told, and to keep
// connections for the next request. It leaves the content of resources to
// others.
package client

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"salus/fault"
	"salus/fhir"
)

// mediaType is what is sent and accepted.
const mediaType = "application/fhir+json"

// Defaults of Options.
const (
	DefaultRetries  = 8
	DefaultMaxDelay = 20 * time.Second
	baseDelay       = 100 * time.Millisecond
)

// Options of a Client. The zero value is ready to use.
type Options struct {
	HTTP     *http.Client                               // makes the requests; nil for one of its own that keeps enough connections
	Header   http.Header                                // added to every request, such as Authorization
	Gzip     bool                                       // compress the bodies of requests
	Retries  int                                        // after the first try; 0 for DefaultRetries, negative for none
	MaxDelay time.Duration                              // between two tries at most, also when told more; 0 for DefaultMaxDelay
	Now      func() time.Time                           // reads the clock, for Retry-After with a date; nil for time.Now
	Jitter   func() float64                             // returns a random number in [0, 1); nil for math/rand/v2
	Sleep    func(context.Context, time.Duration) error // waits; nil for a timer
}

// Client is a FHIR service seen from outside. It is safe for concurrent use.
type Client struct {
	base string
	o    Options
	zips sync.Pool
}

// New returns a client of the service whose base URL is base, such as
// http://127.0.0.1:8080/default/fhir. It sends nothing yet. A base that is no
// absolute HTTP URL is Invalid.
func New(base string, o Options) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fault.New(fault.Invalid, "the address of a FHIR service must be an absolute http or https URL")
	}
	if o.HTTP == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 256
		o.HTTP = &http.Client{Transport: t}
	}
	if o.Retries == 0 {
		o.Retries = DefaultRetries
	}
	if o.MaxDelay == 0 {
		o.MaxDelay = DefaultMaxDelay
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Client{base: strings.TrimRight(base, "/"), o: o}, nil
}

// Base returns the base URL of the service, without a trailing slash.
func (c *Client) Base() string { return c.base }

// Close drops idle connections. The client stays usable.
func (c *Client) Close() { c.o.HTTP.CloseIdleConnections() }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Request is one interaction.
type Request struct {
	Method string
	Path   string // relative to the base, with its query: "Patient?name=x"; or absolute, as in the links of a Bundle
	Body   []byte // JSON; nil for none
	Header http.Header
}

// Response is a service's answer with a status below 400.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Version returns the version that the answer's ETag names, 0 when it names none.
func (r *Response) Version() int64 {
	tag := strings.Trim(strings.TrimPrefix(r.Header.Get("ETag"), "W/"), `"`)
	n, err := strconv.ParseInt(tag, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Location returns the resource that the answer's Location names (FHIR R4 http
// §3.1.0.8), the zero Key when it names none.
func (r *Response) Location() fhir.Key { return KeyOf(r.Header.Get("Location")) }

// KeyOf returns the resource that a location such as
// http://host/base/Patient/1/_history/2 or Patient/1 names, or the zero Key.
func KeyOf(location string) fhir.Key {
	location, _, _ = strings.Cut(location, "/_history/")
	parts := strings.Split(location, "/")
	if n := len(parts); n >= 2 && fhir.ValidID(parts[n-1]) {
		return fhir.Key{Type: fhir.Type(parts[n-2]), ID: fhir.ID(parts[n-1])}
	}
	return fhir.Key{}
}

// Do makes one request, again after 429 and 503, and returns the answer. A
// status from 400 on is a fault of the kind it stands for; a service that
// cannot be reached is Unavailable; an ended context is Canceled or Timeout.
func (c *Client) Do(ctx context.Context, q Request) (*Response, error) {
	body, zipped, err := c.pack(q.Body)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		resp, err := c.once(ctx, q, body, zipped)
		if err != nil {
			return nil, err
		}
		if resp.Status < 400 {
			return resp, nil
		}
		f := c.faultOf(resp)
		if try >= c.o.Retries || resp.Status != http.StatusTooManyRequests && resp.Status != http.StatusServiceUnavailable {
			return nil, f
		}
		if err := c.o.Sleep(ctx, c.delay(try, f.RetryAfter)); err != nil {
			return nil, unreachable(ctx, err)
		}
	}
}

// delay doubles from try to try up to the limit, and takes a random part of
// that off, so that clients refused together do not come back together. What
// the service asked for is the least.
func (c *Client) delay(try int, asked time.Duration) time.Duration {
	d := min(baseDelay<<min(try, 20), c.o.MaxDelay)
	d -= time.Duration(c.o.Jitter() * float64(d) / 2)
	return min(max(d, asked), c.o.MaxDelay)
}

// packFrom is the size from which on compression pays.
const packFrom = 1 << 10

func (c *Client) pack(body []byte) (packed []byte, zipped bool, err error) {
	if !c.o.Gzip || len(body) < packFrom {
		return body, false, nil
	}
	var b bytes.Buffer
	w, ok := c.zips.Get().(*gzip.Writer)
	if !ok {
		w, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // errs for unknown levels only
	}
	defer c.zips.Put(w)
	w.Reset(&b)
	if _, err := w.Write(body); err != nil {
		return nil, false, fault.Wrap(fault.Internal, err, "cannot compress a request")
	}
	if err := w.Close(); err != nil {
		return nil, false, fault.Wrap(fault.Internal, err, "cannot compress a request")
	}
	return b.Bytes(), true, nil
}

func (c *Client) once(ctx context.Context, q Request, body []byte, zipped bool) (*Response, error) {
	target := q.Path
	if !strings.HasPrefix(target, "http://") && !strings.HasPrefix(target, "https://") {
		target = strings.TrimRight(c.base+"/"+strings.TrimLeft(q.Path, "/"), "/")
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot make a request of this method and path")
	}
	for _, h := range []http.Header{c.o.Header, q.Header} {
		for name, values := range h {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", mediaType)
	}
	if q.Body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", mediaType)
	}
	if zipped {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := c.o.HTTP.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	b, err := readBody(resp)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: b}, nil
}

func readBody(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if resp.ContentLength >= 0 && resp.ContentLength < 1<<30 {
		b := make([]byte, resp.ContentLength)
		_, err := io.ReadFull(resp.Body, b)
		return b, err
	}
	return io.ReadAll(resp.Body)
}

// unreachable says why no answer came.
func unreachable(ctx context.Context, err error) error {
	switch ctx.Err() {
	case context.Canceled:
		return fault.Wrap(fault.Canceled, err, "the request was given up")
	case context.DeadlineExceeded:
		return fault.Wrap(fault.Timeout, err, "the FHIR service took too long")
	}
	return fault.Wrap(fault.Unavailable, err, "no answer from the FHIR service")
}
