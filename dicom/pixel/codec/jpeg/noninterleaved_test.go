package jpeg_test

import (
	"bytes"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpeg"
)

func TestDecodeReadsScansOfOneComponent(t *testing.T) {
	tests := []struct {
		name   string
		frame  byte // start of frame
		encode func(*codec.Frame) ([]byte, error)
	}{
		{"lossless", 0xC3, lossless(jpeg.LosslessOptions{Predictor: 4, RestartRows: 2})},
		{"baseline", 0xC0, sequential(jpeg.SequentialOptions{Quality: 90, RestartRows: 1})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			shape := codec.Shape{Rows: 19, Columns: 26, Components: 3}
			stream, want := spliced(t, test.frame, codectest.Smooth(shape, 8), test.encode)
			got, _, err := jpeg.Decode(stream, shape, jpeg.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if d := codectest.Distance(got, want); d != 0 {
				t.Errorf("a sample differs by %d from the component on its own", d)
			}
		})
	}
}

// spliced encodes each component on its own and makes one stream with a scan for each, and the frame that they decode to.
func spliced(t *testing.T, start byte, frame *codec.Frame, encode func(*codec.Frame) ([]byte, error)) ([]byte, *codec.Frame) {
	t.Helper()
	want, err := codec.NewFrame(frame.Shape, frame.Bits)
	if err != nil {
		t.Fatal(err)
	}
	stream := []byte{0xFF, 0xD8}
	row := make([]uint16, frame.Columns)
	for c := range frame.Components {
		single, err := codec.NewFrame(codec.Shape{Rows: frame.Rows, Columns: frame.Columns, Components: 1}, frame.Bits)
		if err != nil {
			t.Fatal(err)
		}
		for y := range frame.Rows {
			frame.Row(row, y, c)
			single.SetRow(row, y, 0)
		}
		part, err := encode(single)
		if err != nil {
			t.Fatal(err)
		}
		alone, _, err := jpeg.Decode(part, single.Shape, jpeg.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for y := range frame.Rows {
			alone.Row(row, y, 0)
			want.SetRow(row, y, c)
		}
		header := bytes.Index(part, []byte{0xFF, start})
		if c == 0 {
			stream = append(stream, part[2:header]...)
			stream = append(stream, 0xFF, start, 0, 17, 8, 0, byte(frame.Rows), 0, byte(frame.Columns), 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
		}
		scan := part[header+13 : len(part)-2]
		scan[bytes.Index(scan, []byte{0xFF, 0xDA})+5] = byte(c + 1)
		stream = append(stream, scan...)
	}
	return append(stream, 0xFF, 0xD9), want
}
