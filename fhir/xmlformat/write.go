package xmlformat

import (
	"strings"
	"unicode/utf8"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// Append appends the resource n as XML: the elements in the order of the definitions,
// each on its own line and indented when pretty. Resources that package validate
// accepts can be written; for others the error is a fault of kind Invalid.
func (f *Format) Append(dst []byte, n fhir.Node, pretty bool) ([]byte, error) {
	w := writer{f: f, b: dst, pretty: pretty}
	w.resource(n, ` xmlns="`+Namespace+`"`)
	return w.b, w.err
}

// AppendElement appends the object n as one element of a resource of type t, such as an
// entry of a Bundle. It is a part of a text whose root declares the namespace.
func (f *Format) AppendElement(dst []byte, t fhir.Type, name string, n fhir.Node) ([]byte, error) {
	w := writer{f: f, b: dst}
	if o := f.resources[string(t)]; o != nil && o.properties[name] != nil {
		w.element(o.properties[name], n, fhir.Node{})
	} else {
		w.fail()
	}
	return w.b, w.err
}

// slot is a property of an object that is being written.
type slot struct {
	prop        *property
	value, twin fhir.Node
}

type writer struct {
	f      *Format
	b      []byte
	slots  []slot // of all open objects
	pretty bool
	depth  int
	err    error
}

func (w *writer) fail() {
	if w.err == nil {
		w.err = fault.New(fault.Invalid, "the resource breaks its definition and cannot be written as XML")
	}
}

// line begins a line if the text is for people.
func (w *writer) line() {
	if w.pretty && len(w.b) > 0 {
		w.b = append(w.b, '\n')
		for range w.depth {
			w.b = append(w.b, "  "...)
		}
	}
}

// resource writes a resource; more stands in its start tag.
func (w *writer) resource(n fhir.Node, more string) {
	o := w.f.resources[string(n.Type())]
	if o == nil {
		w.fail()
		return
	}
	w.line()
	w.b = append(append(append(w.b, '<'), o.typ.Name...), more...)
	w.content(o, n, o.typ.Name)
}

// content writes what an object holds and ends the element called name, of which
// the start tag is still open.
func (w *writer) content(o *object, n fhir.Node, name string) {
	from := w.collect(o, n)
	i := from
	for ; i < len(w.slots) && w.slots[i].prop.attribute; i++ {
		w.b = append(append(append(w.b, ' '), w.slots[i].prop.name...), `="`...)
		w.b = append(appendValue(w.b, w.slots[i].value.Text()), '"')
	}
	if i == len(w.slots) {
		w.slots = w.slots[:from]
		w.b = append(w.b, "/>"...)
		return
	}
	w.b = append(w.b, '>')
	w.depth++
	for ; i < len(w.slots) && w.err == nil; i++ {
		w.property(w.slots[i])
	}
	w.depth--
	w.slots = w.slots[:from]
	w.line()
	w.end(name)
}

func (w *writer) end(name string) { w.b = append(append(append(w.b, "</"...), name...), '>') }

// collect gathers the properties of an object in the order of its definition, attributes
// first, and returns where they begin in slots.
func (w *writer) collect(o *object, n fhir.Node) (from int) {
	from = len(w.slots)
	if n.Kind() != fhir.Object {
		w.fail()
		return from
	}
	for c := n.First(); c.Exists(); c = c.Next() {
		name, twin := strings.CutPrefix(c.Name(), "_")
		p := o.properties[name]
		if p == nil {
			if name != "resourceType" || o.typ.Kind != spec.Resource {
				w.fail()
			}
			continue
		}
		i := len(w.slots)
		for i > from && before(p, w.slots[i-1].prop) {
			i--
		}
		if i == from || w.slots[i-1].prop != p {
			w.slots = append(w.slots, slot{})
			copy(w.slots[i+1:], w.slots[i:])
			w.slots[i] = slot{prop: p}
			i++
		}
		if twin {
			w.slots[i-1].twin = c
		} else {
			w.slots[i-1].value = c
		}
	}
	return from
}

// before reports whether p stands before q. Extension.url is an attribute but
// stands behind the extensions in the definition.
func before(p, q *property) bool {
	if p.attribute != q.attribute {
		return p.attribute
	}
	return p.order < q.order
}

// property writes the elements of one property.
func (w *writer) property(s slot) {
	if !s.prop.list {
		w.element(s.prop, s.value, s.twin)
		return
	}
	if k := s.value.Kind(); k != fhir.Array && k != fhir.Absent {
		w.fail()
		return
	}
	value, twin := s.value.First(), s.twin.First()
	for value.Exists() || twin.Exists() {
		w.element(s.prop, value, twin)
		value, twin = value.Next(), twin.Next()
	}
}

// element writes one element; twin is what else belongs to a primitive.
func (w *writer) element(p *property, value, twin fhir.Node) {
	if w.err != nil {
		return
	}
	w.line()
	if p.form == formXHTML {
		var ok bool
		if w.b, ok = appendDiv(w.b, value.Text()); !ok {
			w.fail()
		}
		return
	}
	w.b = append(append(w.b, '<'), p.name...)
	switch p.form {
	case formObject:
		w.content(p.object, value, p.name)
	case formResource:
		w.b = append(w.b, '>')
		w.depth++
		w.resource(value, "")
		w.depth--
		w.line()
		w.end(p.name)
	default:
		switch value.Kind() {
		case fhir.String, fhir.Number, fhir.Bool:
			w.b = append(appendValue(append(w.b, ` value="`...), value.Text()), '"')
		case fhir.Array, fhir.Object:
			w.fail()
		}
		if twin.Kind() == fhir.Object {
			w.content(p.object, twin, p.name)
			return
		}
		w.b = append(w.b, "/>"...)
	}
}

// escapes are what stands in an attribute for bytes that cannot stand there. White space other
// than blanks would be read as blanks (XML 1.0 §3.3.3).
var escapes = [utf8.RuneSelf]string{'"': "&quot;", '&': "&amp;", '<': "&lt;", '>': "&gt;", '\t': "&#9;", '\n': "&#10;", '\r': "&#13;"}

// appendValue appends s as the value of an attribute.
func appendValue(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			if c == 0xef && len(s)-i >= 3 && s[i+1] == 0xbf && s[i+2] >= 0xbe { // U+FFFE and U+FFFF are no characters
				b = append(append(b, s[from:i]...), "\ufffd"...)
				i += 2
				from = i + 1
			}
			continue
		}
		e := escapes[c]
		if e == "" {
			if c >= ' ' {
				continue
			}
			e = "\ufffd"
		}
		b = append(append(b, s[from:i]...), e...)
		from = i + 1
	}
	return append(b, s[from:]...)
}

// appendText appends s as text of a narrative, in which lines may stay lines.
func appendText(b []byte, s string) []byte {
	for {
		i := strings.IndexAny(s, `<>&"`+"\r")
		if i < 0 {
			return append(b, s...)
		}
		b = append(append(b, s[:i]...), escapes[s[i]]...)
		s = s[i+1:]
	}
}
