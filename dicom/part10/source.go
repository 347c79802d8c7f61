package part10

import (
	"bufio"
	"errors"
	"io"
)

// source is a stream that knows its place. The first error other than the end is kept and returned by every later call.
type source struct {
	buffered *bufio.Reader
	pos      int64
	err      error
}

func newSource(r io.Reader) *source {
	return &source{buffered: bufio.NewReaderSize(r, readBuffer)}
}

// peek returns up to n of the next bytes without taking them; fewer only at the end or after an error.
func (s *source) peek(n int) ([]byte, bool) {
	b, err := s.buffered.Peek(n)
	if err != nil {
		s.keep(err)
	}
	return b, len(b) == n
}

// skip passes over n bytes and reports whether they were there.
func (s *source) skip(n int64) bool {
	for n > 0 {
		step := int(min(n, 1<<30))
		done, err := s.buffered.Discard(step)
		s.pos += int64(done)
		n -= int64(done)
		if err != nil {
			s.keep(err)
			return false
		}
	}
	return true
}

// fill reads bytes until b is full and reports whether there were enough.
func (s *source) fill(b []byte) bool {
	n, err := io.ReadFull(s.buffered, b)
	s.pos += int64(n)
	if err != nil {
		s.keep(err)
		return false
	}
	return true
}

func (s *source) keep(err error) {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && s.err == nil {
		s.err = err
	}
}
