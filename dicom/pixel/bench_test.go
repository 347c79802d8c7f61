package pixel_test

import (
	"bytes"
	"io"
	"testing"

	"salus/dicom/part10"
	"salus/dicom/phantom"
	"salus/dicom/pixel"
	"salus/dicom/tag"
)

// What a viewer asks for most: a CT slice as JPEG.
func BenchmarkRendered(b *testing.B) {
	data, err := phantom.Slice{PatientID: "1", Slices: 10, Size: 512}.File()
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []string{"read", "render", "encode"} {
		b.Run(step, func(b *testing.B) {
			file, err := part10.Read(bytes.NewReader(data), part10.Options{Whole: true})
			if err != nil {
				b.Fatal(err)
			}
			frame, err := pixel.Decode(file, file.Dataset.Get(tag.PixelData).Value)
			if err != nil {
				b.Fatal(err)
			}
			img, err := pixel.Render(file.Dataset, frame, 0, pixel.Options{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				switch step {
				case "read":
					_, err = part10.Read(bytes.NewReader(data), part10.Options{Until: tag.FloatPixelData})
				case "render":
					_, err = pixel.Render(file.Dataset, frame, 0, pixel.Options{})
				case "encode":
					err = pixel.Encode(io.Discard, img, "image/jpeg", 90)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
