package search

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// results are the parameters that say how to answer instead of what to find,
// and how each is read.
var results = map[string]func(s *parsing, modifier, value string) error{
	"_count":         (*parsing).count,
	"_includesCount": (*parsing).includesCount,
	"_total":         (*parsing).total,
	"_summary":       (*parsing).summary,
	"_elements":      (*parsing).elements,
	"_sort":          (*parsing).sort,
	"_include":       (*parsing).include,
	"_revinclude":    (*parsing).revinclude,
	"_type":          (*parsing).typeParam,
	"_explain":       (*parsing).explain,
	"_format":        func(s *parsing, _, value string) error { s.query.Format = value; return nil },
	"_pretty":        func(s *parsing, _, value string) error { s.query.Pretty = value; return nil },
	"ct":             (*parsing).after,
	"includesCt":     (*parsing).afterIncluded,
}

func (s *parsing) inform(text string) {
	s.query.Warnings = append(s.query.Warnings, fault.Issue{Severity: fault.Information, Code: "informational", Text: text})
}

// size reads a number of resources up to a maximum.
func (s *parsing) size(code, value string, most int) (int, error) {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil && n == 0 { // not when out of range
		return 0, invalid(code, "not a number of resources")
	}
	if n > uint64(most) {
		s.inform(fmt.Sprintf("%s exceeds limit: at most %d resources are on a page", code, most))
		return most, nil
	}
	return int(n), nil
}

func (s *parsing) count(_, value string) (err error) {
	s.query.Plan.Count, err = s.size("_count", value, s.options.MaxCount)
	return err
}

func (s *parsing) includesCount(_, value string) error {
	n, err := s.size("_includesCount", value, s.options.MaxIncludes)
	if err == nil && n == 0 {
		return invalid("_includesCount", "not a positive number")
	}
	s.query.Plan.MaxIncludes = n
	return err
}

func (s *parsing) total(_, value string) error {
	switch value {
	case "none", "accurate":
		s.query.Total = value
		return nil
	case "estimate":
		if s.options.Compat != fhir.Strict { // Compat
			return fault.With(fault.Refused, fault.Issue{Severity: fault.Error, Code: "not-supported", Text: "_total: an estimate is not supported"})
		}
		s.query.Total = "accurate" // an exact total costs little more
		return nil
	}
	return invalid("_total", "must be none or accurate")
}

// explain reads _explain.
//
// Compat: _explain=true, which neither the reference nor FHIR has, tells by
// informational issues how a search was answered.
func (s *parsing) explain(_, value string) error {
	if value != "true" && value != "false" {
		return invalid("_explain", "must be true or false")
	}
	s.query.Plan.Explain = value == "true"
	return nil
}

func (s *parsing) summary(_, value string) error {
	switch value {
	case "true", "text", "data", "count", "false":
		s.query.Summary = value
		return nil
	}
	return invalid("_summary", "must be true, text, data, count or false")
}

func (s *parsing) elements(_, value string) error {
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name != "" {
			s.query.Elements = append(s.query.Elements, name)
		}
	}
	if len(s.query.Elements) == 0 {
		return invalid("_elements", "names no element")
	}
	return nil
}

func (s *parsing) after(_, value string) error {
	if s.query.After != "" {
		return fault.New(fault.Refused, "ct is given twice")
	}
	if value == "" {
		return invalid("ct", "is empty")
	}
	s.query.After = value
	return nil
}

// afterIncluded tells that includesCt has no place in a search for matches.
func (s *parsing) afterIncluded(_, _ string) error {
	s.inform("includesCt goes with $includes only and is ignored")
	return nil
}

// sortable are the kinds of parameters whose values have an order.
var sortable = []searchparam.Kind{
	searchparam.Date, searchparam.String, searchparam.Number, searchparam.Quantity, searchparam.URI,
}

// sort reads _sort. Compat: the reference sorts by one field only and warns of several.
// Here one of several fields that cannot be sorted by makes _sort unsupported as a
// whole, since the other fields alone are another order.
func (s *parsing) sort(_, value string) error {
	var keys []SortKey
	for i, field := range strings.Split(value, ",") {
		code, descending := strings.CutPrefix(field, "-")
		key := SortKey{Descending: descending}
		if key.Updated, key.ID, key.Type = code == "_lastUpdated", code == "_id", code == "_type"; key.Updated || key.ID || key.Type {
			keys = append(keys, key)
			continue
		}
		if key.Param = s.sortParam(code); key.Param == nil && len(s.types) > 0 {
			return notSupported(fmt.Sprintf("_sort: field %d is no date, string, number, quantity or uri parameter of the searched types", i+1))
		}
		keys = append(keys, key)
	}
	if s.query.Plan.Sort != nil {
		return invalid("_sort", "is given twice")
	}
	s.query.Plan.Sort = keys
	return nil
}

// sortParam returns the parameter of the first type if all types can be sorted by the code.
func (s *parsing) sortParam(code string) *searchparam.Param {
	var first *searchparam.Param
	for _, t := range s.types {
		p := s.registry.Param(t, code)
		if p == nil || !slices.Contains(sortable, p.Kind) {
			return nil
		}
		if first == nil {
			first = p
		}
	}
	return first
}

// typeParam reports what searchedTypes has found in one _type.
func (s *parsing) typeParam(modifier, value string) error {
	var unknown []string
	for i, name := range strings.Split(value, ",") {
		if !s.registry.IsType(fhir.Type(name)) {
			unknown = append(unknown, strconv.Itoa(i+1))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	rule := "in the list no resource type has the name at place " + strings.Join(unknown, ", ")
	if s.request.Strict {
		return invalid("_type", rule)
	}
	s.query.Warnings = append(s.query.Warnings, fault.Issue{Severity: fault.Warning, Code: "not-supported", Text: "_type: " + rule})
	return nil
}

// searchedTypes decides which types are searched: those of the path, else all,
// as far as each _type names them (or, with :not, does not).
func (s *parsing) searchedTypes() error {
	s.types = s.request.Types
	switch {
	case len(s.types) > 0:
	case s.request.Compartment.Type != "":
		var err error
		if s.types, err = s.compartmentTypes(); err != nil {
			return err
		}
	default:
		s.types = s.registry.Types()
	}
	for _, t := range s.types {
		if !s.registry.IsType(t) {
			return fault.New(fault.NotFound, "the searched resource type is unknown")
		}
	}
	for _, param := range s.request.Params {
		code, modifier, _ := strings.Cut(param.Name, ":")
		if code != "_type" {
			continue
		}
		if modifier != "" && modifier != "not" {
			return fault.New(fault.Refused, "modifier %s is not supported for _type", show(modifier))
		}
		if strings.TrimSpace(param.Value) == "" {
			return invalid("_type", "names no resource type")
		}
		names := strings.Split(param.Value, ",")
		s.types = slices.DeleteFunc(slices.Clone(s.types), func(t fhir.Type) bool {
			return slices.Contains(names, string(t)) == (modifier == "not")
		})
	}
	return nil
}

// typed reports whether a _type says what is searched.
func (s *parsing) typed() bool {
	return slices.ContainsFunc(s.request.Params, func(p Param) bool {
		code, _, _ := strings.Cut(p.Name, ":")
		return code == "_type"
	})
}
