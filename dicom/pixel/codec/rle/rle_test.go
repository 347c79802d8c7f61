package rle_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/rle"
)

const syntaxRLE = "1.2.840.10008.1.2.5"

// stream puts a header before segments (PS3.5 §G.5).
func stream(segments ...[]byte) []byte {
	out := make([]byte, 64)
	binary.LittleEndian.PutUint32(out, uint32(len(segments)))
	for i, s := range segments {
		binary.LittleEndian.PutUint32(out[4+4*i:], uint32(len(out)))
		out = append(out, s...)
	}
	return out
}

func TestDecodeReadsPackets(t *testing.T) {
	row := codec.Shape{Rows: 1, Columns: 4, Components: 1}
	tests := []struct {
		name   string
		stream []byte
		shape  codec.Shape
		bits   int
		want   []byte
	}{
		{"a literal", stream([]byte{3, 1, 2, 3, 4}), row, 8, []byte{1, 2, 3, 4}},
		{"a run", stream([]byte{253, 7}), row, 8, []byte{7, 7, 7, 7}},
		{"a run after a literal", stream([]byte{1, 1, 2, 255, 9}), row, 8, []byte{1, 2, 9, 9}},
		{"no operation", stream([]byte{128, 253, 7}), row, 8, []byte{7, 7, 7, 7}},
		{"padding", stream([]byte{253, 7, 0, 0}), row, 8, []byte{7, 7, 7, 7}},
		{"a run beyond the plane", stream([]byte{129, 7}), row, 8, []byte{7, 7, 7, 7}},
		{"the more significant byte first", stream([]byte{253, 1}, []byte{3, 2, 3, 4, 5}), row, 16, []byte{2, 1, 3, 1, 4, 1, 5, 1}},
		{"four bytes", stream([]byte{0, 1}, []byte{0, 2}, []byte{0, 3}, []byte{0, 4}), codec.Shape{Rows: 1, Columns: 1, Components: 1}, 32,
			[]byte{4, 3, 2, 1}},
		{"components", stream([]byte{1, 1, 2}, []byte{1, 3, 4}, []byte{1, 5, 6}), codec.Shape{Rows: 2, Columns: 1, Components: 3}, 8,
			[]byte{1, 3, 5, 2, 4, 6}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := rle.Decode(test.stream, test.shape, test.bits)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Samples, test.want) {
				t.Errorf("samples are %v, want %v", got.Samples, test.want)
			}
		})
	}
}

func TestEncodePacksRowsOneByOne(t *testing.T) {
	tests := []struct {
		name    string
		columns int
		samples []byte
		want    []byte
	}{
		{"runs end with their row", 4, []byte{7, 7, 7, 7, 7, 7, 7, 7}, []byte{253, 7, 253, 7}},
		{"a pair within a literal", 5, []byte{1, 2, 2, 3, 4}, []byte{4, 1, 2, 2, 3, 4, 0}[:6]},
		{"a pair at the beginning", 3, []byte{2, 2, 3}, []byte{255, 2, 0, 3}},
		{"an odd segment is padded", 1, []byte{1}, []byte{0, 1}},
		{"a run of more than a packet", 130, bytes.Repeat([]byte{5}, 130), []byte{129, 5, 255, 5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			shape := codec.Shape{Rows: len(test.samples) / test.columns, Columns: test.columns, Components: 1}
			got, err := rle.Encode(&codec.Frame{Shape: shape, Bits: 8, Samples: test.samples})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, stream(test.want)) {
				t.Errorf("segment is %v, want %v", got[64:], test.want)
			}
		})
	}
}

func TestRoundTripIsExact(t *testing.T) {
	shapes := append([]codec.Shape{{Rows: 3, Columns: 300, Components: 1}}, codectest.Shapes...)
	for _, bits := range []int{8, 16, 32} {
		for _, pattern := range codectest.Patterns {
			t.Run(fmt.Sprintf("%d bits %s", bits, pattern.Name), func(t *testing.T) {
				for _, shape := range shapes {
					frame := pattern.Frame(shape, bits)
					data, err := rle.Encode(frame)
					if err != nil {
						t.Fatal(err)
					}
					got, err := rle.Decode(data, shape, bits)
					if err != nil {
						t.Fatalf("%v: %v", shape, err)
					}
					if !bytes.Equal(got.Samples, frame.Samples) || got.Bits != bits || len(data)%2 != 0 {
						t.Fatalf("%v: the frame differs by %d", shape, codectest.Distance(got, frame))
					}
				}
			})
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	row := codec.Shape{Rows: 1, Columns: 4, Components: 1}
	good := stream([]byte{253, 7})
	offset := func(v uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[4:], v)
		return b
	}
	tests := []struct {
		name   string
		stream []byte
		shape  codec.Shape
		bits   int
	}{
		{"nothing", nil, row, 8},
		{"half a header", good[:40], row, 8},
		{"too few segments", good, row, 16},
		{"too many segments", stream([]byte{253, 7}, []byte{253, 7}), row, 8},
		{"an offset within the header", offset(63), row, 8},
		{"an offset beyond the end", offset(67), row, 8},
		{"offsets out of order", append(stream(nil, []byte{253, 7})[:4], append([]byte{66, 0, 0, 0, 64, 0, 0, 0}, make([]byte, 54)...)...), row, 16},
		{"an empty segment", stream(nil), row, 8},
		{"a literal that ends early", stream([]byte{3, 1, 2, 3}), row, 8},
		{"a run without value", stream([]byte{253}), row, 8},
		{"a segment that ends early", stream([]byte{254, 7}), row, 8},
		{"more pixels than packets can stand for", good, codec.Shape{Rows: 60000, Columns: 60000, Components: 1}, 8},
		{"12 bits allocated", good, row, 12},
		{"16 segments", good, codec.Shape{Rows: 1, Columns: 1, Components: 4}, 32},
		{"no rows", good, codec.Shape{Columns: 4, Components: 1}, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := rle.Decode(test.stream, test.shape, test.bits)
			var broken *codec.Error
			if !errors.As(err, &broken) {
				t.Errorf("error is %v, want one of a codec", err)
			}
		})
	}
}

func TestDecodeAllocatesInProportion(t *testing.T) {
	huge := codec.Shape{Rows: 30000, Columns: 30000, Components: 1}
	n := codectest.Allocated(func() {
		if _, err := rle.Decode(stream([]byte{129, 7}), huge, 8); err == nil {
			t.Error("there is no error")
		}
	})
	if n > 1<<16 {
		t.Errorf("%d bytes are allocated for a stream of two", n)
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name  string
		frame *codec.Frame
	}{
		{"12 bits", codectest.Smooth(codec.Shape{Rows: 2, Columns: 2, Components: 1}, 12)},
		{"16 segments", codectest.Smooth(codec.Shape{Rows: 2, Columns: 2, Components: 4}, 32)},
		{"too few samples", &codec.Frame{Shape: codec.Shape{Rows: 2, Columns: 2, Components: 1}, Bits: 8, Samples: []byte{1}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var broken *codec.Error
			if _, err := rle.Encode(test.frame); !errors.As(err, &broken) {
				t.Errorf("error is %v, want one of a codec", err)
			}
		})
	}
}

func TestDecodeAgreesWithDcmtk(t *testing.T) {
	images := codectest.Images(t, syntaxRLE)
	tool := codectest.Tool(t, "dcmdrle", "RLE decoding of foreign files compared with dcmtk")
	for _, image := range images {
		t.Run(filepath.Base(image.Path), func(t *testing.T) {
			reference := codectest.Reference(t, tool, image.Path)
			if reference == nil {
				t.Skipf("NOT COVERED: %s", image.Path)
			}
			frames := len(reference.Native) / reference.FrameBytes()
			streams := image.Streams(frames)
			if streams == nil {
				t.Fatalf("%d frames are in %d fragments", frames, len(image.Fragments))
			}
			for i, data := range streams {
				got, err := rle.Decode(data, image.Shape, image.BitsAllocated)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Samples, reference.Interleaved(i)) {
					t.Errorf("frame %d differs", i)
				}
			}
			t.Logf("%d frames of %d bits allocated are equal", frames, image.BitsAllocated)
		})
	}
}

func TestDcmtkReadsWhatIsEncoded(t *testing.T) {
	tool := codectest.Tool(t, "dcmdrle", "RLE encoding read by dcmtk")
	for _, bits := range []int{8, 16, 32} {
		for _, photometric := range []string{"MONOCHROME2", "RGB"} {
			t.Run(fmt.Sprintf("%d bits %s", bits, photometric), func(t *testing.T) {
				shape := codec.Shape{Rows: 61, Columns: 47, Components: map[string]int{"MONOCHROME2": 1, "RGB": 3}[photometric]}
				frame := codectest.Smooth(shape, bits)
				data, err := rle.Encode(frame)
				if err != nil {
					t.Fatal(err)
				}
				image := codectest.Image{
					TransferSyntax: syntaxRLE, Shape: shape, BitsStored: bits, BitsAllocated: bits, Photometric: photometric,
					Fragments: [][]byte{data},
				}
				path := filepath.Join(t.TempDir(), "encoded.dcm")
				if err := image.Write(path); err != nil {
					t.Fatal(err)
				}
				reference := codectest.Reference(t, tool, path)
				if reference == nil {
					t.Fatal("dcmtk refuses the file")
				}
				if !bytes.Equal(reference.Interleaved(0), frame.Samples) {
					t.Error("dcmtk reads other samples")
				}
			})
		}
	}
}

func TestDecodeReadsWhatDcmtkWrites(t *testing.T) {
	tool := codectest.Tool(t, "dcmcrle", "RLE decoding of what dcmtk encodes")
	for _, bits := range []int{8, 16} {
		for _, pattern := range codectest.Patterns {
			for photometric, components := range map[string]int{"MONOCHROME2": 1, "RGB": 3} {
				t.Run(fmt.Sprintf("%s %d bits %s", pattern.Name, bits, photometric), func(t *testing.T) {
					frame := pattern.Frame(codec.Shape{Rows: 20, Columns: 31, Components: components}, bits)
					image := codectest.Encoded(t, tool, frame, photometric)
					if image == nil {
						t.Fatal("dcmtk refuses the frame")
					}
					got, err := rle.Decode(image.Fragments[0], frame.Shape, bits)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got.Samples, frame.Samples) {
						t.Errorf("a sample differs by %d", codectest.Distance(got, frame))
					}
				})
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, bits := range []int{8, 16, 32} {
		for _, components := range []int{1, 3} {
			frame := codectest.Smooth(codec.Shape{Rows: 5, Columns: 9, Components: components}, bits)
			data, err := rle.Encode(frame)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, uint16(5), uint16(9), uint8(components), uint8(bits))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, rows, columns uint16, components, bits uint8) {
		shape := codec.Shape{Rows: int(rows % 256), Columns: int(columns % 256), Components: int(components)}
		frame, err := rle.Decode(data, shape, int(bits))
		if err != nil {
			return
		}
		if err := frame.Check(); err != nil || frame.Shape != shape || frame.Bits != int(bits) {
			t.Errorf("decoded a frame %+v of %d bits for %+v: %v", frame.Shape, frame.Bits, shape, err)
		}
	})
}

var benchmarks = []struct {
	name       string
	components int
	bits       int
}{{"512x512 16 bit", 1, 16}, {"512x512 RGB", 3, 8}}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			frame := codectest.Smooth(codec.Shape{Rows: 512, Columns: 512, Components: bench.components}, bench.bits)
			data, err := rle.Encode(frame)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(frame.Samples)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := rle.Decode(data, frame.Shape, frame.Bits); err != nil {
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
				if _, err := rle.Encode(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
