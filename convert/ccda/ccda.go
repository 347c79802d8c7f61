// Package ccda reads XML documents, as C-CDA are, into values for templates.
//
// The values are those of the reference service, to the byte, because ids are hashed from them: elements are dictionaries with attributes first and
// then elements by name, several of one name a list; the text of an element is its member "_". There are no entities but those of XML itself, no
// document type, and nothing is fetched. Errors are of code 1201 and name line and column, and never a value.
package ccda

import (
	"strings"

	"salus/convert"
	"salus/convert/jsontext"
)

// Bounds of a document.
const (
	maxDepth      = 256 // elements within one another
	maxAttributes = 512 // of one element
	maxBound      = 512 // prefixes that are bound at a place
)

// Parse reads a document: the dictionary of its root element, and its text without line ends as _originalData.
func Parse(document []byte) (convert.Value, error) {
	b, err := decode(document)
	if err != nil {
		return nil, err
	}
	s := &scanner{text: string(b)}
	r := &reader{scanner: s, open: []frame{{}}}
	if err := s.scan(r); err != nil {
		return nil, err
	}
	switch {
	case len(r.open) > 1:
		return nil, s.wrong("an element is not ended")
	case !r.rooted:
		return nil, s.wrong("there is no element")
	}
	out := r.dictionary(0)
	out.Set("_originalData", withoutLineEnds(s.text))
	return out, nil
}

// withoutLineEnds returns a text without its line ends.
func withoutLineEnds(s string) string {
	i := strings.IndexAny(s, "\r\n")
	if i < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for ; i < len(s); i++ {
		if s[i] != '\r' && s[i] != '\n' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// text makes the value of a text: without line ends, and an instant if it looks like one.
func text(s string) convert.Value {
	s = withoutLineEnds(s)
	if t, ok := jsontext.ParseTime(s); ok {
		return t
	}
	return s
}
