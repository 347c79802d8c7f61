package patch

import (
	"salus/fhir"
	"salus/fhir/spec"
)

// content makes a value of an element of the type called of out of the
// parameter that describes it: a value[x], a resource, or parts that stand for
// the elements of an anonymous type (FHIR R4 fhirpatch). spelled, if not nil, is the
// type that the name of a choice has named.
func (w *work) content(part fhir.Node, of *spec.Type, e *spec.Element, spelled *spec.TypeRef) (content, error) {
	parameter := w.defs.Type("Parameters.parameter")
	for c := range part.Children {
		name := c.Name()
		if name == "resource" && e.Types[0].Type.Kind == spec.Resource {
			return content{name: e.Name, value: build(c)}, nil
		}
		twin := len(name) > 0 && name[0] == '_'
		if twin {
			name = name[1:]
		}
		x, ref, ok := parameter.Property(name)
		if !ok || x.Name != "value" {
			continue
		}
		to, ok := chosen(e, spelled, ref.Type)
		if !ok {
			return content{}, w.badInput(e.Name)
		}
		made := content{name: e.JSONName(to)}
		if v := part.Get(name); v.Exists() {
			if made.value = build(v); to.Type.Kind == spec.Primitive && isText(to.Type) != (v.Kind() == fhir.String) {
				return content{}, w.badInput(e.Name)
			}
		}
		if v := part.Get("_" + name); v.Exists() {
			made.twin = build(v)
		}
		return made, nil
	}
	return w.anonymous(part, e, spelled)
}

// anonymous makes an object of parts.
func (w *work) anonymous(part fhir.Node, e *spec.Element, spelled *spec.TypeRef) (content, error) {
	to := e.Types[0]
	if spelled != nil {
		to = *spelled
	}
	parts := part.Get("part")
	if parts.Len() == 0 || e.Choice && spelled == nil || to.Type.Kind == spec.Primitive {
		return content{}, w.badInput(e.Name)
	}
	made := content{name: e.JSONName(to), value: &value{kind: fhir.Object}}
	for p := range parts.Children {
		name := p.Get("name").Text()
		child := to.Type.Element(name)
		var named *spec.TypeRef
		if child == nil {
			found, ref, ok := to.Type.Property(name)
			if !ok {
				return content{}, w.unknown(name)
			}
			child, named = found, &ref
		}
		s := newSlot(made.value, to.Type, child)
		items := s.load()
		if len(items) > 0 && !child.Repeats() {
			return content{}, w.badInput(child.Name)
		}
		c, err := w.content(p, to.Type, child, named)
		if err != nil {
			return content{}, err
		}
		s.store(append(items, c))
	}
	return made, nil
}

// chosen returns the type of e that a value of the given type can have.
func chosen(e *spec.Element, spelled *spec.TypeRef, given *spec.Type) (spec.TypeRef, bool) {
	if spelled != nil {
		return *spelled, fits(given, spelled.Type)
	}
	for _, ref := range e.Types {
		if ref.Type.Name == given.Name {
			return ref, true
		}
	}
	if !e.Choice {
		return e.Types[0], fits(given, e.Types[0].Type)
	}
	for _, ref := range e.Types {
		if given.Is(ref.Type.Name) || ref.Type.Is(given.Name) {
			return ref, true
		}
	}
	return spec.TypeRef{}, false
}

// fits reports whether a value of one type can stand for one of another: types
// derived from each other, and primitives with the same kind of literal. Whether
// the literal is right is for validation to tell.
func fits(given, want *spec.Type) bool {
	if given.Is(want.Name) || want.Is(given.Name) {
		return true
	}
	if given.Kind != spec.Primitive || want.Kind != spec.Primitive {
		return false
	}
	return isText(given) && isText(want) || given.Is("integer") && want.Is("decimal")
}

// isText reports whether a primitive's literal is a string in JSON.
func isText(t *spec.Type) bool {
	return !t.Is("boolean") && !t.Is("integer") && !t.Is("decimal")
}
