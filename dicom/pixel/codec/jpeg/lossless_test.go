package jpeg_test

import (
	"bytes"
	"fmt"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpeg"
)

func TestLosslessRoundTripIsExact(t *testing.T) {
	for bits := 2; bits <= 16; bits++ {
		for predictor := 1; predictor <= 7; predictor++ {
			t.Run(fmt.Sprintf("%d bits predictor %d", bits, predictor), func(t *testing.T) {
				for _, shape := range codectest.Shapes {
					for _, pattern := range codectest.Patterns {
						for _, restart := range []int{0, 3} {
							o := jpeg.LosslessOptions{Predictor: predictor, RestartRows: restart}
							exact(t, pattern.Name, pattern.Frame(shape, bits), o)
						}
					}
				}
			})
		}
	}
}

func exact(t *testing.T, name string, frame *codec.Frame, o jpeg.LosslessOptions) {
	t.Helper()
	stream, err := jpeg.EncodeLossless(frame, o)
	if err != nil {
		t.Fatalf("%s %v %+v: %v", name, frame.Shape, o, err)
	}
	got, header, err := jpeg.Decode(stream, frame.Shape, jpeg.DecodeOptions{})
	if err != nil {
		t.Fatalf("%s %v %+v: %v", name, frame.Shape, o, err)
	}
	if !bytes.Equal(got.Samples, frame.Samples) || got.Bits != frame.Bits {
		t.Fatalf("%s %v %+v: the frame differs by %d", name, frame.Shape, o, codectest.Distance(got, frame))
	}
	if header.Process != jpeg.Lossless || header.Predictor != o.Predictor || header.Bits != frame.Bits || header.YCbCr() {
		t.Fatalf("%s %v %+v: header is %+v", name, frame.Shape, o, header)
	}
}

func TestPointTransformDropsTheLowestBits(t *testing.T) {
	frame := codectest.Smooth(codec.Shape{Rows: 20, Columns: 30, Components: 1}, 12)
	stream, err := jpeg.EncodeLossless(frame, jpeg.LosslessOptions{PointTransform: 3})
	if err != nil {
		t.Fatal(err)
	}
	got, header, err := jpeg.Decode(stream, frame.Shape, jpeg.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range frame.Shape.Samples() {
		if want := codectest.Sample(frame, i) &^ 7; codectest.Sample(got, i) != want {
			t.Fatalf("sample %d is %d, want %d", i, codectest.Sample(got, i), want)
		}
	}
	if header.PointTransform != 3 {
		t.Errorf("header is %+v", header)
	}
}

// losslessStream is a frame of two rows and two columns, by hand: differences from 128 are +1, −1, +1, 0 in a code of two bits.
var losslessStream = []byte{
	0xFF, 0xD8,
	0xFF, 0xC3, 0, 11, 8, 0, 2, 0, 2, 1, 1, 0x11, 0,
	0xFF, 0xC4, 0, 21, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0,
	0b01_1_01_0_01, 0b1_00_11111,
	0xFF, 0xD9,
}

func TestLosslessDecodesAStreamMadeByHand(t *testing.T) {
	got, _, err := jpeg.Decode(losslessStream, codec.Shape{Rows: 2, Columns: 2, Components: 1}, jpeg.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{129, 128, 130, 130}; !bytes.Equal(got.Samples, want) {
		t.Errorf("samples are %v, want %v", got.Samples, want)
	}
}
