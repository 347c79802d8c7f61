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
	sources := s.types
	if modifier != "" {
		sources = s.registry.Types() // what is included may be of any type
	}
	return s.includes("_include", modifier, value, sources, func(i Include) { addInclude(&s.query.Plan.Includes, i) })
}

// revinclude reads _revinclude: from the matches to what refers to them. A
// wildcard takes only the parameters that can refer to a searched type.
//
// Compat: one that iterates is ignored by the reference; FHIR R4 has no such rule.
func (s *parsing) revinclude(modifier, value string) error {
	if modifier != "" && s.options.Compat == fhir.Azure && slices.Contains(strings.Split(value, ":"), "*") {
		s.inform("_revinclude with a wildcard does not iterate and is ignored")
		return nil
	}
	return s.includes("_revinclude", modifier, value, s.registry.Types(), func(i Include) {
		refersToMatch := func(t fhir.Type) bool { return slices.Contains(i.Param.Targets, t) }
		if i.Iterate || slices.ContainsFunc(s.types, refersToMatch) {
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
// the source, and one in place of the source for all of sources. The modifier is
// iterate, or recurse as it was called before R4.
//
// Compat: the reference takes no includes in a search over the whole service, and wants a
// target where a _revinclude that iterates may have several. Under FHIR R4's rules
// the former needs a _type, and the latter means any.
func (s *parsing) includes(code, modifier, value string, sources []fhir.Type, add func(Include)) error {
	if modifier != "" && modifier != "iterate" && modifier != "recurse" {
		return fault.New(fault.Refused, "modifier %s is not supported for %s", show(modifier), code)
	}
	iterate := modifier != ""
	if len(s.query.Plan.Includes)+len(s.query.Plan.RevIncludes) > maxValues { // wildcards are many
		return tooMany()
	}
	everywhere := len(s.request.Types) == 0 && s.request.Compartment.Type == ""
	if everywhere && !(s.options.Compat == fhir.Strict && s.typed()) {
		return fault.New(fault.Refused, "%s needs a search on a resource type", code)
	}
	parts := strings.Split(value, ":")
	if len(parts) == 1 && value != "" && value != "*" {
		return fault.New(fault.Refused, "%s needs a type and a reference parameter", code)
	}
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
					add(Include{Param: param, Target: target, Iterate: iterate})
				}
			}
		}
		return nil
	}
	if parts[0] == "*" {
		return fault.New(fault.Refused, "%s needs a type and a reference parameter", code)
	}
	param, err := s.known(sources[0], parts[1])
	if err != nil {
		return err
	}
	if param.Kind != searchparam.Reference {
		return fault.New(fault.Refused, "%s needs a reference parameter", code)
	}
	if iterate && code == "_revinclude" && target == "" && len(param.Targets) > 1 && s.options.Compat == fhir.Azure {
		return invalid(code, "with iterate a reference that may lead to several types needs a target: Type:parameter:Target")
	}
	add(Include{Param: param, Target: target, Iterate: iterate})
	return nil
}

// circles finds the iterating includes that lead back to where they started.
//
// Compat: iterating includes that lead back to where they started are followed once,
// as in the reference, with a notice; FHIR R4 lets them go on until nothing new is
// found (search §3.1.1.5.5).
func (s *parsing) circles() {
	plan := s.query.Plan
	if s.options.Compat == fhir.Strict || !plan.Iterates() {
		return
	}
	leads := map[fhir.Type][]fhir.Type{} // from one type to others
	note := func(list []Include, ends func(Include) (from, to []fhir.Type)) {
		for _, i := range list {
			if !i.Iterate {
				continue
			}
			from, to := ends(i)
			for _, t := range from {
				leads[t] = append(leads[t], to...)
			}
		}
	}
	forward := func(i Include) (from, to []fhir.Type) { return i.From(), i.To() }
	backward := func(i Include) (from, to []fhir.Type) { return i.To(), i.From() }
	note(plan.Includes, forward)
	note(plan.RevIncludes, backward)
	circular := false
	mark := func(list []Include, ends func(Include) (from, to []fhir.Type)) {
		for n := range list {
			if from, to := ends(list[n]); list[n].Iterate && reaches(leads, to, from) {
				list[n].Once, circular = true, true
			}
		}
	}
	mark(plan.Includes, forward)
	mark(plan.RevIncludes, backward)
	if circular {
		s.inform("an include that iterates leads back to its own type; it is followed once")
	}
}

// reaches reports whether one of the types to is among from or can be got to from them.
func reaches(leads map[fhir.Type][]fhir.Type, from, to []fhir.Type) bool {
	seen := map[fhir.Type]bool{}
	for todo := slices.Clone(from); len(todo) > 0; {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if slices.Contains(to, t) {
			return true
		}
		if !seen[t] {
			seen[t] = true
			todo = append(todo, leads[t]...)
		}
	}
	return false
}
