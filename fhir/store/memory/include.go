package memory

import (
	"cmp"
	"encoding/binary"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// includeMore adds to a page what the plan's matches include behind AfterIncluded.
func (s *Store) includeMore(plan *search.Plan, matches []match, after *place, page *search.Page) error {
	if len(plan.AfterIncluded) != 8 || plan.Iterates() {
		return fault.New(fault.Invalid, "the search cannot be continued from there")
	}
	matches, _ = onPage(plan, matches, after)
	var from []fhir.Version
	for _, m := range matches {
		from = append(from, m.current())
	}
	s.include(plan, from, binary.BigEndian.Uint64(plan.AfterIncluded)+1, page)
	return nil
}

// include adds to a page what belongs to its matches, created at first or
// later: one round in the order of creation, or more when an include iterates.
func (s *Store) include(plan *search.Plan, matches []fhir.Version, first uint64, page *search.Page) {
	seen := map[fhir.Key]bool{}
	for _, m := range matches {
		seen[m.Key] = true
	}
	done := map[*search.Include]bool{}
	for round, from := 0, matches; len(from) > 0; round++ {
		found := s.around(plan, from, func(i *search.Include) bool { return (round == 0 || i.Iterate) && !done[i] })
		for n := range plan.Includes {
			i := &plan.Includes[n]
			done[i] = done[i] || i.Once && startsFrom(from, i.From())
		}
		for n := range plan.RevIncludes {
			i := &plan.RevIncludes[n]
			done[i] = done[i] || i.Once && startsFrom(from, i.To())
		}
		from = nil
		for _, r := range found {
			key := r.current().Key
			if seen[key] || r.created < first {
				continue
			}
			if len(page.Included) == plan.MaxIncludes {
				page.Truncated = true
				if len(page.Included) > 0 && !plan.Iterates() {
					last := s.resources[page.Included[len(page.Included)-1].Key].created
					page.NextIncluded = binary.BigEndian.AppendUint64(nil, last)
				}
				return
			}
			seen[key] = true
			page.Included = append(page.Included, r.current())
			from = append(from, r.current())
		}
		if !plan.Iterates() {
			return
		}
	}
}

func startsFrom(from []fhir.Version, types []fhir.Type) bool {
	return slices.ContainsFunc(from, func(v fhir.Version) bool { return slices.Contains(types, v.Type) })
}

// around returns the current resources to which the includes that apply lead
// from some versions, in the order of creation.
func (s *Store) around(plan *search.Plan, from []fhir.Version, apply func(*search.Include) bool) []*resource {
	found := map[*resource]bool{}
	for _, m := range from {
		for n := range plan.Includes {
			if i := &plan.Includes[n]; i.Param.Type == m.Type && apply(i) {
				s.targets(*i, m.Key, found)
			}
		}
		for n := range plan.RevIncludes {
			if i := &plan.RevIncludes[n]; (i.Target == "" || i.Target == m.Type) && apply(i) {
				s.sources(*i, m.Key, found)
			}
		}
	}
	var all []*resource
	for r := range found {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *resource) int { return cmp.Compare(a.created, b.created) })
	return all
}

func (s *Store) targets(include search.Include, from fhir.Key, found map[*resource]bool) {
	for _, v := range s.resources[from].under(include.Param) {
		if !v.Ref.Local() || include.Target != "" && include.Target != v.Ref.Type {
			continue
		}
		if r, ok := s.live(v.Ref.Key()); ok {
			found[r] = true
		}
	}
}

func (s *Store) sources(include search.Include, to fhir.Key, found map[*resource]bool) {
	for key := range s.resources {
		if r, ok := s.live(key); ok && key.Type == include.Param.Type && r.refersTo(to, include.Param) {
			found[r] = true
		}
	}
}
