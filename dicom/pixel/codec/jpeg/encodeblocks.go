package jpeg

import (
	"math"
	"math/bits"

	"salus/dicom/pixel/codec/marker"
)

// symbol is one that a Huffman table encodes, with the bits after it: those in the lowest 16 bits, of which there are as many as the symbol's lowest
// four bits say, then the symbol in eight, then the number of its table.
type symbol uint32

// restartSymbol stands for a restart marker.
const restartSymbol symbol = 1 << 31

// block turns a block of a component's rows, from column left on, into symbols (T.81 §F.1.2).
func (e *sequentialEncoder) block(c *encodedComponent, left int) {
	var quantized [blockSize]int32
	others := c.quantize(&quantized, left, e.precision, &e.divisors[c.class])

	dc := &e.tables[2*c.class]
	n, low := category(int(quantized[0]) - c.prediction)
	c.prediction = int(quantized[0])
	dc.frequency[n]++
	e.symbols = append(e.symbols, symbol(2*c.class<<24|n<<16|int(low)))

	ac, number := &e.tables[2*c.class+1], symbol(2*c.class+1)<<24
	last := 0
	for ; others != 0; others &= others - 1 {
		k := bits.TrailingZeros64(others)
		run := k - last - 1
		last = k
		for ; run > 15; run -= 16 {
			ac.frequency[0xF0]++
			e.symbols = append(e.symbols, number|0xF0<<16)
		}
		n, low := category(int(quantized[k]))
		ac.frequency[run<<4|n]++
		e.symbols = append(e.symbols, number|symbol(run<<4|n)<<16|symbol(low))
	}
	if last < blockSize-1 {
		ac.frequency[0]++
		e.symbols = append(e.symbols, number)
	}
}

// quantize computes the coefficients of a block in zigzag order. others has a bit for each but the first that is not zero.
func (c *encodedComponent) quantize(out *[blockSize]int32, left, precision int, divisors *[blockSize]float32) (others uint64) {
	// A sample in the lowest bits of 2^23 makes a number of them together, from which the rest is taken away: quicker than a conversion.
	const large = 1 << 23
	centre := float32(large + int32(1)<<(precision-1))
	var b [blockSize]float32
	first, differ := c.rows[0][left], uint16(0)
	for y := range c.rows {
		row := (*[8]uint16)(c.rows[y][left:])
		to := (*[8]float32)(b[8*y:])
		for x, v := range row {
			differ |= v ^ first
			to[x] = math.Float32frombits(math.Float32bits(large)|uint32(v)) - centre
		}
	}
	if differ == 0 { // as the air around a patient; the sum of the block is all there is
		out[0] = nearest(blockSize * b[0] * divisors[0])
		return 0
	}
	forward(&b)
	out[0] = nearest(b[0] * divisors[0])
	for k := 1; k < blockSize; k++ {
		if v := nearest(b[zigzag[k]] * divisors[k]); v != 0 {
			out[k] = v
			others |= 1 << k
		}
	}
	return others
}

// nearest rounds a number that is not larger than 2^22: added to 3·2^22, its whole part is in the lowest bits.
func nearest(v float32) int32 {
	const large = 3 << 22
	return int32(math.Float32bits(v+large)) - int32(math.Float32bits(large))
}

// write writes the code stream after the Huffman tables were built.
func (e *sequentialEncoder) write(restart int) []byte {
	out := append(make([]byte, 0, len(e.symbols)+1024), 0xFF, marker.SOI)
	if len(e.components) == 3 {
		transform := AdobeYCbCr
		if e.options.Colour == ColourKept {
			transform = AdobeNone
		}
		out = appendAdobe(out, transform)
	}
	for i := range e.quantizers {
		out = appendQuantizer(out, &e.quantizers[i], byte(i), e.precision)
	}
	var components []Component
	var quantizers, tables []byte
	for _, c := range e.components {
		components = append(components, c.Component)
		quantizers = append(quantizers, byte(c.class))
		tables = append(tables, byte(c.class<<4|c.class))
	}
	out = appendFrameHeader(out, e.process, e.precision, e.frame, components, quantizers)
	for i := range e.tables {
		out = e.tables[i].appendTable(out, byte(i&1), byte(i/2))
	}
	out = appendRestartInterval(out, restart)
	out = appendScanHeader(out, components, tables, [3]byte{0, blockSize - 1, 0})
	w := bitWriter{out: out}
	restarts := 0
	for _, s := range e.symbols {
		if s == restartSymbol {
			w.restart(restarts)
			restarts++
			continue
		}
		e.tables[s>>24].put(&w, int(s>>16&0xFF), uint64(s&0xFFFF), int(s>>16&0x0F))
	}
	w.align()
	return append(w.out, 0xFF, marker.EOI)
}
