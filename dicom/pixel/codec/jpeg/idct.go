package jpeg

// The rotations of the fast transform of Loeffler, Ligtenberg and Moschytz (1989, figure 1), by cosines and sines of multiples of π/16 that
// are scaled by √2, in units of 2^−13.
const (
	fraction = 13

	c6        = 4433  // √2·cos(6π/16)
	c2MinusC6 = 6270  // √2·(cos(2π/16) − cos(6π/16))
	c2PlusC6  = 15137 // √2·(cos(2π/16) + cos(6π/16))
	c3        = 9633  // √2·cos(3π/16)

	odd7  = 2446  // √2·(−c1 + c3 + c5 − c7)
	odd5  = 16819 // √2·( c1 + c3 − c5 + c7)
	odd3  = 25172 // √2·( c1 + c3 + c5 − c7)
	odd1  = 12299 // √2·( c1 + c3 − c5 − c7)
	odd71 = 7373  // √2·(c3 − c7)
	odd53 = 20995 // √2·(c1 + c3)
	odd73 = 16069 // √2·(c3 + c5)
	odd51 = 3196  // √2·(c3 − c5)
)

// inverseDCT is the transform with integers (T.81 §A.3.3), of 13 fractional bits in the factors and some between columns and rows. It is the
// arithmetic of the IJG's accurate method, so that samples equal those of most other decoders.
type inverseDCT struct {
	between uint  // fractional bits after the columns
	centre  int32 // level shift (T.81 §A.3.1)
	largest int32
}

func newInverseDCT(precision int) inverseDCT {
	t := inverseDCT{between: 2, centre: 1 << (precision - 1), largest: 1<<precision - 1}
	if precision > 8 {
		t.between = 1 // that 32 bits suffice
	}
	return t
}

// block writes the samples of a block whose last coefficient in the order of the code stream is given, and zeroes the block.
func (t *inverseDCT) block(b *block, last int, dst []uint16, stride int) {
	if last == 0 {
		t.flat(b, dst, stride)
		return
	}
	for x := range 8 {
		column(b[x:], t.between)
	}
	for y := range 8 {
		row := (*[8]int32)(b[8*y:])
		out := (*[8]uint16)(dst[y*stride:])
		t.row(row, out)
	}
	*b = block{}
}

// flat writes a block that has no AC coefficient.
func (t *inverseDCT) flat(b *block, dst []uint16, stride int) {
	v := t.sample((b[0] + 4) >> 3)
	b[0] = 0
	for y := range 8 {
		out := (*[8]uint16)(dst[y*stride:])
		for x := range out {
			out[x] = v
		}
	}
}

// sample shifts the level of a value and keeps it in the range of samples.
func (t *inverseDCT) sample(v int32) uint16 {
	return uint16(min(max(v+t.centre, 0), t.largest))
}

// column transforms one column in place.
func column(b []int32, between uint) {
	b = b[:57]
	if b[8]|b[16]|b[24]|b[32]|b[40]|b[48]|b[56] == 0 {
		v := b[0] << between
		b[0], b[8], b[16], b[24], b[32], b[40], b[48], b[56] = v, v, v, v, v, v, v, v
		return
	}
	e0, e1, e2, e3 := even(b[0], b[16], b[32], b[48])
	o0, o1, o2, o3 := odd(b[8], b[24], b[40], b[56])
	shift := fraction - between
	half := int32(1) << (shift - 1)
	b[0], b[56] = (e0+o0+half)>>shift, (e0-o0+half)>>shift
	b[8], b[48] = (e1+o1+half)>>shift, (e1-o1+half)>>shift
	b[16], b[40] = (e2+o2+half)>>shift, (e2-o2+half)>>shift
	b[24], b[32] = (e3+o3+half)>>shift, (e3-o3+half)>>shift
}

// row transforms one row to samples.
func (t *inverseDCT) row(b *[8]int32, out *[8]uint16) {
	e0, e1, e2, e3 := even(b[0], b[2], b[4], b[6])
	o0, o1, o2, o3 := odd(b[1], b[3], b[5], b[7])
	shift := fraction + t.between + 3
	half := int32(1) << (shift - 1)
	out[0], out[7] = t.sample((e0+o0+half)>>shift), t.sample((e0-o0+half)>>shift)
	out[1], out[6] = t.sample((e1+o1+half)>>shift), t.sample((e1-o1+half)>>shift)
	out[2], out[5] = t.sample((e2+o2+half)>>shift), t.sample((e2-o2+half)>>shift)
	out[3], out[4] = t.sample((e3+o3+half)>>shift), t.sample((e3-o3+half)>>shift)
}

// even is the half of the transform that takes the coefficients of even number.
func even(x0, x2, x4, x6 int32) (e0, e1, e2, e3 int32) {
	sum, difference := (x0+x4)<<fraction, (x0-x4)<<fraction
	rotated := (x2 + x6) * c6
	high, low := rotated+x2*c2MinusC6, rotated-x6*c2PlusC6
	return sum + high, difference + low, difference - low, sum - high
}

// odd is the half that takes the coefficients of odd number.
func odd(x1, x3, x5, x7 int32) (o0, o1, o2, o3 int32) {
	both := (x7 + x3 + x5 + x1) * c3
	a, b := -(x7+x1)*odd71, -(x5+x3)*odd53
	c, d := both-(x7+x3)*odd73, both-(x5+x1)*odd51
	return x1*odd1 + a + d, x3*odd3 + b + c, x5*odd5 + b + d, x7*odd7 + a + c
}
