package jpegls_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpegls"
)

// exampleStream and exampleSamples are the worked example of T.87 Annex H.3.
var (
	exampleStream = []byte{
		0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x0B, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00,
		0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00,
		0xC0, 0x00, 0x00, 0x6C, 0x80, 0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00,
		0x6E, 0xE6, 0x00, 0x00, 0x01, 0xBC, 0x18, 0x00, 0x00, 0x05, 0xD8, 0x00, 0x00, 0x91, 0x60,
		0xFF, 0xD9,
	}
	exampleSamples = []byte{0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145}
	exampleShape   = codec.Shape{Rows: 4, Columns: 4, Components: 1}
)

func TestDecodeReadsTheExampleOfTheStandard(t *testing.T) {
	frame, header, err := jpegls.Decode(exampleStream, exampleShape)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(frame.Samples, exampleSamples) {
		t.Errorf("samples are %v, want %v", frame.Samples, exampleSamples)
	}
	if want := (jpegls.Header{Shape: exampleShape, Bits: 8}); header != want {
		t.Errorf("header is %+v, want %+v", header, want)
	}
}

func TestEncodeWritesTheExampleOfTheStandard(t *testing.T) {
	stream, err := jpegls.Encode(&codec.Frame{Shape: exampleShape, Bits: 8, Samples: exampleSamples}, jpegls.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stream, exampleStream) {
		t.Errorf("stream is % X, want % X", stream, exampleStream)
	}
}

func TestRoundTripIsWithinNear(t *testing.T) {
	for bits := 2; bits <= 16; bits++ {
		for _, near := range []int{0, 1, 2, 3, 10, 100, 255} {
			if near > (1<<bits-1)/2 {
				continue
			}
			t.Run(fmt.Sprintf("%d bits near %d", bits, near), func(t *testing.T) {
				for _, shape := range codectest.Shapes {
					for _, pattern := range codectest.Patterns {
						for mode := jpegls.InterleaveNone; mode <= jpegls.InterleaveSample; mode++ {
							if mode > 0 && shape.Components == 1 {
								continue
							}
							o := jpegls.Options{Near: near, Interleave: mode}
							roundTrip(t, pattern.Name, pattern.Frame(shape, bits), o)
							o.RestartInterval = 3
							roundTrip(t, pattern.Name, pattern.Frame(shape, bits), o)
						}
					}
				}
			})
		}
	}
}

func roundTrip(t *testing.T, name string, frame *codec.Frame, o jpegls.Options) {
	t.Helper()
	stream, err := jpegls.Encode(frame, o)
	if err != nil {
		t.Fatalf("%s %v %+v: %v", name, frame.Shape, o, err)
	}
	got, header, err := jpegls.Decode(stream, frame.Shape)
	if err != nil {
		t.Fatalf("%s %v %+v: %v", name, frame.Shape, o, err)
	}
	if d := codectest.Distance(got, frame); d < 0 || d > o.Near {
		t.Fatalf("%s %v %+v: a sample differs by %d", name, frame.Shape, o, d)
	}
	if header.Near != o.Near || header.Bits != frame.Bits {
		t.Fatalf("%s %v %+v: header is %+v", name, frame.Shape, o, header)
	}
}

func TestNearLosslessUsesItsFreedom(t *testing.T) {
	frame := codectest.Smooth(codec.Shape{Rows: 128, Columns: 128, Components: 1}, 12)
	var sizes []int
	for _, near := range []int{0, 2, 8} {
		stream, err := jpegls.Encode(frame, jpegls.Options{Near: near})
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(stream))
	}
	if sizes[0] >= len(frame.Samples) || sizes[1] >= sizes[0] || sizes[2] >= sizes[1] {
		t.Errorf("%d bytes become %v; each is to be smaller than the one before", len(frame.Samples), sizes)
	}
}

func TestDecodeRefuses(t *testing.T) {
	edit := func(at int, value byte) []byte {
		b := bytes.Clone(exampleStream)
		b[at] = value
		return b
	}
	insert := func(at int, b ...byte) []byte {
		return append(append(bytes.Clone(exampleStream[:at]), b...), exampleStream[at:]...)
	}
	tests := []struct {
		name   string
		stream []byte
		shape  codec.Shape
	}{
		{"nothing", nil, exampleShape},
		{"no SOI", exampleStream[2:], exampleShape},
		{"only SOI", exampleStream[:2], exampleShape},
		{"a scan without frame header", append(bytes.Clone(exampleStream[:2]), exampleStream[15:]...), exampleShape},
		{"EOI before a scan", append(bytes.Clone(exampleStream[:15]), 0xFF, 0xD9), exampleShape},
		{"fewer rows than the data set has", exampleStream, codec.Shape{Rows: 5, Columns: 4, Components: 1}},
		{"more columns than the data set has", exampleStream, codec.Shape{Rows: 4, Columns: 3, Components: 1}},
		{"fewer components than the data set has", exampleStream, codec.Shape{Rows: 4, Columns: 4, Components: 3}},
		{"no rows", edit(8, 0), codec.Shape{Rows: 0, Columns: 4, Components: 1}},
		{"precision 1", edit(6, 1), exampleShape},
		{"precision 17", edit(6, 17), exampleShape},
		{"another kind of JPEG", edit(3, 0xC3), exampleShape},
		{"a frame header that is too short", edit(5, 10), exampleShape},
		{"a second frame header", insert(15, exampleStream[2:15]...), exampleShape},
		{"an unknown component", edit(20, 2), exampleShape},
		{"a mapping table", edit(21, 1), exampleShape},
		{"NEAR over half of the largest sample", edit(22, 128), exampleShape},
		{"an unknown interleave mode", edit(23, 3), exampleShape},
		{"a point transform", edit(24, 1), exampleShape},
		{"MAXVAL over the precision", insert(15, 0xFF, 0xF8, 0, 13, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), exampleShape},
		{"thresholds out of order", insert(15, 0xFF, 0xF8, 0, 13, 1, 0, 0, 0, 9, 0, 8, 0, 20, 0, 0), exampleShape},
		{"a colour transform", insert(15, 0xFF, 0xE8, 0, 7, 'm', 'r', 'f', 'x', 1), exampleShape},
		{"data that ends early", exampleStream[:40], exampleShape},
		{"a missing restart marker", insert(15, 0xFF, 0xDD, 0, 4, 0, 2), exampleShape},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := jpegls.Decode(test.stream, test.shape)
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
		{"a comment", append([]byte{0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 'h', 'i'}, exampleStream[2:]...)},
		{"an application segment", append([]byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 2}, exampleStream[2:]...)},
		{"fill bytes before a marker", append([]byte{0xFF, 0xD8, 0xFF, 0xFF}, exampleStream[2:]...)},
		{"padding after EOI", append(bytes.Clone(exampleStream), 0)},
		{"a missing EOI", exampleStream[:len(exampleStream)-2]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frame, _, err := jpegls.Decode(test.stream, exampleShape)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(frame.Samples, exampleSamples) {
				t.Errorf("samples are %v", frame.Samples)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	grey := func(bits int) *codec.Frame {
		return codectest.Smooth(codec.Shape{Rows: 4, Columns: 4, Components: 1}, bits)
	}
	tests := []struct {
		name    string
		frame   *codec.Frame
		options jpegls.Options
	}{
		{"precision 1", grey(1), jpegls.Options{}},
		{"precision 17", grey(17), jpegls.Options{}},
		{"a negative NEAR", grey(8), jpegls.Options{Near: -1}},
		{"NEAR over half of the largest sample", grey(8), jpegls.Options{Near: 128}},
		{"NEAR over 255", grey(16), jpegls.Options{Near: 256}},
		{"an unknown interleave mode", grey(8), jpegls.Options{Interleave: 3}},
		{"a negative restart interval", grey(8), jpegls.Options{RestartInterval: -1}},
		{"too few samples", &codec.Frame{Shape: exampleShape, Bits: 8, Samples: make([]byte, 15)}, jpegls.Options{}},
		{"a sample above the precision", &codec.Frame{Shape: exampleShape, Bits: 7, Samples: exampleSamples}, jpegls.Options{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := jpegls.Encode(test.frame, test.options)
			var broken *codec.Error
			if !errors.As(err, &broken) {
				t.Errorf("error is %v, want one of a codec", err)
			}
		})
	}
}

func TestDecodeAllocatesInProportion(t *testing.T) {
	claim := bytes.Clone(exampleStream)
	copy(claim[7:], []byte{0x75, 0x30, 0x75, 0x30}) // 30000 rows and columns
	huge := codec.Shape{Rows: 30000, Columns: 30000, Components: 1}
	usual := codec.Shape{Rows: 300, Columns: 300, Components: 3}
	stream, err := jpegls.Encode(codectest.Smooth(usual, 16), jpegls.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		stream []byte
		shape  codec.Shape
		limit  int
	}{
		{"a short stream of a large frame", claim, huge, 1 << 16},
		{"three scans of 16 bits", stream, usual, 2*usual.Samples() + 1<<19},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := codectest.Allocated(func() {
				if _, _, err := jpegls.Decode(test.stream, test.shape); (err == nil) == (test.shape == huge) {
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
	f.Add(exampleStream, uint16(4), uint16(4), uint8(1))
	for mode := jpegls.InterleaveNone; mode <= jpegls.InterleaveSample; mode++ {
		frame := codectest.Smooth(codec.Shape{Rows: 9, Columns: 11, Components: 3}, 12)
		stream, err := jpegls.Encode(frame, jpegls.Options{Near: int(mode), Interleave: mode, RestartInterval: 2 * int(mode)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stream, uint16(9), uint16(11), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, rows, columns uint16, components uint8) {
		shape := codec.Shape{Rows: int(rows % 256), Columns: int(columns % 256), Components: int(components)}
		frame, header, err := jpegls.Decode(data, shape)
		if err != nil {
			return
		}
		if err := frame.Check(); err != nil || frame.Shape != shape || header.Bits != frame.Bits {
			t.Errorf("decoded a frame %+v of %d bits for %+v: %v", frame.Shape, frame.Bits, shape, err)
		}
	})
}
