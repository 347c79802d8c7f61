package search

import (
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// include reads _include: from the matches to what they refer to.
func (s *parsing) include(modifier, value string) error {
	return s.includes("_include", modifier, value, s.types, func(i Include) { addInclude(&s.query.Plan.Includes, i) })
}

// revinclude reads _revinclude: from the matches to what refers to them. A
// wildcard takes only the parameters that can refer to a searched type.
func (s *parsing) revinclude(modifier, value string) error {
	return s.includes("_revinclude", modifier, value, s.registry.Types(), func(i Include) {
		refersToMatch := func(t fhir.Type) bool { return slices.Contains(i.Param.Targets, t) }
		if slices.ContainsFunc(s.types, refersToMatch) {
			addInclude(&s.query.Plan.RevIncludes, i)
		}
	})
}

func addInclude(to *[]Include, i Include) {
	if !slices.Contains(*to, i) {
		*to = append(*to, i)
	}
}

// includes reads Source:param[:Target], where a * stands for all parameters of
// the source, and one in place of the source for all of sources.
func (s *parsing) includes(code, modifier, value string, sources []fhir.Type, add func(Include)) error {
	if modifier != "" {
		return fault.New(fault.Refused, "modifier %s is not supported for %s", show(modifier), code)
	}
	if len(s.query.Plan.Includes)+len(s.query.Plan.RevIncludes) > maxValues { // wildcards are many
		return tooMany()
	}
	if len(s.request.Types) == 0 && s.request.Compartment.Type == "" {
		return fault.New(fault.Refused, "%s needs a search on a resource type", code) // Compat: also when _type names types
	}
	parts := strings.Split(value, ":")
	if parts[0] == "" || len(parts) > 3 {
		return invalid(code, "must have the form Type:parameter:Type or *")
	}
	var target fhir.Type
	if len(parts) == 3 {
		if target = fhir.Type(parts[2]); !s.registry.IsType(target) {
			issue := fault.Issue{Code: "not-supported", Text: show(code) + ": the target is no resource type"}
			if target == "" {
				issue.Code = "invalid"
			}
			return fault.With(fault.Invalid, issue)
		}
	}
	if parts[0] != "*" {
		if sources = []fhir.Type{fhir.Type(parts[0])}; !s.registry.IsType(sources[0]) {
			return invalid(code, "the source is no resource type")
		}
	}
	if parts[0] == "*" && len(parts) == 1 || len(parts) > 1 && parts[1] == "*" {
		for _, source := range sources {
			for _, param := range s.registry.Params(source) {
				if param.Kind == searchparam.Reference && (target == "" || slices.Contains(param.Targets, target)) {
					add(Include{Param: param, Target: target})
				}
			}
		}
		return nil
	}
	if len(parts) < 2 || parts[0] == "*" {
		return fault.New(fault.Refused, "%s needs a type and a reference parameter", code)
	}
	param, err := s.known(sources[0], parts[1])
	if err != nil {
		return err
	}
	if param.Kind != searchparam.Reference {
		return fault.New(fault.Refused, "%s needs a reference parameter", code)
	}
	add(Include{Param: param, Target: target})
	return nil
}
