package jpeg_test

import (
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpeg"
)

var benchmarks = []struct {
	name       string
	components int
	bits       int
	encode     func(*codec.Frame) ([]byte, error)
}{
	{"lossless 16 bit", 1, 16, lossless(jpeg.LosslessOptions{})},
	{"lossless 12 bit", 1, 12, lossless(jpeg.LosslessOptions{})},
	{"lossless 12 bit predictor 7", 1, 12, lossless(jpeg.LosslessOptions{Predictor: 7})},
	{"lossless RGB", 3, 8, lossless(jpeg.LosslessOptions{})},
	{"baseline grey", 1, 8, sequential(jpeg.SequentialOptions{Quality: 90})},
	{"baseline 4:2:2", 3, 8, sequential(jpeg.SequentialOptions{Quality: 90, Colour: jpeg.ColourRGB, Subsample: true})},
	{"extended 12 bit", 1, 12, sequential(jpeg.SequentialOptions{Quality: 90})},
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			frame := codectest.Smooth(codec.Shape{Rows: 512, Columns: 512, Components: bench.components}, bench.bits)
			stream, err := bench.encode(frame)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(frame.Samples)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := jpeg.Decode(stream, frame.Shape, jpeg.DecodeOptions{RGB: bench.components == 3}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			frame := codectest.Smooth(codec.Shape{Rows: 512, Columns: 512, Components: bench.components}, bench.bits)
			b.SetBytes(int64(len(frame.Samples)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bench.encode(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
