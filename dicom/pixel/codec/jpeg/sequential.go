package jpeg

// block holds the coefficients of a block, dequantized, row by row.
type block [blockSize]int32

// sequential decodes a scan of a baseline or extended frame (T.81 §F.2).
func (s *scan) sequential() error {
	if err := s.quantized(); err != nil {
		return err
	}
	if err := s.dcCoded(15); err != nil {
		return err
	}
	if err := s.acCoded(); err != nil {
		return err
	}
	if err := s.newFrame(); err != nil {
		return err
	}
	for _, c := range s.selected {
		c.plane = make([]uint16, c.stride*8*c.V*s.mcuHigh)
	}
	idct := newInverseDCT(s.header.Bits)
	return s.intervals(s.mcus(), func(r *bitReader, first, end int) {
		var b block
		for mcu := first; mcu < end && !r.failed(); mcu++ {
			s.blocks(mcu, func(c *scanComponent, x, y int) {
				last := c.decode(r, &b)
				idct.block(&b, last, c.plane[8*(y*c.stride+x):], c.stride)
			})
		}
	})
}

// decode decodes a block (T.81 §F.2.2) and returns the number of its last coefficient in the order of the code stream. The block has to be
// zero.
func (c *scanComponent) decode(r *bitReader, b *block) int {
	r.need()
	c.prediction += r.extended(r.symbol(c.dc))
	b[0] = int32(c.prediction) * int32(c.table[0])
	last := 0
	for k := 1; k < blockSize; k++ {
		r.need()
		symbol := r.symbol(c.ac)
		run, size := symbol>>4, symbol&15
		if size == 0 {
			if run != 15 {
				break
			}
			k += 15
			continue
		}
		k += run
		if k >= blockSize {
			r.invalid = true
			break
		}
		b[zigzag[k]] = int32(r.extended(size)) * int32(c.table[k])
		last = k
	}
	return last
}
