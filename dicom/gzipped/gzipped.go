// Package gzipped makes one gzip stream (RFC 1952) of pieces that were compressed at other times, without compressing anything again.
//
// A piece is a run of deflate blocks (RFC 1951) that ends at a byte and is not the last, so pieces can follow one another; what is between
// them goes into stored blocks. The check sum of the whole follows from those of the pieces. So the metadata of a series of thousands of
// instances is sent by copying.
package gzipped

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
)

// Piece is a run of bytes, compressed.
type Piece struct {
	Deflated []byte
	CRC      uint32 // of the bytes as they were (IEEE)
	Size     int64
}

// level of compression: pieces are made once and sent often.
const level = 6

// Compressors and their opposites are large and are used again.
var (
	compressors sync.Pool // of *flate.Writer
	inflaters   sync.Pool // of io.ReadCloser that are flate.Resetter
)

// Compress makes a piece.
func Compress(data []byte) (_ Piece, err error) {
	var b bytes.Buffer
	b.Grow(len(data)/4 + 64)
	w, ok := compressors.Get().(*flate.Writer)
	if ok {
		w.Reset(&b)
	} else if w, err = flate.NewWriter(&b, level); err != nil {
		return Piece{}, err
	}
	defer compressors.Put(w)
	if _, err := w.Write(data); err != nil {
		return Piece{}, err
	}
	if err := w.Flush(); err != nil { // not Close, which would make it the last
		return Piece{}, err
	}
	return Piece{b.Bytes(), crc32.ChecksumIEEE(data), int64(len(data))}, nil
}

// last is an empty stored block that ends a stream (RFC 1951 §3.2.4).
var last = []byte{1, 0, 0, 0xFF, 0xFF}

// Inflate appends the bytes of a piece.
func (p Piece) Inflate(b []byte) ([]byte, error) {
	from := io.MultiReader(bytes.NewReader(p.Deflated), bytes.NewReader(last))
	r, ok := inflaters.Get().(io.Reader)
	if !ok {
		r = flate.NewReader(from)
	} else if err := r.(flate.Resetter).Reset(from, nil); err != nil {
		return nil, err
	}
	defer inflaters.Put(r)
	at := len(b)
	b = slices.Grow(b, int(p.Size))[:at+int(p.Size)]
	if _, err := io.ReadFull(r, b[at:]); err != nil {
		return nil, err
	}
	return b, nil
}

// Writer writes a stream.
type Writer struct {
	w    io.Writer
	crc  uint32
	size int64
	err  error
}

// NewWriter begins a stream. Errors are kept until Close.
func NewWriter(w io.Writer) *Writer {
	z := &Writer{w: w}
	z.write([]byte{0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF})
	return z
}

func (z *Writer) write(b []byte) {
	if z.err == nil {
		_, z.err = z.w.Write(b)
	}
}

func (z *Writer) count(crc uint32, size int64) {
	z.crc = combine(z.crc, crc, size)
	z.size += size
}

// Piece writes a piece.
func (z *Writer) Piece(p Piece) error {
	z.write(p.Deflated)
	z.count(p.CRC, p.Size)
	return z.err
}

// Plain writes a few bytes, at most 65,535, as they are.
func (z *Writer) Plain(b []byte) {
	n := uint16(len(b))
	z.write(append([]byte{0, byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}, b...))
	z.count(crc32.ChecksumIEEE(b), int64(n))
}

// Close ends the stream and returns the first error.
func (z *Writer) Close() error {
	z.write(last)
	end := binary.LittleEndian.AppendUint32(nil, z.crc)
	z.write(binary.LittleEndian.AppendUint32(end, uint32(z.size)))
	return z.err
}

// combine returns the CRC of two runs of bytes, one after the other, of which the second has a size. A CRC is a remainder of polynomials over
// GF(2), so the first one is multiplied by x to the power of eight times that size.
func combine(a, b uint32, size int64) uint32 {
	power := uint32(1) << 31  // the polynomial 1, in the reflected order of bits
	square := uint32(1) << 23 // x to the power of 8
	for n := size; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return multiply(a, power) ^ b
}

// multiply multiplies polynomials modulo that of the CRC; the highest bit is the coefficient of x to the power of 0.
func multiply(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		if a&(1<<31) != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry == 1 {
			b ^= crc32.IEEE
		}
	}
	return product
}
