package jpeg

// output writes the frame from the planes of its components.
func (d *decoder) output(rgb bool) {
	idct := newInverseDCT(d.header.Bits)
	samplers := make([]sampler, len(d.components))
	for i := range samplers {
		c := &d.components[i]
		if c.coefficients != nil {
			c.reconstruct(idct)
		}
		samplers[i] = d.newSampler(c)
	}
	rows := make([][]uint16, len(samplers))
	for y := range d.want.Rows {
		for i := range samplers {
			rows[i] = samplers[i].row(y)
		}
		if rgb {
			toRGB(rows[0], rows[1], rows[2], d.header.Bits)
		}
		for i, row := range rows {
			d.frame.SetRow(row, y, i)
		}
	}
}

// sampler brings the rows of a component to the size of the frame. Factors of two are interpolated, samples being at the centre of what they
// stand for, as the IJG's decoder does; with any other factor, and in rows of one or two samples, they are repeated.
type sampler struct {
	*component
	wide, tall bool // columns, rows are interpolated
	h, v       int  // largest sampling factors of the frame
	sums       []int
	out        []uint16
}

func (d *decoder) newSampler(c *component) sampler {
	s := sampler{component: c, h: 1, v: 1}
	for _, other := range d.components {
		s.h, s.v = max(s.h, other.H), max(s.v, other.V)
	}
	wide, tall := s.h == 2*c.H, s.v == 2*c.V
	if c.columns > 2 && (wide || s.h == c.H) && (tall || s.v == c.V) {
		s.wide, s.tall = wide, tall
	}
	if s.h != c.H || s.v != c.V {
		s.sums, s.out = make([]int, c.columns), make([]uint16, d.want.Columns)
	}
	return s
}

// row returns a row of the frame, valid until the next call.
func (s *sampler) row(y int) []uint16 {
	if s.out == nil {
		return s.samples(y)
	}
	shift, half := s.mix(y)
	if !s.wide {
		for x := range s.out {
			s.out[x] = uint16((s.sums[x*s.H/s.h] + half) >> shift)
		}
		return s.out
	}
	left, right := 1, 2
	if s.tall {
		left, right = 8, 7
	}
	shift += 2
	last := len(s.sums) - 1
	for x := range s.out {
		near := s.sums[x/2]
		if x%2 == 0 {
			s.out[x] = uint16((3*near + s.sums[max(x/2-1, 0)] + left) >> shift)
		} else {
			s.out[x] = uint16((3*near + s.sums[min(x/2+1, last)] + right) >> shift)
		}
	}
	return s.out
}

// mix sets sums to the samples of a row of the frame at the component's width, times 2^shift, and returns what to add for rounding.
func (s *sampler) mix(y int) (shift uint, half int) {
	near := s.samples(y * s.V / s.v)
	if !s.tall {
		for x := range s.sums {
			s.sums[x] = int(near[x])
		}
		return 0, 0
	}
	half, neighbour := 1, max(y/2-1, 0)
	if y%2 == 1 {
		half, neighbour = 2, min(y/2+1, s.rows-1)
	}
	far := s.samples(neighbour)
	for x := range s.sums {
		s.sums[x] = 3*int(near[x]) + int(far[x])
	}
	return 2, half
}

func (s *sampler) samples(y int) []uint16 { return s.plane[y*s.stride:][:s.columns] }
