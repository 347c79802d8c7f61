package jpeg

import (
	"math"

	"salus/dicom/pixel/codec"
)

// Colour says what the three components of a frame are, and thus how they are coded. A frame of one component ignores it.
type Colour uint8

// The colours.
const (
	ColourKept  Colour = iota // neither is known; they are coded as they are, and said not to be YCbCr
	ColourRGB                 // RGB, which is coded as YCbCr (JFIF §7)
	ColourYCbCr               // YCbCr, which is coded as it is
)

// SequentialOptions choose the form of a DCT code stream.
type SequentialOptions struct {
	Quality     int    // 1 to 100, on the scale of the IJG's programs
	Colour      Colour // of three components
	Subsample   bool   // halve the columns of the second and third component: 4:2:2
	RestartRows int    // rows of MCU after which the decoder can resynchronise; zero for never
}

// EncodeSequential compresses a frame of one or three components with the DCT: up to 8 bits with process 1, up to 12 bits with process 4 (T.81
// §F.1). The precision of the code stream is 8 or 12. It returns a [codec.Error] if the frame is none, or an option is not in its range.
func EncodeSequential(f *codec.Frame, o SequentialOptions) ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	if err := checkComponents(f); err != nil {
		return nil, err
	}
	if f.Bits > 12 || o.Quality < 1 || o.Quality > 100 || o.Colour > ColourYCbCr {
		return nil, wrong(codec.Nowhere, "precision is 12 at most, quality 1 to 100 (T.81 §B.2.2)")
	}
	if o.Subsample && f.Components == 3 && o.Colour == ColourKept {
		return nil, wrong(codec.Nowhere, "only the colours of YCbCr are subsampled (PS3.5 §8.2.1)")
	}
	e := newSequentialEncoder(f, o)
	restart, err := checkRestart(o.RestartRows, e.mcuWide)
	if err != nil {
		return nil, err
	}
	e.transform(restart)
	for i := range e.tables {
		e.tables[i].build()
	}
	return e.write(restart), nil
}

// sequentialEncoder holds a frame's symbols until the Huffman tables are known.
type sequentialEncoder struct {
	frame      *codec.Frame
	options    SequentialOptions
	process    Process
	precision  int
	components []encodedComponent
	mcuWide    int
	mcuHigh    int
	quantizers [][blockSize]uint16
	divisors   [][blockSize]float32 // of the quantizers
	tables     []encoding           // DC and AC for luminance, then for chrominance
	symbols    []symbol             // in the order of the scan
}

// encodedComponent is a component on its way.
type encodedComponent struct {
	Component
	class      int         // 0 with the tables for luminance, 1 for chrominance
	rows       [8][]uint16 // samples of a row of MCU
	prediction int
}

func newSequentialEncoder(f *codec.Frame, o SequentialOptions) *sequentialEncoder {
	e := &sequentialEncoder{frame: f, options: o, process: Baseline, precision: 8}
	largest := 255
	if f.Bits > 8 {
		e.process, e.precision, largest = Extended, 12, math.MaxInt16
	}
	e.quantizers = append(e.quantizers, scaled(&luminance, o.Quality, largest))
	wide := 1
	if o.Subsample && f.Components == 3 {
		wide = 2
	}
	e.mcuWide, e.mcuHigh = ceil(f.Columns, 8*wide), ceil(f.Rows, 8)
	for i := range f.Components {
		c := encodedComponent{Component: Component{ID: byte(i + 1), H: 1, V: 1}}
		if i == 0 {
			c.H = wide
		} else if o.Colour != ColourKept {
			c.class = 1
		}
		for y := range c.rows {
			c.rows[y] = make([]uint16, 8*wide*e.mcuWide)
		}
		e.components = append(e.components, c)
	}
	if f.Components == 3 && o.Colour != ColourKept {
		e.quantizers = append(e.quantizers, scaled(&chrominance, o.Quality, largest))
	}
	for i := range e.quantizers {
		e.divisors = append(e.divisors, divisors(&e.quantizers[i]))
	}
	e.tables = make([]encoding, 2*len(e.quantizers))
	e.symbols = make([]symbol, 0, f.Shape.Samples()/4+blockSize)
	return e
}

// transform turns the frame into symbols, in the order of an interleaved scan (T.81 §A.2.3).
func (e *sequentialEncoder) transform(restart int) {
	for top := range e.mcuHigh {
		e.read(8 * top)
		if restart > 0 && top > 0 && top%e.options.RestartRows == 0 {
			e.symbols = append(e.symbols, restartSymbol)
			for i := range e.components {
				e.components[i].prediction = 0
			}
		}
		for left := range e.mcuWide {
			for i := range e.components {
				c := &e.components[i]
				for h := range c.H {
					e.block(c, 8*(left*c.H+h))
				}
			}
		}
	}
}

// read reads the eight rows of samples from top on.
func (e *sequentialEncoder) read(top int) {
	f, all := e.frame, e.components
	for y := range 8 {
		for i := range all {
			f.Row(all[i].rows[y], min(top+y, f.Rows-1), i)
		}
		if f.Components == 3 && e.options.Colour == ColourRGB {
			toYCbCr(all[0].rows[y][:f.Columns], all[1].rows[y][:f.Columns], all[2].rows[y][:f.Columns], e.precision)
		}
		for i := range all {
			fit(all[i].rows[y], f.Columns, all[0].H/all[i].H)
		}
	}
}

// fit halves a row if shrink is two, and repeats its last sample beyond the edge.
func fit(row []uint16, columns, shrink int) {
	extend := func(from int) {
		for x := from; x < len(row); x++ {
			row[x] = row[from-1]
		}
	}
	extend(columns)
	if shrink == 2 {
		for x := range len(row) / 2 {
			row[x] = (row[2*x] + row[2*x+1] + uint16(x&1)) / 2 // rounding in turns, that the mean stays
		}
		extend(ceil(columns, 2))
	}
}
