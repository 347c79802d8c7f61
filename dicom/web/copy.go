package web

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// buffers are for copying files: large, since each piece costs two calls of the system.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// copyTo copies what r has to w in large pieces. A study may take as long as it takes, as long as its client goes on reading.
func copyTo(w http.ResponseWriter, r io.Reader) error {
	_, err := slow(w).ReadFrom(r)
	return err
}

// pieceTimeout is how long a client may take for one piece.
const pieceTimeout = 2 * time.Minute

// slow returns w with time for each piece.
func slow(w http.ResponseWriter) *unhurried { return &unhurried{w, http.NewResponseController(w)} }

type unhurried struct {
	http.ResponseWriter
	c *http.ResponseController
}

func (u *unhurried) Write(b []byte) (int, error) {
	if err := u.c.SetWriteDeadline(time.Now().Add(pieceTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return u.ResponseWriter.Write(b)
}

// ReadFrom copies what r has. Neither side may choose another way, with smaller pieces.
func (u *unhurried) ReadFrom(r io.Reader) (int64, error) {
	b := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{u}, struct{ io.Reader }{r}, b[:])
}

// Unwrap is for http.ResponseController.
func (u *unhurried) Unwrap() http.ResponseWriter { return u.ResponseWriter }
