package jpegls

import "math/bits"

const (
	regularContexts = 365               // T.87 §A.3.4; number 0 only serves pixels of which another component is not flat
	maxBias         = 127               // MAX_C (T.87 §A.2.1)
	minBias         = -128              // MIN_C
	signShift       = bits.UintSize - 1 // leaves −1 of a negative number and 0 of any other
	maxGolomb       = 16                // a larger Golomb parameter follows only from errors that no encoder produces
)

// context is what the coder has learnt of one neighbourhood (T.87 §A.2): the sums of errors' magnitudes A and of errors B, the bias C and the
// count N.
type context struct {
	a, b, c, n int
}

// runContext is what it has learnt of the samples that end runs; negatives is Nn (T.87 §A.7.2).
type runContext struct {
	a, n, negatives int
}

// runOrder is J: a step of the run coder stands for 2^J samples (T.87 §A.2.1).
var runOrder = [32]uint8{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// model is the adaptive state of a scan, the same in encoder and decoder.
type model struct {
	parameters
	contexts [regularContexts]context
	runs     [2]runContext // by RItype
	runIndex int           // of the row under way
}

// start forgets everything learnt (T.87 §A.2.1).
func (m *model) start() {
	a := max(2, (m.errRange+32)/64)
	for i := range m.contexts {
		m.contexts[i] = context{a: a, n: 1}
	}
	m.runs = [2]runContext{{a: a, n: 1}, {a: a, n: 1}}
	m.runIndex = 0
}

// neighbourhood returns the number of the context, negative if the signs are to be flipped, and zero for run mode (T.87 §A.3).
func (m *model) neighbourhood(ra, rb, rc, rd int) int {
	g, zero := m.gradient, m.maxVal
	return (int(g[rd-rb+zero])*9+int(g[rb-rc+zero]))*9 + int(g[rc-ra+zero])
}

// predict is the edge-detecting prediction of T.87 §A.4.1: the plane through the neighbours, kept between those to the left and above.
func predict(ra, rb, rc int) int {
	return min(max(ra+rb-rc, min(ra, rb)), max(ra, rb))
}

// clamp keeps a value between zero and MAXVAL.
func (m *model) clamp(v int) int { return min(max(v, 0), m.maxVal) }

// golomb returns the smallest k with n·2^k ≥ a (T.87 §A.5.1), maxGolomb at most.
func golomb(n, a int) int {
	k := max(0, bits.Len(uint(a))-bits.Len(uint(n)))
	k -= (n<<k - a) >> signShift // one more if still less; a branch would be guessed wrong often
	return min(k, maxGolomb)
}

// flips reports whether errors are mapped with their sign turned, since negative ones are likelier (T.87 §A.5.2).
func (c *context) flips(k, near int) bool { return k == 0 && near == 0 && 2*c.b <= -c.n }

// learn updates a context after an error that was quantized and reduced (T.87 §A.6).
func (c *context) learn(err, step, reset int) {
	c.a += max(err, -err)
	c.b += err * step
	if c.n == reset {
		c.a >>= 1
		c.b >>= 1
		c.n >>= 1
	}
	c.n++
	switch {
	case c.b <= -c.n:
		c.b = max(c.b+c.n, 1-c.n)
		c.c = max(c.c-1, minBias)
	case c.b > 0:
		c.b = min(c.b-c.n, 0)
		c.c = min(c.c+1, maxBias)
	}
}

// golomb returns the Golomb parameter for a run interruption of this type (T.87 §A.7.2).
func (c *runContext) golomb(riType int) int {
	return golomb(c.n, c.a+riType*(c.n>>1))
}

// odd reports which sign the lowest bit of a mapped error stands for, if set: true for negative errors, false for positive ones. It is what
// the variable map of T.87 §A.7.2 compares the sign with.
func (c *runContext) odd(k int) bool { return k != 0 || 2*c.negatives >= c.n }

// learn updates a run context after a mapped error (T.87 §A.7.2).
func (c *runContext) learn(err, mapped, riType, reset int) {
	if err < 0 {
		c.negatives++
	}
	c.a += (mapped + 1 - riType) >> 1
	if c.n == reset {
		c.a >>= 1
		c.n >>= 1
		c.negatives >>= 1
	}
	c.n++
}

// within reports whether two values are as good as equal.
func (m *model) within(a, b int) bool { return a-b <= m.near && b-a <= m.near }

// endRun follows every sample that ends a run (T.87 §A.7.1).
func (m *model) endRun() { m.runIndex = max(m.runIndex-1, 0) }

// quantize returns the error in steps of 2·NEAR+1, reduced modulo the range (T.87 §A.4.4, §A.4.5).
func (m *model) quantize(err int) int {
	if m.near > 0 {
		if err > 0 {
			err = (err + m.near) / m.step
		} else {
			err = -((m.near - err) / m.step)
		}
	}
	if err < 0 {
		err += m.errRange
	}
	if err >= (m.errRange+1)/2 {
		err -= m.errRange
	}
	return err
}

// reconstruct adds a quantized error to a prediction, modulo the range (T.87 §A.4.5, §A.8).
func (m *model) reconstruct(predicted, err int) int {
	v := predicted + err*m.step
	if v < -m.near {
		v += m.errRange * m.step
	} else if v > m.maxVal+m.near {
		v -= m.errRange * m.step
	}
	return m.clamp(v)
}
