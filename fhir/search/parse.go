// Package search turns a query into a checked, engine-neutral plan.
//
// It promises that a plan is sound: parameters exist for the types searched,
// operands have been read by the rules of their type, references are taken
// apart, limits hold. What is not supported is told apart from what is wrong,
// and no message holds a searched value. It answers nothing: engines behind
// package store do. Continuation tokens are left to the transport.
package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// maxValues bounds the values of one search, counting alternatives.
// Compat: a search may have 2,000 values; the reference's database takes about as many.
const maxValues = 2000

// maxChain bounds how many references a chain or _has may follow.
const maxChain = 8

func tooMany() error {
	return fault.New(fault.Invalid, "a search may have at most %d values", maxValues)
}

// Options say whose rules a Parser follows and bound what a search may ask for.
// A zero limit takes the default.
type Options struct {
	Compat       fhir.Compat
	DefaultCount int // matches on a page unless asked: 10
	MaxCount     int // matches on a page at most: 1000
	MaxIncludes  int // included resources on a page at most: 1000
}

// Parser makes plans. It is immutable and safe for concurrent use.
type Parser struct {
	source  searchparam.Source
	options Options
}

// NewParser makes a parser over the parameters of a registry, or of what a service
// has for its registry at the time of each search.
func NewParser(reg searchparam.Source, o Options) *Parser {
	for _, l := range []struct {
		limit *int
		or    int
	}{{&o.DefaultCount, 10}, {&o.MaxCount, 1000}, {&o.MaxIncludes, 1000}} {
		if *l.limit == 0 {
			*l.limit = l.or
		}
	}
	return &Parser{reg, o}
}

// Request is one search as it came in.
type Request struct {
	Types       []fhir.Type // from the path; empty for a search over the whole service or compartment
	Compartment fhir.Key    // the resource whose compartment is searched; zero for none
	Params      []Param     // of the query and the form body, in order
	Strict      bool        // refuse what is not supported (Prefer: handling=strict) instead of leaving it out
	Partial     bool        // use parameters that not all resources are indexed by yet
	Base        string      // the service's own absolute base URL, without trailing slash
	Now         time.Time   // for the prefix ap

	// List returns the resources that are in a List now; none when there is no
	// such List. It answers _list, which is not supported when it is nil.
	List func(fhir.ID) ([]fhir.Key, error)
}

// Query is the checked search: its plan, and what the transport needs besides.
type Query struct {
	Plan     *Plan
	Concepts []*Concepts   // of the plan, whose Codes must be put in before the search
	Self     []Param       // what was understood, in order, each pair once and without ct: for the self link
	Warnings []fault.Issue // for the outcome entry of the bundle, in order
	Criteria int           // how many parameters select resources: _count, _sort, _include and their like do not

	Summary  string   // _summary: true, text, data, count or false; empty when not given
	Elements []string // _elements
	Total    string   // _total: none or accurate; empty when not given
	Format   string   // _format, as it came
	Pretty   string   // _pretty, as it came
	After    string   // ct, as it came: to be verified and put into Plan.After
}

// notSupported is an error about what may be left out of a search unless the
// client insists.
type notSupported string

func (e notSupported) Error() string { return string(e) }

// parsing is the state of one call of Parse.
type parsing struct {
	*Parser
	registry *searchparam.Registry
	request  Request
	types    []fhir.Type
	filters  []And // by type
	values   int
	lists    map[fhir.ID][]fhir.Key // that _list has asked for
	query    *Query
}

// Parse checks a search. Errors are faults: Invalid for values that break the
// rules of their type, and in strict handling for what is not supported;
// Refused for searches of a form that the service does not offer. They name
// parameters and rules, never values.
func (p *Parser) Parse(req Request) (*Query, error) {
	s := &parsing{Parser: p, registry: p.source.Registry(), request: req, query: &Query{}}
	if req.Partial {
		s.registry = s.registry.Partial()
	}
	s.query.Plan = &Plan{Count: p.options.DefaultCount, MaxIncludes: p.options.MaxIncludes}
	if err := s.searchedTypes(); err != nil {
		return nil, err
	}
	s.filters = make([]And, len(s.types))
	if err := s.enclose(); err != nil {
		return nil, err
	}
	var refused []fault.Issue
	done := make(map[Param]bool, len(req.Params))
	for _, param := range req.Params {
		// Compat: a parameter that is given twice with the same value counts once.
		if done[param] {
			continue
		}
		done[param] = true
		err := s.param(param)
		if missing, is := errors.AsType[notSupported](err); is {
			issue := fault.Issue{Severity: fault.Warning, Code: "not-supported", Text: string(missing)}
			s.query.Warnings = append(s.query.Warnings, issue)
			if issue.Severity = fault.Error; param.Name == "_sort" {
				issue.Code = "invalid" // Compat
			}
			refused = append(refused, issue)
			continue
		}
		if err != nil {
			return nil, err
		}
		if param.Name != "ct" && param.Name != "includesCt" {
			s.query.Self = append(s.query.Self, param)
		}
	}
	if req.Strict && len(refused) > 0 {
		return nil, fault.With(fault.Invalid, refused...)
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	return s.query, nil
}

// param takes one parameter into the query.
func (s *parsing) param(param Param) error {
	if s.values += len(split(param.Value, ',')); s.values > maxValues {
		return tooMany()
	}
	code, modifier, modified := strings.Cut(param.Name, ":")
	if take := results[code]; take != nil {
		if modified && code != "_include" && code != "_revinclude" && code != "_type" {
			return fault.New(fault.Refused, "%s takes no modifier", code)
		}
		return take(s, modifier, param.Value)
	}
	if strings.TrimSpace(param.Name) == "" {
		return notSupported("a parameter without a name is ignored")
	}
	if strings.TrimSpace(param.Value) == "" {
		return notSupported(fmt.Sprintf("%s has no value and is ignored", show(param.Name)))
	}
	return s.criterionOfAll(param)
}

// criterionOfAll adds a criterion for every searched type. They must have the
// parameter in common.
func (s *parsing) criterionOfAll(param Param) error {
	filters := make([]Filter, len(s.types))
	var missing error
	for i, t := range s.types {
		filter, err := s.criterion(t, param.Name, param.Value, 0)
		if _, is := errors.AsType[notSupported](err); is {
			missing = err
			continue
		}
		if err != nil {
			return err
		}
		filters[i] = filter
	}
	found := slices.ContainsFunc(filters, func(f Filter) bool { return f != nil })
	switch {
	case missing != nil && found && len(s.request.Types) == 0 && !s.typed():
		return notSupported(fmt.Sprintf("%s is not supported for all resource types; name the types with _type", show(param.Name)))
	case missing != nil && found:
		return fault.New(fault.Invalid, "%s is not a search parameter of all the searched types", show(param.Name))
	case missing != nil:
		return missing
	}
	s.query.Criteria++
	for i, filter := range filters {
		s.filters[i] = append(s.filters[i], filter)
	}
	return nil
}

// finish puts the plan together.
func (s *parsing) finish() error {
	q := s.query
	if len(q.Elements) > 0 && q.Summary != "" && q.Summary != "false" {
		return fault.New(fault.Invalid, "_elements does not go with _summary other than false")
	}
	if q.Summary == "count" {
		q.Plan.Count = 0
	}
	s.circles()
	q.Plan.Total = q.Total == "accurate" || q.Plan.Count == 0
	for i, t := range s.types {
		branch := Branch{Type: t}
		switch filters := joinLimits(s.filters[i]); len(filters) {
		case 0:
		case 1:
			branch.Filter = filters[0]
		default:
			branch.Filter = filters
		}
		q.Plan.Branches = append(q.Plan.Branches, branch)
	}
	return nil
}
