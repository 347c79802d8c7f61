package jpeg

import "math"

// forwardScale is how much larger than the DCT of T.81 §A.3.3 the outputs of cosines are, by their number; a block has the product of its row's
// and its column's, eight times.
var forwardScale = func() (s [8]float64) {
	s[0] = 1
	for k := 1; k < 8; k++ {
		s[k] = math.Sqrt2 * math.Cos(float64(k)*math.Pi/16)
	}
	return s
}()

// divisors returns what the outputs of forward are multiplied with to be divided by a quantization table, both in zigzag order.
func divisors(q *[blockSize]uint16) (d [blockSize]float32) {
	for k, at := range zigzag {
		d[k] = float32(1 / (8 * float64(q[k]) * forwardScale[at/8] * forwardScale[at%8]))
	}
	return d
}

// forward transforms a block of samples without level shift in place, but for the scale.
func forward(b *[blockSize]float32) {
	for y := 0; y < blockSize; y += 8 {
		r := (*[8]float32)(b[y:])
		r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] = cosines(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7])
	}
	for x := range 8 {
		c := (*[57]float32)(b[x:])
		c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56] = cosines(c[0], c[8], c[16], c[24], c[32], c[40], c[48], c[56])
	}
}

// cosines transforms eight values with five multiplications: the rest of the eight-point DCT is a factor for each output, which costs nothing where
// it is quantized (Arai, Agui, Nakajima: A fast DCT-SQ scheme for images, 1988).
func cosines(a, b, c, d, e, f, g, h float32) (y0, y1, y2, y3, y4, y5, y6, y7 float32) {
	const (
		half  = 0.7071067811865476 // cos 4π/16
		sixth = 0.3826834323650898 // cos 6π/16
		less  = 0.5411961001461969 // cos 2π/16 − cos 6π/16
		more  = 1.3065629648763766 // cos 2π/16 + cos 6π/16
	)
	// Even outputs are of the sums, odd ones of the differences.
	s0, s1, s2, s3 := a+h, b+g, c+f, d+e
	d0, d1, d2, d3 := a-h, b-g, c-f, d-e

	t0, t1, t2, t3 := s0+s3, s1+s2, s1-s2, s0-s3
	turned := (t2 + t3) * half
	y0, y4 = t0+t1, t0-t1
	y2, y6 = t3+turned, t3-turned

	u0, u1, u2 := d3+d2, d2+d1, d1+d0
	both := (u0 - u2) * sixth
	low, high := less*u0+both, more*u2+both
	middle := u1 * half
	v0, v1 := d0+middle, d0-middle
	y5, y3 = v1+low, v1-low
	y1, y7 = v0+high, v0-high
	return
}
