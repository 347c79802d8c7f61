package rest

import (
	"net/url"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// subset says which part of a resource is wanted (FHIR R4 search §3.1.1.5.8,
// §3.1.1.5.9). The zero subset is the whole.
type subset struct {
	summary  string   // true, text or data; "" for all
	elements []string // names of top-level elements, without [x]
}

// whole reports whether nothing is to be left out.
func (s subset) whole() bool { return s.summary == "" && s.elements == nil }

// subsetOf reads _summary and _elements of an interaction that returns resources
// one by one, where a count is no answer.
func subsetOf(params url.Values) (subset, error) {
	var s subset
	if values, ok := params["_summary"]; ok {
		switch values[0] {
		case "true", "text", "data":
			s.summary = values[0]
		case "false":
		case "count":
			return s, fault.New(fault.Invalid, "_summary=count is for searches and histories only")
		default:
			return s, fault.New(fault.Invalid, "_summary must be true, text, data or false")
		}
	}
	if values, ok := params["_elements"]; ok {
		for name := range strings.SplitSeq(strings.Join(values, ","), ",") {
			if name = strings.TrimSpace(name); name != "" {
				s.elements = append(s.elements, strings.TrimSuffix(name, "[x]"))
			}
		}
		if s.elements == nil {
			return s, fault.New(fault.Invalid, "_elements names no element")
		}
		if s.summary != "" {
			return s, fault.New(fault.Invalid, "_elements and _summary cannot be used together")
		}
	}
	return s, nil
}

// subsetted are the tags of an incomplete resource.
//
// Compat: parts of resources are tagged SUBSETTED in the code system of STU3 and in
// that of R4, as in the reference.
const subsetted = `{"system":"http://hl7.org/fhir/v3/ObservationValue","code":"SUBSETTED"},` +
	`{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

// append appends the wanted part of a resource. Mandatory elements, id and meta
// always stay, so that the part is still a resource that can be read.
func (s subset) append(dst []byte, defs *spec.Definitions, n fhir.Node) []byte {
	t := defs.Resource(string(n.Type()))
	if t == nil || s.whole() {
		return append(dst, n.Raw()...)
	}
	dst = append(dst, '{')
	for c := n.First(); c.Exists(); c = c.Next() {
		name := c.Name()
		switch name {
		case "resourceType", "id", "_id":
			dst = appendProperty(dst, name)
			dst = append(dst, c.Raw()...)
			continue
		case "meta":
			dst = appendProperty(dst, name)
			dst = appendSubsettedMeta(dst, c)
			continue
		}
		e, ref, ok := t.Property(strings.TrimPrefix(name, "_"))
		if !ok || !s.keeps(e, name) {
			continue
		}
		dst = appendProperty(dst, name)
		if s.summary == "true" {
			dst = appendSummary(dst, c, ref.Type)
		} else {
			dst = append(dst, c.Raw()...)
		}
	}
	return append(dst, '}')
}

// keeps reports whether a top-level element is wanted. name is its JSON property.
func (s subset) keeps(e *spec.Element, name string) bool {
	if e.Min > 0 {
		return true
	}
	switch s.summary {
	case "true":
		return e.Summary
	case "text":
		return e.Name == "text"
	case "data":
		return e.Name != "text"
	}
	for _, wanted := range s.elements {
		if wanted == e.Name || wanted == strings.TrimPrefix(name, "_") {
			return true
		}
	}
	return false
}

// appendSummary appends the summary elements of a value of type t. Extensions and
// resources inside of resources stay whole: a part of them means something else.
func appendSummary(dst []byte, n fhir.Node, t *spec.Type) []byte {
	if n.Kind() == fhir.Array {
		dst = append(dst, '[')
		for c := n.First(); c.Exists(); c = c.Next() {
			if dst[len(dst)-1] != '[' {
				dst = append(dst, ',')
			}
			dst = appendSummary(dst, c, t)
		}
		return append(dst, ']')
	}
	if n.Kind() != fhir.Object || t == nil || t.Kind == spec.Primitive || t.Kind == spec.Resource || t.Name == "Extension" {
		return append(dst, n.Raw()...)
	}
	start := len(dst)
	dst = append(dst, '{')
	for c := n.First(); c.Exists(); c = c.Next() {
		name := c.Name()
		e, ref, ok := t.Property(strings.TrimPrefix(name, "_"))
		if !ok || !e.Summary && e.Min == 0 {
			continue
		}
		dst = appendProperty(dst, name)
		dst = appendSummary(dst, c, ref.Type)
	}
	if len(dst) == start+1 { // an empty object is no FHIR (R4 json §2.6.2)
		return append(dst[:start], n.Raw()...)
	}
	return append(dst, '}')
}

func appendSubsettedMeta(dst []byte, meta fhir.Node) []byte {
	tagged := false
	dst = append(dst, '{')
	for c := meta.First(); c.Exists(); c = c.Next() {
		name := c.Name()
		dst = appendProperty(dst, name)
		if name != "tag" || c.Kind() != fhir.Array {
			dst = append(dst, c.Raw()...)
			continue
		}
		tagged = true
		dst = append(dst, '[')
		for tag := c.First(); tag.Exists(); tag = tag.Next() {
			dst = append(dst, tag.Raw()...)
			dst = append(dst, ',')
		}
		dst = append(dst, subsetted...)
		dst = append(dst, ']')
	}
	if !tagged {
		dst = appendProperty(dst, "tag")
		dst = append(dst, '[')
		dst = append(dst, subsetted...)
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendProperty appends a property's name and colon, and a comma before it
// unless it is the first.
func appendProperty(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = fhir.AppendString(dst, name)
	return append(dst, ':')
}
