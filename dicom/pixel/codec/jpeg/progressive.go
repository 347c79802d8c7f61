package jpeg

// progressive decodes a scan of a progressive frame into coefficients (T.81 §G.2).
func (s *scan) progressive() error {
	if s.first > s.last || s.last >= blockSize || s.first == 0 && s.last != 0 || s.low > 13 || s.high != 0 && s.high != s.low+1 {
		return wrong(s.at, "a scan has the DC or some AC coefficients, one bit more than before (T.81 §G.1.1.1)")
	}
	if s.first > 0 && len(s.selected) > 1 {
		return wrong(s.at, "AC coefficients are of one component (T.81 §G.1.1.1.1)")
	}
	if err := s.quantized(); err != nil {
		return err
	}
	if err := s.newFrame(); err != nil {
		return err
	}
	for _, c := range s.selected {
		if c.coefficients == nil {
			c.coefficients = make([]int16, c.stride*8*c.V*s.mcuHigh)
		}
	}
	decode, err := s.refinement()
	if err != nil {
		return err
	}
	return s.intervals(s.mcus(), func(r *bitReader, first, end int) {
		p := progression{scan: s, bitReader: r}
		for mcu := first; mcu < end && !r.failed(); mcu++ {
			s.blocks(mcu, func(c *scanComponent, x, y int) {
				at := blockSize * (y*c.stride/8 + x)
				decode(&p, c, (*[blockSize]int16)(c.coefficients[at:]))
			})
		}
	})
}

// refinement returns how the blocks of the scan are decoded.
func (s *scan) refinement() (func(*progression, *scanComponent, *[blockSize]int16), error) {
	switch {
	case s.first == 0 && s.high == 0:
		return (*progression).dcFirst, s.dcCoded(15)
	case s.first == 0:
		return (*progression).dcRefine, nil
	case s.high == 0:
		return (*progression).acFirst, s.acCoded()
	}
	return (*progression).acRefine, s.acCoded()
}

// progression is the state of a restart interval.
type progression struct {
	*scan
	*bitReader
	bands int // blocks that have no more coefficients in this scan: EOBRUN (T.81 §G.1.2.2)
}

// dcFirst decodes the first bits of a DC coefficient (T.81 §G.1.2.1).
func (p *progression) dcFirst(c *scanComponent, b *[blockSize]int16) {
	p.need()
	c.prediction += p.extended(p.symbol(c.dc))
	b[0] = int16(c.prediction << p.low)
}

// dcRefine decodes a further bit of a DC coefficient.
func (p *progression) dcRefine(_ *scanComponent, b *[blockSize]int16) {
	b[0] |= int16(p.take(1) << p.low)
}

// acFirst decodes the first bits of a band of AC coefficients (T.81 §G.1.2.2).
func (p *progression) acFirst(c *scanComponent, b *[blockSize]int16) {
	if p.bands > 0 {
		p.bands--
		return
	}
	for k := p.first; k <= p.last; k++ {
		p.need()
		symbol := p.symbol(c.ac)
		run, size := symbol>>4, symbol&15
		if size == 0 && run < 15 {
			p.bands = 1<<run + p.peeked(run) - 1
			return
		}
		if k += run; k > p.last {
			p.invalid = p.invalid || size > 0
			return
		}
		b[k] = int16(p.extended(size) << p.low)
	}
}

// acRefine decodes a further bit of a band of AC coefficients (T.81 §G.1.2.3).
func (p *progression) acRefine(c *scanComponent, b *[blockSize]int16) {
	k := p.first
	for p.bands == 0 && k <= p.last && !p.failed() {
		p.need()
		symbol := p.symbol(c.ac)
		run, size := symbol>>4, symbol&15
		if size == 0 && run < 15 {
			p.bands = 1<<run + p.peeked(run)
			break
		}
		value := int16(0)
		if size > 0 {
			value = int16((2*p.peeked(1) - 1) << p.low)
		}
		if k = p.correct(b, k, run); k <= p.last {
			b[k] = value
		}
		k++
	}
	if p.bands > 0 {
		p.correct(b, k, blockSize)
		p.bands--
	}
}

// correct takes the correction bits of coefficients that are not zero, until it has passed over so many zeros, and returns the place of the
// next zero.
func (p *progression) correct(b *[blockSize]int16, k, zeros int) int {
	for ; k <= p.last; k++ {
		switch {
		case b[k] == 0 && zeros == 0:
			return k
		case b[k] == 0:
			zeros--
		case p.take(1) == 0:
		case b[k] > 0:
			b[k] |= 1 << p.low
		default:
			b[k] -= 1 << p.low
		}
	}
	return k
}

// reconstruct computes the plane of a component from its coefficients.
func (c *component) reconstruct(t inverseDCT) {
	c.plane = make([]uint16, len(c.coefficients))
	wide := c.stride / 8
	for i := 0; i < len(c.coefficients)/blockSize; i++ {
		var b block
		last := 0
		for k, v := range c.coefficients[blockSize*i:][:blockSize] {
			if v != 0 {
				b[zigzag[k]] = int32(v) * int32(c.table[k])
				last = k
			}
		}
		t.block(&b, last, c.plane[8*(i/wide*c.stride+i%wide):], c.stride)
	}
	c.coefficients = nil
}
