package validate

import (
	"math/bits"

	"salus/fault"
	"salus/fhir"
)

// walk is one pass over a resource.
type walk struct {
	v      *Validator
	root   fhir.Node
	issues []fault.Issue
}

func (w *walk) full() bool { return len(w.issues) >= MaxIssues }

// resource checks a resource: the root, a contained one or one in a Bundle or Parameters.
func (w *walk) resource(n fhir.Node, contained bool) {
	if n.Kind() != fhir.Object {
		w.wrongKind(n, "object")
		return
	}
	name := n.Get("resourceType")
	if name.Kind() != fhir.String {
		w.report(n, "resourceType", "required", "resourceType is required and must be a string")
		return
	}
	o := w.v.resources[name.Text()]
	if o == nil {
		w.report(n, "resourceType", "structure", "unknown resource type")
		return
	}
	if contained {
		if !n.Get("id").Exists() { // FHIR R4 references, contained resources: it could not be referred to
			w.report(n, "id", "required", "a contained resource must have an id")
		}
		if inner := n.Get("contained"); inner.Exists() {
			w.issue(inner, "invariant", "a contained resource must not hold contained resources (dom-2)")
			return
		}
	}
	w.object(n, o)
}

// object checks the properties of one object.
func (w *walk) object(n fhir.Node, o *object) {
	if n.Kind() != fhir.Object {
		w.wrongKind(n, "object")
		return
	}
	if n.Len() == 0 {
		w.issue(n, "structure", "an object must not be empty (ele-1)")
		return
	}
	var seen uint64
	for c := n.First(); c.Exists() && !w.full(); c = c.Next() {
		name := c.Name()
		p := o.properties[name]
		if p == nil {
			if name != "resourceType" || o.typ.Kind != resourceKind {
				w.unknown(c)
			}
			continue
		}
		if p.element.Choice && seen&p.bit != 0 {
			w.choice(n, c, o, p)
		}
		seen |= p.bit
		switch {
		case p.twin:
			w.twin(n, c, p)
		case p.list:
			w.list(n, c, p)
		default:
			w.value(c, p)
		}
	}
	for missing := o.required &^ seen; missing != 0; missing &= missing - 1 {
		e := o.typ.Elements[bits.TrailingZeros64(missing)]
		w.report(n, e.Name, "required", "the element is required")
	}
	if o.extension && (seen&o.value != 0) == (seen&o.nested != 0) {
		w.issue(n, "invariant", "an extension must have either a value or extensions, not both (ext-1)")
	}
}

// list checks the items of an element that repeats.
func (w *walk) list(parent, n fhir.Node, p *property) {
	if n.Kind() != fhir.Array {
		w.wrongKind(n, "array")
		return
	}
	if n.Len() == 0 {
		w.issue(n, "structure", "an array must not be empty")
		return
	}
	nulls := false
	for c := n.First(); c.Exists() && !w.full(); c = c.Next() {
		if c.Kind() == fhir.Null && p.form > formResource {
			nulls = true
			continue
		}
		w.value(c, p)
	}
	if nulls {
		w.placeholders(n, parent.Get("_"+p.name()))
	}
}

// placeholders checks that every null of one array stands for an item of the
// other, which holds the rest of the same primitive (FHIR R4 json §2.6.2).
func (w *walk) placeholders(n, other fhir.Node) {
	o := fhir.Node{}
	if other.Kind() == fhir.Array {
		o = other.First()
	}
	for c := n.First(); c.Exists() && !w.full(); c = c.Next() {
		if c.Kind() == fhir.Null && (!o.Exists() || o.Kind() == fhir.Null) {
			w.issue(c, "structure", "null may only stand in place of a primitive that has extensions or a value")
		}
		o = o.Next()
	}
}

// twin checks the property that holds ids and extensions of primitives.
func (w *walk) twin(parent, n fhir.Node, p *property) {
	if !p.list {
		w.object(n, p.object)
		return
	}
	if n.Kind() != fhir.Array {
		w.wrongKind(n, "array")
		return
	}
	values := parent.Get(p.name())
	if values.Kind() == fhir.Array && values.Len() != n.Len() {
		w.issue(n, "structure", "the arrays of values and of their extensions must have equal length")
	}
	if n.Len() == 0 {
		w.issue(n, "structure", "an array must not be empty")
		return
	}
	nulls := false
	for c := n.First(); c.Exists() && !w.full(); c = c.Next() {
		if c.Kind() == fhir.Null {
			nulls = true
			continue
		}
		w.object(c, p.object)
	}
	if nulls {
		w.placeholders(n, values)
	}
}

// choice reports if c gives a second type to an element with a choice of types;
// a primitive's value and its twin are of the same type.
func (w *walk) choice(parent, c fhir.Node, o *object, p *property) {
	for other := parent.First(); !other.Same(c); other = other.Next() {
		q := o.properties[other.Name()]
		if q != nil && q.element == p.element && q.typ != p.typ {
			w.issue(c, "structure", "an element with a choice of types must have one of them only")
			return
		}
	}
}

// value checks one value: the only one of the property or an item of its list.
func (w *walk) value(n fhir.Node, p *property) {
	switch p.form {
	case formObject:
		w.object(n, p.object)
	case formResource:
		w.resource(n, p.element.Name == "contained")
	default:
		w.primitive(n, p)
	}
}
