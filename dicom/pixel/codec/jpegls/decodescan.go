package jpegls

import "salus/dicom/pixel/codec"

// scanDecoder decodes the entropy-coded data of one scan.
type scanDecoder struct {
	model
	neighbours
	reader  bitReader
	escape  int  // zeros that announce an escaped value in regular mode
	overran bool // a run was longer than its row
	scratch []uint16
}

func newScanDecoder(p parameters, columns, components int) *scanDecoder {
	return &scanDecoder{
		model:      model{parameters: p},
		neighbours: newNeighbours(columns, components),
		escape:     p.limit - p.qbpp - 1,
		scratch:    make([]uint16, columns),
	}
}

// decode decodes the rows from first up to end, which are one restart interval, and reports whether the data has as many.
func (s *scanDecoder) decode(f *codec.Frame, components []int, first, end int, data []byte, mode Interleave) bool {
	s.model.start()
	s.neighbours.clear()
	s.reader = bitReader{data: data}
	for row := first; row < end; row++ {
		for i := range s.pairs {
			s.pairs[i].begin()
		}
		if mode == InterleaveSample {
			s.pixels()
		} else {
			s.lines()
		}
		if s.overran || s.reader.overrun() {
			return false
		}
		for i, component := range components {
			s.pairs[i].store(f, s.scratch, row, component)
		}
		s.advance()
	}
	return true
}

// lines decodes a row of every component, one after the other.
func (s *scanDecoder) lines() {
	for i := range s.pairs {
		s.runIndex = s.indexes[i]
		s.line(s.pairs[i].above, s.pairs[i].current)
		s.indexes[i] = s.runIndex
	}
}

// line decodes a row of one component.
func (s *scanDecoder) line(above, current []int) {
	end := len(current) - 1
	above = above[:len(current)]
	ra, rb, rc := current[0], above[1], above[0]
	for x := 1; x < end; x++ {
		rd := above[x+1]
		if q := s.neighbourhood(ra, rb, rc, rd); q != 0 {
			ra = s.regular(q, ra, rb, rc)
		} else {
			n := s.runLength(end - x)
			fill(current[x:x+n], ra)
			if x += n; x == end {
				return
			}
			rb, rd = above[x], above[x+1]
			ra = s.interruption(ra, rb)
			s.endRun()
		}
		current[x] = ra
		rc, rb = rb, rd
	}
}

// pixels decodes a row with its components mixed pixel by pixel. All components are in run mode or none (T.87 §B.3).
func (s *scanDecoder) pixels() {
	end := len(s.pairs[0].current) - 1
	for x := 1; x < end; x++ {
		if s.flat(&s.neighbours, x) {
			n := s.runLength(end - x)
			for _, p := range s.pairs {
				fill(p.current[x:x+n], p.current[x-1])
			}
			if x += n; x == end {
				return
			}
			for _, p := range s.pairs {
				p.current[x] = s.edge(p.current[x-1], p.above[x])
			}
			s.endRun()
			continue
		}
		for _, p := range s.pairs {
			ra, rb, rc := p.current[x-1], p.above[x], p.above[x-1]
			p.current[x] = s.regular(s.neighbourhood(ra, rb, rc, p.above[x+1]), ra, rb, rc)
		}
	}
}

// regular decodes a sample in regular mode (T.87 §A.4 to §A.6).
func (s *scanDecoder) regular(q, ra, rb, rc int) int {
	sign := q>>signShift | 1
	c := &s.contexts[q*sign]
	predicted := s.clamp(predict(ra, rb, rc) + sign*c.c)
	k := golomb(c.n, c.a)
	mapped := s.reader.takeLimited(k, s.escape, s.qbpp)
	err := mapped>>1 ^ -(mapped & 1)
	if c.flips(k, s.near) {
		err = ^err
	}
	c.learn(err, s.step, s.reset)
	return s.reconstruct(predicted, sign*err)
}

// runLength decodes how many of the remaining places repeat the value before them (T.87 §A.7.1). If it is not all, another sample follows.
func (s *scanDecoder) runLength(remaining int) int {
	n := 0
	for s.reader.takeBit() {
		step := 1 << runOrder[s.runIndex]
		if n+step > remaining {
			return remaining
		}
		n += step
		s.runIndex = min(s.runIndex+1, len(runOrder)-1)
		if n == remaining {
			return n
		}
	}
	if order := int(runOrder[s.runIndex]); order > 0 {
		n += s.reader.take(order)
	}
	if n >= remaining {
		s.overran = true
		return remaining
	}
	return n
}

// interruption decodes the sample that ends a run of one component (T.87 §A.7.2).
func (s *scanDecoder) interruption(ra, rb int) int {
	if !s.within(ra, rb) {
		return s.edge(ra, rb)
	}
	return s.reconstruct(ra, s.runError(1))
}

// edge decodes a sample that ends a run below a different one: RItype 0, which the components of a pixel always have.
func (s *scanDecoder) edge(ra, rb int) int {
	err := s.runError(0)
	if ra > rb {
		err = -err
	}
	return s.reconstruct(rb, err)
}

// runError decodes the error of a sample that ends a run.
func (s *scanDecoder) runError(riType int) int {
	c := &s.runs[riType]
	k := c.golomb(riType)
	mapped := s.reader.takeLimited(k, s.escape-int(runOrder[s.runIndex])-1, s.qbpp)
	err := (mapped + riType + 1) / 2
	if ((mapped+riType)&1 == 1) == c.odd(k) {
		err = -err
	}
	c.learn(err, mapped, riType, s.reset)
	return err
}

func fill(dst []int, value int) {
	for i := range dst {
		dst[i] = value
	}
}
