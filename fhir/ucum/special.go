package ucum

import (
	"math"
	"math/big"
	"strconv"

	"salus/fault"
	"salus/fhir/decimal"
)

// function maps a special scale to a multiple of its unit and back (UCUM §21,
// §22). Scales that are a line are exact; the others have 28 digits, the
// trigonometric ones those of a float64.
type function struct {
	slope, offset  *big.Rat // y = slope × x + offset; nil for the others
	forth, inverse func(x decimal.Decimal) (decimal.Decimal, bool)
}

func line(slope *big.Rat, offset *big.Rat) *function { return &function{slope: slope, offset: offset} }

// logarithm is the scale x = scale × log_base(y), or its negative; the base 0 is e.
func logarithm(base, scale int64) *function {
	return &function{
		forth: func(x decimal.Decimal) (decimal.Decimal, bool) {
			x, _ = x.Quo(decimal.FromInt(scale))
			if base == 0 {
				return x.Exp()
			}
			return decimal.FromInt(base).Pow(x)
		},
		inverse: func(y decimal.Decimal) (decimal.Decimal, bool) {
			l, ok := y.Ln()
			if !ok {
				return l, false
			}
			l = l.Mul(decimal.FromInt(scale))
			if base == 0 {
				return l, true
			}
			lnBase, _ := decimal.FromInt(base).Ln()
			return l.Quo(lnBase)
		},
	}
}

var functions = map[string]*function{
	"cel":   line(big.NewRat(1, 1), big.NewRat(27315, 100)),
	"degF":  line(big.NewRat(5, 9), new(big.Rat).Mul(big.NewRat(45967, 100), big.NewRat(5, 9))),
	"degRe": line(big.NewRat(5, 4), big.NewRat(27315, 100)),
	"ln":    logarithm(0, 1),
	"lg":    logarithm(10, 1),
	"lg2":   logarithm(10, 2),
	"ld":    logarithm(2, 1),
	"pH":    logarithm(10, -1),
	"hpX":   logarithm(10, -1),
	"hpC":   logarithm(100, -1),
	"hpM":   logarithm(1000, -1),
	"hpQ":   logarithm(50000, -1),
	"tan100": {
		forth:   float(func(x float64) float64 { return math.Atan(x / 100) }),
		inverse: float(func(y float64) float64 { return 100 * math.Tan(y) }),
	},
	"sqrt": {
		forth:   func(x decimal.Decimal) (decimal.Decimal, bool) { return x.Mul(x), true },
		inverse: func(y decimal.Decimal) (decimal.Decimal, bool) { return y.Sqrt() },
	},
}

func float(f func(float64) float64) func(decimal.Decimal) (decimal.Decimal, bool) {
	return func(x decimal.Decimal) (decimal.Decimal, bool) {
		v, err := strconv.ParseFloat(x.String(), 64)
		if err != nil {
			return decimal.Decimal{}, false
		}
		d, err := decimal.Parse(strconv.FormatFloat(f(v), 'e', -1, 64))
		return d, err == nil
	}
}

// maxDigits bounds results, as package decimal bounds what it reads.
const maxDigits = 1000

func outOfRange() error { return fault.New(fault.Invalid, "unit: value out of the unit's range") }

// bounded refuses results that no literal could have.
func bounded(d decimal.Decimal) (decimal.Decimal, error) {
	if d.Digits() > maxDigits || d.Scale() > maxDigits {
		return decimal.Decimal{}, outOfRange()
	}
	return d, nil
}

// toBase returns v, which is in u, in base units.
func (u *Unit) toBase(v decimal.Decimal) (decimal.Decimal, error) {
	if u.plain {
		return bounded(v.Mul(u.exact))
	}
	r, err := u.rat(v)
	if err != nil {
		return decimal.Decimal{}, err
	}
	return bounded(decimal.FromRat(r))
}

func (u *Unit) rat(v decimal.Decimal) (*big.Rat, error) {
	r := v.Rat()
	switch f := u.special; {
	case f == nil:
		return r.Mul(r, u.factor), nil
	case f.slope != nil:
		r.Mul(r, u.prefix)
		r.Mul(r, f.slope)
		r.Add(r, f.offset)
		return r.Mul(r, u.factor), nil
	default:
		y, ok := f.forth(decimal.FromRat(r.Mul(r, u.prefix)))
		if !ok {
			return nil, outOfRange()
		}
		r = y.Rat()
		return r.Mul(r, u.factor), nil
	}
}

// convert returns v, which is in u, in the unit to.
func (u *Unit) convert(v decimal.Decimal, to *Unit) (decimal.Decimal, error) {
	if u.base != to.base {
		return decimal.Decimal{}, fault.New(fault.Invalid, "unit: the units have different dimensions")
	}
	r, err := u.rat(v)
	if err != nil {
		return decimal.Decimal{}, err
	}
	r.Quo(r, to.factor)
	switch f := to.special; {
	case f == nil:
	case f.slope != nil:
		r.Sub(r, f.offset)
		r.Quo(r, f.slope)
		r.Quo(r, to.prefix)
	default:
		x, ok := f.inverse(decimal.FromRat(r))
		if !ok {
			return decimal.Decimal{}, outOfRange()
		}
		r = x.Rat()
		r.Quo(r, to.prefix)
	}
	return bounded(decimal.FromRat(r))
}
