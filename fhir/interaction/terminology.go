package interaction

import (
	"context"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/spec"
	"salus/fhir/terminology"
)

// plan parses a search and puts in the codes that stand behind value sets and
// code hierarchies. Faults: those of search.Parser and of terminology.Engine.
func (s *Service) plan(ctx context.Context, r search.Request) (*search.Query, error) {
	q, err := s.parser.Parse(r)
	if err != nil {
		return nil, err
	}
	return q, s.putCodes(ctx, q)
}

// putCodes puts the codes into a plan's concepts.
func (s *Service) putCodes(ctx context.Context, q *search.Query) error {
	for _, c := range q.Concepts {
		var codes []spec.Coding
		var err error
		if c.ValueSet != "" {
			codes, err = s.terminology.Expand(ctx, c.ValueSet)
		} else {
			codes, err = s.terminology.Subsumed(ctx, c.System, c.Code, c.Up)
		}
		if err != nil {
			return err
		}
		c.Codes = make([]search.Token, len(codes))
		for i, code := range codes {
			c.Codes[i] = search.Token{System: code.System, Code: code.Code}
		}
	}
	return nil
}

// conformance finds the ValueSets and CodeSystems that the service keeps, as
// the Source of its terminology.
type conformance struct{ *Service }

// Find implements terminology.Source.
func (s conformance) Find(ctx context.Context, t fhir.Type, url, version string) (terminology.Definition, error) {
	if id, ok := strings.CutPrefix(url, string(t)+"/"); ok {
		v, err := s.current(ctx, fhir.Key{Type: t, ID: fhir.ID(id)})
		if err != nil || v.Number == 0 || v.Deleted() {
			return terminology.Definition{}, err
		}
		return definition(v), nil
	}
	params := s.params.Registry()
	filter := search.And{search.Match{Param: params.Param(t, "url"), Operand: search.URI{Text: url}}}
	if version != "" {
		filter = append(filter, search.Match{Param: params.Param(t, "version"), Operand: search.Token{AnySystem: true, Code: version}})
	}
	page, err := s.store.Search(ctx, &search.Plan{
		Branches: []search.Branch{{Type: t, Filter: filter}}, Count: 1,
		Sort: []search.SortKey{{Updated: true, Descending: true}},
	})
	if err != nil || len(page.Matches) == 0 {
		return terminology.Definition{}, err
	}
	return definition(page.Matches[0]), nil
}

func definition(v fhir.Version) terminology.Definition {
	read := func() (fhir.Node, error) {
		d, err := fhir.Parse(v.JSON())
		if err != nil {
			return fhir.Node{}, fault.Wrap(fault.Internal, err, "a stored definition cannot be read")
		}
		return d.Root(), nil
	}
	return terminology.Definition{Identity: terminology.Identity{Key: v.Key, Number: v.Number, Updated: v.Updated}, Read: read}
}
