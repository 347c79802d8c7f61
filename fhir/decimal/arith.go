package decimal

import (
	"math/big"

	"github.com/cockroachdb/apd/v3"
)

// quotientDigits is how many significant digits a division or a function of analysis keeps.
const quotientDigits = 28

// narrow computes what has no exact decimal result.
var narrow = apd.BaseContext.WithPrecision(quotientDigits)

// Neg returns -x. Zero has no sign.
func (x Decimal) Neg() Decimal {
	var z Decimal
	z.d.Neg(&x.d)
	if z.d.IsZero() {
		z.d.Negative = false
	}
	return z
}

// Digits returns how many digits the coefficient has.
func (x Decimal) Digits() int { return int(x.d.NumDigits()) }

// Reduce returns x without trailing zeros after the point.
func (x Decimal) Reduce() Decimal {
	var z Decimal
	z.d.Reduce(&x.d)
	if z.d.Exponent > 0 {
		return z.Rescale(0)
	}
	return z
}

// Quo returns x / y with 28 significant digits; ok is false when y is zero.
func (x Decimal) Quo(y Decimal) (z Decimal, ok bool) {
	if y.Sign() == 0 {
		return z, false
	}
	if _, err := narrow.Quo(&z.d, &x.d, &y.d); err != nil {
		return Decimal{}, false
	}
	return z.Reduce(), true
}

// QuoInteger returns the whole part of x / y, rounded towards zero; ok is false when y is zero.
func (x Decimal) QuoInteger(y Decimal) (z Decimal, ok bool) {
	if y.Sign() == 0 {
		return z, false
	}
	if _, err := context.QuoInteger(&z.d, &x.d, &y.d); err != nil {
		return Decimal{}, false
	}
	return z, true
}

// Rem returns what x leaves when divided by y towards zero; ok is false when y is zero.
func (x Decimal) Rem(y Decimal) (z Decimal, ok bool) {
	if y.Sign() == 0 {
		return z, false
	}
	if _, err := context.Rem(&z.d, &x.d, &y.d); err != nil {
		return Decimal{}, false
	}
	return z, true
}

// Rounding says which neighbour a number becomes.
type Rounding uint8

// The ways of rounding.
const (
	HalfUp     Rounding = iota // to the nearest, halves away from zero
	Down                       // towards zero
	TowardsLow                 // towards negative infinity
	TowardsTop                 // towards positive infinity
)

var rounders = [...]apd.Rounder{apd.RoundHalfUp, apd.RoundDown, apd.RoundFloor, apd.RoundCeiling}

// Round returns x with scale digits after the point, rounded by mode. Scales
// beyond ±1000 leave it as it is.
func (x Decimal) Round(scale int, mode Rounding) Decimal {
	c := *context
	c.Rounding = rounders[mode]
	var z Decimal
	if _, err := c.Quantize(&z.d, &x.d, int32(-scale)); err != nil || abs(scale) > maxDigits {
		return x
	}
	if z.d.IsZero() { // Quantize forgets the direction when every digit is dropped
		var unit apd.Decimal
		unit.SetFinite(1, int32(-scale))
		switch {
		case mode == TowardsTop && x.Sign() > 0:
			z.d.Set(&unit)
		case mode == TowardsLow && x.Sign() < 0:
			z.d.Neg(&unit)
		case mode == HalfUp && x.Abs().Cmp((Decimal{unit}).HalfUnit()) >= 0:
			z.d.Set(&unit)
			z.d.Negative = x.d.Negative
		}
	}
	if z.d.IsZero() {
		z.d.Negative = false
	}
	return z
}

// Rescale returns x with exactly scale digits after the point, halves rounded away from zero.
func (x Decimal) Rescale(scale int) Decimal { return x.Round(scale, HalfUp) }

// Int64 returns x as an integer; ok is false when x has a fraction or does not fit.
func (x Decimal) Int64() (n int64, ok bool) {
	n, err := x.d.Int64()
	return n, err == nil
}

// Sqrt returns the square root with 28 significant digits; ok is false for negative x.
func (x Decimal) Sqrt() (z Decimal, ok bool) {
	if x.Sign() < 0 {
		return z, false
	}
	if _, err := narrow.Sqrt(&z.d, &x.d); err != nil {
		return Decimal{}, false
	}
	return z.Reduce(), true
}

// maxExponent bounds the arguments of Exp and Pow, so that no call gets expensive.
const maxExponent = 1000

// Exp returns e to the power of x with 28 significant digits; ok is false when the result is out of range.
func (x Decimal) Exp() (z Decimal, ok bool) {
	if x.Abs().Cmp(FromInt(maxExponent)) > 0 {
		return z, false
	}
	if _, err := narrow.Exp(&z.d, &x.d); err != nil {
		return Decimal{}, false
	}
	return z.Reduce(), true
}

// Ln returns the natural logarithm with 28 significant digits; ok is false unless x is positive.
func (x Decimal) Ln() (z Decimal, ok bool) {
	if x.Sign() <= 0 {
		return z, false
	}
	if _, err := narrow.Ln(&z.d, &x.d); err != nil {
		return Decimal{}, false
	}
	return z.Reduce(), true
}

// Pow returns x to the power of y with 28 significant digits; ok is false when the result is no
// real number or out of range.
func (x Decimal) Pow(y Decimal) (z Decimal, ok bool) {
	if y.Abs().Cmp(FromInt(maxExponent)) > 0 || x.Digits()+abs(x.Scale()) > maxDigits {
		return z, false
	}
	if _, err := narrow.Pow(&z.d, &x.d, &y.d); err != nil || z.d.Form != apd.Finite {
		return Decimal{}, false
	}
	return z.Reduce(), true
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// Rat returns x as a fraction.
func (x Decimal) Rat() *big.Rat {
	r := new(big.Rat).SetInt(x.d.Coeff.MathBigInt())
	if e := x.d.Exponent; e != 0 {
		p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(abs(int(e)))), nil)
		if e > 0 {
			r.Mul(r, new(big.Rat).SetInt(p))
		} else {
			r.Quo(r, new(big.Rat).SetInt(p))
		}
	}
	if x.d.Negative {
		r.Neg(r)
	}
	return r
}

// FromRat returns r: exactly where its decimal fraction ends within the digits that Decimal keeps,
// with 28 significant digits otherwise.
func FromRat(r *big.Rat) Decimal {
	if scale, exact := r.FloatPrec(); exact && scale <= maxDigits {
		n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		n.Mul(n, r.Num())
		return fromBig(n.Quo(n, r.Denom()), -scale)
	}
	z, _ := fromBig(r.Num(), 0).Quo(fromBig(r.Denom(), 0))
	return z
}

func fromBig(n *big.Int, exponent int) Decimal {
	var z Decimal
	z.d.Coeff.SetMathBigInt(n)
	z.d.Coeff.Abs(&z.d.Coeff)
	z.d.Negative = n.Sign() < 0
	z.d.Exponent = int32(exponent)
	return z
}
