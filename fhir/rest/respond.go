package rest

import (
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

// send answers with the resource in b, which is JSON.
func (s *server) send(w http.ResponseWriter, status int, f format, b *[]byte) error {
	out := buffers.get()
	defer buffers.put(out)
	body, err := s.encode(out, f, *b)
	if err != nil {
		return err
	}
	return sendText(w, status, f, body)
}

// setFormat sets the headers that tell the format and what it hangs on.
func setFormat(h http.Header, f format) {
	h.Set("Content-Type", f.contentType+"; charset=utf-8")
	h.Add("Vary", "Accept")
}

// sendText answers with a body that is in the format f.
func sendText(w http.ResponseWriter, status int, f format, body []byte) error {
	h := w.Header()
	setFormat(h, f)
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
// appended to *out goes out when there is enough of it. JSON is gathered in *b, which is
// *out unless it becomes XML piece by piece.
type stream struct {
	s      *server
	w      http.ResponseWriter
	f      format
	b, out *[]byte
	begun  bool
	err    error // of the XML of what stands before the entries
}

// advance sends what has gathered, if it is enough.
func (o *stream) advance() error {
	if len(*o.out) < spill || o.f.pretty {
		return nil
	}
	if !o.begun {
		o.begun = true
		setFormat(o.w.Header(), o.f)
		o.w.WriteHeader(http.StatusOK)
	}
	_, err := o.w.Write(*o.out)
	*o.out = (*o.out)[:0]
	if err != nil {
		return fmt.Errorf("send response: %w", err)
	}
	return nil
}

// end sends the rest.
func (o *stream) end() error {
	switch {
	case o.begun:
	case o.out != o.b:
		return sendText(o.w, http.StatusOK, o.f, *o.out)
	default:
		return o.s.send(o.w, http.StatusOK, o.f, o.b)
	}
	if _, err := o.w.Write(*o.out); err != nil {
		return fmt.Errorf("send response: %w", err)
	}
	return nil
}
