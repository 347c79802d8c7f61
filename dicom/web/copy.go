package web

import (
	"io"
	"sync"
)

// buffers are for copying files: large, since each piece costs two calls of the system.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// copyTo copies what r has to w in large pieces.
func copyTo(w io.Writer, r io.Reader) error {
	b := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(b)
	// Neither side may choose another way, with smaller pieces.
	_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, b[:])
	return err
}
