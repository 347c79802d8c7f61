package liquid

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"salus/convert"
)

func init() {
	register(map[string]filter{
		"plus":            {min: 1, max: 1, call: plus},
		"minus":           {min: 1, max: 1, call: arithmetic("minus")},
		"times":           {min: 1, max: 1, call: times},
		"divided_by":      {min: 1, max: 1, call: arithmetic("divided_by")},
		"modulo":          {min: 1, max: 1, call: arithmetic("modulo")},
		"round":           {max: 1, call: rounded},
		"ceil":            {call: whole(math.Ceil)},
		"floor":           {call: whole(math.Floor)},
		"abs":             {call: double(math.Abs)},
		"sign":            {call: sign},
		"truncate_number": {call: double(math.Trunc)},
		"to_double":       {call: double(func(f float64) float64 { return f })},
		"is_nan":          {call: isNumber},
		"pow":             {min: 1, max: 1, call: pow},
		"divide":          {min: 1, max: 1, call: divide},
		"random":          {call: random},
		"at_least":        {min: 1, max: 1, call: bound(func(a, b float64) bool { return a < b })},
		"at_most":         {min: 1, max: 1, call: bound(func(a, b float64) bool { return a > b })},
		"currency":        {max: 1, call: currency},
	})
}

func noNumber() error {
	return convert.Errorf(convert.TemplateRenderingError, "a number is wanted")
}

// asNumber returns a value that can be calculated with: of a text the number that it is the text of.
func asNumber(v convert.Value) (convert.Value, error) {
	switch v := v.(type) {
	case int64, float64, convert.Decimal:
		return v, nil
	case string:
		s := strings.TrimSpace(v)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if d, ok := parseDecimal(s); ok {
			return d, nil
		}
	}
	if f, ok := toDouble(v); ok {
		return f, nil
	}
	return nil, noNumber()
}

// context of decimals: the 28 digits that .NET has.
var decimals = apd.BaseContext.WithPrecision(28)

// calculate combines two numbers: whole ones, decimals, or doubles if one of them is.
func calculate(name string, a, b convert.Value) (convert.Value, error) {
	x, err := asNumber(a)
	if err != nil {
		return nil, err
	}
	y, err := asNumber(b)
	if err != nil {
		return nil, err
	}
	zero := convert.Errorf(convert.TemplateRenderingError, "a number is divided by zero")
	if m, ok := x.(int64); ok {
		if n, ok := y.(int64); ok {
			if n == 0 && (name == "divided_by" || name == "modulo") {
				return nil, zero
			}
			return wholes(name, m, n)
		}
	}
	_, fx := x.(float64)
	_, fy := y.(float64)
	if fx || fy {
		f, _ := toDouble(x)
		g, _ := toDouble(y)
		switch name {
		case "plus":
			return f + g, nil
		case "minus":
			return f - g, nil
		case "times":
			return f * g, nil
		case "divided_by":
			return f / g, nil
		}
		return math.Mod(f, g), nil
	}
	d, e, result := asDecimal(x), asDecimal(y), new(apd.Decimal)
	if e.IsZero() && (name == "divided_by" || name == "modulo") {
		return nil, zero
	}
	switch name {
	case "plus":
		_, err = decimals.Add(result, d, e)
	case "minus":
		_, err = decimals.Sub(result, d, e)
	case "times":
		_, err = decimals.Mul(result, d, e)
	case "divided_by":
		_, err = decimals.Quo(result, d, e)
	default:
		_, err = decimals.Rem(result, d, e)
	}
	if err != nil {
		return nil, noNumber()
	}
	return result, nil
}

// wholes combines two whole numbers. What is too large for one is an error rather than another number.
func wholes(name string, m, n int64) (convert.Value, error) {
	result, ok := int64(0), true
	switch name {
	case "plus":
		result = m + n
		ok = (result > m) == (n > 0)
	case "minus":
		result = m - n
		ok = (result < m) == (n > 0)
	case "times":
		result = m * n
		ok = m == 0 || result/m == n && (m != -1 || n != math.MinInt64)
	case "divided_by":
		result = m / n
		ok = m != math.MinInt64 || n != -1
	default:
		result = m % n
	}
	if !ok {
		return nil, convert.Errorf(convert.TemplateRenderingError, "a number becomes too large")
	}
	return result, nil
}

func asDecimal(v convert.Value) *apd.Decimal {
	if n, ok := v.(int64); ok {
		return apd.New(n, 0)
	}
	return v.(convert.Decimal)
}

func arithmetic(name string) func(*call) (convert.Value, error) {
	return func(c *call) (convert.Value, error) {
		if c.in == nil || c.args[0] == nil {
			return nil, nil
		}
		return calculate(name, c.in, c.args[0])
	}
}

// plus adds numbers; to a text it appends.
func plus(c *call) (convert.Value, error) {
	if c.in == nil || c.args[0] == nil {
		return nil, nil
	}
	if s, ok := c.in.(string); ok {
		return builtin["append"].call(&call{r: c.r, in: s, args: c.args})
	}
	return calculate("plus", c.in, c.args[0])
}

// times multiplies numbers; a text it repeats if the number is a whole one.
func times(c *call) (convert.Value, error) {
	if c.in == nil || c.args[0] == nil {
		return nil, nil
	}
	s, ok := c.in.(string)
	n, is := c.args[0].(int64)
	if !ok || !is {
		return calculate("times", c.in, c.args[0])
	}
	if n > 0 && int64(len(s)) > maxText/n {
		return nil, tooLong()
	}
	return strings.Repeat(s, int(max(n, 0))), nil
}

// maxPlaces is how many places behind the point numbers are rounded to.
const maxPlaces = 28

func rounded(c *call) (convert.Value, error) {
	if c.in == nil {
		return nil, nil
	}
	n, err := c.number(0)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > maxPlaces {
		return nil, convert.Errorf(convert.TemplateRenderingError, "a number is rounded to 0 to %d places", maxPlaces)
	}
	v, err := asNumber(c.in)
	if err != nil {
		return nil, err
	}
	if d, ok := v.(convert.Decimal); ok {
		result := new(apd.Decimal)
		even := apd.BaseContext.WithPrecision(maxDigits + maxPlaces)
		even.Rounding = apd.RoundHalfEven
		if _, err := even.Quantize(result, d, int32(-n)); err != nil {
			return nil, noNumber()
		}
		return result, nil
	}
	f, _ := toDouble(v)
	scale := math.Pow10(n)
	if scaled := f * scale; !math.IsInf(scaled, 0) {
		return math.RoundToEven(scaled) / scale, nil
	}
	return f, nil // so large a number has no places
}

func whole(f func(float64) float64) func(*call) (convert.Value, error) {
	return func(c *call) (convert.Value, error) {
		n, ok := toDouble(c.in)
		if !ok {
			return nil, nil
		}
		if n, ok := wholeOf(f(n)); ok {
			return n, nil
		}
		return f(n), nil
	}
}

func double(f func(float64) float64) func(*call) (convert.Value, error) {
	return func(c *call) (convert.Value, error) {
		if c.in == nil {
			return f(0), nil
		}
		n, ok := toDouble(c.in)
		if !ok {
			return nil, noNumber()
		}
		return f(n), nil
	}
}

func sign(c *call) (convert.Value, error) {
	n, ok := toDouble(c.in)
	switch {
	case c.in == nil || ok && n == 0:
		return int64(0), nil
	case !ok || math.IsNaN(n):
		return nil, noNumber()
	case n < 0:
		return int64(-1), nil
	}
	return int64(1), nil
}

// isNumber is the filter is_nan, which tells whether the value is a number.
func isNumber(c *call) (convert.Value, error) {
	n, ok := toDouble(c.in)
	return ok && !math.IsNaN(n), nil
}

func pow(c *call) (convert.Value, error) {
	n, ok := toDouble(c.in)
	p, also := toDouble(c.args[0])
	if !ok || !also {
		return nil, noNumber()
	}
	return math.Pow(n, p), nil
}

func divide(c *call) (convert.Value, error) {
	n, ok := toDouble(c.in)
	by, also := toDouble(c.args[0])
	if !ok || !also {
		return nil, noNumber()
	}
	return n / by, nil
}

// random returns a whole number from 0 up to but without the value.
func random(c *call) (convert.Value, error) {
	n, ok := toInt(c.in)
	if !ok || n <= 0 {
		return int64(0), nil
	}
	return rand.Int64N(n), nil
}

func bound(replaces func(a, b float64) bool) func(*call) (convert.Value, error) {
	return func(c *call) (convert.Value, error) {
		n, ok := toDouble(c.in)
		limit, also := toDouble(c.args[0])
		if !ok || !also || !replaces(n, limit) {
			return c.in, nil
		}
		return c.args[0], nil
	}
}

// currency writes an amount as the invariant culture of .NET does.
func currency(c *call) (convert.Value, error) {
	if culture, _, err := c.text(0); err != nil || culture != "" {
		return nil, convert.Errorf(convert.TemplateRenderingError, "amounts are written for no culture but the invariant one")
	}
	n, ok := toDouble(c.in)
	if !ok || math.IsNaN(n) || math.IsInf(n, 0) {
		return c.in, nil
	}
	text := strconv.FormatFloat(math.Abs(n), 'f', 2, 64)
	for at := len(text) - 6; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	if n < 0 {
		return "(¤" + text + ")", nil
	}
	return "¤" + text, nil
}
