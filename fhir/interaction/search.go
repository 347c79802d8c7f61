package interaction

import (
	"context"
	"fmt"
	"slices"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// SearchResult is a page of a search with what was understood of the request.
type SearchResult struct {
	Query *search.Query
	Page  *search.Page
}

// Search answers a search. after is the Page.Next of the page before, already
// verified to be of the service's own making; nil for the first page. Faults:
// NotFound for an unknown type in the path, and those of search.Parser.
func (s *Service) Search(ctx context.Context, r search.Request, after []byte) (*SearchResult, error) {
	return s.search(ctx, r, after, nil)
}

// SearchIncluded answers with more of what the matches of a page of a search
// include: those behind afterIncluded, the Page.NextIncluded of the answer
// before. after is what the page of matches was asked for with. Faults as of Search.
func (s *Service) SearchIncluded(ctx context.Context, r search.Request, after, afterIncluded []byte) (*SearchResult, error) {
	return s.search(ctx, r, after, afterIncluded)
}

func (s *Service) search(ctx context.Context, r search.Request, after, afterIncluded []byte) (*SearchResult, error) {
	for _, t := range r.Types {
		if err := s.known(t); err != nil {
			return nil, err
		}
	}
	if r.Now.IsZero() {
		r.Now = s.now()
	}
	r.List = s.listed(ctx, r.Base)
	q, err := s.parser.Parse(r)
	if err != nil {
		return nil, err
	}
	var parsed, planned time.Time
	if q.Plan.Explain {
		parsed = s.now()
	}
	if err := s.putCodes(ctx, q); err != nil {
		return nil, err
	}
	if q.Plan.Explain {
		planned = s.now()
	}
	q.Plan.After, q.Plan.AfterIncluded = after, afterIncluded
	page, err := s.store.Search(ctx, q.Plan)
	if err != nil {
		return nil, err
	}
	if q.Plan.Explain {
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		line := fmt.Sprintf("time: parse %.3f ms, plan (value sets and hierarchies) %.3f ms", ms(parsed.Sub(r.Now)), ms(planned.Sub(parsed)))
		page.Explained = slices.Insert(page.Explained, 0, line)
	}
	return &SearchResult{Query: q, Page: page}, nil
}

// listed returns a function that reads what is in a List: what its entries refer
// to, except those that are marked as deleted (FHIR R4 list §8.11).
func (s *Service) listed(ctx context.Context, base string) func(fhir.ID) ([]fhir.Key, error) {
	isType := func(t fhir.Type) bool { return s.defs.IsResource(string(t)) }
	return func(id fhir.ID) ([]fhir.Key, error) {
		v, err := s.store.Read(ctx, fhir.Key{Type: "List", ID: id})
		if fault.Is(err, fault.NotFound) || err == nil && v.Deleted() {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		list, err := fhir.Parse(v.Body.JSON)
		if err != nil {
			return nil, err
		}
		var members []fhir.Key
		for entry := range list.Root().Get("entry").Children {
			ref := fhir.ParseReference(entry.Path("item", "reference").Text(), isType)
			if ref.Base == base {
				ref.Base = ""
			}
			if ref.Local() && !entry.Get("deleted").True() {
				members = append(members, ref.Key())
			}
		}
		return members, nil
	}
}
