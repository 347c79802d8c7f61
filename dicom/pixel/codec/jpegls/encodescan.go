package jpegls

import "salus/dicom/pixel/codec"

// scanEncoder writes the entropy-coded data of one scan.
type scanEncoder struct {
	model
	neighbours
	writer bitWriter
	source [][]uint16 // the rows to code, by component of the scan
	escape int        // zeros that announce an escaped value in regular mode
}

func newScanEncoder(p parameters, columns, components int, out []byte) *scanEncoder {
	s := &scanEncoder{
		model:      model{parameters: p},
		neighbours: newNeighbours(columns, components),
		writer:     bitWriter{out: out},
		source:     make([][]uint16, components),
		escape:     p.limit - p.qbpp - 1,
	}
	for i := range s.source {
		s.source[i] = make([]uint16, columns)
	}
	return s
}

// encode encodes the rows from first up to end as one restart interval.
func (s *scanEncoder) encode(f *codec.Frame, components []int, first, end int, mode Interleave) {
	s.model.start()
	s.neighbours.clear()
	for row := first; row < end; row++ {
		for i, component := range components {
			f.Row(s.source[i], row, component)
			s.pairs[i].begin()
		}
		if mode == InterleaveSample {
			s.pixels()
		} else {
			s.lines()
		}
		s.advance()
	}
	s.writer.align()
}

func (s *scanEncoder) lines() {
	for i := range s.pairs {
		s.runIndex = s.indexes[i]
		s.line(s.pairs[i].above, s.pairs[i].current, s.source[i])
		s.indexes[i] = s.runIndex
	}
}

// line encodes a row of one component and leaves in current what the decoder will have.
func (s *scanEncoder) line(above, current []int, source []uint16) {
	for x := 1; x <= len(source); x++ {
		ra, rb, rc := current[x-1], above[x], above[x-1]
		if q := s.neighbourhood(ra, rb, rc, above[x+1]); q != 0 {
			current[x] = s.regular(q, ra, rb, rc, int(source[x-1]))
			continue
		}
		first := x
		for x <= len(source) && s.within(int(source[x-1]), ra) {
			current[x] = ra
			x++
		}
		if s.runLength(x-first, x > len(source)) {
			return
		}
		current[x] = s.interruption(ra, above[x], int(source[x-1]))
		s.endRun()
	}
}

// pixels encodes a row with its components mixed pixel by pixel (T.87 §B.3).
func (s *scanEncoder) pixels() {
	columns := len(s.source[0])
	for x := 1; x <= columns; x++ {
		if !s.flat(&s.neighbours, x) {
			for i, p := range s.pairs {
				ra, rb, rc := p.current[x-1], p.above[x], p.above[x-1]
				p.current[x] = s.regular(s.neighbourhood(ra, rb, rc, p.above[x+1]), ra, rb, rc, int(s.source[i][x-1]))
			}
			continue
		}
		first := x
		for x <= columns && s.repeats(x) {
			for _, p := range s.pairs {
				p.current[x] = p.current[x-1]
			}
			x++
		}
		if s.runLength(x-first, x > columns) {
			return
		}
		for i, p := range s.pairs {
			p.current[x] = s.edge(p.current[x-1], p.above[x], int(s.source[i][x-1]))
		}
		s.endRun()
	}
}

// repeats reports whether every component of the pixel at place x is within NEAR of the pixel before.
func (s *scanEncoder) repeats(x int) bool {
	for i, p := range s.pairs {
		if !s.within(int(s.source[i][x-1]), p.current[x-1]) {
			return false
		}
	}
	return true
}

// regular encodes a sample in regular mode (T.87 §A.4 to §A.6) and returns what the decoder will have.
func (s *scanEncoder) regular(q, ra, rb, rc, value int) int {
	sign := q>>signShift | 1
	c := &s.contexts[q*sign]
	predicted := s.clamp(predict(ra, rb, rc) + sign*c.c)
	err := s.quantize(sign * (value - predicted))
	k := golomb(c.n, c.a)
	mapped := err
	if c.flips(k, s.near) {
		mapped = ^err
	}
	s.writer.putLimited(mapped<<1^mapped>>signShift, k, s.escape, s.qbpp)
	c.learn(err, s.step, s.reset)
	return s.reconstruct(predicted, sign*err)
}

// runLength encodes a run of n samples (T.87 §A.7.1) and returns whether it ends with its row, so that no other sample follows.
func (s *scanEncoder) runLength(n int, endOfRow bool) bool {
	for n >= 1<<runOrder[s.runIndex] {
		s.writer.put(1, 1)
		n -= 1 << runOrder[s.runIndex]
		s.runIndex = min(s.runIndex+1, len(runOrder)-1)
	}
	switch {
	case !endOfRow:
		s.writer.put(uint64(n), 1+int(runOrder[s.runIndex]))
	case n > 0:
		s.writer.put(1, 1)
	}
	return endOfRow
}

// interruption encodes the sample that ends a run of one component (T.87 §A.7.2).
func (s *scanEncoder) interruption(ra, rb, value int) int {
	if !s.within(ra, rb) {
		return s.edge(ra, rb, value)
	}
	err := s.quantize(value - ra)
	s.runError(err, 1)
	return s.reconstruct(ra, err)
}

// edge encodes a sample that ends a run below a different one: RItype 0, which the components of a pixel always have.
func (s *scanEncoder) edge(ra, rb, value int) int {
	sign := 1
	if ra > rb {
		sign = -1
	}
	err := s.quantize(sign * (value - rb))
	s.runError(err, 0)
	return s.reconstruct(rb, sign*err)
}

// runError encodes the error of a sample that ends a run.
func (s *scanEncoder) runError(err, riType int) {
	c := &s.runs[riType]
	k := c.golomb(riType)
	mapped := 2*max(err, -err) - riType
	if err != 0 && (err < 0) == c.odd(k) {
		mapped--
	}
	s.writer.putLimited(mapped, k, s.escape-int(runOrder[s.runIndex])-1, s.qbpp)
	c.learn(err, mapped, riType, s.reset)
}
