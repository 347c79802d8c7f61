package jpeg

import "math"

// cosines are the factors of the forward DCT (T.81 §A.3.3) for half a row: those of coefficient k and sample n, the others being the same but
// for their sign.
var cosines = func() (c [8][4]float32) {
	for k := range c {
		scale := 0.5
		if k == 0 {
			scale = 0.5 / math.Sqrt2
		}
		for n := range c[k] {
			c[k][n] = float32(scale * math.Cos(float64(2*n+1)*float64(k)*math.Pi/16))
		}
	}
	return c
}()

// forward transforms a block of samples without level shift in place.
func forward(b *[blockSize]float32) {
	for y := range 8 {
		line(b[8*y:], 1)
	}
	for x := range 8 {
		line(b[x:], 8)
	}
}

// line transforms eight values that are step apart.
func line(b []float32, step int) {
	var sums, differences [4]float32
	for n := range 4 {
		left, right := b[n*step], b[(7-n)*step]
		sums[n], differences[n] = left+right, left-right
	}
	for k := 0; k < 8; k += 2 {
		b[k*step] = product(&cosines[k], &sums)
		b[(k+1)*step] = product(&cosines[k+1], &differences)
	}
}

func product(a, b *[4]float32) float32 {
	return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] + a[3]*b[3]
}
