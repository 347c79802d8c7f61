package jpegls_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpegls"
)

// The transfer syntaxes of this codec (PS3.5 §A.4.3).
const (
	syntaxLossless = "1.2.840.10008.1.2.4.80"
	syntaxNear     = "1.2.840.10008.1.2.4.81"
)

func TestDecodeAgreesWithDcmtk(t *testing.T) {
	images := codectest.Images(t, syntaxLossless, syntaxNear)
	tool := codectest.Tool(t, "dcmdjpls", "JPEG-LS decoding of foreign files compared with dcmtk")
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
			for i, stream := range streams {
				got, header, err := jpegls.Decode(stream, image.Shape)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Samples, reference.Interleaved(i)) {
					t.Errorf("frame %d differs; %+v", i, header)
				}
				t.Logf("frame %d is equal: %+v", i, header)
			}
		})
	}
}

func TestDcmtkReadsWhatIsEncoded(t *testing.T) {
	tool := codectest.Tool(t, "dcmdjpls", "JPEG-LS encoding read by dcmtk")
	for _, bits := range []int{8, 10, 12, 16} {
		for _, near := range []int{0, 1, 3, 9} {
			for mode := range jpegls.InterleaveSample + 2 {
				o := jpegls.Options{Near: near, Interleave: mode}
				components, photometric := 3, "RGB"
				if mode > jpegls.InterleaveSample {
					o.Interleave, components, photometric = jpegls.InterleaveNone, 1, "MONOCHROME2"
				}
				if components == 3 && bits != 8 {
					continue // dcmtk knows colour of eight bits
				}
				t.Run(fmt.Sprintf("%d bits near %d %s interleave %d", bits, near, photometric, o.Interleave), func(t *testing.T) {
					for _, pattern := range codectest.Patterns {
						frame := pattern.Frame(codec.Shape{Rows: 61, Columns: 47, Components: components}, bits)
						foreignRead(t, tool, frame, photometric, o)
					}
				})
			}
		}
	}
}

func foreignRead(t *testing.T, tool string, frame *codec.Frame, photometric string, o jpegls.Options) {
	t.Helper()
	stream, err := jpegls.Encode(frame, o)
	if err != nil {
		t.Fatal(err)
	}
	image := codectest.Image{
		TransferSyntax: syntaxLossless, Shape: frame.Shape, BitsStored: frame.Bits, BitsAllocated: 8 * codec.SampleBytes(frame.Bits),
		Photometric: photometric, Fragments: [][]byte{stream},
	}
	if o.Near > 0 {
		image.TransferSyntax = syntaxNear
	}
	path := filepath.Join(t.TempDir(), "encoded.dcm")
	if err := image.Write(path); err != nil {
		t.Fatal(err)
	}
	reference := codectest.Reference(t, tool, path)
	if reference == nil {
		t.Fatal("dcmtk refuses the file")
	}
	got, _, err := jpegls.Decode(stream, frame.Shape)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(reference.Interleaved(0), got.Samples) {
		t.Error("dcmtk reads other samples")
	}
}

func TestDecodeReadsWhatDcmtkWrites(t *testing.T) {
	tool := codectest.Tool(t, "dcmcjpls", "JPEG-LS decoding of what dcmtk encodes")
	tests := []struct {
		name       string
		components int
		near       int
		flags      []string
	}{
		{"lossless", 1, 0, []string{"+el"}},
		{"lossless, cooked", 1, 0, []string{"+el", "+pc"}},
		{"near 2", 1, 2, []string{"+en", "+md", "2"}},
		{"near 7", 1, 7, []string{"+en", "+md", "7"}},
		{"preset parameters", 1, 0, []string{"+el", "+t1", "9", "+t2", "20", "+t3", "41", "+rs", "31"}},
		{"by line", 3, 0, []string{"+el", "+il"}},
		{"by sample", 3, 0, []string{"+el", "+is"}},
		{"by component", 3, 0, []string{"+el", "+in"}},
		{"by line near 3", 3, 3, []string{"+en", "+md", "3", "+il"}},
		{"by sample near 3", 3, 3, []string{"+en", "+md", "3", "+is"}},
		{"by component near 3", 3, 3, []string{"+en", "+md", "3", "+in"}},
	}
	for _, test := range tests {
		for _, bits := range []int{8, 10, 12, 16} {
			photometric := "MONOCHROME2"
			if test.components == 3 {
				photometric = "RGB"
			}
			if test.components == 3 && bits != 8 {
				continue
			}
			t.Run(fmt.Sprintf("%s %d bits", test.name, bits), func(t *testing.T) {
				frame := codectest.Smooth(codec.Shape{Rows: 53, Columns: 71, Components: test.components}, bits)
				image := codectest.Encoded(t, tool, frame, photometric, test.flags...)
				if image == nil {
					t.Fatal("dcmtk refuses the frame")
				}
				got, header, err := jpegls.Decode(image.Fragments[0], frame.Shape)
				if err != nil {
					t.Fatal(err)
				}
				got.Bits = frame.Bits
				if d := codectest.Distance(got, frame); d < 0 || d > test.near || header.Near != test.near {
					t.Errorf("a sample differs by %d, %d is permitted; %+v", d, test.near, header)
				}
			})
		}
	}
}
