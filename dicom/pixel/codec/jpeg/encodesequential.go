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
	e.transform()
	e.eachBlock(func(c *encodedComponent, b *[blockSize]int16) {
		c.code(b, func(ac bool, symbol int, _ uint64, _ int) { e.table(c, ac).count(symbol) })
	}, func(int) {})
	for i := range e.tables {
		e.tables[i].build()
	}
	return e.write(restart), nil
}

// sequentialEncoder holds a frame's coefficients until the Huffman tables are known.
type sequentialEncoder struct {
	frame      *codec.Frame
	options    SequentialOptions
	process    Process
	precision  int
	components []encodedComponent
	mcuWide    int
	mcuHigh    int
	quantizers [][blockSize]uint16
	tables     []encoding // DC and AC for luminance, then for chrominance
}

// encodedComponent is a component on its way.
type encodedComponent struct {
	Component
	class        int // 0 with the tables for luminance, 1 for chrominance
	blocksWide   int
	coefficients [][blockSize]int16
	prediction   int16
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
		c.blocksWide = e.mcuWide * c.H
		c.coefficients = make([][blockSize]int16, c.blocksWide*e.mcuHigh)
		e.components = append(e.components, c)
	}
	if f.Components == 3 && o.Colour != ColourKept {
		e.quantizers = append(e.quantizers, scaled(&chrominance, o.Quality, largest))
	}
	e.tables = make([]encoding, 2*len(e.quantizers))
	return e
}

// transform computes the coefficients of all components, eight rows at a time.
func (e *sequentialEncoder) transform() {
	f := e.frame
	rows := make([][8][]uint16, f.Components)
	for i := range rows {
		for y := range rows[i] {
			rows[i][y] = make([]uint16, 16*e.mcuWide)
		}
	}
	for top := range e.mcuHigh {
		for y := range 8 {
			for i := range rows {
				f.Row(rows[i][y], min(8*top+y, f.Rows-1), i)
			}
			if f.Components == 3 && e.options.Colour == ColourRGB {
				toYCbCr(rows[0][y][:f.Columns], rows[1][y][:f.Columns], rows[2][y][:f.Columns], e.precision)
			}
		}
		for i := range e.components {
			c := &e.components[i]
			shrink := e.components[0].H / c.H
			for y := range rows[i] {
				fit(rows[i][y], f.Columns, shrink)
			}
			c.transform(&rows[i], top, &e.quantizers[c.class], e.precision)
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

// transform computes the quantized coefficients of one row of blocks.
func (c *encodedComponent) transform(rows *[8][]uint16, top int, q *[blockSize]uint16, precision int) {
	centre := float32(int(1) << (precision - 1))
	for left := range c.blocksWide {
		var b [blockSize]float32
		for y, row := range rows {
			for x, v := range row[8*left:][:8] {
				b[8*y+x] = float32(v) - centre
			}
		}
		forward(&b)
		out := &c.coefficients[top*c.blocksWide+left]
		for k, at := range zigzag {
			out[k] = int16(math.RoundToEven(float64(b[at] / float32(q[k]))))
		}
	}
}
