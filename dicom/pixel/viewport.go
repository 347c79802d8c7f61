package pixel

import (
	"image"
	"math"

	"golang.org/x/image/draw"

	"salus/fault"
)

// MaxViewport is the largest width and height of a viewport, in pixels.
const MaxViewport = 8192

// Viewport is where a picture is shown: a width and height into which it is fitted with its proportions kept (PS3.18 §8.3.5.1.3).
type Viewport struct {
	Width, Height int
	// Shrink says that smaller pictures keep their size.
	Shrink bool
	// Region is the part that is shown, in pixels of the image; nil for all.
	Region *Region
	// Relative says that Region is in parts of the image's width and height, as in WADO-URI (PS3.18 §9.1.2.2.5).
	Relative bool
}

// Region is a rectangle of an image. A negative width or height mirrors it; 0 reaches to the image's edge.
type Region struct{ X, Y, Width, Height float64 }

// show makes the picture that fits.
func (v *Viewport) show(img image.Image) (image.Image, error) {
	from, flipX, flipY, err := v.source(img.Bounds())
	if err != nil {
		return nil, err
	}
	scale := 1.0
	if v.Width > 0 && v.Height > 0 {
		scale = min(float64(v.Width)/float64(from.Dx()), float64(v.Height)/float64(from.Dy()))
	}
	if v.Shrink {
		scale = min(scale, 1)
	}
	size := func(n int) int { return min(max(int(math.Round(float64(n)*scale)), 1), MaxViewport) }
	to := image.Rect(0, 0, size(from.Dx()), size(from.Dy()))
	_, isGrey := img.(*image.Gray)
	// The scaler is quick with this type alone.
	out := image.NewRGBA(to)
	if to.Size() == from.Size() {
		draw.Draw(out, to, img, from.Min, draw.Src)
	} else {
		draw.BiLinear.Scale(out, to, img, from, draw.Src, nil)
	}
	mirror(out, flipX, flipY)
	if isGrey {
		return greys(out), nil
	}
	return out, nil
}

// source is the rectangle that is shown, and whether it is mirrored.
func (v *Viewport) source(all image.Rectangle) (from image.Rectangle, flipX, flipY bool, err error) {
	if v.Region == nil {
		return all, false, false, nil
	}
	r := *v.Region
	if v.Relative {
		r = Region{r.X * float64(all.Dx()), r.Y * float64(all.Dy()), r.Width * float64(all.Dx()), r.Height * float64(all.Dy())}
	}
	side := func(at, length float64, whole int) (int, int, bool) {
		if length == 0 {
			length = float64(whole) - at
		}
		return int(math.Round(at)), int(math.Round(at + math.Abs(length))), length < 0
	}
	from.Min.X, from.Max.X, flipX = side(r.X, r.Width, all.Dx())
	from.Min.Y, from.Max.Y, flipY = side(r.Y, r.Height, all.Dy())
	if from.Empty() || !from.In(all) {
		return from, false, false, fault.New(fault.Invalid, "the region of the viewport is not within the image's %d by %d pixels", all.Dx(), all.Dy())
	}
	return from, flipX, flipY, nil
}

// mirror turns a picture around in place.
func mirror(img *image.RGBA, x, y bool) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	swap := func(a, b int) {
		for i := range 4 {
			img.Pix[a+i], img.Pix[b+i] = img.Pix[b+i], img.Pix[a+i]
		}
	}
	for row := 0; x && row < h; row++ {
		for i, j := row*img.Stride, row*img.Stride+4*(w-1); i < j; i, j = i+4, j-4 {
			swap(i, j)
		}
	}
	for i, j := 0, h-1; y && i < j; i, j = i+1, j-1 {
		for k := range w {
			swap(i*img.Stride+4*k, j*img.Stride+4*k)
		}
	}
}

// greys takes one colour of a picture whose colours are the same.
func greys(img *image.RGBA) *image.Gray {
	out := image.NewGray(img.Rect)
	for i := range out.Pix {
		out.Pix[i] = img.Pix[4*i]
	}
	return out
}
