package searchparam

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"salus/fhir"
	"salus/fhir/spec"
)

// stringConverter returns how a value of a type becomes strings, nil when it
// does not. Of a name or an address every part is one value.
func stringConverter(t *spec.Type) converter {
	switch t.Name {
	case "HumanName":
		return nameStrings
	case "Address":
		return addressStrings
	}
	if t.Kind == spec.Primitive && t.Name != "xhtml" && t.Name != "base64Binary" {
		return plainString
	}
	return nil
}

func plainString(x *extraction, s *sink, n fhir.Node) {
	if text := n.Text(); text != "" {
		x.add(s.param, Value{Text: text})
	}
}

func nameStrings(x *extraction, s *sink, n fhir.Node) {
	for c := n.First(); c.Exists(); c = c.Next() {
		switch c.Name() {
		case "family", "given", "prefix", "suffix", "text":
			eachString(x, s, c)
		}
	}
}

func addressStrings(x *extraction, s *sink, n fhir.Node) {
	for c := n.First(); c.Exists(); c = c.Next() {
		switch c.Name() {
		case "line", "city", "district", "state", "postalCode", "country", "text":
			eachString(x, s, c)
		}
	}
}

func eachString(x *extraction, s *sink, n fhir.Node) {
	if n.Kind() != fhir.Array {
		plainString(x, s, n)
		return
	}
	for c := n.First(); c.Exists(); c = c.Next() {
		plainString(x, s, c)
	}
}

// Normalize returns the form in which strings are compared unless the search
// asks for exactness: without case, accents and other marks, white space at the
// ends cut and each run of it one space ("Müller" is "muller"). It is
// idempotent.
func Normalize(s string) string {
	if i := firstUnusual(s); i < len(s) {
		if s[i] < utf8.RuneSelf {
			return lowerASCII(s)
		}
		return normalizeUnicode(s)
	}
	return s
}

// firstUnusual returns where s leaves its normal form or ASCII; a non-ASCII
// place anywhere in s wins over others.
func firstUnusual(s string) int {
	first := len(s)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return i
		case first < len(s):
		case c >= 'A' && c <= 'Z', c < ' ':
			first = i
		case c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' '):
			first = i
		}
	}
	return first
}

func lowerASCII(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r':
			c = ' '
		}
		if c == ' ' && (len(b) == 0 || b[len(b)-1] == ' ') {
			continue
		}
		b = append(b, c)
	}
	if len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return string(b)
}

// normalizeUnicode decomposes, folds and strips marks until nothing changes:
// folding can bring new marks (İ) and stripping can bring new neighbours.
func normalizeUnicode(s string) string {
	for range 4 {
		t := strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
				return -1
			}
			return r
		}, norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s))))
		t = strings.Join(strings.Fields(t), " ")
		if t == s {
			break
		}
		s = t
	}
	return s
}
