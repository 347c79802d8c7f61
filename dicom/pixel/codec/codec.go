// Package codec is the vocabulary that the image codecs of DICOM pixel data share: the shape of a frame, its samples, and the error of a
// code stream that breaks its standard.
//
// It promises one layout of samples for all codecs, and that a frame is only allocated after its shape was checked. The codecs stand below:
// rle, jpeg and jpegls. Fragments, photometric interpretations and the attributes of the data set are left to the caller.
package codec

import (
	"encoding/binary"
	"fmt"
)

// MaxFrameBytes is the largest frame that is decoded or encoded, in bytes of samples.
const MaxFrameBytes = 1 << 30

// maxDimension is the largest value of Rows and Columns, which have VR US (PS3.3 §C.7.6.3).
const maxDimension = 1<<16 - 1

// maxComponents is the largest number of samples a pixel; PS3.3 §C.7.6.3.1.1 has 1, 3 and, retired, 4.
const maxComponents = 4

// Shape is the size of a frame as the data set states it: Rows, Columns and Samples per Pixel (PS3.3 §C.7.6.3.1).
type Shape struct {
	Rows, Columns, Components int
}

// Samples returns the number of samples of the frame.
func (s Shape) Samples() int { return s.Rows * s.Columns * s.Components }

// Check returns an [Error] unless every dimension is in the range of its attribute, the precision is between 1 and 32 bits and the frame has
// MaxFrameBytes at most.
func (s Shape) Check(bits int) error {
	switch {
	case s.Rows < 1 || s.Rows > maxDimension || s.Columns < 1 || s.Columns > maxDimension:
		return &Error{Offset: Nowhere, Rule: "rows and columns are between 1 and 65535"}
	case s.Components < 1 || s.Components > maxComponents:
		return &Error{Offset: Nowhere, Rule: "a pixel has between 1 and 4 samples"}
	case bits < 1 || bits > 32:
		return &Error{Offset: Nowhere, Rule: "a sample has between 1 and 32 bits"}
	case int64(s.Rows)*int64(s.Columns)*int64(s.Components)*int64(SampleBytes(bits)) > MaxFrameBytes:
		return &Error{Offset: Nowhere, Rule: "a frame has 1 GiB at most"}
	}
	return nil
}

// SampleBytes returns how many bytes a sample of this precision takes in a Frame: one up to 8 bits, two up to 16, else four.
func SampleBytes(bits int) int {
	switch {
	case bits <= 8:
		return 1
	case bits <= 16:
		return 2
	}
	return 4
}

// Frame is one image without compression. Samples are interleaved by pixel, row by row from the top; each is an unsigned bit pattern in the
// lower Bits bits of SampleBytes(Bits) bytes, least significant byte first. Signed data is its two's complement pattern of Bits bits, without
// extension of the sign.
type Frame struct {
	Shape
	Bits    int // precision of a sample, 1 to 32
	Samples []byte
}

// NewFrame returns a frame of zeros, or the error of [Shape.Check] without having allocated one.
func NewFrame(s Shape, bits int) (*Frame, error) {
	if err := s.Check(bits); err != nil {
		return nil, err
	}
	return &Frame{Shape: s, Bits: bits, Samples: make([]byte, s.Samples()*SampleBytes(bits))}, nil
}

// Check returns an [Error] unless the shape is permitted, Samples has its length and no sample exceeds the precision. An encoder asks first.
func (f *Frame) Check() error {
	if err := f.Shape.Check(f.Bits); err != nil {
		return err
	}
	if len(f.Samples) != f.Shape.Samples()*SampleBytes(f.Bits) {
		return &Error{Offset: Nowhere, Rule: "a frame has as many bytes as its shape and precision say"}
	}
	if f.exceeds() {
		return &Error{Offset: Nowhere, Rule: "a sample has no bit above the precision"}
	}
	return nil
}

func (f *Frame) exceeds() bool {
	width := SampleBytes(f.Bits)
	if f.Bits == 8*width {
		return false
	}
	var seen [4]byte
	for at := 0; at < len(f.Samples); at += width {
		for i, b := range f.Samples[at : at+width] {
			seen[i] |= b
		}
	}
	return binary.LittleEndian.Uint32(seen[:])>>f.Bits != 0
}

// Row copies one component of one row into dst, which has Columns places. The precision is 16 bits at most.
func (f *Frame) Row(dst []uint16, row, component int) {
	dst = dst[:f.Columns]
	step := f.Components
	first := row*f.Columns*step + component
	if f.Bits <= 8 && step == 1 {
		for x, v := range f.Samples[first:][:len(dst)] {
			dst[x] = uint16(v)
		}
		return
	}
	if f.Bits <= 8 {
		src := f.Samples[first:]
		for x := range dst {
			dst[x] = uint16(src[x*step])
		}
		return
	}
	src := f.Samples[2*first:]
	for x := range dst {
		dst[x] = binary.LittleEndian.Uint16(src[2*x*step:])
	}
}

// SetRow sets one component of one row from src, which has Columns values. The precision is 16 bits at most.
func (f *Frame) SetRow(src []uint16, row, component int) {
	src = src[:f.Columns]
	step := f.Components
	first := row*f.Columns*step + component
	if f.Bits <= 8 {
		dst := f.Samples[first:]
		for x, v := range src {
			dst[x*step] = byte(v)
		}
		return
	}
	dst := f.Samples[2*first:]
	for x, v := range src {
		binary.LittleEndian.PutUint16(dst[2*x*step:], v)
	}
}

// Nowhere is the offset of an error that is not about a byte of a code stream.
const Nowhere = -1

// Error says which rule of its standard a code stream or a frame breaks. It never holds a value of the data.
type Error struct {
	Codec  string // name of the codec; empty if the frame itself is wrong
	Offset int    // byte of the code stream at which it was noticed, or Nowhere
	Rule   string // what should have been so
}

// Error names the codec, the offset and the rule.
func (e *Error) Error() string {
	name := e.Codec
	if name == "" {
		name = "frame"
	}
	if e.Offset == Nowhere {
		return fmt.Sprintf("%s: broken rule: %s", name, e.Rule)
	}
	return fmt.Sprintf("%s: byte %d: broken rule: %s", name, e.Offset, e.Rule)
}
