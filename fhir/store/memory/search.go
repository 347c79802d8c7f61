package memory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// place is where a resource stands in the order of a search. It is also what a
// page is continued from.
type place struct {
	Keys    [][]byte // one for each sort key, in an encoding whose byte order is the order of the values; nil when missing
	Created uint64   // breaks ties, in either direction of the sort
}

type match struct {
	place
	*resource
}

// Search answers a plan. Without sort keys the order is that of the creation
// of the resources, which updates and deletions do not change.
func (s *Store) Search(ctx context.Context, plan *search.Plan) (*search.Page, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	after, err := readPlace(plan)
	if err != nil {
		return nil, err
	}
	matches := slices.Concat(s.ranks(plan)...)
	page := &search.Page{Total: -1}
	if plan.Explain {
		page.Explained = s.explained(plan, len(matches))
	}
	if plan.AfterIncluded != nil {
		return page, s.includeMore(plan, matches, after, page)
	}
	if plan.Total || plan.Count == 0 {
		page.Total = int64(len(matches))
	}
	if plan.Count == 0 {
		return page, nil
	}
	matches, more := onPage(plan, matches, after)
	if more {
		if page.Next, err = json.Marshal(matches[plan.Count-1].place); err != nil {
			return nil, err
		}
	}
	for _, m := range matches {
		page.Matches = append(page.Matches, m.current())
	}
	s.include(plan, page.Matches, 0, page)
	return page, nil
}

// explained tells what there is to tell: everything is looked at.
func (s *Store) explained(plan *search.Plan, matches int) []string {
	lines := []string{fmt.Sprintf("engine: in memory; %d of %d resources found by looking at every one, then sorted", matches, len(s.resources))}
	for _, b := range plan.Branches {
		lines = append(lines, search.Describe(b.Type, b.Filter))
	}
	return lines
}

// onPage returns the matches of the page that begins after a place, and whether
// more come after it.
func onPage(plan *search.Plan, matches []match, after *place) (found []match, more bool) {
	if after != nil {
		matches = slices.DeleteFunc(matches, func(m match) bool { return compare(plan.Sort, m.place, *after) <= 0 })
	}
	return matches[:min(len(matches), plan.Count)], len(matches) > plan.Count
}

func readPlace(plan *search.Plan) (*place, error) {
	if plan.After == nil {
		return nil, nil
	}
	var p place
	if err := json.Unmarshal(plan.After, &p); err != nil || len(p.Keys) != len(plan.Sort) {
		return nil, fault.Wrap(fault.Invalid, err, "the search cannot be continued from there")
	}
	return &p, nil
}

// Ranks returns all matches of a plan in order, those with equal sort values
// together. Tests hold engines to it that may order such ties in another way.
func (s *Store) Ranks(plan *search.Plan) [][]fhir.Version {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ranks [][]fhir.Version
	for _, ties := range s.ranks(plan) {
		var rank []fhir.Version
		for _, m := range ties {
			rank = append(rank, m.current())
		}
		ranks = append(ranks, rank)
	}
	return ranks
}

// ranks returns all matches in order, ties together.
func (s *Store) ranks(plan *search.Plan) [][]match {
	var found []match
	for _, branch := range plan.Branches {
		for key := range s.resources {
			r, ok := s.live(key)
			if !ok || key.Type != branch.Type || !s.holds(branch.Filter, r) {
				continue
			}
			m := match{place{Created: r.created}, r}
			for _, key := range plan.Sort {
				m.Keys = append(m.Keys, sortValue(key, r))
			}
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b match) int { return compare(plan.Sort, a.place, b.place) })
	var ranks [][]match
	for i, m := range found {
		if i == 0 || compareKeys(plan.Sort, m.place, found[i-1].place) != 0 {
			ranks = append(ranks, nil)
		}
		ranks[len(ranks)-1] = append(ranks[len(ranks)-1], m)
	}
	return ranks
}

// compare orders places.
func compare(sort []search.SortKey, a, b place) int {
	return cmp.Or(compareKeys(sort, a, b), cmp.Compare(a.Created, b.Created))
}

// compareKeys orders places but for ties. A missing value is less than any, so
// that it comes first ascending and last descending.
func compareKeys(sort []search.SortKey, a, b place) int {
	for i, key := range sort {
		x, y := a.Keys[i], b.Keys[i]
		c := bytes.Compare(x, y)
		switch {
		case x == nil && y != nil:
			c = -1
		case x != nil && y == nil:
			c = +1
		}
		if key.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// sortValue returns the least of a resource's values, or the greatest if
// descending, or nil.
func sortValue(key search.SortKey, r *resource) []byte {
	switch {
	case key.ID:
		return []byte(r.current().ID)
	case key.Type:
		return []byte(r.current().Type)
	case key.Updated || key.Param == nil:
		return binary.BigEndian.AppendUint64(nil, uint64(searchparam.TicksOf(r.current().Updated)))
	}
	var best []byte
	for _, e := range r.values {
		if e.Param.Code != key.Param.Code { // of another type, perhaps, than the key's parameter
			continue
		}
		v := ordered(e.Param.Kind, e.Value, key.Descending)
		if best == nil || (bytes.Compare(v, best) > 0) == key.Descending {
			best = v
		}
	}
	return best
}

// ordered encodes a value so that bytes compare as values do. Of an interval
// the end counts that comes first in the direction of the sort.
func ordered(kind searchparam.Kind, v searchparam.Value, descending bool) []byte {
	out := []byte{}
	switch kind {
	case searchparam.Date:
		at := v.Start
		if descending {
			at = v.End
		}
		return binary.BigEndian.AppendUint64(out, uint64(at))
	case searchparam.Number, searchparam.Quantity:
		switch {
		case descending && v.OpenHigh:
			return append(out, 0xff)
		case descending:
			return v.High.AppendOrdered(out)
		case v.OpenLow:
			return append(out, 0)
		default:
			return v.Low.AppendOrdered(out)
		}
	case searchparam.Token:
		return append(out, v.Code...)
	case searchparam.Reference:
		return append(out, v.Ref.String()...)
	case searchparam.URI:
		return append(out, v.Text...)
	default:
		return append(out, searchparam.Normalize(v.Text)...)
	}
}
