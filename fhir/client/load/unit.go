package load

import (
	"bytes"
	"strings"

	"salus/fhir"
)

// unit is what is sent with one request: a bundle.
type unit struct {
	file  string
	index int // within the file, from 0: the same at every reading
	items []item

	body        []byte // a bundle sent as it is; nil for one that is built from items
	batch       bool   // its entries fail one by one
	whole       bool   // may not be divided: entries refer to each other
	conditional bool   // holds a conditional reference
}

// item is one resource of a unit.
type item struct {
	place int // of the entry or line in the file, from 1
	typ   fhir.Type
	entry []byte // JSON of the entry, in a unit that is built
}

const (
	transactionHead = `{"resourceType":"Bundle","type":"transaction","entry":[`
	bundleTail      = `]}`
)

// bundle returns the JSON to send for items.
func (u *unit) bundle(items []item) []byte {
	if u.body != nil {
		return u.body
	}
	size := len(transactionHead) + len(bundleTail)
	for _, it := range items {
		size += len(it.entry) + 1
	}
	b := append(make([]byte, 0, size), transactionHead...)
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it.entry...)
	}
	return append(b, bundleTail...)
}

// divisible reports whether items may be sent in parts.
func (u *unit) divisible(items []item) bool { return u.body == nil && !u.whole && len(items) > 1 }

// newItem makes the entry that stores resource n under its id, or creates it
// when it has none.
func newItem(place int, n fhir.Node, fullURL string) item {
	typ, id := n.Type(), n.ID()
	b := make([]byte, 0, len(n.Raw())+len(fullURL)+2*len(typ)+len(id)+80)
	b = append(b, '{')
	if fullURL != "" {
		b = append(fhir.AppendString(append(b, `"fullUrl":`...), fullURL), ',')
	}
	b = append(b, `"resource":`...)
	b = append(b, n.Raw()...)
	if fhir.ValidID(string(id)) {
		b = append(b, `,"request":{"method":"PUT","url":`...)
		b = fhir.AppendString(b, string(typ)+"/"+string(id))
	} else {
		b = append(b, `,"request":{"method":"POST","url":`...)
		b = fhir.AppendString(b, string(typ))
	}
	// The type outlives the document, so it must not be a view into it.
	return item{place: place, typ: fhir.Type(strings.Clone(string(typ))), entry: append(b, "}}"...)}
}

// hasCondition reports whether a reference below n is a search, such as
// Practitioner?identifier=x.
func hasCondition(n fhir.Node) bool {
	if bytes.IndexByte(n.Raw(), '?') < 0 {
		return false
	}
	for c := range n.Children {
		switch c.Kind() {
		case fhir.Object, fhir.Array:
			if hasCondition(c) {
				return true
			}
		case fhir.String:
			if c.Name() == "reference" && strings.Contains(c.Text(), "?") {
				return true
			}
		}
	}
	return false
}
