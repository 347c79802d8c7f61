package fhirpath

import (
	"slices"

	"salus/fault"
	"salus/fhir/spec"
)

// Check looks for what cannot make sense on a focus of that type: elements that
// its types do not have, a leading type that the focus is not, and picking by
// position from children(), which have no order. It passes whatever may be right.
// Errors are faults of kind Invalid. Evaluation does not need it: there, an
// element that does not exist is an empty collection.
func (e *Expression) Check(focus *spec.Type) error {
	c := checker{defs: e.defs}
	_, err := c.infer(e.root, kinds{types: []*spec.Type{focus}})
	return err
}

type checker struct{ defs *spec.Definitions }

// kinds is what is known of a collection's types.
type kinds struct {
	types     []*spec.Type
	open      bool // others are possible
	unordered bool
}

var anything = kinds{open: true}

func (k kinds) merge(o kinds) kinds {
	merged := kinds{types: slices.Clone(k.types), open: k.open || o.open, unordered: k.unordered || o.unordered}
	for _, t := range o.types {
		if !slices.Contains(merged.types, t) {
			merged.types = append(merged.types, t)
		}
	}
	return merged
}

func (c *checker) infer(e Expr, focus kinds) (kinds, error) {
	switch e := e.(type) {
	case *Path:
		return c.path(e, focus)
	case *Call:
		return c.call(e, focus)
	case *TypeOp:
		return c.typeOp(e, focus)
	case *Index:
		of, err := c.of(e.Of, focus)
		if err == nil {
			_, err = c.infer(e.At, focus)
		}
		return of, firstError(err, ordered(of, "[]"))
	case *Union:
		return c.merged(e.Of, kinds{}, focus)
	case *Binary:
		_, err := c.merged([]Expr{e.Left, e.Right}, kinds{}, focus)
		return anything, err
	case *Polarity:
		_, err := c.infer(e.Of, focus)
		return anything, err
	case *Variable:
		if e.Name == "$this" {
			return focus, nil
		}
	}
	return anything, nil
}

func (c *checker) of(e Expr, focus kinds) (kinds, error) {
	if e == nil {
		return focus, nil
	}
	return c.infer(e, focus)
}

func (c *checker) merged(of []Expr, all, focus kinds) (kinds, error) {
	for _, e := range of {
		k, err := c.infer(e, focus)
		if err != nil {
			return k, err
		}
		all = all.merge(k)
	}
	return all, nil
}

func (c *checker) path(e *Path, focus kinds) (kinds, error) {
	at, err := c.of(e.Of, focus)
	if err != nil {
		return at, err
	}
	for i, name := range e.Names {
		if i == 0 && e.Of == nil && e.steps[0].typeName && c.defs != nil && c.defs.Type(name) != nil {
			if at, err = c.leading(at, name); err != nil {
				return at, err
			}
			continue
		}
		if at, err = elementStep(at, name); err != nil {
			return at, err
		}
	}
	return at, nil
}

// leading narrows to a type that begins a path.
func (c *checker) leading(at kinds, name string) (kinds, error) {
	named := c.defs.Type(name)
	for _, t := range at.types {
		if t.Is(name) {
			return kinds{types: []*spec.Type{t}}, nil
		}
		if named.Is(t.Name) {
			return kinds{types: []*spec.Type{named}}, nil
		}
	}
	if at.open {
		return kinds{types: []*spec.Type{named}}, nil
	}
	return at, invalid("the focus is no %s", name)
}

func elementStep(at kinds, name string) (kinds, error) {
	next := kinds{open: at.open}
	found := at.open
	for _, t := range at.types {
		e := t.Element(name)
		if e == nil {
			if t.Abstract { // a derived type may have it
				found, next.open = true, true
			}
			continue
		}
		found = true
		for _, ref := range e.Types {
			next = next.merge(kinds{types: []*spec.Type{ref.Type}})
		}
	}
	if !found {
		if len(at.types) == 0 {
			return anything, nil
		}
		return next, fault.New(fault.Invalid, "FHIRPath: %s has no element %s", at.types[0].Name, name)
	}
	return next, nil
}

// Functions by what they do with the types of their input and arguments.
var (
	keepsInput = []string{"where", "first", "last", "tail", "single", "skip", "take", "exclude", "intersect", "distinct", "trace", "sort"}
	byPosition = []string{"first", "last", "tail", "skip", "take"}
	loops      = []string{"where", "select", "exists", "all", "repeat", "trace", "aggregate", "sort"}
)

func (c *checker) call(e *Call, focus kinds) (kinds, error) {
	of, err := c.of(e.Of, focus)
	if err != nil {
		return of, err
	}
	inner := focus
	if slices.Contains(loops, e.Name) || e.Name == "iif" && e.Of != nil {
		inner = of
	}
	if e.Name == "getReferenceKey" {
		return anything, nil // its argument is no path
	}
	args, err := c.merged(e.Args, kinds{}, inner)
	if err != nil {
		return args, err
	}
	if slices.Contains(byPosition, e.Name) {
		if err := ordered(of, e.Name); err != nil {
			return of, err
		}
	}
	switch {
	case slices.Contains(keepsInput, e.Name):
		return of, nil
	case e.Name == "union" || e.Name == "combine":
		return of.merge(args), nil
	case e.Name == "select":
		return args, nil
	case e.Name == "repeat":
		return c.repeated(e.Args[0], args)
	case e.Name == "children" || e.Name == "descendants":
		return kinds{open: true, unordered: true}, nil
	case e.Name == "extension" && c.defs != nil:
		return kinds{types: []*spec.Type{c.defs.Type("Extension")}}, nil
	}
	return anything, nil
}

// repeated adds what the projection yields on its own results.
func (c *checker) repeated(e Expr, found kinds) (kinds, error) {
	for {
		next, err := c.infer(e, found)
		if err != nil {
			return found, err
		}
		all := found.merge(next)
		if len(all.types) == len(found.types) {
			return all, nil
		}
		found = all
	}
}

func (c *checker) typeOp(e *TypeOp, focus kinds) (kinds, error) {
	of, err := c.of(e.Of, focus)
	if err != nil || e.Kind == IsType || e.Type.Namespace == "System" || c.defs == nil {
		return anything, err
	}
	if t := c.defs.Type(e.Type.Name); t != nil {
		return kinds{types: []*spec.Type{t}, unordered: of.unordered}, nil
	}
	return anything, nil
}

func ordered(of kinds, function string) error {
	if of.unordered {
		return invalid("%s picks by position, and children have no order", function)
	}
	return nil
}
