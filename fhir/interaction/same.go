package interaction

import (
	"bytes"

	"salus/fhir"
)

// sameContent reports whether two bodies say the same. The order of properties
// has no meaning (FHIR R4 json §2.6.2), nor has the way in which a string is
// escaped; the digits of a number have. A client that reads a resource and sends it
// back often changes both without a wish to change anything.
func sameContent(a, b fhir.Body) bool {
	if bytes.Equal(a.JSON, b.JSON) {
		return true
	}
	// Bodies have no white space, so that only escapes can make their lengths differ.
	if len(a.JSON) != len(b.JSON) && bytes.IndexByte(a.JSON, '\\') < 0 && bytes.IndexByte(b.JSON, '\\') < 0 {
		return false
	}
	x, err := fhir.Parse(a.JSON)
	if err != nil {
		return false // damaged: written anew
	}
	defer x.Release()
	y, err := fhir.Parse(b.JSON)
	if err != nil {
		return false
	}
	defer y.Release()
	return sameNode(x.Root(), y.Root())
}

// sameButMeta reports whether two bodies differ in nothing but meta, if at all.
func sameButMeta(a, b fhir.Body) bool {
	x, err := fhir.Parse(a.JSON)
	if err != nil {
		return false // damaged: what is kept cannot be told
	}
	defer x.Release()
	y, err := fhir.Parse(b.JSON)
	if err != nil {
		return false
	}
	defer y.Release()
	p, q := x.Root(), y.Root()
	if p.Len() != q.Len() { // both have a meta
		return false
	}
	for c := range p.Children {
		if name := c.Name(); name != "meta" && !sameNode(c, q.Get(name)) {
			return false
		}
	}
	return true
}

// sameNode compares two values of JSON. Names stand once in an object, as
// fhir.Parse has checked.
func sameNode(a, b fhir.Node) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case fhir.Object:
		if a.Len() != b.Len() {
			return false
		}
		for c := a.First(); c.Exists(); c = c.Next() {
			if d := b.Get(c.Name()); !d.Exists() || !sameNode(c, d) {
				return false
			}
		}
		return true
	case fhir.Array:
		c, d := a.First(), b.First()
		for ; c.Exists() && d.Exists(); c, d = c.Next(), d.Next() {
			if !sameNode(c, d) {
				return false
			}
		}
		return !c.Exists() && !d.Exists()
	case fhir.String:
		return a.Text() == b.Text()
	}
	return bytes.Equal(a.Raw(), b.Raw())
}
