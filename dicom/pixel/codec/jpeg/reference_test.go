package jpeg_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/codectest"
	"salus/dicom/pixel/codec/jpeg"
)

// The transfer syntaxes of this codec (PS3.5 §A.4.1).
const (
	syntaxBaseline    = "1.2.840.10008.1.2.4.50"
	syntaxExtended    = "1.2.840.10008.1.2.4.51"
	syntaxLossless    = "1.2.840.10008.1.2.4.57"
	syntaxLosslessSV1 = "1.2.840.10008.1.2.4.70"
)

func TestDecodeAgreesWithDcmtk(t *testing.T) {
	images := codectest.Images(t, syntaxBaseline, syntaxExtended, syntaxLossless, syntaxLosslessSV1)
	tool := codectest.Tool(t, "dcmdjpeg", "JPEG decoding of foreign files compared with dcmtk")
	for _, image := range images {
		t.Run(filepath.Base(image.Path), func(t *testing.T) {
			reference := codectest.Reference(t, tool, image.Path)
			if reference == nil {
				t.Skipf("NOT COVERED: %s", image.Path)
			}
			frames := len(reference.Native) / reference.FrameBytes()
			streams := image.Streams(frames)
			if streams == nil {
				t.Skipf("NOT COVERED: %d frames are in %d fragments", frames, len(image.Fragments))
			}
			rgb := strings.HasPrefix(image.Photometric, "YBR") && reference.Photometric == "RGB"
			worst := 0
			for i, stream := range streams {
				worst = max(worst, compare(t, stream, reference, i, rgb))
			}
			t.Logf("%s %s: %d frames, largest difference %d", image.TransferSyntax, image.Photometric, frames, worst)
		})
	}
}

// compare decodes a code stream and returns the largest difference from the reference, which it checks.
func compare(t *testing.T, stream []byte, reference *codectest.Image, frame int, rgb bool) int {
	t.Helper()
	got, header, err := jpeg.Decode(stream, reference.Shape, jpeg.DecodeOptions{RGB: rgb})
	if err != nil {
		t.Fatal(err)
	}
	want := &codec.Frame{Shape: got.Shape, Bits: got.Bits, Samples: reference.Interleaved(frame)}
	if codec.SampleBytes(got.Bits) != reference.BitsAllocated/8 {
		t.Fatalf("samples of %d bits, reference allocates %d", got.Bits, reference.BitsAllocated)
	}
	limit := 1
	if header.Process == jpeg.Lossless {
		limit = 0
	}
	d := codectest.Distance(got, want)
	if d < 0 || d > limit {
		t.Errorf("frame %d: a sample differs by %d, %d is permitted; %+v", frame, d, limit, header)
	}
	return d
}

func TestDcmtkReadsWhatIsEncoded(t *testing.T) {
	tool := codectest.Tool(t, "dcmdjpeg", "JPEG encoding read by dcmtk")
	for _, test := range foreignReads {
		for _, pattern := range codectest.Patterns {
			t.Run(test.name+" "+pattern.Name, func(t *testing.T) {
				frame := pattern.Frame(codec.Shape{Rows: 61, Columns: 47, Components: test.components}, test.bits)
				stream, err := test.encode(frame)
				if err != nil {
					t.Fatal(err)
				}
				image := codectest.Image{
					TransferSyntax: test.syntax, Shape: frame.Shape, BitsStored: test.bits,
					BitsAllocated: 8 * codec.SampleBytes(test.bits), Photometric: test.photometric, Fragments: [][]byte{stream},
				}
				path := filepath.Join(t.TempDir(), "encoded.dcm")
				if err := image.Write(path); err != nil {
					t.Fatal(err)
				}
				reference := codectest.Reference(t, tool, path)
				if reference == nil {
					t.Fatal("dcmtk refuses the file")
				}
				d := compare(t, stream, reference, 0, strings.HasPrefix(test.photometric, "YBR"))
				t.Logf("largest difference %d", d)
			})
		}
	}
}

func lossless(o jpeg.LosslessOptions) func(*codec.Frame) ([]byte, error) {
	return func(f *codec.Frame) ([]byte, error) { return jpeg.EncodeLossless(f, o) }
}

func sequential(o jpeg.SequentialOptions) func(*codec.Frame) ([]byte, error) {
	return func(f *codec.Frame) ([]byte, error) { return jpeg.EncodeSequential(f, o) }
}

var foreignReads = []struct {
	name        string
	syntax      string
	photometric string
	components  int
	bits        int
	encode      func(*codec.Frame) ([]byte, error)
}{
	{"baseline grey", syntaxBaseline, "MONOCHROME2", 1, 8, sequential(jpeg.SequentialOptions{Quality: 90})},
	{"baseline grey, restarts", syntaxBaseline, "MONOCHROME2", 1, 8, sequential(jpeg.SequentialOptions{Quality: 90, RestartRows: 1})},
	{"baseline 4:4:4", syntaxBaseline, "YBR_FULL", 3, 8, sequential(jpeg.SequentialOptions{Quality: 75, Colour: jpeg.ColourRGB})},
	{"baseline 4:2:2", syntaxBaseline, "YBR_FULL_422", 3, 8,
		sequential(jpeg.SequentialOptions{Quality: 95, Colour: jpeg.ColourRGB, Subsample: true})},
	{"baseline RGB", syntaxBaseline, "RGB", 3, 8, sequential(jpeg.SequentialOptions{Quality: 30})},
	{"extended 12 bits", syntaxExtended, "MONOCHROME2", 1, 12, sequential(jpeg.SequentialOptions{Quality: 95})},
	{"extended 12 bits of low quality", syntaxExtended, "MONOCHROME2", 1, 12, sequential(jpeg.SequentialOptions{Quality: 5, RestartRows: 2})},
	{"lossless 8 bits", syntaxLosslessSV1, "MONOCHROME2", 1, 8, lossless(jpeg.LosslessOptions{})},
	{"lossless 12 bits", syntaxLosslessSV1, "MONOCHROME2", 1, 12, lossless(jpeg.LosslessOptions{})},
	{"lossless 16 bits, restarts", syntaxLosslessSV1, "MONOCHROME2", 1, 16, lossless(jpeg.LosslessOptions{RestartRows: 5})},
	{"lossless RGB", syntaxLosslessSV1, "RGB", 3, 8, lossless(jpeg.LosslessOptions{})},
	{"lossless predictor 2", syntaxLossless, "MONOCHROME2", 1, 16, lossless(jpeg.LosslessOptions{Predictor: 2})},
	{"lossless predictor 3", syntaxLossless, "MONOCHROME2", 1, 16, lossless(jpeg.LosslessOptions{Predictor: 3})},
	{"lossless predictor 4", syntaxLossless, "MONOCHROME2", 1, 16, lossless(jpeg.LosslessOptions{Predictor: 4})},
	{"lossless predictor 5", syntaxLossless, "MONOCHROME2", 1, 16, lossless(jpeg.LosslessOptions{Predictor: 5})},
	{"lossless predictor 6", syntaxLossless, "MONOCHROME2", 1, 12, lossless(jpeg.LosslessOptions{Predictor: 6})},
	{"lossless predictor 7", syntaxLossless, "RGB", 3, 8, lossless(jpeg.LosslessOptions{Predictor: 7})},
}

func TestDecodeReadsWhatDcmtkWrites(t *testing.T) {
	encoder := codectest.Tool(t, "dcmcjpeg", "JPEG decoding of what dcmtk encodes")
	decoder := codectest.Tool(t, "dcmdjpeg", "JPEG decoding of what dcmtk encodes")
	tests := []struct {
		name        string
		photometric string
		bits        []int
		flags       []string
	}{
		{"lossless SV1", "MONOCHROME2", []int{8, 12, 16}, []string{"+e1"}},
		{"lossless SV1 RGB", "RGB", []int{8}, []string{"+e1"}},
		{"lossless SV1 with point transform", "MONOCHROME2", []int{8, 12, 16}, []string{"+e1", "+pt", "2"}},
		{"lossless predictor 2", "MONOCHROME2", []int{8, 12, 16}, []string{"+el", "+sv", "2"}},
		{"lossless predictor 3", "MONOCHROME2", []int{8, 12, 16}, []string{"+el", "+sv", "3"}},
		{"lossless predictor 4", "MONOCHROME2", []int{8, 12, 16}, []string{"+el", "+sv", "4"}},
		{"lossless predictor 5", "MONOCHROME2", []int{8, 12, 16}, []string{"+el", "+sv", "5"}},
		{"lossless predictor 6", "MONOCHROME2", []int{8, 12, 16}, []string{"+el", "+sv", "6"}},
		{"lossless predictor 7", "MONOCHROME2", []int{8, 12, 16}, []string{"+el", "+sv", "7"}},
		{"baseline", "MONOCHROME2", []int{8}, []string{"+eb", "+q", "80"}},
		{"baseline 4:4:4", "RGB", []int{8}, []string{"+eb", "+s4"}},
		{"baseline 4:2:2", "RGB", []int{8}, []string{"+eb", "+s2"}},
		{"baseline 4:1:1", "RGB", []int{8}, []string{"+eb", "+n1"}},
		{"baseline RGB", "RGB", []int{8}, []string{"+eb", "+cr"}},
		{"extended", "MONOCHROME2", []int{8, 12}, []string{"+ee", "+q", "80"}},
		{"spectral selection", "MONOCHROME2", []int{8, 12}, []string{"+es", "+q", "80"}},
		{"full progression", "MONOCHROME2", []int{8, 12}, []string{"+ep", "+q", "80"}},
		{"full progression RGB", "RGB", []int{8}, []string{"+ep", "+q", "80"}},
	}
	for _, test := range tests {
		for _, bits := range test.bits {
			t.Run(fmt.Sprintf("%s %d bits", test.name, bits), func(t *testing.T) {
				components := map[string]int{"MONOCHROME2": 1, "RGB": 3}[test.photometric]
				frame := codectest.Smooth(codec.Shape{Rows: 53, Columns: 71, Components: components}, bits)
				image := codectest.Encoded(t, encoder, frame, test.photometric, test.flags...)
				if image == nil {
					t.Fatal("dcmtk refuses the frame")
				}
				reference := codectest.Reference(t, decoder, image.Path)
				if reference == nil {
					t.Fatal("dcmtk refuses its own file")
				}
				rgb := strings.HasPrefix(image.Photometric, "YBR") && reference.Photometric == "RGB"
				t.Logf("largest difference %d", compare(t, image.Fragments[0], reference, 0, rgb))
			})
		}
	}
}
