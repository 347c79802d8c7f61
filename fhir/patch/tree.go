package patch

import (
	"bytes"
	"slices"
	"strings"

	"salus/fhir"
	"salus/fhir/decimal"
)

// value is one JSON value that can be changed. What is no object and no array
// keeps its bytes.
type value struct {
	kind  fhir.Kind
	raw   []byte   // of a literal
	names []string // of an object's properties
	items []*value // of an array, or of an object's properties
}

// build makes a value of n.
func build(n fhir.Node) *value {
	v := &value{kind: n.Kind()}
	switch v.kind {
	case fhir.Object, fhir.Array:
		for c := range n.Children {
			if v.kind == fhir.Object {
				v.names = append(v.names, c.Name())
			}
			v.items = append(v.items, build(c))
		}
	default:
		v.raw = n.Raw()
	}
	return v
}

func null() *value { return &value{kind: fhir.Null, raw: []byte("null")} }

// append appends the value's JSON.
func (v *value) append(dst []byte) []byte {
	switch v.kind {
	case fhir.Object, fhir.Array:
		open, end := byte('['), byte(']')
		if v.kind == fhir.Object {
			open, end = '{', '}'
		}
		dst = append(dst, open)
		for i, c := range v.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			if v.kind == fhir.Object {
				dst = append(fhir.AppendString(dst, v.names[i]), ':')
			}
			dst = c.append(dst)
		}
		return append(dst, end)
	}
	return append(dst, v.raw...)
}

// at returns where the property called name stands, -1 when there is none.
func (v *value) at(name string) int {
	if v.kind != fhir.Object {
		return -1
	}
	return slices.Index(v.names, name)
}

// get returns the property called name, nil when there is none.
func (v *value) get(name string) *value {
	if i := v.at(name); i >= 0 {
		return v.items[i]
	}
	return nil
}

// set gives an object's property a value; a new one comes last.
func (v *value) set(name string, to *value) {
	if i := v.at(name); i >= 0 {
		v.items[i] = to
		return
	}
	v.names, v.items = append(v.names, name), append(v.items, to)
}

// drop removes child i.
func (v *value) drop(i int) {
	v.items = slices.Delete(v.items, i, i+1)
	if v.kind == fhir.Object {
		v.names = slices.Delete(v.names, i, i+1)
	}
}

// copy returns a value of its own. It takes what it adds from the bytes left.
func (v *value) copy(left *int) (*value, error) {
	if *left -= len(v.raw) + 8; *left < 0 {
		return nil, tooMuch()
	}
	c := &value{kind: v.kind, raw: v.raw, names: slices.Clone(v.names)}
	for i, item := range v.items {
		if v.kind == fhir.Object {
			*left -= len(v.names[i])
		}
		own, err := item.copy(left)
		if err != nil {
			return nil, err
		}
		c.items = append(c.items, own)
	}
	return c, nil
}

// equals compares as RFC 6902 §4.6 says: numbers by value, objects without regard
// to order. It takes what it compares from the number left.
func (v *value) equals(w *value, left *int) (bool, error) {
	if *left--; *left < 0 {
		return false, tooMuch()
	}
	if v.kind != w.kind || len(v.items) != len(w.items) {
		return false, nil
	}
	for i, item := range v.items {
		other := w.items[i]
		if v.kind == fhir.Object {
			*left -= len(w.names)
			if other = w.get(v.names[i]); other == nil {
				return false, nil
			}
		}
		if same, err := item.equals(other, left); !same || err != nil {
			return false, err
		}
	}
	switch v.kind {
	case fhir.Object, fhir.Array:
		return true, nil
	}
	return bytes.Equal(v.raw, w.raw) || sameLiteral(v, w), nil
}

// sameLiteral compares strings without regard to escapes, and numbers by value.
func sameLiteral(v, w *value) bool {
	switch v.kind {
	case fhir.String:
		a, b := parsed(v), parsed(w)
		return a != "" && a == b
	case fhir.Number:
		a, aerr := decimal.Parse(string(v.raw))
		b, berr := decimal.Parse(string(w.raw))
		return aerr == nil && berr == nil && a.Cmp(b) == 0
	}
	return false
}

func parsed(v *value) string {
	d, err := fhir.Parse(v.raw)
	if err != nil {
		return ""
	}
	return d.Root().Text()
}

// prune takes out empty objects and arrays (FHIR R4 json §2.6.2) and reports
// whether something is left of v. In the arrays that hold extensions of
// primitives null keeps the place of an empty object.
func prune(v *value) bool {
	if v.kind != fhir.Object && v.kind != fhir.Array {
		return true
	}
	for i := 0; i < len(v.items); {
		c := v.items[i]
		if v.kind == fhir.Object && strings.HasPrefix(v.names[i], "_") && c.kind == fhir.Array {
			pruneTwins(c)
		}
		if prune(c) {
			i++
			continue
		}
		v.drop(i)
	}
	return len(v.items) > 0
}

// pruneTwins replaces empty objects in an array by null, and empties an array that holds nothing else.
func pruneTwins(v *value) {
	full := false
	for i, c := range v.items {
		switch {
		case !prune(c):
			v.items[i] = null()
		case c.kind != fhir.Null:
			full = true
		}
	}
	if !full {
		v.items = nil
	}
}
