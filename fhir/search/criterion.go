package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// criterion makes the filter of one parameter for one resource type. depth is
// how many references were followed to get to the type.
func (s *parsing) criterion(t fhir.Type, name, value string, depth int) (Filter, error) {
	if depth > maxChain {
		return nil, fault.New(fault.Invalid, "a chain may follow at most %d references", maxChain)
	}
	if name == "_has" || strings.HasPrefix(name, "_has:") {
		return s.has(name, value, depth)
	}
	head, rest, chained := strings.Cut(name, ".")
	code, modifier, _ := strings.Cut(head, ":")
	switch {
	case chained:
		return s.chain(t, code, modifier, rest, value, depth)
	case code == "_id":
		return ids(modifier, value)
	case code == "_lastUpdated":
		return s.updated(modifier, value)
	case code == "_content":
		return content(code, modifier, value)
	case code == "_text":
		// Compat: a search by _text is left out with a warning in the reference; FHIR R4 has it.
		if s.options.Compat == fhir.Azure {
			return nil, notSupported("_text is not supported; a service with compat: strict has it")
		}
		return content(code, modifier, value)
	case code == "_type" && depth > 0:
		return typeIs(t, modifier, value)
	case code == "_list":
		return s.list(t, modifier, value)
	case code == "_not-referenced":
		return s.notReferenced(t, modifier, value)
	case head == "_filter":
		return s.filterExpression(t, value, depth)
	case refused[code] != "":
		return nil, notSupported(show(code) + " is not supported: " + refused[code])
	}
	param, err := s.known(t, code)
	if err != nil {
		return nil, err
	}
	return s.match(param, modifier, value)
}

// known returns a parameter that can be searched by.
func (s *parsing) known(t fhir.Type, code string) (*searchparam.Param, error) {
	param := s.registry.Param(t, code)
	if param != nil && param.Kind == searchparam.Position && s.options.Compat == fhir.Azure {
		// Compat: a search by near is left out with a warning in the reference; FHIR R4 has it.
		return nil, notSupported(show(code) + " is not supported; a service with compat: strict has it")
	}
	if param == nil || param.Kind == searchparam.Special {
		return nil, notSupported(fmt.Sprintf("%s is not supported for %s", show(code), t))
	}
	return param, nil
}

// chain follows a reference and goes on with the rest of the name.
func (s *parsing) chain(t fhir.Type, code, modifier, rest, value string, depth int) (Filter, error) {
	return s.follow(t, code, modifier, func(target fhir.Type) (Filter, error) {
		return s.criterion(target, rest, value, depth+1)
	})
}

// follow follows a reference to the type that the modifier names, or to the only
// one possible. then makes the filter of the resource there.
//
// Compat: a chain that names no type, where several are possible, is refused by the
// reference; FHIR R4 takes all that know what follows (search §3.1.1.5.4).
func (s *parsing) follow(t fhir.Type, code, modifier string, then func(target fhir.Type) (Filter, error)) (Filter, error) {
	param, err := s.known(t, code)
	if err != nil {
		return nil, err
	}
	if param.Kind != searchparam.Reference {
		return nil, fault.New(fault.Refused, "%s is no reference and cannot be chained", show(code))
	}
	target := fhir.Type(modifier)
	switch {
	case target == "" && len(param.Targets) == 1:
		target = param.Targets[0]
	case target == "" && s.options.Compat != fhir.Strict:
		return nil, fault.New(fault.Refused, "the chain over %s needs a type: %s", show(code), choices(code, param.Targets))
	case target == "":
		return s.followAll(param, then)
	}
	if !slices.Contains(param.Targets, target) {
		return nil, fault.New(fault.Refused, "%s cannot refer to the type named in the chain", show(code))
	}
	filter, err := then(target)
	if err != nil {
		return nil, err
	}
	return Chain{Param: param, Target: target, Filter: filter}, nil
}

// followAll follows a reference to all types for which then knows a filter.
func (s *parsing) followAll(param *searchparam.Param, then func(target fhir.Type) (Filter, error)) (Filter, error) {
	var any Or
	var unknown error
	for _, target := range param.Targets {
		if s.values++; s.values > maxValues { // chains of several references branch
			return nil, tooMany()
		}
		filter, err := then(target)
		if _, is := errors.AsType[notSupported](err); is {
			unknown = err
			continue
		}
		if err != nil {
			return nil, err
		}
		any = append(any, Chain{Param: param, Target: target, Filter: filter})
	}
	if len(any) == 0 {
		return nil, unknown
	}
	return any, nil
}

func choices(code string, targets []fhir.Type) string {
	const most = 8
	var b strings.Builder
	for i, t := range targets {
		if i == most {
			b.WriteString(" or another")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s:%s", code, t)
	}
	return b.String()
}

// has reads _has:Type:reference:criterion.
func (s *parsing) has(name, value string, depth int) (Filter, error) {
	parts := strings.SplitN(name, ":", 4)
	if len(parts) < 4 || parts[3] == "" {
		return nil, fault.New(fault.Refused, "_has needs the form _has:Type:reference:parameter")
	}
	source := fhir.Type(parts[1])
	if !s.registry.IsType(source) {
		return nil, fault.New(fault.Refused, "_has names an unknown resource type")
	}
	param, err := s.known(source, parts[2])
	if err != nil {
		return nil, err
	}
	if param.Kind != searchparam.Reference {
		return nil, fault.New(fault.Refused, "_has needs a reference parameter of %s", source)
	}
	filter, err := s.criterion(source, parts[3], value, depth+1)
	if err != nil {
		return nil, err
	}
	return Has{Param: param, Filter: filter}, nil
}

// modifiers tells which modifiers a kind of parameter takes besides missing.
// Those of FHIR that are not here are refused.
// Compat: a modifier that a parameter does not take is 403.
var modifiers = map[searchparam.Kind][]string{
	searchparam.String:    {"exact", "contains"},
	searchparam.Token:     {"not", "text", "of-type", "in", "not-in", "above", "below"},
	searchparam.Reference: {"not", "identifier"}, // and the name of a type
	searchparam.URI:       {"above", "below"},
}

// match makes the filter of a parameter with its modifier and alternatives.
func (s *parsing) match(param *searchparam.Param, modifier, value string) (Filter, error) {
	if modifier == "missing" {
		missing, err := truth(param.Code, value)
		if err != nil {
			return nil, err
		}
		return Missing{Param: param, Missing: missing}, nil
	}
	only := fhir.Type("")
	if modifier != "" && !slices.Contains(modifiers[param.Kind], modifier) {
		if only = fhir.Type(modifier); param.Kind != searchparam.Reference || !slices.Contains(param.Targets, only) {
			return nil, fault.New(fault.Refused, "modifier %s is not supported for %s", show(modifier), show(param.Code))
		}
	}
	alternatives := split(value, ',')
	var or Or
	for _, alternative := range alternatives {
		if alternative == "" {
			return nil, invalid(param.Code, "an alternative is empty")
		}
		if len(alternatives) > 1 && s.options.Compat == fhir.Azure {
			if err := noPrefix(param, alternative); err != nil {
				return nil, err
			}
		}
		operand, err := s.operand(param, modifier, only, alternative)
		if err != nil {
			return nil, err
		}
		or = append(or, Match{Param: param, Operand: operand})
	}
	filter := Filter(or)
	if len(or) == 1 {
		filter = or[0]
	}
	if modifier == "not" || modifier == "not-in" {
		return Not{filter}, nil // of the whole list: none of these
	}
	return filter, nil
}

// noPrefix refuses comparisons among alternatives.
// Compat: a prefix among several values, such as ge2020,lt1990, is 403; in FHIR it would do.
func noPrefix(param *searchparam.Param, alternative string) error {
	switch param.Kind {
	case searchparam.Date, searchparam.Number, searchparam.Quantity:
		if prefix, _ := cutPrefix(alternative); prefix != Eq {
			return fault.New(fault.Refused, "%s: a comparison prefix does not go with alternatives", show(param.Code))
		}
	}
	return nil
}

// operand reads one alternative.
func (s *parsing) operand(param *searchparam.Param, modifier string, only fhir.Type, text string) (Operand, error) {
	switch param.Kind {
	case searchparam.Token:
		return s.modifiedToken(param, modifier, text)
	case searchparam.String:
		mode := map[string]TextMode{"": Starts, "contains": Contains, "exact": Exact}[modifier]
		return Text{Mode: mode, Text: unescape(text)}, nil
	case searchparam.Date:
		return s.date(param.Code, text)
	case searchparam.Number:
		return s.number(param.Code, text)
	case searchparam.Quantity:
		return s.quantity(param, text)
	case searchparam.Reference:
		if modifier == "identifier" {
			return token(param, text)
		}
		return s.reference(param, only, unescape(text)), nil
	case searchparam.URI:
		return s.uri(param, modifier, unescape(text)), nil
	case searchparam.Position:
		return near(param, text)
	case searchparam.Composite:
		return s.composite(param, text)
	}
	return nil, fmt.Errorf("search parameter %s is of no known kind", param.Name())
}

// ids reads _id.
func ids(modifier, value string) (Filter, error) {
	if modifier == "missing" {
		return always("_id", value)
	}
	if modifier != "" && modifier != "not" {
		return nil, fault.New(fault.Refused, "modifier %s is not supported for _id", show(modifier))
	}
	list := IDs{}
	for _, id := range split(value, ',') {
		if id = unescape(id); fhir.ValidID(id) { // no resource has any other
			list = append(list, fhir.ID(id))
		}
	}
	if modifier == "not" {
		return Not{list}, nil
	}
	return list, nil
}

// updated reads _lastUpdated.
func (s *parsing) updated(modifier, value string) (Filter, error) {
	if modifier == "missing" {
		return always("_lastUpdated", value)
	}
	if modifier != "" {
		return nil, fault.New(fault.Refused, "modifier %s is not supported for _lastUpdated", show(modifier))
	}
	alternatives := split(value, ',')
	var or Or
	for _, alternative := range alternatives {
		if prefix, _ := cutPrefix(alternative); prefix != Eq && len(alternatives) > 1 && s.options.Compat == fhir.Azure {
			return nil, fault.New(fault.Refused, "_lastUpdated: a comparison prefix does not go with alternatives")
		}
		date, err := s.date("_lastUpdated", alternative)
		if err != nil {
			return nil, err
		}
		or = append(or, Updated{date})
	}
	if len(or) == 1 {
		return or[0], nil
	}
	return or, nil
}

// typeIs reads _type at the end of a chain, where the type is already known.
func typeIs(t fhir.Type, modifier, value string) (Filter, error) {
	if modifier != "" && modifier != "not" {
		return nil, fault.New(fault.Refused, "modifier %s is not supported for _type", show(modifier))
	}
	if slices.Contains(split(value, ','), string(t)) == (modifier == "") {
		return And{}, nil
	}
	return IDs{}, nil
}

// always answers :missing for what every resource has.
func always(code, value string) (Filter, error) {
	missing, err := truth(code, value)
	if err != nil || missing {
		return IDs{}, err
	}
	return And{}, nil
}

// truth reads the value of :missing.
// Compat: the value of :missing is true or false; anything else is 403.
func truth(code, value string) (bool, error) {
	if value != "true" && value != "false" {
		return false, fault.New(fault.Refused, "%s:missing must be true or false", show(code))
	}
	return value == "true", nil
}
