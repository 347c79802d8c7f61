// Package codectest is what the tests of the image codecs share: frames that are easy and hard to compress, and the reader, writer and
// reference decoder of DICOM files that they compare with.
//
// It promises the same frames on every run. It is imported by tests only; the codecs themselves, and the reading of DICOM files for any
// other purpose, are elsewhere.
package codectest

import (
	"fmt"
	"math/rand/v2"

	"salus/dicom/pixel/codec"
)

// Pattern is a way to fill a frame.
type Pattern struct {
	Name string
	at   func(x, y, component, largest int, r *rand.Rand) int
}

// Patterns are the frames that every codec has to survive, from trivial to incompressible.
var Patterns = []Pattern{
	{"constant", func(_, _, _, largest int, _ *rand.Rand) int { return largest / 3 }},
	{"zero", func(_, _, _, _ int, _ *rand.Rand) int { return 0 }},
	{"largest", func(_, _, _, largest int, _ *rand.Rand) int { return largest }},
	{"extremes", func(_, _, _, largest int, r *rand.Rand) int { return largest * r.IntN(2) }},
	{"checkers", func(x, y, c, largest int, _ *rand.Rand) int { return largest * ((x + y + c) & 1) }},
	{"noise", func(_, _, _, largest int, r *rand.Rand) int { return r.IntN(largest + 1) }},
	{"gradient", func(x, y, c, largest int, _ *rand.Rand) int { return (3*x + 5*y + 7*c) % (largest + 1) }},
	{"smooth", smooth},
	{"plateaus", func(x, y, c, largest int, r *rand.Rand) int {
		if r.IntN(40) == 0 {
			return r.IntN(largest + 1)
		}
		return (x/9*5 + y/6*3 + c) % (largest + 1)
	}},
}

// smooth is close to what a scanner gives: a wide hill with a little noise.
func smooth(x, y, c, largest int, r *rand.Rand) int {
	dx, dy := x%512-256, y%512-256
	hill := 1 - float64(dx*dx+dy*dy)/131072
	v := int(float64(largest)*(0.15+0.6*hill)) + c*largest/16 + r.IntN(largest/256+2)
	return min(max(v, 0), largest)
}

// Frame fills a frame with the pattern.
func (p Pattern) Frame(s codec.Shape, bits int) *codec.Frame {
	f, err := codec.NewFrame(s, bits)
	if err != nil {
		panic(fmt.Sprintf("codectest: a test asks for a frame that cannot be: %v", err))
	}
	r := rand.New(rand.NewPCG(uint64(s.Samples()), uint64(bits)))
	width := codec.SampleBytes(bits)
	largest := int(uint64(1)<<bits - 1)
	for i := range s.Samples() {
		pixel := i / s.Components
		v := p.at(pixel%s.Columns, pixel/s.Columns, i%s.Components, largest, r)
		for b := range width {
			f.Samples[i*width+b] = byte(v >> (8 * b))
		}
	}
	return f
}

// Smooth returns the pattern that is most like a medical image.
func Smooth(s codec.Shape, bits int) *codec.Frame { return Pattern{"smooth", smooth}.Frame(s, bits) }

// Shapes are sizes with every kind of edge, of one and of three components.
var Shapes = []codec.Shape{
	{Rows: 1, Columns: 1, Components: 1},
	{Rows: 1, Columns: 37, Components: 1},
	{Rows: 41, Columns: 1, Components: 1},
	{Rows: 7, Columns: 13, Components: 1},
	{Rows: 64, Columns: 48, Components: 1},
	{Rows: 1, Columns: 1, Components: 3},
	{Rows: 7, Columns: 13, Components: 3},
	{Rows: 33, Columns: 50, Components: 3},
}

// Sample returns sample i of a frame, counted in the order of its bytes.
func Sample(f *codec.Frame, i int) int {
	width := codec.SampleBytes(f.Bits)
	v := 0
	for b := range width {
		v |= int(f.Samples[i*width+b]) << (8 * b)
	}
	return v
}

// Distance returns the largest difference of two samples at the same place, or −1 if the frames have different shapes or precisions.
func Distance(a, b *codec.Frame) int {
	if a.Shape != b.Shape || a.Bits != b.Bits || len(a.Samples) != len(b.Samples) {
		return -1
	}
	worst := 0
	for i := range a.Shape.Samples() {
		d := Sample(a, i) - Sample(b, i)
		worst = max(worst, d, -d)
	}
	return worst
}
