package jpeg_test

import (
	"bytes"
	"errors"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpeg"
)

var smallShape = codec.Shape{Rows: 2, Columns: 2, Components: 1}

func TestDecodeRefuses(t *testing.T) {
	edit := func(at int, value byte) []byte {
		b := bytes.Clone(losslessStream)
		b[at] = value
		return b
	}
	insert := func(at int, b ...byte) []byte {
		return append(append(bytes.Clone(losslessStream[:at]), b...), losslessStream[at:]...)
	}
	repeated, err := jpeg.EncodeLossless(codectest.Smooth(codec.Shape{Rows: 2, Columns: 2, Components: 3}, 8), jpeg.LosslessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	repeated[bytes.Index(repeated, []byte{0xFF, 0xDA})+7] = 1
	tests := []struct {
		name   string
		stream []byte
		shape  codec.Shape
	}{
		{"nothing", nil, smallShape},
		{"no SOI", losslessStream[2:], smallShape},
		{"only SOI", losslessStream[:2], smallShape},
		{"EOI before a scan", append(bytes.Clone(losslessStream[:38]), 0xFF, 0xD9), smallShape},
		{"a scan without frame header", append(bytes.Clone(losslessStream[:2]), losslessStream[15:]...), smallShape},
		{"a scan without Huffman table", append(bytes.Clone(losslessStream[:15]), losslessStream[38:]...), smallShape},
		{"more rows than the data set has", losslessStream, codec.Shape{Rows: 1, Columns: 2, Components: 1}},
		{"fewer columns than the data set has", losslessStream, codec.Shape{Rows: 2, Columns: 3, Components: 1}},
		{"fewer components than the data set has", losslessStream, codec.Shape{Rows: 2, Columns: 2, Components: 3}},
		{"no rows", edit(8, 0), codec.Shape{Rows: 0, Columns: 2, Components: 1}},
		{"precision 1", edit(6, 1), smallShape},
		{"precision 17", edit(6, 17), smallShape},
		{"a precision that baseline has not", append([]byte{0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 12}, losslessStream[7:]...), smallShape},
		{"arithmetic coding", edit(3, 0xCB), smallShape},
		{"a hierarchical frame", edit(3, 0xC7), smallShape},
		{"a second frame header", insert(15, losslessStream[2:15]...), smallShape},
		{"a sampling factor of zero", edit(13, 0x10), smallShape},
		{"a table that is none", edit(19, 0x20), smallShape},
		{"more code words than fit", edit(20, 3), smallShape},
		{"a category over sixteen", edit(37, 17), smallShape},
		{"predictor zero", edit(45, 0), smallShape},
		{"predictor eight", edit(45, 8), smallShape},
		{"a point transform of the whole precision", edit(47, 8), smallShape},
		{"an unknown component", edit(43, 9), smallShape},
		{"a segment beyond the end", edit(4, 0x7F), smallShape},
		{"data that ends early", append(bytes.Clone(losslessStream[:48]), 0x6A), smallShape},
		{"a code word of no table", edit(48, 0xFF), smallShape},
		{"a missing restart marker", insert(38, 0xFF, 0xDD, 0, 4, 0, 2), smallShape},
		{"a restart interval of half a row", insert(38, 0xFF, 0xDD, 0, 4, 0, 1), smallShape},
		{"a component twice in a scan", repeated, codec.Shape{Rows: 2, Columns: 2, Components: 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := jpeg.Decode(test.stream, test.shape, jpeg.DecodeOptions{})
			var broken *codec.Error
			if !errors.As(err, &broken) {
				t.Errorf("error is %v, want one of a codec", err)
			}
		})
	}
}

func TestDecodeSkipsWhatItNeedNotKnow(t *testing.T) {
	tests := []struct {
		name   string
		stream []byte
	}{
		{"a comment", append([]byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 'h', 'i'}, losslessStream[2:]...)},
		{"an application segment", append([]byte{0xFF, 0xD8, 0xFF, 0xE5, 0, 2}, losslessStream[2:]...)},
		{"fill bytes before a marker", append([]byte{0xFF, 0xD8, 0xFF, 0xFF}, losslessStream[2:]...)},
		{"padding after EOI", append(bytes.Clone(losslessStream), 0)},
		{"a missing EOI", losslessStream[:50]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frame, _, err := jpeg.Decode(test.stream, smallShape, jpeg.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if want := []byte{129, 128, 130, 130}; !bytes.Equal(frame.Samples, want) {
				t.Errorf("samples are %v, want %v", frame.Samples, want)
			}
		})
	}
}

func TestHeaderTellsColour(t *testing.T) {
	components := func(ids ...byte) (c []jpeg.Component) {
		for _, id := range ids {
			c = append(c, jpeg.Component{ID: id, H: 1, V: 1})
		}
		return c
	}
	colour, grey := codec.Shape{Components: 3}, codec.Shape{Components: 1}
	tests := []struct {
		name   string
		header jpeg.Header
		want   bool
	}{
		{"grey", jpeg.Header{Shape: grey, Components: components(1), JFIF: true}, false},
		{"JFIF", jpeg.Header{Shape: colour, Components: components('R', 'G', 'B'), JFIF: true}, true},
		{"Adobe without transform", jpeg.Header{Shape: colour, Components: components(1, 2, 3), Adobe: jpeg.AdobeNone}, false},
		{"Adobe with transform", jpeg.Header{Shape: colour, Components: components('R', 'G', 'B'), Adobe: jpeg.AdobeYCbCr}, true},
		{"letters", jpeg.Header{Shape: colour, Components: components('R', 'G', 'B')}, false},
		{"numbers", jpeg.Header{Shape: colour, Components: components(1, 2, 3)}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.header.YCbCr(); got != test.want {
				t.Errorf("YCbCr is %t", got)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	frame := func(components, bits int) *codec.Frame {
		return codectest.Smooth(codec.Shape{Rows: 4, Columns: 4, Components: components}, bits)
	}
	tests := []struct {
		name   string
		frame  *codec.Frame
		encode func(*codec.Frame) ([]byte, error)
	}{
		{"lossless precision 1", frame(1, 1), lossless(jpeg.LosslessOptions{})},
		{"lossless precision 17", frame(1, 17), lossless(jpeg.LosslessOptions{})},
		{"two components", frame(2, 8), lossless(jpeg.LosslessOptions{})},
		{"predictor 8", frame(1, 8), lossless(jpeg.LosslessOptions{Predictor: 8})},
		{"a point transform of the whole precision", frame(1, 8), lossless(jpeg.LosslessOptions{PointTransform: 8})},
		{"a restart interval over 65535 MCU", frame(1, 8), lossless(jpeg.LosslessOptions{RestartRows: 20000})},
		{"sequential precision 13", frame(1, 13), sequential(jpeg.SequentialOptions{Quality: 50})},
		{"quality 0", frame(1, 8), sequential(jpeg.SequentialOptions{})},
		{"quality 101", frame(1, 8), sequential(jpeg.SequentialOptions{Quality: 101})},
		{"four components", frame(4, 8), sequential(jpeg.SequentialOptions{Quality: 50})},
		{"subsampling of what is not YCbCr", frame(3, 8), sequential(jpeg.SequentialOptions{Quality: 50, Subsample: true})},
		{"an unknown colour", frame(3, 8), sequential(jpeg.SequentialOptions{Quality: 50, Colour: 3})},
		{"too few samples", &codec.Frame{Shape: smallShape, Bits: 8, Samples: make([]byte, 3)}, lossless(jpeg.LosslessOptions{})},
		{"a sample above the precision", &codec.Frame{Shape: smallShape, Bits: 7, Samples: []byte{0, 0, 0, 128}}, lossless(jpeg.LosslessOptions{})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.encode(test.frame)
			var broken *codec.Error
			if !errors.As(err, &broken) {
				t.Errorf("error is %v, want one of a codec", err)
			}
		})
	}
}

func TestDecodeAllocatesInProportion(t *testing.T) {
	claims := func(process byte) []byte {
		b := bytes.Clone(losslessStream)
		b[3] = process
		copy(b[7:], []byte{0x75, 0x30, 0x75, 0x30}) // 30000 rows and columns
		return b
	}
	huge := codec.Shape{Rows: 30000, Columns: 30000, Components: 1}
	type test struct {
		name   string
		stream []byte
		shape  codec.Shape
		limit  int
	}
	tests := []test{
		{"a short lossless stream of a large frame", claims(0xC3), huge, 1 << 16},
		{"a short sequential stream of a large frame", claims(0xC0), huge, 1 << 16},
		{"a short progressive stream of a large frame", claims(0xC2), huge, 1 << 16},
	}
	for _, read := range foreignReads {
		shape := codec.Shape{Rows: 200, Columns: 200, Components: read.components}
		stream, err := read.encode(codectest.Smooth(shape, read.bits))
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, test{read.name, stream, shape, 4*shape.Samples()*codec.SampleBytes(read.bits) + 1<<16})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := codectest.Allocated(func() {
				_, _, err := jpeg.Decode(test.stream, test.shape, jpeg.DecodeOptions{})
				if (err == nil) == (test.shape == huge) {
					t.Errorf("error is %v", err)
				}
			})
			if n > uint64(test.limit) {
				t.Errorf("%d bytes are allocated, %d at most", n, test.limit)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(losslessStream, uint16(2), uint16(2), uint8(1), false)
	f.Add(progressiveStream, uint16(16), uint16(16), uint8(1), false)
	for _, read := range foreignReads {
		stream, err := read.encode(codectest.Smooth(codec.Shape{Rows: 9, Columns: 19, Components: read.components}, read.bits))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stream, uint16(9), uint16(19), uint8(read.components), read.components == 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, rows, columns uint16, components uint8, rgb bool) {
		shape := codec.Shape{Rows: int(rows % 256), Columns: int(columns % 256), Components: int(components)}
		frame, header, err := jpeg.Decode(data, shape, jpeg.DecodeOptions{RGB: rgb})
		if err != nil {
			return
		}
		if err := frame.Check(); err != nil || frame.Shape != shape || header.Bits != frame.Bits {
			t.Errorf("decoded a frame %+v of %d bits for %+v: %v", frame.Shape, frame.Bits, shape, err)
		}
	})
}
