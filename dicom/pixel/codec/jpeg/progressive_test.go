package jpeg_test

import (
	"bytes"
	"encoding/base64"
	"image"
	gojpeg "image/jpeg"
	"testing"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/jpeg"
)

// The streams were made with libjpeg's standard progression of ten or six scans from an invented pattern: 16 by 16 grey, and 9 columns by 11
// rows of colour, 4:2:2.
var (
	progressiveStream = decoded("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/" +
		"wgALCAAQABABAREA/8QAFwAAAwEAAAAAAAAAAAAAAAAAAAIEBf/aAAgBAQAAAAEsy1//xAAZEAADAAMAAAAAAAAAAAAAAAAAAQIREhP/2gAIAQEAAQUChipG" +
		"2Dqf/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQAGPwIf/8QAGBAAAgMAAAAAAAAAAAAAAAAAABARIUH/2gAIAQEAAT8hKIimn//aAAgBAQAAABAf/8QA" +
		"GhABAAMBAQEAAAAAAAAAAAAAAQARIUExYf/aAAgBAQABPxADunsqBr5FqrrjkUUwT//Z")
	progressiveColour = decoded("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/" +
		"2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAALAAkDASEAAhEBAxEB/8QA" +
		"FQABAQAAAAAAAAAAAAAAAAAAAQL/xAAVAQEBAAAAAAAAAAAAAAAAAAACA//aAAwDAQACEAMQAAABupEWP//EABUQAQEAAAAAAAAAAAAAAAAAAAEg/9oACAEB" +
		"AAEFAgj/xAAVEQEBAAAAAAAAAAAAAAAAAAABEP/aAAgBAwEBPwEZ/8QAFREBAQAAAAAAAAAAAAAAAAAAAAL/2gAIAQIBAT8BU//EABQQAQAAAAAAAAAAAAAA" +
		"AAAAACD/2gAIAQEABj8CH//EABcQAQADAAAAAAAAAAAAAAAAAAAQEUH/2gAIAQEAAT8hFMj/2gAMAwEAAgADAAAAEPX/xAAWEQEBAQAAAAAAAAAAAAAAAAAA" +
		"ASH/2gAIAQMBAT8QxR//xAAXEQADAQAAAAAAAAAAAAAAAAAAAREx/9oACAECAQE/EGoaP//EABcQAQEBAQAAAAAAAAAAAAAAAAEAEVH/2gAIAQEAAT8QACz2" +
		"F1Zf/9k=")
)

func decoded(text string) []byte {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return b
}

func TestDecodeReadsProgressiveFrames(t *testing.T) {
	tests := []struct {
		name   string
		stream []byte
		shape  codec.Shape
	}{
		{"grey", progressiveStream, codec.Shape{Rows: 16, Columns: 16, Components: 1}},
		{"colour", progressiveColour, codec.Shape{Rows: 11, Columns: 9, Components: 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, header, err := jpeg.Decode(test.stream, test.shape, jpeg.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if header.Process != jpeg.Progressive {
				t.Errorf("header is %+v", header)
			}
			reference, err := gojpeg.Decode(bytes.NewReader(test.stream))
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.shape.Rows * test.shape.Columns {
				want := int(luma(reference, i%test.shape.Columns, i/test.shape.Columns))
				if d := int(got.Samples[i*test.shape.Components]) - want; d < -1 || d > 1 {
					t.Fatalf("pixel %d differs by %d", i, d)
				}
			}
		})
	}
}

func luma(m image.Image, x, y int) uint8 {
	switch m := m.(type) {
	case *image.Gray:
		return m.GrayAt(x, y).Y
	case *image.YCbCr:
		return m.YCbCrAt(x, y).Y
	}
	return 0
}

func TestDecodeRefusesProgressiveScans(t *testing.T) {
	edit := func(at int, value byte) []byte {
		b := bytes.Clone(progressiveStream)
		b[at] = value
		return b
	}
	sos := bytes.Index(progressiveStream, []byte{0xFF, 0xDA}) + 7 // Ss, Se, Ah and Al of the first scan
	tests := []struct {
		name   string
		stream []byte
	}{
		{"DC and AC together", edit(sos+1, 63)},
		{"AC from a later coefficient to an earlier one", edit(sos, 5)},
		{"coefficients beyond the block", edit(sos+1, 64)},
		{"two bits at once", edit(sos+2, 0x31)},
		{"a shift by fourteen", edit(sos+2, 0x0E)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := jpeg.Decode(test.stream, codec.Shape{Rows: 16, Columns: 16, Components: 1}, jpeg.DecodeOptions{}); err == nil {
				t.Error("there is no error")
			}
		})
	}
}

func TestDecodeLimitsScans(t *testing.T) {
	shape := codec.Shape{Rows: 16, Columns: 16, Components: 1}
	refinement := []byte{0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0x10, 0x0F} // one bit for each of the four blocks
	for count, permitted := range map[int]bool{100: true, 300: false} {
		stream := append(bytes.Clone(progressiveStream[:len(progressiveStream)-2]), bytes.Repeat(refinement, count)...)
		stream = append(stream, 0xFF, 0xD9)
		if _, _, err := jpeg.Decode(stream, shape, jpeg.DecodeOptions{}); (err == nil) != permitted {
			t.Errorf("%d further scans: %v", count, err)
		}
	}
}
