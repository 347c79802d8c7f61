package jpeg_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	gojpeg "image/jpeg"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpeg"
)

func TestSequentialRoundTripIsCloseAtBestQuality(t *testing.T) {
	tests := []struct {
		name    string
		bits    int
		options jpeg.SequentialOptions
		limit   int // largest difference: a rounding of coefficients, samples and colours
	}{
		{"8 bits", 8, jpeg.SequentialOptions{Quality: 100}, 2},
		{"8 bits with restarts", 8, jpeg.SequentialOptions{Quality: 100, RestartRows: 1}, 2},
		{"12 bits", 12, jpeg.SequentialOptions{Quality: 100}, 2},
		{"8 bits RGB as YCbCr", 8, jpeg.SequentialOptions{Quality: 100, Colour: jpeg.ColourRGB}, 4},
		{"12 bits RGB as YCbCr", 12, jpeg.SequentialOptions{Quality: 100, Colour: jpeg.ColourRGB}, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, shape := range codectest.Shapes {
				for _, pattern := range codectest.Patterns {
					frame := pattern.Frame(shape, test.bits)
					got, header := sequentialRoundTrip(t, frame, test.options, test.options.Colour == jpeg.ColourRGB)
					if d := codectest.Distance(got, frame); d < 0 || d > test.limit {
						t.Errorf("%s %v: a sample differs by %d", pattern.Name, shape, d)
					}
					if header.YCbCr() != (shape.Components == 3 && test.options.Colour == jpeg.ColourRGB) {
						t.Errorf("%s %v: header is %+v", pattern.Name, shape, header)
					}
				}
			}
		})
	}
}

func sequentialRoundTrip(t *testing.T, frame *codec.Frame, o jpeg.SequentialOptions, rgb bool) (*codec.Frame, jpeg.Header) {
	t.Helper()
	stream, err := jpeg.EncodeSequential(frame, o)
	if err != nil {
		t.Fatal(err)
	}
	got, header, err := jpeg.Decode(stream, frame.Shape, jpeg.DecodeOptions{RGB: rgb})
	if err != nil {
		t.Fatal(err)
	}
	return got, header
}

func TestSubsamplingKeepsSlowColours(t *testing.T) {
	frame := codectest.Patterns[6].Frame(codec.Shape{Rows: 33, Columns: 51, Components: 3}, 10) // gradient, 3 a column
	o := jpeg.SequentialOptions{Quality: 100, Colour: jpeg.ColourYCbCr, Subsample: true}
	got, header := sequentialRoundTrip(t, frame, o, false)
	got.Bits = frame.Bits
	if d := codectest.Distance(got, frame); d < 0 || d > 4 {
		t.Errorf("a sample differs by %d", d)
	}
	if !header.Subsampled() || header.Components[0].H != 2 || header.Process != jpeg.Extended {
		t.Errorf("header is %+v", header)
	}
}

func TestQualityTradesSizeForError(t *testing.T) {
	for _, bits := range []int{8, 12} {
		frame := codectest.Smooth(codec.Shape{Rows: 128, Columns: 128, Components: 1}, bits)
		size, distance := 1<<30, -1
		for _, quality := range []int{100, 90, 50, 10, 1} {
			stream, err := jpeg.EncodeSequential(frame, jpeg.SequentialOptions{Quality: quality})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := sequentialRoundTrip(t, frame, jpeg.SequentialOptions{Quality: quality}, false)
			d := codectest.Distance(got, frame)
			if len(stream) >= size || d < distance {
				t.Errorf("%d bits, quality %d: %d bytes with a difference of %d, after %d and %d", bits, quality, len(stream), d, size, distance)
			}
			size, distance = len(stream), d
		}
	}
}

func TestStandardLibraryReadsBaseline(t *testing.T) {
	frame := codectest.Smooth(codec.Shape{Rows: 37, Columns: 53, Components: 1}, 8)
	stream, err := jpeg.EncodeSequential(frame, jpeg.SequentialOptions{Quality: 85, RestartRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := gojpeg.Decode(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := sequentialRoundTrip(t, frame, jpeg.SequentialOptions{Quality: 85}, false)
	theirs := decoded.(*image.Gray)
	for i, v := range ours.Samples {
		if d := int(v) - int(theirs.GrayAt(i%53, i/53).Y); d < -1 || d > 1 {
			t.Fatalf("sample %d differs by %d", i, d)
		}
	}
}

func TestDecodeReadsWhatTheStandardLibraryWrites(t *testing.T) {
	for _, size := range []image.Point{{X: 1, Y: 1}, {X: 16, Y: 16}, {X: 35, Y: 21}, {X: 64, Y: 3}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			picture := image.NewRGBA(image.Rectangle{Max: size})
			for i := range size.X * size.Y {
				x, y := i%size.X, i/size.X
				picture.SetRGBA(x, y, color.RGBA{R: uint8(60 + 2*x), G: uint8(90 + 2*y), B: uint8(200 - x - y), A: 255})
			}
			var stream bytes.Buffer
			if err := gojpeg.Encode(&stream, picture, &gojpeg.Options{Quality: 100}); err != nil {
				t.Fatal(err)
			}
			shape := codec.Shape{Rows: size.Y, Columns: size.X, Components: 3}
			got, header, err := jpeg.Decode(stream.Bytes(), shape, jpeg.DecodeOptions{RGB: true})
			if err != nil {
				t.Fatal(err)
			}
			if header.Process != jpeg.Baseline || !header.YCbCr() {
				t.Errorf("header is %+v", header)
			}
			for i, v := range got.Samples {
				pixel := picture.RGBAAt(i/3%size.X, i/3/size.X)
				want := [3]uint8{pixel.R, pixel.G, pixel.B}[i%3]
				if d := int(v) - int(want); d < -5 || d > 5 {
					t.Fatalf("sample %d differs by %d", i, d)
				}
			}
		})
	}
}
