package fhirpath

import (
	"strings"
	"sync/atomic"

	"salus/fhir/spec"
)

// Expr is a node of the syntax tree. The types below are all there are. Trees
// belong to their Expression and must not be changed.
type Expr interface {
	// String renders the node as FHIRPath.
	String() string
}

// Path follows element names: Patient.name.family has the three names and no Of.
type Path struct {
	Of    Expr // nil: starts at the focus
	Names []string
	steps []*step
}

// step is an element name as evaluation wants it.
type step struct {
	name, twin string // "birthDate", "_birthDate"
	typeName   bool   // may be the name of a type: begins with an upper-case letter

	first atomic.Pointer[property] // of the first type that the step met
}

// property is what a name means in a type; element is nil where it means nothing.
type property struct {
	of      *spec.Type
	element *spec.Element
}

func newStep(name string) *step {
	return &step{name: name, twin: "_" + name, typeName: name != "" && name[0] >= 'A' && name[0] <= 'Z'}
}

// element finds the element of a type. Most steps only ever meet one type, whose answer they keep.
func (s *step) element(t *spec.Type) *spec.Element {
	p := s.first.Load()
	if p != nil && p.of == t {
		return p.element
	}
	e := t.Element(s.name)
	if p == nil {
		s.first.CompareAndSwap(nil, &property{t, e})
	}
	return e
}

// Index takes one item: name[0].
type Index struct {
	Of Expr // nil: the focus
	At Expr
}

// Call invokes a function. The functions is, as and ofType are a TypeOp instead.
type Call struct {
	Of   Expr // nil: invoked on the focus
	Name string
	Args []Expr
	fn   *function
	prep any // what the function precomputed from literal arguments
}

// TypeOpKind is what a TypeOp does.
type TypeOpKind uint8

// The operations on types.
const (
	IsType TypeOpKind = iota + 1 // x is T, x.is(T)
	AsType                       // x as T, x.as(T)
	OfType                       // x.ofType(T)
)

// TypeOp tests or filters by type.
type TypeOp struct {
	Kind     TypeOpKind
	Of       Expr // nil: the focus
	Type     TypeName
	Function bool // written x.as(T) instead of x as T
}

// TypeName is the name of a type with its namespace: "", "FHIR" or "System".
type TypeName struct {
	Namespace, Name string
}

// Union is a | b | c, flattened.
type Union struct {
	Of []Expr
}

// Binary is an operator between two expressions: + - * / div mod & = ~ != !~ <
// <= > >= in contains and or xor implies.
type Binary struct {
	Op          string
	Left, Right Expr
	op          operator
}

// Polarity is the sign before an expression.
type Polarity struct {
	Minus bool
	Of    Expr
}

// Literal is a constant; {} has no values.
type Literal struct {
	Values []Item
}

// Variable is $this, $index or $total.
type Variable struct {
	Name string // with its dollar sign
}

// Constant is an external constant: %resource.
type Constant struct {
	Name string // without the percent sign
}

// String renders the name as it stands in an expression.
func (t TypeName) String() string {
	if t.Namespace == "" {
		return identifier(t.Name)
	}
	return t.Namespace + "." + identifier(t.Name)
}

// String renders the node as FHIRPath.
func (e *Path) String() string {
	names := make([]string, len(e.Names))
	for i, n := range e.Names {
		names[i] = identifier(n)
	}
	return prefix(e.Of) + strings.Join(names, ".")
}

// String renders the node as FHIRPath.
func (e *Index) String() string {
	if e.Of == nil {
		return "$this[" + e.At.String() + "]"
	}
	return operand(e.Of) + "[" + e.At.String() + "]"
}

// String renders the node as FHIRPath.
func (e *Call) String() string {
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = a.String()
	}
	return prefix(e.Of) + e.Name + "(" + strings.Join(args, ", ") + ")"
}

// String renders the node as FHIRPath.
func (e *TypeOp) String() string {
	name := [...]string{"", "is", "as", "ofType"}[e.Kind]
	if e.Function || e.Kind == OfType || e.Of == nil {
		return prefix(e.Of) + name + "(" + e.Type.String() + ")"
	}
	return operand(e.Of) + " " + name + " " + e.Type.String()
}

// String renders the node as FHIRPath.
func (e *Union) String() string {
	parts := make([]string, len(e.Of))
	for i, o := range e.Of {
		parts[i] = operand(o)
	}
	return strings.Join(parts, " | ")
}

// String renders the node as FHIRPath.
func (e *Binary) String() string { return operand(e.Left) + " " + e.Op + " " + operand(e.Right) }

// String renders the node as FHIRPath.
func (e *Polarity) String() string {
	if e.Minus {
		return "-" + operand(e.Of)
	}
	return "+" + operand(e.Of)
}

// String renders the node as FHIRPath.
func (e *Literal) String() string {
	if len(e.Values) == 0 {
		return "{}"
	}
	switch v := e.Values[0].value.(type) {
	case string:
		return quote(v)
	case Temporal:
		return v.literal()
	case Quantity:
		return v.literal()
	default:
		s, _ := text(v)
		return s
	}
}

// String renders the node as FHIRPath.
func (e *Variable) String() string { return e.Name }

// String renders the node as FHIRPath.
func (e *Constant) String() string { return "%" + identifier(e.Name) }

func prefix(of Expr) string {
	if of == nil {
		return ""
	}
	return operand(of) + "."
}

// operand renders e with parentheses where it is no single term.
func operand(e Expr) string {
	switch e := e.(type) {
	case *Union, *Binary, *Polarity:
		return "(" + e.String() + ")"
	case *TypeOp:
		if !e.Function && e.Kind != OfType && e.Of != nil {
			return "(" + e.String() + ")"
		}
	}
	return e.String()
}

// identifier delimits a name that is no plain identifier.
func identifier(s string) string {
	for i := 0; i < len(s); i++ {
		if !identByte(s[i], i > 0) {
			return "`" + escape(s, '`') + "`"
		}
	}
	if s == "" || keywords[s] && s != "as" && s != "is" && s != "in" && s != "contains" {
		return "`" + s + "`"
	}
	return s
}

func quote(s string) string { return "'" + escape(s, '\'') + "'" }

func escape(s string, delimiter rune) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case delimiter, '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\f':
			b.WriteString(`\f`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
