package searchparam

import (
	"slices"

	"salus/fhir"
	"salus/fhir/spec"
)

// referenceConverter returns how a value of a type becomes references, nil when it does not.
func referenceConverter(t *spec.Type) converter {
	switch {
	case t.Name == "Reference":
		return plainReference
	case t.Is("uri"): // also url, canonical, oid, uuid
		return uriReference
	case t.Kind == spec.Resource:
		return inlineReference
	}
	return nil
}

// plainReference takes the literal reference and the identifier of a logical
// one. A reference to a contained resource names nothing that can be searched.
func plainReference(x *extraction, s *sink, n fhir.Node) {
	var v Value
	if text := x.text(n.Get("reference")); text != "" {
		if v.Ref = x.reference(text); contained(v.Ref) {
			return
		}
	}
	if id := n.Get("identifier"); id.Exists() {
		v.System, v.Code = id.Get("system").Text(), id.Get("value").Text()
	}
	if v.Ref == (fhir.Reference{}) && v.System == "" && v.Code == "" {
		return
	}
	if s.target != "" && targetType(n, v.Ref) != s.target {
		return
	}
	x.addReference(s.param, v)
}

// targetType tells the type of resource that a Reference points at, as far as it says so.
func targetType(n fhir.Node, ref fhir.Reference) fhir.Type {
	if ref.Type != "" {
		return ref.Type
	}
	return fhir.Type(n.Get("type").Text())
}

// uriReference takes a canonical or other URI. One with a version is also
// found without it (FHIR R4 search §3.1.1.4.13).
func uriReference(x *extraction, s *sink, n fhir.Node) {
	for text := x.text(n); text != ""; text = unversioned(text) {
		ref := x.reference(text)
		if !contained(ref) && (s.target == "" || s.target == ref.Type) {
			x.addReference(s.param, Value{Ref: ref})
		}
	}
}

// inlineReference takes a resource that stands where a reference is expected
// (Bundle.entry.resource of a document or message) as a reference to its id.
func inlineReference(x *extraction, s *sink, n fhir.Node) {
	t, id := n.Type(), n.ID()
	if fhir.ValidID(string(id)) && slices.Contains(s.param.Targets, t) {
		x.add(s.param, Value{Ref: fhir.Reference{Type: t, ID: id}})
	}
}

// reference takes a literal reference apart. One below the service's own base
// becomes local.
func (x *extraction) reference(text string) fhir.Reference {
	ref := fhir.ParseReference(text, x.isType)
	if ref.Base != "" && (ref.Base == x.options.Base || slices.Contains(x.options.Bases, ref.Base)) {
		ref.Base = ""
	}
	return ref
}

func contained(ref fhir.Reference) bool {
	return ref.ID == "" && ref.URL == ""
}

// addReference adds a reference. A bare id gets its type where only one is possible.
func (x *extraction) addReference(p *Param, v Value) {
	if v.Ref.ID != "" && v.Ref.Type == "" && len(p.Targets) == 1 {
		v.Ref.Type = p.Targets[0]
	}
	x.add(p, v)
}
