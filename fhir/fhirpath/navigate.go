package fhirpath

import (
	"strings"

	"salus/fhir"
	"salus/fhir/spec"
)

// path follows the steps of e from each item, in order, without collections in between.
func (r *run) path(e *Path, f *frame) ([]Item, error) {
	of, err := r.of(e.Of, f)
	if err != nil {
		return nil, err
	}
	var out []Item
	for i := range of {
		steps := e.steps
		// A leading name of a type selects the focus when it is of that type (FHIRPath N1 §3.1).
		if e.Of == nil && steps[0].typeName && of[i].typ != nil && of[i].typ.Is(steps[0].name) {
			steps = steps[1:]
		}
		if out, err = r.walk(out, of[i], steps); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *run) walk(out []Item, it Item, steps []*step) ([]Item, error) {
	if err := r.spend(1); err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		if out == nil {
			out = make([]Item, 0, 2)
		}
		return append(out, it), nil
	}
	s := steps[0]
	if it.typ == nil {
		return r.systemStep(out, it, steps)
	}
	e := s.element(it.typ)
	if e == nil {
		return out, nil
	}
	at := it.node
	if it.primitive() {
		at = it.twin
	}
	if e.Choice {
		value, twin, t := choice(it.typ, e, at)
		return r.each(out, value, twin, t, steps[1:])
	}
	t := e.Types[0].Type
	value := at.Get(s.name)
	var twin fhir.Node
	if t.Kind == spec.Primitive {
		twin = at.Get(s.twin)
	}
	return r.each(out, value, twin, t, steps[1:])
}

// systemStep follows a step from what is no FHIR element: the properties of type().
func (r *run) systemStep(out []Item, it Item, steps []*step) ([]Item, error) {
	info, ok := it.value.(typeInfo)
	if !ok {
		return out, nil
	}
	switch steps[0].name {
	case "namespace":
		return r.walk(out, String(info.namespace), steps[1:])
	case "name":
		return r.walk(out, String(info.name), steps[1:])
	case "baseType":
		return r.walk(out, String(info.base), steps[1:])
	}
	return out, nil
}

// choice finds which type a choice element has in an object.
func choice(of *spec.Type, e *spec.Element, at fhir.Node) (value, twin fhir.Node, t *spec.Type) {
	for c := at.First(); c.Exists(); c = c.Next() {
		name := c.Name()
		plain := strings.TrimPrefix(name, "_")
		if len(plain) <= len(e.Name) || !strings.HasPrefix(plain, e.Name) {
			continue
		}
		found, ref, ok := of.Property(plain)
		if !ok || found != e {
			continue
		}
		t = ref.Type
		if len(plain) == len(name) {
			value = c
		} else {
			twin = c
		}
	}
	return value, twin, t
}

// each continues from every item of a value; a primitive's twin goes along by position.
func (r *run) each(out []Item, value, twin fhir.Node, t *spec.Type, rest []*step) ([]Item, error) {
	if value.Kind() != fhir.Array && twin.Kind() != fhir.Array {
		if value.Kind() <= fhir.Null && twin.Kind() <= fhir.Null {
			return out, nil
		}
		return r.walk(out, r.element(value, twin, t), rest)
	}
	var err error
	v, w := items(value), items(twin)
	for v.Exists() || w.Exists() {
		if v.Kind() > fhir.Null || w.Kind() > fhir.Null {
			if out, err = r.walk(out, r.element(v, w, t), rest); err != nil {
				return nil, err
			}
		}
		v, w = v.Next(), w.Next()
	}
	return out, nil
}

// items returns the first item of an array, and the zero Node for everything else.
func items(n fhir.Node) fhir.Node {
	if n.Kind() != fhir.Array {
		return fhir.Node{}
	}
	return n.First()
}

// element makes the item of an element; null counts as absent, and a resource
// within a resource has the type it names.
func (r *run) element(n, twin fhir.Node, t *spec.Type) Item {
	if n.Kind() == fhir.Null {
		n = fhir.Node{}
	}
	if twin.Kind() == fhir.Null {
		twin = fhir.Node{}
	}
	if t.Kind == spec.Resource {
		t = resourceType(r.defs, n, t)
	}
	return Item{node: n, twin: twin, typ: t}
}

// resourceType returns the type that a resource names, otherwise what is known of it.
func resourceType(defs *spec.Definitions, n fhir.Node, otherwise *spec.Type) *spec.Type {
	if defs == nil {
		return otherwise
	}
	if t := defs.Resource(string(n.Type())); t != nil {
		return t
	}
	if otherwise == nil {
		return defs.Type("Resource")
	}
	return otherwise
}

// children appends the child items of it in the order of the tree.
func (r *run) children(out []Item, it Item) ([]Item, error) {
	at := it.node
	if it.primitive() {
		at = it.twin
	}
	if it.typ == nil || at.Kind() != fhir.Object {
		return out, nil
	}
	var err error
	for c := at.First(); c.Exists(); c = c.Next() {
		name := c.Name()
		plain := strings.TrimPrefix(name, "_")
		_, ref, ok := it.typ.Property(plain)
		if !ok {
			continue
		}
		value, twin := c, fhir.Node{}
		if len(plain) < len(name) {
			if at.Get(plain).Exists() {
				continue // comes with its value
			}
			value, twin = fhir.Node{}, c
		} else if ref.Type.Kind == spec.Primitive {
			twin = at.Get("_" + plain)
		}
		if out, err = r.each(out, value, twin, ref.Type, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}
