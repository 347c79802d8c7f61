package jpegls

import "math/bits"

// preset holds the preset coding parameters (T.87 §C.2.4.1.1). A zero stands for the default.
type preset struct {
	maxVal, t1, t2, t3, reset int
}

const (
	defaultReset = 64
	maxNear      = 255
)

// resolve replaces zeros by the defaults for this precision and NEAR (T.87 §C.2.4.1.1.1) and reports whether the result is permitted.
func (p preset) resolve(precision, near int) (preset, bool) {
	largest := 1<<precision - 1
	if p.maxVal == 0 {
		p.maxVal = largest
	}
	if p.maxVal > largest || near > min(maxNear, p.maxVal/2) {
		return p, false
	}
	t1, t2, t3 := defaultThresholds(p.maxVal, near)
	if p.t1 == 0 {
		p.t1 = t1
	}
	if p.t2 == 0 {
		p.t2 = t2
	}
	if p.t3 == 0 {
		p.t3 = t3
	}
	if p.reset == 0 {
		p.reset = defaultReset
	}
	ok := near+1 <= p.t1 && p.t1 <= p.t2 && p.t2 <= p.t3 && p.t3 <= p.maxVal && p.reset >= 3 && p.reset <= max(255, p.maxVal)
	return p, ok
}

// defaultThresholds follows T.87 §C.2.4.1.1.1.
func defaultThresholds(maxVal, near int) (t1, t2, t3 int) {
	clamp := func(v, low int) int {
		if v > maxVal || v < low {
			return low
		}
		return v
	}
	if maxVal >= 128 {
		factor := (min(maxVal, 4095) + 128) / 256
		t1 = clamp(factor+2+3*near, near+1)
		t2 = clamp(4*factor+3+5*near, t1)
		t3 = clamp(17*factor+4+7*near, t2)
		return t1, t2, t3
	}
	factor := 256 / (maxVal + 1)
	t1 = clamp(max(2, 3/factor+3*near), near+1)
	t2 = clamp(max(3, 7/factor+5*near), t1)
	t3 = clamp(max(4, 21/factor+7*near), t2)
	return t1, t2, t3
}

// parameters are what follows from the preset parameters and NEAR for a scan (T.87 §A.2.1).
type parameters struct {
	preset
	near     int
	step     int // 2·NEAR+1, distance of two reconstructed values
	errRange int // RANGE, number of different prediction errors
	qbpp     int // bits of a mapped error that the limited code writes as it is
	limit    int // LIMIT, bits of the longest code word
	gradient []int8
}

// newParameters fills in the derived values and the table that quantizes gradients (T.87 §A.3.3).
func newParameters(p preset, near int) parameters {
	q := parameters{preset: p, near: near, step: 2*near + 1}
	q.errRange = (p.maxVal+2*near)/q.step + 1
	q.qbpp = bits.Len(uint(q.errRange - 1))
	bpp := max(2, bits.Len(uint(p.maxVal)))
	q.limit = 2 * (bpp + max(8, bpp))
	q.gradient = make([]int8, 2*p.maxVal+1)
	for i := range q.gradient {
		q.gradient[i] = q.region(i - p.maxVal)
	}
	return q
}

// region quantizes a gradient to −4 … 4.
func (q *parameters) region(d int) int8 {
	if d < 0 {
		return -q.region(-d)
	}
	switch {
	case d <= q.near:
		return 0
	case d < q.t1:
		return 1
	case d < q.t2:
		return 2
	case d < q.t3:
		return 3
	}
	return 4
}
