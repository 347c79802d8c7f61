package fhirpath

import (
	"strconv"

	"salus/fhir/decimal"
	"salus/fhir/spec"
)

// Limits on sources: a longer or deeper one is refused.
const (
	maxSource  = 64 << 10
	maxNesting = 200
)

// parser reads the grammar by precedence climbing (FHIRPath N1 §6.8).
type parser struct {
	lexer
	defs  *spec.Definitions
	tok   token
	depth int
}

type operator uint8

const (
	opNone operator = iota
	opImplies
	opOr
	opXor
	opAnd
	opIn
	opContains
	opEqual
	opEquivalent
	opNotEqual
	opNotEquivalent
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual
	opUnion
	opIs
	opAs
	opPlus
	opMinus
	opConcat
	opTimes
	opDivide
	opDiv
	opMod
)

var operators = map[string]operator{
	"implies": opImplies, "or": opOr, "xor": opXor, "and": opAnd, "in": opIn, "contains": opContains,
	"=": opEqual, "~": opEquivalent, "!=": opNotEqual, "!~": opNotEquivalent,
	"<": opLess, "<=": opLessOrEqual, ">": opGreater, ">=": opGreaterOrEqual,
	"|": opUnion, "is": opIs, "as": opAs, "+": opPlus, "-": opMinus, "&": opConcat,
	"*": opTimes, "/": opDivide, "div": opDiv, "mod": opMod,
}

// binding returns how tightly an operator binds; 0 is no operator.
func (o operator) binding() int {
	switch o {
	case opImplies:
		return 1
	case opOr, opXor:
		return 2
	case opAnd:
		return 3
	case opIn, opContains:
		return 4
	case opEqual, opEquivalent, opNotEqual, opNotEquivalent:
		return 5
	case opLess, opLessOrEqual, opGreater, opGreaterOrEqual:
		return 6
	case opUnion:
		return 7
	case opIs, opAs:
		return 8
	case opPlus, opMinus, opConcat:
		return 9
	case opTimes, opDivide, opDiv, opMod:
		return 10
	}
	return 0
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *parser) is(symbol string) bool { return p.tok.kind == symbolToken && p.tok.text == symbol }

func (p *parser) expect(symbol string) error {
	if !p.is(symbol) {
		return p.fail(p.tok.at, "%s expected", symbol)
	}
	return p.advance()
}

func (p *parser) operator() operator {
	if p.tok.kind == symbolToken || p.tok.kind == identToken {
		return operators[p.tok.text]
	}
	return opNone
}

// source reads a whole expression.
func (p *parser) source() (Expr, error) {
	if len(p.src) > maxSource {
		return nil, p.fail(0, "longer than %d bytes", maxSource)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.expression(1)
	if err == nil && p.tok.kind != endToken {
		err = p.fail(p.tok.at, "nothing more expected here")
	}
	return e, err
}

// expression reads operators that bind at least as tightly as least.
func (p *parser) expression(least int) (Expr, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail(p.tok.at, "nested deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	left, err := p.polarity()
	for chain := 0; err == nil; chain++ {
		op, text := p.operator(), p.tok.text
		binding := op.binding()
		if binding == 0 || binding < least {
			return left, nil
		}
		if chain > 10*maxNesting { // each link is one more level of the tree
			return nil, p.fail(p.tok.at, "more than %d operators in a row", 10*maxNesting)
		}
		if err = p.advance(); err != nil {
			return nil, err
		}
		left, err = p.operation(left, op, text)
	}
	return nil, err
}

func (p *parser) operation(left Expr, op operator, text string) (Expr, error) {
	if op == opIs || op == opAs {
		name, err := p.typeName()
		kind := IsType
		if op == opAs {
			kind = AsType
		}
		return &TypeOp{Kind: kind, Of: left, Type: name}, err
	}
	right, err := p.expression(op.binding() + 1)
	if err != nil {
		return nil, err
	}
	if op == opUnion {
		if u, ok := left.(*Union); ok {
			u.Of = append(u.Of, right)
			return u, nil
		}
		return &Union{Of: []Expr{left, right}}, nil
	}
	return &Binary{Op: text, Left: left, Right: right, op: op}, nil
}

func (p *parser) polarity() (Expr, error) {
	minus := p.is("-")
	if !minus && !p.is("+") {
		return p.invocations()
	}
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail(p.tok.at, "nested deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	of, err := p.polarity()
	return &Polarity{Minus: minus, Of: of}, err
}

// invocations reads a term with what follows it: .name .function() [index].
func (p *parser) invocations() (Expr, error) {
	e, err := p.term()
	for chain := 0; err == nil; chain++ {
		if chain > 10*maxNesting {
			return nil, p.fail(p.tok.at, "more than %d invocations in a row", 10*maxNesting)
		}
		switch {
		case p.is("."):
			if err = p.advance(); err == nil {
				e, err = p.invocation(e)
			}
		case p.is("["):
			if err = p.advance(); err != nil {
				return nil, err
			}
			var at Expr
			if at, err = p.expression(1); err == nil {
				e, err = &Index{Of: e, At: at}, p.expect("]")
			}
		default:
			return e, nil
		}
	}
	return nil, err
}

func (p *parser) invocation(of Expr) (Expr, error) {
	t := p.tok
	switch t.kind {
	case dollarToken:
		if of != nil {
			return nil, p.fail(t.at, "$%s follows no point", t.text)
		}
		return &Variable{Name: "$" + t.text}, p.advance()
	case identToken, delimitedToken:
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.is("(") && t.kind == identToken {
			return p.call(of, t)
		}
		return member(of, t.text), nil
	}
	return nil, p.fail(t.at, "name of an element or function expected")
}

// member adds a step; steps in a row become one Path.
func member(of Expr, name string) Expr {
	s := newStep(name)
	if path, ok := of.(*Path); ok {
		path.Names = append(path.Names, name)
		path.steps = append(path.steps, s)
		return path
	}
	return &Path{Of: of, Names: []string{name}, steps: []*step{s}}
}

func (p *parser) call(of Expr, name token) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if kind := map[string]TypeOpKind{"is": IsType, "as": AsType, "ofType": OfType}[name.text]; kind != 0 {
		t, err := p.typeName()
		if err == nil {
			err = p.expect(")")
		}
		return &TypeOp{Kind: kind, Of: of, Type: t, Function: true}, err
	}
	c := &Call{Of: of, Name: name.text}
	for !p.is(")") {
		if len(c.Args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		arg, err := p.expression(1)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, arg)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if message := c.bind(); message != "" {
		return nil, p.fail(name.at, "%s", message)
	}
	return c, nil
}

func (p *parser) typeName() (TypeName, error) {
	t := p.tok
	if t.kind != identToken && t.kind != delimitedToken {
		return TypeName{}, p.fail(t.at, "name of a type expected")
	}
	name := TypeName{Name: t.text}
	if err := p.advance(); err != nil {
		return name, err
	}
	if p.is(".") && (t.text == "FHIR" || t.text == "System") {
		if err := p.advance(); err != nil {
			return name, err
		}
		if p.tok.kind != identToken && p.tok.kind != delimitedToken {
			return name, p.fail(p.tok.at, "name of a type expected")
		}
		name.Namespace, name.Name = t.text, p.tok.text
		if err := p.advance(); err != nil {
			return name, err
		}
	}
	if !p.known(name) {
		return name, p.fail(t.at, "no type has this name")
	}
	return name, nil
}

// systemTypes are the types of the System namespace.
var systemTypes = map[string]bool{
	"Any": true, "Boolean": true, "String": true, "Integer": true, "Decimal": true,
	"Date": true, "DateTime": true, "Time": true, "Quantity": true,
}

// known reports whether there is such a type. Names spelt out as System.X pass,
// and match nothing when the System has no X, as the official suite wants it.
func (p *parser) known(t TypeName) bool {
	return t.Namespace == "System" || t.Namespace == "" && systemTypes[t.Name] || p.defs == nil || p.defs.Type(t.Name) != nil
}

func (p *parser) term() (Expr, error) {
	t := p.tok
	switch t.kind {
	case numberToken:
		return p.number()
	case stringToken:
		return &Literal{Values: []Item{String(t.text)}}, p.advance()
	case temporalToken:
		return &Literal{Values: []Item{Time(t.time)}}, p.advance()
	case percentToken:
		return &Constant{Name: t.text}, p.advance()
	case identToken:
		switch t.text {
		case "true", "false":
			return &Literal{Values: []Item{Boolean(t.text == "true")}}, p.advance()
		case "and", "or", "xor", "implies", "div", "mod":
			return nil, p.fail(t.at, "%s needs something before it", t.text)
		}
	case symbolToken:
		return p.bracketed()
	}
	return p.invocation(nil)
}

func (p *parser) bracketed() (Expr, error) {
	switch {
	case p.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.expression(1)
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	case p.is("{"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		return &Literal{}, p.expect("}")
	}
	return nil, p.fail(p.tok.at, "term expected")
}

// number reads an Integer, a Decimal, or with a unit a Quantity (FHIRPath N1 §4.1).
func (p *parser) number() (Expr, error) {
	t := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	d, err := decimal.Parse(t.text)
	if err != nil {
		return nil, p.fail(t.at, "number out of range")
	}
	switch {
	case p.tok.kind == stringToken:
		q := Quantity{Value: d, Unit: p.tok.text}
		return &Literal{Values: []Item{QuantityItem(q)}}, p.advance()
	case p.tok.kind == identToken && calendarUnits[p.tok.text] != 0:
		q := Quantity{Value: d, Unit: p.tok.text, calendar: true}
		return &Literal{Values: []Item{QuantityItem(q)}}, p.advance()
	}
	if d.Scale() > 0 {
		return &Literal{Values: []Item{Decimal(d)}}, nil
	}
	n, err := strconv.ParseInt(t.text, 10, 64)
	if err != nil || n > -minInteger { // the sign is an operator, so that -2147483648 has this literal
		return nil, p.fail(t.at, "integer out of range")
	}
	return &Literal{Values: []Item{Integer(n)}}, nil
}
