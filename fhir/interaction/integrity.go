package interaction

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// errReferredTo is the cause of a Conflict that trying again does not mend.
var errReferredTo = errors.New("referred to")

// Hold keeps references whole, when the service is so configured: what the
// changes refer to must be there or come with them, and nothing that remains may
// refer to what they delete. The changes are prepared and go to the store in one
// write, which is held to what Hold has found: other writers cannot come between.
// On failure it returns the index of the change that is at fault. Faults: Invalid
// with an issue for each reference that leads nowhere, Conflict for a deletion of
// what is referred to.
func (s *Service) Hold(ctx context.Context, changes ...*Change) (failed int, err error) {
	if !s.integrity {
		return 0, nil
	}
	own := make(map[fhir.Key]bool, len(changes)) // whether what the changes write is there afterwards
	for _, c := range changes {
		if _, writes := c.Step(); writes {
			own[c.Key] = c.Method != fhir.Delete && c.Method != fhir.Purge
		}
	}
	for i, c := range changes {
		c.unless = nil
		stays, writes := own[c.Key]
		switch {
		case !writes:
		case stays:
			err = s.leadSomewhere(ctx, c, own)
		case c.exists():
			err = s.unreferred(ctx, c, own)
		}
		if err != nil {
			return i, err
		}
	}
	return 0, nil
}

// leadSomewhere checks the references of a change.
func (s *Service) leadSomewhere(ctx context.Context, c *Change, own map[fhir.Key]bool) error {
	var issues []fault.Issue
	known := map[fhir.Key]bool{}
	for _, r := range c.refers {
		there, ok := own[r.Key]
		if !ok {
			there, ok = known[r.Key]
		}
		if !ok {
			v, err := s.current(ctx, r.Key)
			if err != nil {
				return err
			}
			there = v.Number > 0 && !v.Deleted()
			known[r.Key] = there
		}
		if !there {
			issues = append(issues, fault.Issue{
				Code: "not-found", Text: "the reference leads to no " + string(r.Key.Type) + " of this service", Expression: r.Expression,
			})
		}
	}
	if issues == nil {
		return nil
	}
	return fault.With(fault.Invalid, issues...)
}

// unreferred checks that nothing but what is written with it refers to the
// resource that a change deletes.
func (s *Service) unreferred(ctx context.Context, c *Change, own map[fhir.Key]bool) error {
	c.unless = s.referrers(c.Key)
	page, err := s.store.Search(ctx, &search.Plan{Branches: c.unless, Count: len(own) + 1})
	if err != nil {
		return err
	}
	referred := false
	for _, v := range page.Matches {
		if _, mine := own[v.Key]; !mine {
			referred = true
		}
	}
	if !referred {
		return nil
	}
	var found []string
	for _, b := range c.unless {
		var ids search.IDs
		for key := range own {
			if key.Type == b.Type {
				ids = append(ids, key.ID)
			}
		}
		if ids != nil {
			b.Filter = search.And{b.Filter, search.Not{Filter: ids}}
		}
		page, err := s.store.Search(ctx, &search.Plan{Branches: []search.Branch{b}})
		if err != nil {
			return err
		}
		if page.Total > 0 {
			found = append(found, fmt.Sprintf("%d %s", page.Total, b.Type))
		}
	}
	f := fault.Wrap(fault.Conflict, errReferredTo, "the %s cannot be deleted because others refer to it: %s", c.Type, strings.Join(found, ", "))
	return f
}

// referrers selects every resource that refers to key.
func (s *Service) referrers(key fhir.Key) []search.Branch {
	to := search.Ref{Type: key.Type, ID: key.ID}
	registry := s.params.Registry()
	var branches []search.Branch
	for _, t := range registry.Types() {
		any := search.Or{search.Match{Param: searchparam.Anywhere(t), Operand: to}}
		for _, p := range registry.Params(t) {
			if p.Kind == searchparam.Reference {
				any = append(any, search.Match{Param: p, Operand: to})
			}
		}
		branches = append(branches, search.Branch{Type: t, Filter: any})
	}
	return branches
}
