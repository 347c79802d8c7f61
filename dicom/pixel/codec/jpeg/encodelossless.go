package jpeg

import (
	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

// LosslessOptions choose the form of a lossless code stream. The zero value is first-order prediction, selection value 1.
type LosslessOptions struct {
	Predictor      int // selection value 1 to 7 (T.81 table H.1); zero is 1, which 1.2.840.10008.1.2.4.70 demands
	PointTransform int // lowest bits to drop, less than the precision. Lossless only if zero
	RestartRows    int // rows after which the decoder can resynchronise; zero for never
}

// EncodeLossless compresses a frame of 2 to 16 bits and one or three components with process 14 (T.81 §H.1), in one interleaved scan. It
// returns a [codec.Error] if the frame is none, or an option is not in its range.
func EncodeLossless(f *codec.Frame, o LosslessOptions) ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	if err := checkComponents(f); err != nil {
		return nil, err
	}
	if o.Predictor == 0 {
		o.Predictor = 1
	}
	if f.Bits < 2 || f.Bits > 16 || o.Predictor < 1 || o.Predictor > 7 || o.PointTransform < 0 || o.PointTransform >= f.Bits {
		return nil, wrong(codec.Nowhere, "precision is 2 to 16, predictor 1 to 7, point transform less than the precision (T.81 §B.2.2, §B.2.3)")
	}
	restart, err := checkRestart(o.RestartRows, f.Columns)
	if err != nil {
		return nil, err
	}
	e := newLosslessEncoder(f, o)
	e.count()
	return e.write(restart), nil
}

// losslessEncoder predicts the samples of a frame.
type losslessEncoder struct {
	frame       *codec.Frame
	options     LosslessOptions
	tables      []encoding // for each component
	pairs       []losslessRow
	differences [][]int32
	scratch     []uint16
}

func newLosslessEncoder(f *codec.Frame, o LosslessOptions) *losslessEncoder {
	e := &losslessEncoder{frame: f, options: o, tables: make([]encoding, f.Components), scratch: make([]uint16, f.Columns)}
	for range f.Components {
		e.pairs = append(e.pairs, newLosslessRow(f.Columns))
		e.differences = append(e.differences, make([]int32, f.Columns))
	}
	return e
}

// row computes the differences of all components of a row, of which first tells whether none is above it.
func (e *losslessEncoder) row(y int, first bool) {
	half := int32(1) << (e.frame.Bits - e.options.PointTransform - 1)
	for i := range e.pairs {
		p := &e.pairs[i]
		p.above, p.current = p.current, p.above
		e.frame.Row(e.scratch, y, i)
		for x, v := range e.scratch {
			p.current[x] = int32(v >> e.options.PointTransform)
		}
		p.differ(e.differences[i], e.options.Predictor, first, half)
	}
}

// first reports whether prediction begins anew with a row (T.81 §H.1.2.1).
func (e *losslessEncoder) first(y int) bool {
	return y == 0 || e.options.RestartRows > 0 && y%e.options.RestartRows == 0
}

// count makes the Huffman tables.
func (e *losslessEncoder) count() {
	for y := range e.frame.Rows {
		e.row(y, e.first(y))
		for i, row := range e.differences {
			for _, d := range row {
				n, _ := category(int(d))
				e.tables[i].count(n)
			}
		}
	}
	for i := range e.tables {
		e.tables[i].build()
	}
}

// write writes the code stream.
func (e *losslessEncoder) write(restart int) []byte {
	f := e.frame
	var components []Component
	out := append(make([]byte, 0, len(f.Samples)/2+512), 0xFF, marker.SOI)
	if f.Components == 3 {
		out = appendAdobe(out, AdobeNone)
	}
	var tables []byte
	for i := range f.Components {
		components = append(components, Component{ID: byte(i + 1), H: 1, V: 1})
		tables = append(tables, byte(i<<4))
	}
	out = appendFrameHeader(out, Lossless, f.Bits, f, components, make([]byte, len(components)))
	for i := range e.tables {
		out = e.tables[i].appendTable(out, 0, byte(i))
	}
	out = appendRestartInterval(out, restart)
	out = appendScanHeader(out, components, tables, [3]byte{byte(e.options.Predictor), 0, byte(e.options.PointTransform)})
	w := bitWriter{out: out}
	for y := range f.Rows {
		if y > 0 && e.first(y) {
			w.restart(y/e.options.RestartRows - 1)
		}
		e.row(y, e.first(y))
		e.put(&w)
	}
	w.align()
	return append(w.out, 0xFF, marker.EOI)
}

// put writes the differences of a row, pixel by pixel. Category 16 has no further bits (T.81 §H.1.2.2).
func (e *losslessEncoder) put(w *bitWriter) {
	for x := range e.frame.Columns {
		for i := range e.tables {
			n, low := category(int(e.differences[i][x]))
			if n == 16 {
				e.tables[i].put(w, n, 0, 0)
				continue
			}
			e.tables[i].put(w, n, low, n)
		}
	}
}

// differ computes the differences of a row, modulo 2^16 (T.81 §H.1.2.1).
func (l *losslessRow) differ(dst []int32, predictor int, first bool, half int32) {
	c, a := l.current, l.above
	if first {
		dst[0] = int32(int16(c[0] - half))
		predictor = 1
	} else {
		dst[0] = int32(int16(c[0] - a[0]))
	}
	for x := 1; x < len(c); x++ {
		dst[x] = int32(int16(c[x] - prediction(predictor, c[x-1], a[x], a[x-1])))
	}
}
