package searchparam

import (
	"strings"

	"salus/fhir"
	"salus/fhir/spec"
)

// uriConverter returns how a value of a type becomes URIs, nil when it does not.
func uriConverter(t *spec.Type) converter {
	switch {
	case t.Is("canonical"):
		return canonicalURI
	case t.Is("uri"):
		return plainURI
	}
	return nil
}

func plainURI(x *extraction, s *sink, n fhir.Node) {
	if text := x.text(n); text != "" {
		x.add(s.param, Value{Text: text})
	}
}

// canonicalURI takes a canonical with its version and without. A profile is
// kept without its fragment.
func canonicalURI(x *extraction, s *sink, n fhir.Node) {
	text := x.text(n)
	if s.param.Code == "_profile" {
		text, _, _ = strings.Cut(text, "#")
	}
	for ; text != ""; text = unversioned(text) {
		x.add(s.param, Value{Text: text})
	}
}

// unversioned returns a canonical without its version, "" when it has none.
func unversioned(canonical string) string {
	return canonical[:max(strings.LastIndexByte(canonical, '|'), 0)]
}
