package fhirpath

import "salus/fhir/decimal"

// mathFunctions are those of FHIRPath N1 §5.7.
var mathFunctions = map[string]*function{
	"abs":      {eval: abs},
	"ceiling":  {eval: toWhole(decimal.TowardsTop)},
	"floor":    {eval: toWhole(decimal.TowardsLow)},
	"truncate": {eval: toWhole(decimal.Down)},
	"exp":      {eval: analytic(decimal.Decimal.Exp)},
	"ln":       {eval: analytic(decimal.Decimal.Ln)},
	"sqrt":     {eval: analytic(decimal.Decimal.Sqrt)},
	"log":      {min: 1, max: 1, eval: log},
	"power":    {min: 1, max: 1, eval: power},
	"round":    {max: 1, eval: round},
}

// analyticSteps is what a function of analysis costs: it is slower than arithmetic.
const analyticSteps = 50

// numberInput returns the only number of the input; ok is false when it is empty.
func numberInput(c *Call, in []Item) (decimal.Decimal, bool, error) {
	it, ok, err := single(in, "what "+c.Name+" takes")
	if err != nil || !ok {
		return decimal.Decimal{}, false, err
	}
	d, ok := it.AsDecimal()
	if !ok {
		return d, false, invalid("%s takes a number, not %s", c.Name, it.TypeName())
	}
	return d, true, nil
}

func (r *run) numberArg(c *Call, f *frame) (decimal.Decimal, bool, error) {
	items, err := r.eval(c.Args[0], f)
	if err != nil {
		return decimal.Decimal{}, false, err
	}
	return numberInput(c, items)
}

func abs(_ *run, c *Call, in []Item, _ *frame) ([]Item, error) {
	it, ok, err := single(in, "what abs takes")
	if err != nil || !ok {
		return nil, err
	}
	switch v := it.system().(type) {
	case int64:
		return integerItems(max(v, -v)), nil
	case decimal.Decimal:
		return decimalItems(v.Abs(), true), nil
	case Quantity:
		v.Value = v.Value.Abs()
		return []Item{QuantityItem(v)}, nil
	}
	return nil, invalid("abs takes a number or a Quantity, not %s", it.TypeName())
}

func toWhole(mode decimal.Rounding) evaluator {
	return func(_ *run, c *Call, in []Item, _ *frame) ([]Item, error) {
		d, ok, err := numberInput(c, in)
		if err != nil || !ok {
			return nil, err
		}
		n, ok := d.Round(0, mode).Int64()
		if !ok {
			return nil, nil
		}
		return integerItems(n), nil
	}
}

func analytic(compute func(decimal.Decimal) (decimal.Decimal, bool)) evaluator {
	return func(r *run, c *Call, in []Item, _ *frame) ([]Item, error) {
		d, ok, err := numberInput(c, in)
		if err != nil || !ok {
			return nil, err
		}
		return decimalItems(compute(d)), r.spend(analyticSteps)
	}
}

// logDigits is to how many digits after the point a logarithm is rounded: fewer
// than computed, so that 1000.log(10) is 3.
const logDigits = 20

func log(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	d, ok, err := numberInput(c, in)
	if err != nil || !ok {
		return nil, err
	}
	base, ok, err := r.numberArg(c, f)
	if err != nil || !ok {
		return nil, err
	}
	x, ok := d.Ln()
	y, also := base.Ln()
	if !ok || !also {
		return nil, nil
	}
	z, ok := x.Quo(y)
	return decimalItems(z.Rescale(logDigits).Reduce(), ok), r.spend(2 * analyticSteps)
}

// power of two Integers is an Integer where it is one.
func power(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	d, ok, err := numberInput(c, in)
	if err != nil || !ok {
		return nil, err
	}
	exponent, ok, err := r.numberArg(c, f)
	if err != nil || !ok {
		return nil, err
	}
	z, ok := d.Pow(exponent)
	if err := r.spend(analyticSteps); err != nil || !ok {
		return nil, err
	}
	if _, whole := in[0].AsInteger(); whole && exponent.Scale() <= 0 && exponent.Sign() >= 0 {
		n, fits := z.Int64()
		if !fits {
			return nil, nil
		}
		return integerItems(n), nil
	}
	return decimalItems(z, true), nil
}

func round(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	d, ok, err := numberInput(c, in)
	if err != nil || !ok {
		return nil, err
	}
	var digits int64
	if len(c.Args) == 1 {
		n, given, err := r.integerArg(c.Args[0], f, "the precision of round")
		if err != nil {
			return nil, err
		}
		if given && (n < 0 || n > maxDecimalDigits) {
			return nil, invalid("the precision of round has to be between 0 and %d", maxDecimalDigits)
		}
		digits = n
	}
	if d.Scale() <= int(digits) {
		return decimalItems(d, true), nil
	}
	return decimalItems(d.Rescale(int(digits)), true), nil
}
