package rest

import (
	"slices"
	"strings"
	"time"

	"salus/fhir"
	"salus/fhir/searchparam"
)

// statement is the CapabilityStatement in pieces, between which the base URL of
// the request stands, within a string.
type statement struct {
	pieces [][]byte
	at     time.Time // when it was derived
}

// append appends the statement with base in its places.
func (s statement) append(dst []byte, base string) []byte {
	quoted := fhir.AppendString(nil, base)
	for i, piece := range s.pieces {
		if i > 0 {
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		dst = append(dst, piece...)
	}
	return dst
}

// paramTypes are the names of the types of search parameters. Special ones have
// none: nothing searches by them.
var paramTypes = map[searchparam.Kind]string{
	searchparam.Number: "number", searchparam.Date: "date", searchparam.String: "string", searchparam.Token: "token",
	searchparam.Reference: "reference", searchparam.Composite: "composite", searchparam.Quantity: "quantity", searchparam.URI: "uri",
}

// abilityJSON is how the abilities of routes look in rest.resource.
var abilityJSON = map[string]string{
	"readHistory":       `"readHistory":true`,
	"updateCreate":      `"updateCreate":true`,
	"conditionalCreate": `"conditionalCreate":true`,
	"conditionalRead":   `"conditionalRead":"full-support"`,
	"conditionalUpdate": `"conditionalUpdate":true`,
	"conditionalDelete": `"conditionalDelete":"multiple"`,
}

// newStatement derives the CapabilityStatement (FHIR R4 capabilitystatement §5.2)
// from the routes, the definitions and the search parameters.
func (s *server) newStatement(name, version string) statement {
	now := s.now()
	b := []byte(`{"resourceType":"CapabilityStatement","id":"metadata","meta":{"lastUpdated":"`)
	b = now.UTC().AppendFormat(b, fhir.InstantLayout)
	b = append(b, `"},"name":"SalusFHIRService","title":"FHIR service","status":"active","date":"`...)
	b = now.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `","kind":"instance","software":{"name":`...)
	b = fhir.AppendString(b, name)
	if version != "" {
		b = fhir.AppendString(append(b, `,"version":`...), version)
	}
	b = append(b, `},"implementation":{"description":`...)
	b = fhir.AppendString(b, name+" FHIR service")
	st := statement{at: now, pieces: [][]byte{append(b, `,"url":"`...)}}

	b = fhir.AppendString([]byte(`"},"fhirVersion":`), s.defs.Version)
	b = appendStrings(append(b, `,"format":`...), append([]string{"json", "xml"}, mediaTypes[:]...))
	b = appendStrings(append(b, `,"patchFormat":`...), []string{jsonPatch, fhirJSON, fhirXML})
	b = append(b, `,"rest":[{"mode":"server","resource":[`...)
	sources := s.referrers()
	abilities, onTypes := provided(onType)
	for i, t := range s.defs.Resources() {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendResource(b, fhir.Type(t.Name), abilities, onTypes, sources[fhir.Type(t.Name)])
	}
	_, onWhole := provided(onSystem)
	b = appendCodes(append(b, `],"interaction":`...), onWhole)
	b = appendStrings(append(b, `,"compartment":`...), s.compartments())
	return s.appendOperations(st, b)
}

// appendOperations ends the statement, b, with the list of operations.
func (s *server) appendOperations(st statement, b []byte) statement {
	for i := range s.operations {
		o := &s.operations[i]
		if i == 0 {
			b = append(b, `,"operation":[`...)
		} else {
			b = append(b, ',')
		}
		b = fhir.AppendString(append(b, `{"name":`...), o.name)
		b = append(b, `,"definition":"`...)
		if o.definition == "" {
			st.pieces, b = append(st.pieces, b), nil // the base comes here
		}
		b = append(append(b, o.canonical("")...), `"}`...)
		if i == len(s.operations)-1 {
			b = append(b, ']')
		}
	}
	st.pieces = append(st.pieces, append(b, "}]}"...))
	return st
}

// provided collects the abilities and interactions of the routes of a level, each
// once and in the order of the table.
func provided(l level) (abilities, interactions []string) {
	for _, rt := range routes {
		if rt.level != l {
			continue
		}
		for _, a := range rt.abilities {
			if !slices.Contains(abilities, a) {
				abilities = append(abilities, a)
			}
		}
		for _, i := range rt.interactions {
			if !slices.Contains(interactions, i) {
				interactions = append(interactions, i)
			}
		}
	}
	return abilities, interactions
}

// compartments returns the definitions of the compartments that can be searched.
func (s *server) compartments() []string {
	var urls []string
	for _, c := range s.defs.Compartments() {
		urls = append(urls, "http://hl7.org/fhir/CompartmentDefinition/"+strings.ToLower(c.Code))
	}
	return urls
}

// referrers returns for each type the values of _revinclude that lead to it.
func (s *server) referrers() map[fhir.Type][]string {
	to := map[fhir.Type][]string{}
	for _, t := range s.params.Registry().Types() {
		for _, p := range s.params.Registry().Params(t) {
			if p.Kind != searchparam.Reference {
				continue
			}
			for _, target := range p.Targets {
				to[target] = append(to[target], string(t)+":"+p.Code)
			}
		}
	}
	return to
}

func (s *server) appendResource(b []byte, t fhir.Type, abilities, interactions, revIncludes []string) []byte {
	b = append(append(b, `{"type":"`...), t...)
	b = append(append(b, `","profile":"http://hl7.org/fhir/StructureDefinition/`...), t...)
	policy := s.service.Versioning(t)
	if policy == fhir.NoVersion { // FHIR R4 capabilitystatement §5.2: what is not kept cannot be read
		interactions = slices.DeleteFunc(slices.Clone(interactions), func(i string) bool { return strings.HasPrefix(i, "history-") })
	}
	b = appendCodes(append(b, `","interaction":`...), interactions)
	b = fhir.AppendString(append(b, `,"versioning":`...), policy.String())
	for _, a := range abilities {
		if a == "readHistory" && policy == fhir.NoVersion {
			b = append(b, `,"readHistory":false`...)
			continue
		}
		b = append(append(b, ','), abilityJSON[a]...)
	}
	if s.service.Integrity() {
		b = append(b, `,"referencePolicy":["literal","logical","enforced"]`...)
	}
	var includes []string
	for _, p := range s.params.Registry().Params(t) {
		if p.Kind == searchparam.Reference {
			includes = append(includes, string(t)+":"+p.Code)
		}
	}
	if len(includes) > 0 {
		b = appendStrings(append(b, `,"searchInclude":`...), append([]string{"*"}, includes...))
	}
	if len(revIncludes) > 0 {
		b = appendStrings(append(b, `,"searchRevInclude":`...), revIncludes)
	}
	first := true
	for _, p := range s.params.Registry().Params(t) {
		typ := s.paramType(p)
		if typ == "" {
			continue
		}
		if first {
			b = append(b, `,"searchParam":[`...)
			first = false
		} else {
			b = append(b, ',')
		}
		b = fhir.AppendString(append(b, `{"name":`...), p.Code)
		b = fhir.AppendString(append(b, `,"definition":`...), p.URL)
		b = append(append(append(b, `,"type":"`...), typ...), `"}`...)
	}
	if !first {
		b = append(b, ']')
	}
	return append(b, '}')
}

// paramType returns the name of a parameter's type, "" when nothing can be searched by it.
func (s *server) paramType(p *searchparam.Param) string {
	strict := s.service.Compat() == fhir.Strict
	switch {
	case p.Kind == searchparam.Position && strict:
		return "special"
	case p.Code == "_content", p.Code == "_text" && strict:
		return "string"
	}
	return paramTypes[p.Kind]
}

func appendStrings(b []byte, list []string) []byte {
	for i, text := range list {
		if i == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		b = fhir.AppendString(b, text)
	}
	return append(b, ']')
}

func appendCodes(b []byte, codes []string) []byte {
	for i, code := range codes {
		if i == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		b = append(fhir.AppendString(append(b, `{"code":`...), code), '}')
	}
	return append(b, ']')
}
