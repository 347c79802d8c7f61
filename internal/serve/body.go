package serve

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"salus/fault"
)

// eager is how much a declared length may make ReadBody reserve in advance.
const eager = 1 << 20

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// ReadBody reads a request's body once, inflating it when it is sent as gzip.
// The result is at most limit bytes, and at most thrice as many are read from the wire. Errors are
// faults: TooLarge, MediaType for another coding, Invalid for broken gzip,
// Canceled and Timeout when the client stopped sending, Throttled when a Gate
// before has no memory left for the body.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	b, err := readBody(r, limit)
	if fault.Is(err, fault.TooLarge) {
		linger(r, limit)
	}
	return b, err
}

// linger reads on, without keeping anything, as much again as is allowed. A
// client that is cut off while it sends a body that is too large often fails by
// that and never reads the answer which says so (RFC 9112 §9.6).
func linger(r *http.Request, most int64) {
	if r.Header.Get("Expect") != "" {
		return // it waits for the answer; a read would ask it to send
	}
	if _, err := io.CopyN(io.Discard, r.Body, min(max(r.ContentLength, most), 2*most)); err != nil {
		return // the body is at its end or the client has left; the answer is the same
	}
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	a := infoOf(r.Context()).body
	defer a.settled()
	reserve := func(size int64) error { return a.reserve(r.Context(), size) }
	switch coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
		return readAll(r.Body, max(r.ContentLength, 0), limit, reserve)
	case "gzip", "x-gzip":
		z := gzipReaders.Get().(*gzip.Reader)
		defer gzipReaders.Put(z)
		if err := z.Reset(io.LimitReader(r.Body, limit+limit/1000+1024)); err != nil {
			return nil, readFault(err)
		}
		return readAll(z, 4*max(r.ContentLength, 0), limit, reserve)
	}
	return nil, fault.New(fault.MediaType, "Content-Encoding must be gzip or identity")
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the request body is larger than the limit of %d bytes", limit)
}

// readAll reads r to its end. expect is a guess of the length, at 0 there is none.
// Before the result grows beyond what reserve was called for, it is called for more.
func readAll(r io.Reader, expect, limit int64, reserve func(int64) error) ([]byte, error) {
	reserved := max(small, min(expect, limit))
	if err := reserve(reserved); err != nil {
		return nil, err
	}
	b := make([]byte, 0, min(expect, limit, eager)+512)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return nil, tooLarge(limit)
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, readFault(err)
		}
		if int64(len(b)) >= reserved && reserved < limit {
			if err := reserve(min(4*reserved, limit)); err != nil {
				return nil, err
			}
			reserved = min(4*reserved, limit)
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func readFault(err error) error {
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return tooLarge(tooBig.Limit)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.EOF):
		return fault.Wrap(fault.Invalid, err, "the request body is not valid gzip")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the request body came too slowly")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Wrap(fault.Invalid, err, "the request body ended too early")
	}
	return fault.Wrap(fault.Invalid, err, "the request body could not be read")
}
