package jpegls_test

import (
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpegls"
)

var benchmarks = []struct {
	name    string
	shape   codec.Shape
	bits    int
	options jpegls.Options
}{
	{"512x512 16 bit", codec.Shape{Rows: 512, Columns: 512, Components: 1}, 16, jpegls.Options{}},
	{"512x512 12 bit", codec.Shape{Rows: 512, Columns: 512, Components: 1}, 12, jpegls.Options{}},
	{"512x512 12 bit near 2", codec.Shape{Rows: 512, Columns: 512, Components: 1}, 12, jpegls.Options{Near: 2}},
	{"512x512 RGB by sample", codec.Shape{Rows: 512, Columns: 512, Components: 3}, 8, jpegls.Options{Interleave: jpegls.InterleaveSample}},
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			frame := codectest.Smooth(bench.shape, bench.bits)
			stream, err := jpegls.Encode(frame, bench.options)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(frame.Samples)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := jpegls.Decode(stream, bench.shape); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			frame := codectest.Smooth(bench.shape, bench.bits)
			b.SetBytes(int64(len(frame.Samples)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jpegls.Encode(frame, bench.options); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
