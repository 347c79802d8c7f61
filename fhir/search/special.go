package search

import (
	"fmt"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// refused are parameters of FHIR R4 that the service does not offer, with why.
// They are told apart from unknown ones, but may be left out like those.
var refused = map[string]string{
	"_query":         "named queries are not supported",
	"_contained":     "contained resources are not searched",
	"_containedType": "contained resources are not searched",
}

// list reads _list: the resources that are in a List and not marked as deleted
// there (FHIR R4 search §3.1.1.4.6).
func (s *parsing) list(t fhir.Type, modifier, value string) (Filter, error) {
	if modifier != "" {
		return nil, fault.New(fault.Refused, "modifier %s is not supported for _list", show(modifier))
	}
	if s.request.List == nil {
		return nil, notSupported("_list is not supported here")
	}
	found := IDs{}
	for _, name := range split(value, ',') {
		id := fhir.ID(strings.TrimPrefix(unescape(name), "List/"))
		if strings.HasPrefix(string(id), "$") {
			return nil, fault.New(fault.Refused, "_list: functional lists, such as $current-allergies, are not supported")
		}
		members, done := s.lists[id]
		if !done {
			if fhir.ValidID(string(id)) { // there is none of any other
				var err error
				if members, err = s.request.List(id); err != nil {
					return nil, err
				}
			}
			if s.lists == nil {
				s.lists = map[fhir.ID][]fhir.Key{}
			}
			s.lists[id] = members
		}
		for _, key := range members {
			if key.Type == t {
				found = append(found, key.ID)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// notReferenced reads _not-referenced, an extension of the reference: resources to
// which nothing refers (*:*), nothing of a type (Type:*), or nothing through a
// parameter (Type:parameter).
func (s *parsing) notReferenced(t fhir.Type, modifier, value string) (Filter, error) {
	if modifier != "" {
		return nil, fault.New(fault.Refused, "modifier %s is not supported for _not-referenced", show(modifier))
	}
	source, code, ok := strings.Cut(value, ":")
	if !ok || strings.Contains(code, ":") || source == "*" && code != "*" || code == "" {
		return nil, notSupported("_not-referenced must have the form *:*, Type:* or Type:parameter")
	}
	sources := s.registry.Types()
	if source != "*" {
		if sources = []fhir.Type{fhir.Type(source)}; !s.registry.IsType(sources[0]) {
			return nil, notSupported("_not-referenced: the type is no resource type")
		}
	}
	referenced := Or{}
	for _, source := range sources {
		for _, p := range s.registry.Params(source) {
			if p.Kind == searchparam.Reference && (code == "*" || code == p.Code) && slices.Contains(p.Targets, t) {
				referenced = append(referenced, Has{Param: p})
			}
		}
	}
	if code != "*" {
		if p, err := s.known(sources[0], code); err != nil || p.Kind != searchparam.Reference {
			return nil, notSupported(fmt.Sprintf("_not-referenced: %s is no reference parameter of %s", show(code), source))
		}
	}
	return Not{referenced}, nil
}
