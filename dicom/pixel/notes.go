package pixel

import (
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"salus/dicom"
	"salus/dicom/tag"
)

// Notes are what is written into a picture (PS3.18 §8.3.5.1.1).
type Notes struct {
	Patient   bool // who it is of
	Technique bool // how it was made
}

// annotate writes notes into the corners at the top, white on black so that they can be read on everything.
func annotate(img image.Image, d *dicom.Dataset, n Notes) image.Image {
	if !n.Patient && !n.Technique {
		return img
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, out.Rect.Min, draw.Src)
	if n.Patient {
		write(out, lines(d, tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex), false)
	}
	if n.Technique {
		write(out, lines(d, tag.Modality, tag.StudyDate, tag.SeriesDescription, tag.InstanceNumber, tag.KVP, tag.SliceThickness), true)
	}
	return out
}

// lines are the values of attributes that are there.
func lines(d *dicom.Dataset, tags ...dicom.Tag) []string {
	var all []string
	for _, t := range tags {
		if v := strings.Trim(d.String(t), " ^="); v != "" {
			all = append(all, strings.ReplaceAll(v, "^", " "))
		}
	}
	return all
}

// write writes lines into the left or right corner. Characters that the font has not are shown as its box for such.
func write(img *image.RGBA, lines []string, right bool) {
	const margin = 4
	face := basicfont.Face7x13
	for i, line := range lines {
		width := font.MeasureString(face, line).Ceil()
		x, y := img.Rect.Min.X+margin, img.Rect.Min.Y+margin+i*face.Height
		if right {
			x = img.Rect.Max.X - margin - width
		}
		draw.Draw(img, image.Rect(x-1, y, x+width+1, y+face.Height), image.NewUniform(color.Black), image.Point{}, draw.Src)
		pen := font.Drawer{Dst: img, Src: image.NewUniform(color.White), Face: face, Dot: fixed.P(x, y+face.Ascent)}
		pen.DrawString(line)
	}
}
