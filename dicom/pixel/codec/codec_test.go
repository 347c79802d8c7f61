package codec_test

import (
	"bytes"
	"errors"
	"testing"

	"salus/dicom/pixel/codec"
)

func TestShapeCheckGuardsAllocation(t *testing.T) {
	tests := []struct {
		name  string
		shape codec.Shape
		bits  int
		ok    bool
	}{
		{"the smallest", codec.Shape{Rows: 1, Columns: 1, Components: 1}, 1, true},
		{"the longest", codec.Shape{Rows: 65535, Columns: 1, Components: 4}, 32, true},
		{"one gibibyte", codec.Shape{Rows: 32768, Columns: 32768, Components: 1}, 8, true},
		{"over one gibibyte", codec.Shape{Rows: 32768, Columns: 32769, Components: 1}, 8, false},
		{"over one gibibyte by precision", codec.Shape{Rows: 32768, Columns: 32768, Components: 1}, 9, false},
		{"no rows", codec.Shape{Columns: 1, Components: 1}, 8, false},
		{"negative columns", codec.Shape{Rows: 1, Columns: -1, Components: 1}, 8, false},
		{"too many columns", codec.Shape{Rows: 1, Columns: 65536, Components: 1}, 8, false},
		{"no components", codec.Shape{Rows: 1, Columns: 1}, 8, false},
		{"five components", codec.Shape{Rows: 1, Columns: 1, Components: 5}, 8, false},
		{"no bits", codec.Shape{Rows: 1, Columns: 1, Components: 1}, 0, false},
		{"33 bits", codec.Shape{Rows: 1, Columns: 1, Components: 1}, 33, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.shape.Check(test.bits)
			var broken *codec.Error
			if (err == nil) != test.ok || err != nil && !errors.As(err, &broken) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestNewFrameHasBytesForItsPrecision(t *testing.T) {
	for bits, want := range map[int]int{1: 6, 8: 6, 9: 12, 16: 12, 17: 24, 32: 24} {
		f, err := codec.NewFrame(codec.Shape{Rows: 1, Columns: 2, Components: 3}, bits)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Samples) != want {
			t.Errorf("%d bits: %d bytes, want %d", bits, len(f.Samples), want)
		}
	}
	if f, err := codec.NewFrame(codec.Shape{}, 8); err == nil {
		t.Errorf("a frame without rows is %+v", f)
	}
}

func TestFrameCheckRefusesForeignSamples(t *testing.T) {
	shape := codec.Shape{Rows: 1, Columns: 2, Components: 1}
	tests := []struct {
		name    string
		bits    int
		samples []byte
		ok      bool
	}{
		{"7 bits", 7, []byte{127, 0}, true},
		{"8 bits in 7", 7, []byte{0, 128}, false},
		{"12 bits", 12, []byte{0xFF, 0x0F, 0, 0}, true},
		{"a sign that is extended over 12 bits", 12, []byte{0xFF, 0xFF, 0, 0}, false},
		{"20 bits in 19", 19, []byte{0, 0, 0, 0, 0, 0, 8, 0}, false},
		{"a byte too few", 16, []byte{0, 0, 0}, false},
		{"a byte too many", 8, []byte{0, 0, 0}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := codec.Frame{Shape: shape, Bits: test.bits, Samples: test.samples}
			if err := f.Check(); (err == nil) != test.ok {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestRowsAreReadAsTheyAreSet(t *testing.T) {
	for _, bits := range []int{8, 12} {
		f, err := codec.NewFrame(codec.Shape{Rows: 2, Columns: 2, Components: 3}, bits)
		if err != nil {
			t.Fatal(err)
		}
		f.SetRow([]uint16{5, 200}, 1, 2)
		got := make([]uint16, 2)
		f.Row(got, 1, 2)
		if got[0] != 5 || got[1] != 200 {
			t.Errorf("%d bits: row is %v", bits, got)
		}
		width := codec.SampleBytes(bits)
		if f.Samples[8*width] != 5 || f.Samples[11*width] != 200 || bytes.Count(f.Samples, []byte{0}) != len(f.Samples)-2 {
			t.Errorf("%d bits: samples are %v", bits, f.Samples)
		}
	}
}

func TestErrorNamesCodecPlaceAndRule(t *testing.T) {
	tests := []struct {
		err  codec.Error
		want string
	}{
		{codec.Error{Codec: "RLE", Offset: 7, Rule: "a header is there"}, "RLE: byte 7: broken rule: a header is there"},
		{codec.Error{Codec: "JPEG", Offset: codec.Nowhere, Rule: "quality is 1 to 100"}, "JPEG: broken rule: quality is 1 to 100"},
		{codec.Error{Offset: codec.Nowhere, Rule: "a frame has rows"}, "frame: broken rule: a frame has rows"},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("error reads %q, want %q", got, test.want)
		}
	}
}
