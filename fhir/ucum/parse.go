package ucum

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"salus/fault"
	"salus/fhir/decimal"
)

// Limits on what is read: longer units and larger exponents are refused.
const (
	maxLength   = 256
	maxExponent = 200
	maxNesting  = 32
)

// Unit is a parsed unit: so many of a product of base units, or a special
// scale. It is immutable.
type Unit struct {
	factor  *big.Rat
	dims    []dim  // sorted by symbol, no zero exponents
	base    string // dims spelt out
	special *function
	prefix  *big.Rat // of a special unit
	plain   bool     // not special, and the factor is exact:
	exact   decimal.Decimal
}

// dim is a base or arbitrary unit with its exponent.
type dim struct {
	symbol string
	exp    int
}

// Base returns the product of base units in its fixed spelling; "1" for pure numbers.
func (u *Unit) Base() string { return u.base }

// cacheSize bounds how many parsed units are remembered: far more than one
// institution uses, and no client can make it grow further.
const cacheSize = 4096

var (
	cache  sync.Map // string → *Unit
	cached atomic.Int32
)

// Parse reads a unit. Errors are faults of kind Invalid.
func Parse(s string) (*Unit, error) {
	if u, ok := cache.Load(s); ok {
		return u.(*Unit), nil
	}
	p := parser{src: s, table: units()}
	u, err := p.unit()
	if err != nil {
		return nil, err
	}
	if cached.Load() < cacheSize {
		if _, had := cache.LoadOrStore(strings.Clone(s), u); !had {
			cached.Add(1)
		}
	}
	return u, nil
}

// parser reads the grammar of UCUM §9–§12.
type parser struct {
	src   string
	pos   int
	depth int
	table *table
}

func (p *parser) fail(what string) error {
	return fault.New(fault.Invalid, "unit: %s at character %d", what, p.pos+1)
}

func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

func (p *parser) unit() (*Unit, error) {
	if len(p.src) == 0 || len(p.src) > maxLength {
		return nil, fault.New(fault.Invalid, "unit: empty or longer than %d characters", maxLength)
	}
	u, err := p.term()
	if err == nil && p.pos < len(p.src) {
		err = p.fail("unexpected character")
	}
	if err != nil {
		return nil, err
	}
	for _, d := range u.dims {
		if d.exp > maxExponent || d.exp < -maxExponent {
			return nil, p.fail("exponent out of range")
		}
	}
	if u.special == nil {
		u.base = spell(u.dims)
		if digits, exact := u.factor.FloatPrec(); exact && digits <= maxDigits && u.factor.Num().BitLen() < 3*maxDigits {
			u.plain, u.exact = true, decimal.FromRat(u.factor)
		}
	}
	return u, nil
}

// term reads components with . and / from left to right; it may begin with /.
func (p *parser) term() (*Unit, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("parentheses nested too deeply")
	}
	defer func() { p.depth-- }()
	var u *Unit
	sign := 1
	if p.peek() == '/' {
		u, sign = one(), -1
		p.pos++
	}
	for {
		c, err := p.component()
		if err != nil {
			return nil, err
		}
		next := p.peek()
		if u == nil && next != '.' && next != '/' {
			return c, nil // keeps a special unit that stands alone
		}
		if u == nil {
			u = one()
		}
		if u, err = p.multiply(u, c, sign); err != nil {
			return nil, err
		}
		switch next {
		case '.':
			sign = 1
		case '/':
			sign = -1
		default:
			return u, nil
		}
		p.pos++
	}
}

func one() *Unit { return &Unit{factor: big.NewRat(1, 1)} }

// multiply returns u times c, or u divided by c for sign -1. Within a product a
// temperature counts as the interval; other special units cannot be part of one (UCUM §21).
func (p *parser) multiply(u, c *Unit, sign int) (*Unit, error) {
	factor := c.factor
	if c.special != nil {
		if c.special.slope == nil {
			return nil, p.fail("a unit on a logarithmic or trigonometric scale has to stand alone before")
		}
		factor = new(big.Rat).Mul(c.prefix, c.special.slope)
		factor.Mul(factor, c.factor)
	}
	v := &Unit{factor: new(big.Rat)}
	if sign < 0 {
		v.factor.Quo(u.factor, factor)
	} else {
		v.factor.Mul(u.factor, factor)
	}
	v.dims = combine(u.dims, c.dims, sign)
	return v, nil
}

// combine adds exponents; both lists are sorted.
func combine(a, b []dim, sign int) []dim {
	out := slices.Clone(a)
	for _, d := range b {
		i, found := slices.BinarySearchFunc(out, d, func(x, y dim) int { return strings.Compare(x.symbol, y.symbol) })
		switch {
		case !found:
			out = slices.Insert(out, i, dim{d.symbol, sign * d.exp})
		case out[i].exp+sign*d.exp == 0:
			out = slices.Delete(out, i, i+1)
		default:
			out[i].exp += sign * d.exp
		}
	}
	return out
}

// component reads (term), a unit with exponent, or a number; each may carry an annotation.
func (p *parser) component() (u *Unit, err error) {
	switch c := p.peek(); {
	case c == '(':
		p.pos++
		if u, err = p.term(); err != nil {
			return nil, err
		}
		if p.peek() != ')' {
			return nil, p.fail("missing parenthesis")
		}
		p.pos++
	case c == '{':
		u = one()
	case c >= '0' && c <= '9' && !p.power():
		u, err = p.number()
	default:
		u, err = p.simple()
	}
	for err == nil && p.peek() == '{' {
		err = p.annotation()
	}
	return u, err
}

// power reports whether 10* or 10^ comes next, which are units, not numbers.
func (p *parser) power() bool {
	rest := p.src[p.pos:]
	return strings.HasPrefix(rest, "10*") || strings.HasPrefix(rest, "10^")
}

// annotation skips {text}: it does not change the unit (UCUM §6).
func (p *parser) annotation() error {
	end := strings.IndexByte(p.src[p.pos:], '}')
	if end < 0 {
		return p.fail("annotation without end")
	}
	p.pos += end + 1
	return nil
}

func (p *parser) digits() string {
	start := p.pos
	for p.peek() >= '0' && p.peek() <= '9' {
		p.pos++
	}
	return p.src[start:p.pos]
}

func (p *parser) number() (*Unit, error) {
	n, _ := new(big.Rat).SetString(p.digits())
	if n.Sign() == 0 {
		return nil, p.fail("zero as a factor")
	}
	return &Unit{factor: n}, nil
}

func (p *parser) simple() (*Unit, error) {
	start := p.pos
	symbol := p.symbol()
	u := p.table.find(symbol)
	if u == nil {
		p.pos = start
		return nil, p.fail("unknown unit")
	}
	exp, err := p.exponent()
	if err != nil || exp == 1 {
		return u, err
	}
	if u.special != nil {
		return nil, p.fail("a special unit takes no exponent")
	}
	v := &Unit{factor: power(u.factor, exp), dims: make([]dim, len(u.dims))}
	for i, d := range u.dims {
		v.dims[i] = dim{d.symbol, d.exp * exp}
	}
	return v, nil
}

// symbol reads up to an operator, digit or annotation; inside brackets everything belongs to it.
func (p *parser) symbol() string {
	start := p.pos
	if p.power() {
		p.pos += 3
		return p.src[start:p.pos]
	}
	bracket := false
	for ; p.pos < len(p.src); p.pos++ {
		c := p.src[p.pos]
		switch {
		case bracket:
			bracket = c != ']'
		case c == '[':
			bracket = true
		case c >= '0' && c <= '9' || strings.IndexByte("+-./(){}", c) >= 0:
			return p.src[start:p.pos]
		}
	}
	return p.src[start:p.pos]
}

func (p *parser) exponent() (int, error) {
	start := p.pos
	if c := p.peek(); c == '+' || c == '-' {
		p.pos++
	}
	digits := p.digits()
	text := p.src[start:p.pos]
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if digits == "" || err != nil || n == 0 || n > maxExponent || n < -maxExponent {
		return 0, p.fail("bad exponent")
	}
	return n, nil
}

// find looks a symbol up: as it is, then as prefix and metric unit.
func (t *table) find(symbol string) *Unit {
	if a := t.atoms[symbol]; a != nil {
		u := a.Unit
		return &u
	}
	for n := 1; n <= 2 && n < len(symbol); n++ {
		prefix, a := t.prefixes[symbol[:n]], t.atoms[symbol[n:]]
		if prefix == nil || a == nil || !a.metric {
			continue
		}
		u := a.Unit
		if u.special != nil {
			u.prefix = prefix
		} else {
			u.factor = new(big.Rat).Mul(prefix, u.factor)
		}
		return &u
	}
	return nil
}

func power(r *big.Rat, n int) *big.Rat {
	e := big.NewInt(int64(max(n, -n)))
	num, den := new(big.Int).Exp(r.Num(), e, nil), new(big.Int).Exp(r.Denom(), e, nil)
	if n < 0 {
		num, den = den, num
	}
	return new(big.Rat).SetFrac(num, den)
}

// spell writes dims as a unit: "g.m-3", "1" for none.
func spell(dims []dim) string {
	if len(dims) == 0 {
		return "1"
	}
	var b strings.Builder
	for i, d := range dims {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(d.symbol)
		if d.exp != 1 {
			b.WriteString(strconv.Itoa(d.exp))
		}
	}
	return b.String()
}
