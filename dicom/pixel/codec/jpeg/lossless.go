package jpeg

// lossless decodes a scan of a lossless frame (T.81 §H.2).
func (s *scan) lossless() error {
	if s.first < 1 || s.first > 7 || s.low >= s.header.Bits {
		return wrong(s.at, "the predictor is 1 to 7 and the point transform less than the precision (T.81 table B.3)")
	}
	if err := s.dcCoded(16); err != nil {
		return err
	}
	if s.header.RestartInterval%s.want.Columns != 0 {
		return wrong(s.at, "a restart interval is of whole rows (T.81 §H.1.1)")
	}
	if err := s.newFrame(); err != nil {
		return err
	}
	s.header.Predictor, s.header.PointTransform = s.first, s.low
	rows := make([]losslessRow, len(s.selected))
	for i := range rows {
		rows[i] = newLosslessRow(s.want.Columns)
	}
	scratch := make([]uint16, s.want.Columns)
	return s.intervals(s.want.Rows*s.want.Columns, func(r *bitReader, first, end int) {
		for y := first / s.want.Columns; y < end/s.want.Columns; y++ {
			s.differences(r, rows)
			if r.failed() {
				return
			}
			for i := range rows {
				rows[i].predict(s.first, y*s.want.Columns == first, 1<<(s.header.Bits-s.low-1))
				rows[i].output(scratch, s.low, s.header.Bits)
				s.frame.SetRow(scratch, y, s.selected[i].place)
				rows[i].above, rows[i].current = rows[i].current, rows[i].above
			}
		}
	})
}

// losslessRow is a row of a component and the one above it.
type losslessRow struct {
	above, current []int32
}

func newLosslessRow(columns int) losslessRow {
	return losslessRow{above: make([]int32, columns), current: make([]int32, columns)}
}

// differences decodes the differences of a row into current (T.81 §H.1.2.2).
func (s *scan) differences(r *bitReader, rows []losslessRow) {
	if len(rows) == 1 {
		table := s.selected[0].dc
		for x := range rows[0].current {
			rows[0].current[x] = r.difference(table)
		}
		return
	}
	for x := range s.want.Columns {
		for i := range rows {
			rows[i].current[x] = r.difference(s.selected[i].dc)
		}
	}
}

// difference decodes one difference. Category 16 is 32768 and has no further bits.
func (r *bitReader) difference(h *huffman) int32 {
	r.need()
	category := r.symbol(h)
	if category == 16 {
		return 1 << 15
	}
	return int32(r.extended(category))
}

// predict turns the differences in current into samples, modulo 2^16 (T.81 §H.1.2.1, table H.1). The first row of a scan and after a restart
// begins with half the range.
func (l *losslessRow) predict(predictor int, first bool, half int32) {
	c, a := l.current, l.above
	if first {
		c[0] = (half + c[0]) & 0xFFFF
		predictor = 1
	} else {
		c[0] = (a[0] + c[0]) & 0xFFFF
	}
	a = a[:len(c)]
	for x := 1; x < len(c); x++ {
		c[x] = (prediction(predictor, c[x-1], a[x], a[x-1]) + c[x]) & 0xFFFF
	}
}

// prediction is Px of T.81 table H.1, for the samples to the left, above and above left.
func prediction(predictor int, ra, rb, rc int32) int32 {
	switch predictor {
	case 1:
		return ra
	case 2:
		return rb
	case 3:
		return rc
	case 4:
		return ra + rb - rc
	case 5:
		return ra + (rb-rc)>>1
	case 6:
		return rb + (ra-rc)>>1
	}
	return (ra + rb) >> 1
}

// output undoes the point transform (T.81 §A.4).
func (l *losslessRow) output(dst []uint16, low, bits int) {
	mask := uint16(1<<bits - 1)
	for x, v := range l.current {
		dst[x] = uint16(v) << low & mask
	}
}
