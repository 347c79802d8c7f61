package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"salus/fault"
	"salus/fhir"
)

// buffers are what responses are written into before they go out.
var buffers = bufferPool{sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}}

type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() *[]byte { return p.pool.Get().(*[]byte) }

// put gives a buffer back, unless a huge response has made it huge.
func (p *bufferPool) put(b *[]byte) {
	if cap(*b) <= 1<<20 {
		*b = (*b)[:0]
		p.pool.Put(b)
	}
}

func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// setVersion sets the headers that tell which version is answered with.
func setVersion(h http.Header, v fhir.Version) {
	h.Set("ETag", etag(v.Number))
	h.Set("Last-Modified", v.Updated.UTC().Format(http.TimeFormat))
}

// fresh reports whether the client already has v (RFC 9110 §13.2.2: If-None-Match
// decides alone when it is there).
func fresh(r *http.Request, v fhir.Version) bool {
	if tags := r.Header.Values("If-None-Match"); len(tags) > 0 {
		own := strings.TrimPrefix(etag(v.Number), "W/")
		for tag := range strings.SplitSeq(strings.Join(tags, ","), ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == own {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !v.Updated.Truncate(time.Second).After(since)
}

// sendVersion answers with the wanted part of a version.
func (s *server) sendVersion(w http.ResponseWriter, status int, f format, part subset, v fhir.Version) error {
	b := buffers.get()
	defer buffers.put(b)
	var err error
	if *b, err = s.appendVersion(*b, part, v); err != nil {
		return err
	}
	return s.send(w, status, f, b)
}

// appendVersion appends the wanted part of a version.
func (s *server) appendVersion(dst []byte, part subset, v fhir.Version) ([]byte, error) {
	if part.whole() {
		return v.AppendJSON(dst), nil
	}
	d, err := fhir.Parse(v.JSON())
	if err != nil {
		return dst, fault.Wrap(fault.Internal, err, "the stored resource %s is damaged", v.Key)
	}
	defer d.Release()
	return part.append(dst, s.defs, d.Root()), nil
}

// send answers with the body in b, which it may replace by an indented one.
func (s *server) send(w http.ResponseWriter, status int, f format, b *[]byte) error {
	body := *b
	if f.pretty {
		var indented bytes.Buffer
		if err := json.Indent(&indented, body, "", "  "); err != nil {
			return fault.Wrap(fault.Internal, err, "the response is not valid JSON")
		}
		body = indented.Bytes()
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType+"; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("send response: %w", err)
	}
	return nil
}

// spill is how much of a response is kept back before it begins.
const spill = 64 << 10

// stream is a response that may be larger than one wants to hold. What is
// appended to *b goes out when there is enough of it.
type stream struct {
	s     *server
	w     http.ResponseWriter
	f     format
	b     *[]byte
	begun bool
}

// advance sends what has gathered, if it is enough.
func (o *stream) advance() error {
	if len(*o.b) < spill || o.f.pretty {
		return nil
	}
	if !o.begun {
		o.begun = true
		o.w.Header().Set("Content-Type", o.f.contentType+"; charset=utf-8")
		o.w.WriteHeader(http.StatusOK)
	}
	_, err := o.w.Write(*o.b)
	*o.b = (*o.b)[:0]
	if err != nil {
		return fmt.Errorf("send response: %w", err)
	}
	return nil
}

// end sends the rest.
func (o *stream) end() error {
	if !o.begun {
		return o.s.send(o.w, http.StatusOK, o.f, o.b)
	}
	if _, err := o.w.Write(*o.b); err != nil {
		return fmt.Errorf("send response: %w", err)
	}
	return nil
}
