package pixel

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"salus/dicom"
	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/jpeg"
	"salus/dicom/tag"
	"salus/fault"
)

// Window maps modality values to what is shown (PS3.3 §C.11.2.1.2).
type Window struct {
	Center, Width float64
	Function      string // LINEAR, LINEAR_EXACT or SIGMOID; empty for LINEAR
}

// Options say how a frame is shown.
type Options struct {
	Window   *Window   // instead of the image's own
	Viewport *Viewport // nil for the whole frame in its own size
	Notes    Notes     // written into the picture
}

// Render makes a picture of a frame, whose number among those of the data set counts from 0.
func Render(d *dicom.Dataset, f *Frame, number int, o Options) (image.Image, error) {
	img, err := whole(d, f, number, o)
	if err != nil {
		return nil, err
	}
	if o.Viewport != nil {
		if img, err = o.Viewport.show(img); err != nil {
			return nil, err
		}
	}
	return annotate(img, d, o.Notes), nil
}

// whole makes a picture of all of a frame.
func whole(d *dicom.Dataset, f *Frame, number int, o Options) (image.Image, error) {
	switch f.Photometric {
	case "MONOCHROME1", "MONOCHROME2", "":
		if f.Components == 1 {
			return grey(d, f, number, o), nil
		}
	case "PALETTE COLOR":
		if f.Components == 1 {
			return palette(d, f)
		}
	case "RGB", "YBR_FULL", "YBR_RCT", "YBR_ICT", "YBR_FULL_422":
		if f.Components == 3 {
			return colours(f), nil
		}
	}
	return nil, fault.New(fault.NotAcceptable, "images with photometric interpretation %q and %d samples a pixel are not shown", f.Photometric, f.Components)
}

// transformation is what an image or a frame says of its values.
type transformation struct {
	slope, intercept float64
	modality         *table // instead of slope and intercept
	window           *Window
	voi              *table // instead of a window
}

// groups are the data sets in which a frame's transformations can be: its own functional groups, the shared ones, and the image itself
// (PS3.3 §C.7.6.16).
func groups(d *dicom.Dataset, number int, sequence dicom.Tag) []*dicom.Dataset {
	var all []*dicom.Dataset
	if own := d.Items(tag.PerFrameFunctionalGroupsSequence); number < len(own) {
		all = append(all, own[number].Item(sequence))
	}
	return append(all, d.Item(tag.SharedFunctionalGroupsSequence).Item(sequence), d)
}

func transformationOf(d *dicom.Dataset, number int) transformation {
	t := transformation{slope: 1, modality: readTable(d.Item(tag.ModalityLUTSequence))}
	for _, g := range groups(d, number, tag.PixelValueTransformationSequence) {
		if slope, ok := g.Float(tag.RescaleSlope); ok && slope != 0 {
			t.slope = slope
			t.intercept, _ = g.Float(tag.RescaleIntercept)
			break
		}
	}
	for _, g := range groups(d, number, tag.FrameVOILUTSequence) {
		center, ok := g.Float(tag.WindowCenter)
		width, has := g.Float(tag.WindowWidth)
		if ok && has && width > 0 {
			t.window = &Window{center, width, g.String(tag.VOILUTFunction)}
			break
		}
	}
	if t.window == nil {
		t.voi = readTable(d.Item(tag.VOILUTSequence))
	}
	return t
}

// grey makes a picture of an image of one sample a pixel.
func grey(d *dicom.Dataset, f *Frame, number int, o Options) image.Image {
	t := transformationOf(d, number)
	if o.Window != nil {
		t.window, t.voi = o.Window, nil
	}
	if t.window == nil && t.voi == nil {
		t.window = f.extent(d, t)
	}
	inverse := f.Photometric == "MONOCHROME1"
	show := func(v int64) byte {
		g := t.show(v)
		if inverse {
			return 255 - g
		}
		return g
	}
	img := image.NewGray(image.Rect(0, 0, f.Columns, f.Rows))
	if f.Bits > 16 {
		for i := range img.Pix {
			img.Pix[i] = show(f.Value(i))
		}
		return img
	}
	f.through(img.Pix, show)
	return img
}

// through maps the samples of an image of up to 16 bits, each value once: there are fewer of them than pixels.
func (f *Frame) through(out []byte, show func(int64) byte) {
	shift, mask := uint(f.High+1-f.Stored)&15, uint16(1<<f.Stored-1)
	sign := uint16(0) // added to signed numbers, so that none is below 0
	if f.Signed {
		sign = 1 << (f.Stored - 1)
	}
	known := make([]uint16, 1<<f.Stored) // what values are shown as, and one; 0 for those that have not been met
	grey := func(k uint16) byte {
		g := show(int64(k) - int64(sign))
		known[k] = uint16(g) + 1
		return g
	}
	if f.Bits == 8 {
		for i, b := range f.Samples[:len(out)] {
			k := uint16(b)>>shift&mask ^ sign
			if g := known[k]; g != 0 {
				out[i] = byte(g - 1)
			} else {
				out[i] = grey(k)
			}
		}
		return
	}
	samples := f.Samples[:2*len(out)]
	for i := range out {
		k := (uint16(samples[2*i])|uint16(samples[2*i+1])<<8)>>shift&mask ^ sign
		if g := known[k]; g != 0 {
			out[i] = byte(g - 1)
		} else {
			out[i] = grey(k)
		}
	}
}

// measured maps a stored value to that of the modality, such as Hounsfield units (PS3.3 §C.11.1).
func (t *transformation) measured(v int64) float64 {
	if t.modality != nil {
		return float64(t.modality.at(v))
	}
	return float64(v)*t.slope + t.intercept
}

// show maps a stored value to a grey.
func (t *transformation) show(v int64) byte {
	x := t.measured(v)
	if t.voi != nil {
		return eight(t.voi.at(int64(math.Round(x))), t.voi.bits)
	}
	return byte(math.Round(255 * t.window.apply(x)))
}

// apply maps a value to 0 to 1 (PS3.3 §C.11.2.1.2.1, §C.11.2.1.3).
func (w *Window) apply(x float64) float64 {
	switch w.Function {
	case "SIGMOID":
		return 1 / (1 + math.Exp(-4*(x-w.Center)/w.Width))
	case "LINEAR_EXACT":
		return min(max((x-w.Center)/w.Width+0.5, 0), 1)
	}
	if w.Width <= 1 {
		if x <= w.Center-0.5 {
			return 0
		}
		return 1
	}
	return min(max((x-(w.Center-0.5))/(w.Width-1)+0.5, 0), 1)
}

// extent is a window from the smallest to the largest value that is not padding, for images that have none.
func (f *Frame) extent(d *dicom.Dataset, t transformation) *Window {
	padding, padded := d.Int(tag.PixelPaddingValue)
	if padded {
		padding = f.number(uint32(padding))
	}
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range f.Rows * f.Columns {
		if v := f.Value(i); !padded || v != padding {
			low, high = min(low, v), max(high, v)
		}
	}
	if low > high {
		low, high = 0, 0
	}
	a, b := t.measured(low), t.measured(high)
	return &Window{Center: (a + b) / 2, Width: max(math.Abs(b-a), 1), Function: "LINEAR_EXACT"}
}

// colours makes a picture of an image of three samples a pixel.
func colours(f *Frame) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, f.Columns, f.Rows))
	shift := max(f.Stored-8, 0)
	sample := func(i int) byte { return byte(f.raw(i) >> (f.High + 1 - f.Stored) >> shift) }
	ybr := f.Photometric == "YBR_FULL" || f.Photometric == "YBR_FULL_422"
	for i := range f.Rows * f.Columns {
		r, g, b := sample(3*i), sample(3*i+1), sample(3*i+2)
		if ybr {
			r, g, b = color.YCbCrToRGB(r, g, b)
		}
		copy(img.Pix[4*i:], []byte{r, g, b, 255})
	}
	return img
}

// palette makes a picture of an image whose values are places in tables (PS3.3 §C.7.6.3.1.5, §C.7.9).
func palette(d *dicom.Dataset, f *Frame) (image.Image, error) {
	var tables [3]lookup
	for i, t := range [3][3]dicom.Tag{
		{tag.RedPaletteColorLookupTableDescriptor, tag.RedPaletteColorLookupTableData, tag.SegmentedRedPaletteColorLookupTableData},
		{tag.GreenPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData},
		{tag.BluePaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData},
	} {
		var err error
		if tables[i], err = readLookup(d, t[0], t[1], t[2]); err != nil {
			return nil, err
		}
	}
	img := image.NewNRGBA(image.Rect(0, 0, f.Columns, f.Rows))
	for i := range f.Rows * f.Columns {
		v := f.Value(i)
		copy(img.Pix[4*i:], []byte{tables[0].at(v), tables[1].at(v), tables[2].at(v), 255})
	}
	return img, nil
}

// Encode writes a picture as image/jpeg or image/png. Quality is of JPEG, 1 to 100.
func Encode(w io.Writer, img image.Image, mediaType string, quality int) error {
	if mediaType == "image/png" {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, img)
	}
	f, o := samples(img), jpeg.SequentialOptions{Quality: quality, Colour: jpeg.ColourRGB, Subsample: true}
	stream, err := jpeg.EncodeSequential(f, o)
	if err != nil {
		return fault.Wrap(fault.NotAcceptable, err, "the picture cannot be compressed: %v", err)
	}
	_, err = w.Write(stream)
	return err
}

// samples are those of a picture, of one component if it is grey and otherwise of red, green and blue.
func samples(img image.Image) *codec.Frame {
	size := img.Bounds().Size()
	f := &codec.Frame{Shape: codec.Shape{Rows: size.Y, Columns: size.X, Components: 3}, Bits: 8}
	switch img := img.(type) {
	case *image.Gray:
		f.Components, f.Samples = 1, img.Pix
	case *image.NRGBA:
		f.Samples = opaque(img.Pix)
	case *image.RGBA:
		f.Samples = opaque(img.Pix)
	}
	return f
}

// opaque takes the fourth byte, which is full everywhere, from each pixel.
func opaque(pix []byte) []byte {
	out := make([]byte, len(pix)/4*3)
	for i, j := 0, 0; j < len(out); i, j = i+4, j+3 {
		out[j], out[j+1], out[j+2] = pix[i], pix[i+1], pix[i+2]
	}
	return out
}
