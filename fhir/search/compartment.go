package search

import (
	"maps"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// ofItself is how a compartment definition says that the resource which a
// compartment is about belongs to it (FHIR R4 compartmentdefinition §2.34.4).
const ofItself = "{def}"

// compartmentTypes returns the resource types that may be in the request's
// compartment, in alphabetical order.
func (s *parsing) compartmentTypes() ([]fhir.Type, error) {
	linked, err := s.linked()
	if err != nil {
		return nil, err
	}
	var types []fhir.Type
	for _, name := range slices.Sorted(maps.Keys(linked)) {
		if t := fhir.Type(name); s.registry.IsType(t) {
			types = append(types, t)
		}
	}
	return types, nil
}

// linked returns by resource type which parameters link resources into the
// request's compartment.
func (s *parsing) linked() (map[string][]string, error) {
	for _, c := range s.registry.Definitions().Compartments() {
		if c.Code == string(s.request.Compartment.Type) {
			return c.Params, nil
		}
	}
	return nil, fault.New(fault.Refused, "resources of the type in the URL have no compartment")
}

// enclose adds to every searched type that it is in the request's compartment:
// that one of the linking parameters refers to the compartment's resource.
//
// Compat: of a search over all types (*) the compartment's own resource is no
// part, unless FHIR R4's rules are to be followed. A type that the definition
// leaves out finds nothing.
func (s *parsing) enclose() error {
	about := s.request.Compartment
	if about.Type == "" {
		return nil
	}
	linked, err := s.linked()
	if err != nil {
		return err
	}
	itself := len(s.request.Types) > 0 || s.options.Compat == fhir.Strict
	for i, t := range s.types {
		links := Or{}
		for _, code := range linked[string(t)] {
			if code == ofItself && itself {
				links = append(links, IDs{about.ID})
			}
			if param := s.registry.Param(t, code); param != nil && param.Kind == searchparam.Reference {
				links = append(links, Match{Param: param, Operand: Ref{Type: about.Type, ID: about.ID}})
			}
		}
		if _, is := linked[string(t)]; !is {
			s.inform("the compartment has no resources of type " + string(t))
		}
		s.filters[i] = append(s.filters[i], links)
		if t == about.Type && !itself {
			s.filters[i] = append(s.filters[i], Not{IDs{about.ID}})
		}
	}
	return nil
}
