package serve

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// worthwhile is the size from which a response is compressed: below it the
// saving is lost in one network packet.
const worthwhile = 1400

var gzipWriters = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(fmt.Sprintf("gzip refuses its own level: %v", err))
	}
	return z
}}

var compressors = sync.Pool{New: func() any { return &compressor{held: make([]byte, 0, worthwhile)} }}

// Compress gzips the responses of next for clients that accept it, when they are
// text and large enough.
func Compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead || !acceptsGzip(r.Header.Values("Accept-Encoding")) {
			next.ServeHTTP(&vary{ResponseWriter: w}, r)
			return
		}
		c := compressors.Get().(*compressor)
		*c = compressor{ResponseWriter: w, held: c.held[:0]}
		whole := false
		defer func() {
			if whole {
				c.close()
			}
			c.release()
		}()
		next.ServeHTTP(c, r)
		whole = true
	})
}

// AcceptsGzip reports whether a client takes answers as gzip.
func AcceptsGzip(r *http.Request) bool { return acceptsGzip(r.Header.Values("Accept-Encoding")) }

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func acceptsGzip(headers []string) bool {
	star, named, ok := false, false, false
	for _, h := range headers {
		for part := range strings.SplitSeq(h, ",") {
			coding, params, _ := strings.Cut(part, ";")
			wanted := quality(params) > 0
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				named, ok = true, ok || wanted
			case "*":
				star = wanted
			}
		}
	}
	return ok || star && !named
}

func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if name, value, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return 0 // a quality that is no number asks for nothing
			}
			return q
		}
	}
	return 1
}

// compressible reports whether a body with these headers gains from gzip.
func compressible(h http.Header, status int) bool {
	if status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusPartialContent ||
		h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" {
		return false
	}
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "json") || strings.HasSuffix(mediaType, "xml") ||
		mediaType == "application/javascript" || mediaType == "image/svg+xml" || mediaType == "application/wasm"
}

// vary marks uncompressed answers that would differ for another client.
type vary struct {
	http.ResponseWriter
	begun bool
}

func (v *vary) WriteHeader(status int) {
	if !v.begun && status >= 200 {
		v.begun = true
		if compressible(v.Header(), status) {
			v.Header().Add("Vary", "Accept-Encoding")
		}
	}
	v.ResponseWriter.WriteHeader(status)
}

func (v *vary) Write(b []byte) (int, error) {
	if !v.begun {
		v.WriteHeader(http.StatusOK)
	}
	return v.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (v *vary) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// compressor holds the start of a response until it knows whether to compress.
type compressor struct {
	http.ResponseWriter
	status  int // 0 until the handler sets it
	decided bool
	z       *gzip.Writer // nil when the response stays as it is
	held    []byte
}

func (c *compressor) WriteHeader(status int) {
	if status < 200 {
		c.ResponseWriter.WriteHeader(status)
		return
	}
	if c.status != 0 {
		return
	}
	c.status = status
	if !compressible(c.Header(), status) {
		c.decide(false)
		return
	}
	c.Header().Add("Vary", "Accept-Encoding")
	if n, err := strconv.Atoi(c.Header().Get("Content-Length")); err == nil {
		c.decide(n >= worthwhile)
	}
}

func (c *compressor) decide(compress bool) {
	c.decided = true
	if compress {
		c.Header().Del("Content-Length")
		c.Header().Set("Content-Encoding", "gzip")
		c.z = gzipWriters.Get().(*gzip.Writer)
		c.z.Reset(c.ResponseWriter)
	}
	c.ResponseWriter.WriteHeader(c.status)
}

func (c *compressor) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if !c.decided {
		if len(c.held)+len(b) < worthwhile {
			c.held = append(c.held, b...)
			return len(b), nil
		}
		c.decide(true)
		if _, err := c.z.Write(c.held); err != nil {
			return 0, err
		}
	}
	if c.z != nil {
		return c.z.Write(b)
	}
	return c.ResponseWriter.Write(b)
}

// Flush sends what has been written so far.
func (c *compressor) Flush() {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if !c.decided {
		c.decide(true)
		if _, err := c.z.Write(c.held); err != nil {
			return // the connection is gone, as the next Write will say
		}
	}
	if c.z != nil && c.z.Flush() != nil {
		return
	}
	if err := http.NewResponseController(c.ResponseWriter).Flush(); err != nil {
		return // the writer below cannot flush; the bytes go out at the end
	}
}

// Unwrap gives http.ResponseController the writer below.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// close ends a whole response. An error of the connection is the client's loss:
// net/http has already ended the request's context.
func (c *compressor) close() {
	if c.status == 0 {
		return // net/http answers 200 without a body
	}
	if !c.decided {
		c.Header().Set("Content-Length", strconv.Itoa(len(c.held)))
		c.decide(false)
		if _, err := c.ResponseWriter.Write(c.held); err != nil {
			return
		}
	}
	if c.z != nil && c.z.Close() != nil {
		return
	}
}

func (c *compressor) release() {
	if c.z != nil {
		gzipWriters.Put(c.z)
	}
	*c = compressor{held: c.held[:0]}
	compressors.Put(c)
}
