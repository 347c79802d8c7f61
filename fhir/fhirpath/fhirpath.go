// Package fhirpath is the expression language FHIRPath (N1, with the FHIR R4
// functions) over resource trees: compiled once, evaluated often, without
// copying what the tree holds.
//
// It promises the rules of the specification: collections, partial dates,
// quantities by UCUM, errors where N1 asks for them. Sources and evaluations are
// bounded in depth, steps and size, so that no expression of a client can occupy
// the service. Errors name positions, functions and types, never values of elements.
//
// It leaves the meaning of expressions to its callers (validate, searchparam,
// viewdef), and reaching other resources and value sets to the functions in Env.
package fhirpath

import (
	"strconv"
	"time"

	"salus/fault"
	"salus/fhir/spec"
)

// Expression is a compiled expression. It is immutable and safe for concurrent use.
type Expression struct {
	src  string
	root Expr
	defs *spec.Definitions
}

// Compile reads an expression. Names of functions and types, numbers of
// arguments and literals are checked here; names of elements with Check, since
// they depend on the focus. Errors are faults of kind Invalid that name line and column.
func Compile(src string, defs *spec.Definitions) (*Expression, error) {
	p := parser{lexer: lexer{src: src}, defs: defs}
	root, err := p.source()
	if err != nil {
		return nil, err
	}
	return &Expression{src: src, root: root, defs: defs}, nil
}

// String returns the source.
func (e *Expression) String() string { return e.src }

// Root returns the syntax tree. It must not be changed.
func (e *Expression) Root() Expr { return e.root }

// Env is what an evaluation may know of the world around the focus. The zero
// Env knows nothing: no clock, no other resources, no terminology.
type Env struct {
	Defs         *spec.Definitions // those of Compile when nil
	Resource     Item              // %resource; the focus when zero
	RootResource Item              // %rootResource; Resource when zero
	Context      Item              // %context; the focus when zero
	Vars         map[string][]Item // %name
	Now          time.Time         // of now(), today() and timeOfDay()

	// Resolve follows a reference. Without it resolve() finds contained
	// resources, and of Type/id yields an item that has the type and nothing else.
	Resolve func(ref string) (Item, bool)

	// MemberOf reports whether a code is in a value set; system may be empty.
	MemberOf func(valueSet, system, code string) (bool, error)

	// Trace receives what trace() logs.
	Trace func(name string, items []Item)
}

// Eval evaluates e on the focus, mostly one resource. The result must not be
// changed: it may share memory with the focus and the expression. Errors are
// faults of kind Invalid for what the language forbids, and TooLarge for what
// exceeds the bounds.
func (e *Expression) Eval(env *Env, focus ...Item) ([]Item, error) {
	if env == nil {
		env = &Env{}
	}
	r := &run{env: env, defs: env.Defs, outer: frame{focus: focus}}
	if r.defs == nil {
		r.defs = e.defs
	}
	return r.eval(e.root, &r.outer)
}

// Bounds of one evaluation. A step is a node visited or an item made. A bundle of
// a megabyte has about fifty thousand nodes.
const (
	maxSteps  = 2_000_000
	maxItems  = 400_000
	maxString = 1 << 20
)

// run is the state of one evaluation.
type run struct {
	env   *Env
	defs  *spec.Definitions
	outer frame // of the whole evaluation
	steps int
}

// frame is what $this, $index and $total stand for.
type frame struct {
	focus []Item
	index int // 0 outside of loops
	total []Item
}

// spend counts n steps and fails when they are used up.
func (r *run) spend(n int) error {
	if r.steps += n; r.steps > maxSteps {
		return fault.New(fault.TooLarge, "FHIRPath: more than %d steps of evaluation", maxSteps)
	}
	return nil
}

// grown counts n items added to a collection and fails when it got too large.
func (r *run) grown(items []Item, n int) error {
	if len(items) > maxItems {
		return fault.New(fault.TooLarge, "FHIRPath: more than %d items in a collection", maxItems)
	}
	return r.spend(n)
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, "FHIRPath: "+format, args...)
}

// eval evaluates one node. Results are read-only: they may be the focus itself.
func (r *run) eval(e Expr, f *frame) ([]Item, error) {
	if err := r.spend(1); err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *Path:
		return r.path(e, f)
	case *Literal:
		return e.Values, nil
	case *Binary:
		return r.binary(e, f)
	case *Call:
		of, err := r.of(e.Of, f)
		if err != nil {
			return nil, err
		}
		return e.fn.eval(r, e, of, f)
	case *TypeOp:
		return r.typeOp(e, f)
	case *Union:
		return r.union(e.Of, f)
	case *Index:
		return r.index(e, f)
	case *Polarity:
		return r.polarity(e, f)
	case *Variable:
		return e.eval(f), nil
	case *Constant:
		return r.constant(e.Name)
	}
	return nil, fault.New(fault.Internal, "FHIRPath: unknown node of the syntax tree")
}

// of evaluates what something is invoked on.
func (r *run) of(e Expr, f *frame) ([]Item, error) {
	if e == nil {
		return f.focus, nil
	}
	return r.eval(e, f)
}

func (e *Variable) eval(f *frame) []Item {
	switch e.Name {
	case "$index":
		return []Item{Integer(int64(f.index))}
	case "$total":
		return f.total
	}
	return f.focus
}

// constant resolves %name (FHIR R4 fhirpath §2.9.1.4).
func (r *run) constant(name string) ([]Item, error) {
	switch name {
	case "resource":
		return r.item(r.env.Resource), nil
	case "rootResource":
		if r.env.RootResource.Exists() {
			return []Item{r.env.RootResource}, nil
		}
		return r.item(r.env.Resource), nil
	case "context":
		return r.item(r.env.Context), nil
	case "ucum":
		return []Item{String(UCUM)}, nil
	case "sct":
		return []Item{String("http://snomed.info/sct")}, nil
	case "loinc":
		return []Item{String("http://loinc.org")}, nil
	}
	if v, ok := r.env.Vars[name]; ok {
		return v, nil
	}
	if len(name) > 3 && name[:3] == "vs-" {
		return []Item{String("http://hl7.org/fhir/ValueSet/" + name[3:])}, nil
	}
	if len(name) > 4 && name[:4] == "ext-" {
		return []Item{String("http://hl7.org/fhir/StructureDefinition/" + name[4:])}, nil
	}
	return nil, invalid("no constant is called %%%s", name)
}

// item returns it as a collection, the focus of the whole evaluation when it is zero.
func (r *run) item(it Item) []Item {
	if it.Exists() {
		return []Item{it}
	}
	return r.outer.focus
}

func (r *run) index(e *Index, f *frame) ([]Item, error) {
	of, err := r.of(e.Of, f)
	if err != nil {
		return nil, err
	}
	at, ok, err := r.integerArg(e.At, f, "an index")
	if err != nil || !ok || at < 0 || at >= int64(len(of)) {
		return nil, err
	}
	return of[at : at+1 : at+1], nil
}

// single returns the only item; ok is false for none, more are an error (FHIRPath N1 §4.5).
func single(items []Item, what string) (it Item, ok bool, err error) {
	switch len(items) {
	case 0:
		return it, false, nil
	case 1:
		return items[0], true, nil
	}
	return it, false, invalid("%s has to be one item, not %s", what, strconv.Itoa(len(items)))
}

// truth is a value of three-valued logic.
type truth int8

const (
	no      truth = 0
	yes     truth = 1
	unknown truth = -1
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

var (
	trueItems  = []Item{Boolean(true)}
	falseItems = []Item{Boolean(false)}
)

func boolean(b bool) []Item {
	if b {
		return trueItems
	}
	return falseItems
}

// items returns t as a collection, empty for unknown.
func (t truth) items() []Item {
	if t == unknown {
		return nil
	}
	return boolean(t == yes)
}

// singleton evaluates a collection as a Boolean: one item that is no Boolean is true (FHIRPath N1 §4.5).
func singleton(items []Item, what string) (truth, error) {
	it, ok, err := single(items, what)
	if err != nil || !ok {
		return unknown, err
	}
	if b, ok := it.AsBool(); ok {
		return truthOf(b), nil
	}
	return yes, nil
}
