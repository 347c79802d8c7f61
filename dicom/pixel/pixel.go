// Package pixel decodes frames of pixel data and makes pictures of them for the screen: stored values, modality and VOI transformations, windows,
// photometric interpretations (PS3.3 §C.7.6.3, §C.11).
//
// It is given a data set and the bytes of one frame and reads nothing else. Sizes are checked before anything is allocated. JPEG 2000, HTJ2K and
// video are not decoded: the fault says so.
package pixel

import (
	"encoding/binary"
	"errors"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/jpeg"
	"salus/dicom/pixel/codec/jpegls"
	"salus/dicom/pixel/codec/rle"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// MaxFrame is the largest frame that is decoded, in bytes (the reference service's limit).
const MaxFrame = 100 << 20

// Frame is one frame with its samples, interleaved by pixel, in little-endian order.
type Frame struct {
	codec.Shape
	Bits        int // allocated for a sample: 8, 16 or 32
	Stored      int // bits of a sample that count
	High        int // the highest of them
	Signed      bool
	Photometric string // what the samples are now
	Samples     []byte
}

// Decodes reports whether frames in a compressed transfer syntax can be decoded.
func Decodes(transferSyntax string) bool {
	switch transferSyntax {
	case uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless:
		return true
	}
	return false
}

// Decode decodes one frame, which is given as its file has it. Faults are NotAcceptable.
func Decode(f *part10.File, data []byte) (*Frame, error) {
	frame, planar, err := describe(f.Dataset)
	if err != nil {
		return nil, err
	}
	syntax := part10.SyntaxOf(f.TransferSyntax)
	if !syntax.Encapsulated {
		if e := f.Dataset.Get(tag.PixelData); syntax.BigEndian && frame.Bits <= 8 && e != nil && e.VR == dicom.OW {
			if data, err = swapped(data); err != nil {
				return nil, err
			}
		}
		return frame, frame.native(data, planar, syntax.BigEndian || f.TransferSyntax == part10.PrivateGE)
	}
	c, err := decode(f.TransferSyntax, data, frame)
	if err != nil {
		var broken *codec.Error
		if errors.As(err, &broken) {
			err = fault.Wrap(fault.NotAcceptable, err, "the frame cannot be decoded: %v", broken)
		}
		return nil, err
	}
	frame.take(c)
	return frame, nil
}

func decode(transferSyntax string, data []byte, f *Frame) (*codec.Frame, error) {
	switch transferSyntax {
	case uid.RLELossless:
		return rle.Decode(data, f.Shape, f.Bits)
	case uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1:
		colour := f.Components == 3 && (f.Photometric == "YBR_FULL_422" || f.Photometric == "YBR_FULL")
		c, _, err := jpeg.Decode(data, f.Shape, jpeg.DecodeOptions{RGB: colour})
		if colour {
			f.Photometric = "RGB"
		}
		return c, err
	case uid.JPEGLSLossless, uid.JPEGLSNearLossless:
		c, _, err := jpegls.Decode(data, f.Shape)
		return c, err
	}
	name := transferSyntax
	if u, ok := dicom.LookupUID(transferSyntax); ok {
		name = u.Name
	}
	return nil, fault.New(fault.NotAcceptable, "frames in transfer syntax %s are not decoded by this service", name)
}

// describe reads the image pixel module (PS3.3 §C.7.6.3.1).
func describe(d *dicom.Dataset) (f *Frame, planar bool, err error) {
	number := func(t dicom.Tag, otherwise int) int {
		if n, ok := d.Int(t); ok && n >= 0 && n < 1<<31 {
			return int(n)
		}
		return otherwise
	}
	f = &Frame{
		Shape:       codec.Shape{Rows: number(tag.Rows, 0), Columns: number(tag.Columns, 0), Components: number(tag.SamplesPerPixel, 1)},
		Bits:        number(tag.BitsAllocated, 0),
		Photometric: d.String(tag.PhotometricInterpretation),
		Signed:      number(tag.PixelRepresentation, 0) == 1,
	}
	f.Stored = number(tag.BitsStored, f.Bits)
	f.High = number(tag.HighBit, f.Stored-1)
	switch {
	case f.Bits != 8 && f.Bits != 16 && f.Bits != 32 && f.Bits != 1:
		return nil, false, fault.New(fault.NotAcceptable, "images of %d bits allocated are not decoded", f.Bits)
	case f.Stored < 1 || f.Stored > f.Bits || f.High >= f.Bits || f.High < f.Stored-1:
		return nil, false, fault.New(fault.NotAcceptable, "Bits Stored and High Bit do not fit into Bits Allocated (PS3.5 §8.1.1)")
	}
	if err := f.Shape.Check(f.Bits); err != nil {
		return nil, false, fault.Wrap(fault.NotAcceptable, err, "the image cannot be decoded: %v", err)
	}
	if int64(f.Shape.Samples())*int64((f.Bits+7)/8) > MaxFrame {
		return nil, false, fault.New(fault.NotAcceptable, "the frame is larger than the %d MiB that are decoded", MaxFrame>>20)
	}
	return f, number(tag.PlanarConfiguration, 0) == 1, nil
}

// swapped brings the bytes of samples that were written as big-endian words, although they are bytes, into their order (PS3.5 §8.1.2).
func swapped(data []byte) ([]byte, error) {
	if len(data)%2 == 1 {
		return nil, fault.New(fault.NotAcceptable, "a frame of an odd number of bytes in big-endian words is not decoded")
	}
	out := make([]byte, len(data))
	for i := 0; i < len(data); i += 2 {
		out[i], out[i+1] = data[i+1], data[i]
	}
	return out, nil
}

// native takes samples that are not compressed.
func (f *Frame) native(data []byte, planar, bigEndian bool) error {
	width := f.Bits / 8
	size := f.Shape.Samples() * width
	if f.Bits == 1 {
		return f.bits(data)
	}
	if f.Photometric == "YBR_FULL_422" || f.Photometric == "YBR_PARTIAL_422" {
		return f.subsampled(data)
	}
	if len(data) < size {
		return fault.New(fault.NotAcceptable, "the frame has %d bytes and not the %d of its rows and columns", len(data), size)
	}
	f.Samples = data[:size:size]
	if bigEndian && width > 1 {
		f.Samples = make([]byte, size)
		for i := 0; i < size; i += width {
			for j := range width {
				f.Samples[i+j] = data[i+width-1-j]
			}
		}
	}
	if planar && f.Components > 1 {
		f.Samples = interleaved(f.Samples, f.Components, width)
	}
	return nil
}

// interleaved brings samples that are there plane by plane into the order of pixels.
func interleaved(planes []byte, components, width int) []byte {
	out := make([]byte, len(planes))
	plane := len(planes) / components
	for c := range components {
		for i := 0; i < plane; i += width {
			copy(out[(i*components+c*width):], planes[c*plane+i:c*plane+i+width])
		}
	}
	return out
}

// bits spreads samples of one bit, the first in the lowest (PS3.5 §8.1.1).
func (f *Frame) bits(data []byte) error {
	n := f.Shape.Samples()
	if len(data) < (n+7)/8 {
		return fault.New(fault.NotAcceptable, "the frame has too few bytes for its rows and columns")
	}
	f.Samples = make([]byte, n)
	for i := range f.Samples {
		f.Samples[i] = data[i/8] >> (i % 8) & 1
	}
	f.Bits, f.Stored, f.High = 8, 1, 0
	return nil
}

// subsampled spreads YBR with one Cb and Cr for two pixels (PS3.3 §C.7.6.3.1.2).
func (f *Frame) subsampled(data []byte) error {
	pixels := f.Rows * f.Columns
	if f.Components != 3 || f.Bits != 8 || f.Columns%2 == 1 || len(data) < 2*pixels {
		return fault.New(fault.NotAcceptable, "the frame is no image of subsampled colours (PS3.3 §C.7.6.3.1.2)")
	}
	f.Samples = make([]byte, 0, 3*pixels)
	for b := data[:2*pixels]; len(b) >= 4; b = b[4:] {
		f.Samples = append(f.Samples, b[0], b[2], b[3], b[1], b[2], b[3])
	}
	f.Photometric = "YBR_FULL"
	return nil
}

// take takes what a codec decoded, in the bits that the data set allocates.
func (f *Frame) take(c *codec.Frame) {
	have, want := codec.SampleBytes(c.Bits), f.Bits/8
	if have == want {
		f.Samples = c.Samples
		return
	}
	f.Samples = make([]byte, f.Shape.Samples()*want)
	for i := range f.Shape.Samples() {
		copy(f.Samples[i*want:(i+1)*want], c.Samples[i*have:(i+1)*have])
	}
}

// Native returns the samples as native pixel data has them, in little-endian order.
func (f *Frame) Native() []byte { return f.Samples }

// Codec returns the frame for an encoder. Compact takes only the bits that count, which lossless JPEG compresses better.
func (f *Frame) Codec(compact bool) (*codec.Frame, error) {
	bits := f.Bits
	if compact && f.High == f.Stored-1 && f.Stored > 1 {
		bits = f.Stored
	}
	c := &codec.Frame{Shape: f.Shape, Bits: bits, Samples: f.Samples}
	if bits == f.Bits {
		return c, nil
	}
	if compact && f.Bits > 16 {
		return nil, fault.New(fault.NotAcceptable, "images of %d bits allocated are not compressed so", f.Bits)
	}
	width := codec.SampleBytes(bits)
	mask := uint16(1)<<bits - 1
	c.Samples = make([]byte, f.Shape.Samples()*width)
	for i := range f.Shape.Samples() {
		v := f.raw(i) & uint32(mask)
		if c.Samples[i*width] = byte(v); width == 2 {
			c.Samples[2*i+1] = byte(v >> 8)
		}
	}
	return c, nil
}

// raw returns a sample's bits.
func (f *Frame) raw(i int) uint32 {
	switch f.Bits {
	case 8:
		return uint32(f.Samples[i])
	case 16:
		return uint32(binary.LittleEndian.Uint16(f.Samples[2*i:]))
	}
	return binary.LittleEndian.Uint32(f.Samples[4*i:])
}

// Value returns a sample as the number that is stored (PS3.5 §8.1.1).
func (f *Frame) Value(i int) int64 { return f.number(f.raw(i)) }

func (f *Frame) number(raw uint32) int64 {
	v := int64(raw >> (f.High + 1 - f.Stored))
	v &= 1<<f.Stored - 1
	if f.Signed && v>>(f.Stored-1) == 1 {
		v -= 1 << f.Stored
	}
	return v
}

// Describe writes into a data set what its native samples are now.
func (f *Frame) Describe(d *dicom.Dataset) {
	d.Set(dicom.Text(tag.PhotometricInterpretation, dicom.CS, f.Photometric))
	if f.Components > 1 {
		d.Set(dicom.Uint16(tag.PlanarConfiguration, 0))
	}
}
