package validate

import (
	"fmt"
	"strconv"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

const resourceKind = spec.Resource

// issue reports a problem of the value at n. The text names rules, never values.
func (w *walk) issue(n fhir.Node, code, text string, args ...any) {
	w.report(n, "", code, text, args...)
}

// report reports a problem of the element called child of the object at n.
func (w *walk) report(n fhir.Node, child, code, text string, args ...any) {
	if w.full() {
		return
	}
	place := w.path(n)
	if child != "" {
		place += "." + child
	}
	w.issues = append(w.issues, fault.Issue{
		Severity: fault.Error, Code: code, Text: place + ": " + fmt.Sprintf(text, args...), Expression: place,
	})
}

func (w *walk) wrongKind(n fhir.Node, want string) {
	w.issue(n, "structure", "must be a JSON %s, not %s", want, n.Kind())
}

func (w *walk) unknown(n fhir.Node) {
	w.issue(n, "structure", "no such property in this place")
}

// path returns where target stands, as FHIRPath. It goes down from the root
// again, so that a walk without problems need not keep track of its place.
func (w *walk) path(target fhir.Node) string {
	n := w.root
	o := w.v.resources[string(n.Type())]
	b := []byte("Resource")
	if o != nil {
		b = append(b[:0], o.typ.Name...)
	}
	for !n.Same(target) {
		list := n.Kind() == fhir.Array
		c, i := n.First(), 0
		for ; c.Offset()+len(c.Raw()) <= target.Offset(); c = c.Next() {
			i++
		}
		if list {
			b = append(strconv.AppendInt(append(b, '['), int64(i), 10), ']')
		} else {
			b, o = w.step(b, o, c)
		}
		if n = c; o == nil && n.Kind() == fhir.Object {
			o = w.v.resources[string(n.Type())]
		}
	}
	return string(b)
}

// step appends the property at c of an object to a path. It returns the
// object's type, nil for a resource (whose type is yet to be read) or a primitive.
func (w *walk) step(b []byte, o *object, c fhir.Node) ([]byte, *object) {
	b = append(b, '.')
	if o == nil {
		return append(b, shown(c.Name())...), nil
	}
	p := o.properties[c.Name()]
	if p == nil {
		return append(b, shown(c.Name())...), nil
	}
	b = append(b, p.element.Name...)
	if p.element.Choice {
		b = append(append(append(b, ".ofType("...), p.typ.Name...), ')')
	}
	return b, p.object
}

// shown returns the name of an unknown property if it looks like a name; other
// text might be patient data.
func shown(name string) string {
	if len(name) == 0 || len(name) > 64 {
		return "?"
	}
	for _, c := range []byte(name) {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return "?"
		}
	}
	return name
}
