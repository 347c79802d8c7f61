package jpeg

import "salus/dicom/pixel/codec/marker"

// table returns the Huffman table of a component.
func (e *sequentialEncoder) table(c *encodedComponent, ac bool) *encoding {
	if ac {
		return &e.tables[2*c.class+1]
	}
	return &e.tables[2*c.class]
}

// eachBlock visits the blocks in the order of an interleaved scan (T.81 §A.2.3) and calls restart before each restart interval but the first.
func (e *sequentialEncoder) eachBlock(visit func(*encodedComponent, *[blockSize]int16), restart func(number int)) {
	for top := range e.mcuHigh {
		if n := e.options.RestartRows; top == 0 || n > 0 && top%n == 0 {
			if top > 0 {
				restart(top/n - 1)
			}
			for i := range e.components {
				e.components[i].prediction = 0
			}
		}
		for left := range e.mcuWide {
			for i := range e.components {
				c := &e.components[i]
				for h := range c.H {
					visit(c, &c.coefficients[top*c.blocksWide+left*c.H+h])
				}
			}
		}
	}
}

// code hands the symbols of a block, each with the n bits after it, to put (T.81 §F.1.2).
func (c *encodedComponent) code(b *[blockSize]int16, put func(ac bool, symbol int, low uint64, n int)) {
	n, low := category(int(b[0]) - int(c.prediction))
	c.prediction = b[0]
	put(false, n, low, n)
	run := 0
	for _, v := range b[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			put(true, 0xF0, 0, 0)
		}
		n, low := category(int(v))
		put(true, run<<4|n, low, n)
		run = 0
	}
	if run > 0 {
		put(true, 0, 0, 0)
	}
}

// write writes the code stream after the Huffman tables were built.
func (e *sequentialEncoder) write(restart int) []byte {
	out := append(make([]byte, 0, len(e.frame.Samples)/4+1024), 0xFF, marker.SOI)
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
	e.eachBlock(func(c *encodedComponent, b *[blockSize]int16) {
		c.code(b, func(ac bool, symbol int, low uint64, n int) { e.table(c, ac).put(&w, symbol, low, n) })
	}, w.restart)
	w.align()
	return append(w.out, 0xFF, marker.EOI)
}
