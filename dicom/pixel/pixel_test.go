package pixel_test

import (
	"bytes"
	"image"
	"testing"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/pixel"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// picture is a data set of one row of pixels.
func picture(photometric string, columns, components, bits uint16, more ...dicom.Element) *part10.File {
	d := dicom.New(append(more, dicom.Uint16(tag.Rows, 1), dicom.Uint16(tag.Columns, columns), dicom.Uint16(tag.SamplesPerPixel, components),
		dicom.Uint16(tag.BitsAllocated, bits), dicom.Text(tag.PhotometricInterpretation, dicom.CS, photometric))...)
	return &part10.File{Dataset: d, TransferSyntax: uid.ExplicitVRLittleEndian}
}

func show(t *testing.T, f *part10.File, data []byte) []byte {
	t.Helper()
	frame, err := pixel.Decode(f, data)
	if err != nil {
		t.Fatal(err)
	}
	img, err := pixel.Render(f.Dataset, frame, 0, pixel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	switch img := img.(type) {
	case *image.Gray:
		return img.Pix
	case *image.NRGBA:
		return img.Pix
	}
	t.Fatalf("a picture of type %T", img)
	return nil
}

func TestPictures(t *testing.T) {
	window := []dicom.Element{dicom.Text(tag.WindowCenter, dicom.DS, "128"), dicom.Text(tag.WindowWidth, dicom.DS, "256")}
	hounsfield := []dicom.Element{dicom.Text(tag.WindowCenter, dicom.DS, "0"), dicom.Text(tag.WindowWidth, dicom.DS, "3"),
		dicom.Text(tag.RescaleIntercept, dicom.DS, "-10"), dicom.Text(tag.RescaleSlope, dicom.DS, "1")}
	palette := []dicom.Element{
		dicom.Uint16(tag.RedPaletteColorLookupTableDescriptor, 2, 0, 16), dicom.Uint16(tag.GreenPaletteColorLookupTableDescriptor, 2, 0, 16),
		dicom.Uint16(tag.BluePaletteColorLookupTableDescriptor, 2, 0, 16), dicom.Uint16(tag.RedPaletteColorLookupTableData, 0xFF00, 0),
		dicom.Uint16(tag.GreenPaletteColorLookupTableData, 0, 0x8000), dicom.Uint16(tag.BluePaletteColorLookupTableData, 0, 0x0100),
	}
	table := func(sequence dicom.Tag, first uint16, bits uint16, values ...uint16) dicom.Element {
		return dicom.Sequence(sequence, dicom.New(dicom.Uint16(tag.LUTDescriptor, uint16(len(values)), first, bits), dicom.Uint16(tag.LUTData, values...)))
	}
	words := picture("MONOCHROME2", 4, 1, 8, append(window, dicom.Element{Tag: tag.PixelData, VR: dicom.OW})...)
	words.TransferSyntax = uid.ExplicitVRBigEndian
	for _, c := range []struct {
		name string
		f    *part10.File
		data []byte
		want []byte
	}{
		{"a modality table", picture("MONOCHROME2", 3, 1, 8, append(window, table(tag.ModalityLUTSequence, 1, 16, 0, 255, 100))...), []byte{1, 2, 9}, []byte{0, 255, 100}},
		{"a VOI table of 12 bits", picture("MONOCHROME2", 3, 1, 8, table(tag.VOILUTSequence, 10, 12, 0, 0x800, 0xFF0)), []byte{9, 11, 200}, []byte{0, 128, 255}},
		{"bytes in big-endian words", words, []byte{1, 0, 3, 2}, []byte{0, 1, 2, 3}},
		{"a window over everything", picture("MONOCHROME2", 3, 1, 8, window...), []byte{0, 100, 255}, []byte{0, 100, 255}},
		{"dark is high", picture("MONOCHROME1", 3, 1, 8, window...), []byte{0, 100, 255}, []byte{255, 155, 0}},
		{"modality values in a narrow window", picture("MONOCHROME2", 4, 1, 16, hounsfield...), []byte{0, 0, 9, 0, 10, 0, 11, 0}, []byte{0, 64, 191, 255}},
		{"no window: from the smallest to the largest", picture("MONOCHROME2", 3, 1, 16), []byte{10, 0, 20, 0, 30, 0}, []byte{0, 128, 255}},
		{"signed values", picture("MONOCHROME2", 3, 1, 16, dicom.Uint16(tag.PixelRepresentation, 1)), []byte{0xFF, 0xFF, 0, 0, 1, 0}, []byte{0, 128, 255}},
		{"colours", picture("RGB", 2, 3, 8), []byte{1, 2, 3, 4, 5, 6}, []byte{1, 2, 3, 255, 4, 5, 6, 255}},
		{"colours by planes", picture("RGB", 2, 3, 8, dicom.Uint16(tag.PlanarConfiguration, 1)), []byte{1, 4, 2, 5, 3, 6}, []byte{1, 2, 3, 255, 4, 5, 6, 255}},
		{"a palette", picture("PALETTE COLOR", 3, 1, 8, palette...), []byte{0, 1, 7}, []byte{255, 0, 0, 255, 0, 128, 1, 255, 0, 128, 1, 255}},
		{"a mask", picture("MONOCHROME2", 3, 1, 1), []byte{5}, []byte{255, 0, 255}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(t, c.f, c.data); !bytes.Equal(got, c.want) {
				t.Errorf("shown as %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		f    *part10.File
		data []byte
	}{
		"too few bytes":  {picture("MONOCHROME2", 3, 1, 16), []byte{1, 2}},
		"no columns":     {picture("MONOCHROME2", 0, 1, 8), nil},
		"an odd depth":   {picture("MONOCHROME2", 3, 1, 12), make([]byte, 99)},
		"JPEG 2000":      {&part10.File{Dataset: picture("MONOCHROME2", 3, 1, 8).Dataset, TransferSyntax: uid.JPEG2000}, []byte{1}},
		"a broken frame": {&part10.File{Dataset: picture("MONOCHROME2", 3, 1, 8).Dataset, TransferSyntax: uid.JPEGLSLossless}, []byte{1}},
	} {
		if _, err := pixel.Decode(c.f, c.data); !fault.Is(err, fault.NotAcceptable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
