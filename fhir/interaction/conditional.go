package interaction

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// maxConditionalDelete is the largest _count of a conditional delete.
const maxConditionalDelete = 100

// criteria are what a conditional change is known by, once they are understood.
type criteria struct {
	query *search.Query
	err   error
}

// Exclude lets conditional writes with the same criteria take turns in this
// process until leave is called, so that of many only one writes and the others
// find, without a lost race for each. That there is never a second match does
// not depend on it: the store holds each write to what its search has found.
// Until leave, the changes also count as writes under the search parameters of
// now: every write is done between Exclude and leave.
func (s *Service) Exclude(ctx context.Context, changes ...*Change) (leave func(), err error) {
	var names []string
	for _, c := range changes {
		if name := s.Condition(ctx, c); name != "" {
			names = append(names, name)
		}
	}
	done := s.params.Enter()
	if len(names) == 0 {
		return done, nil
	}
	free, err := s.turns.enter(ctx, names)
	if err != nil {
		done()
		return nil, err
	}
	return func() { free(); done() }, nil
}

// Condition names the resource that a conditional change is about, as far as
// the request tells: its type with what the criteria mean, however they are
// spelt. It is "" for other changes and for criteria that Locate will refuse.
func (s *Service) Condition(ctx context.Context, c *Change) string {
	if q, err := s.criteriaFor(ctx, c); err == nil && q != nil {
		return string(c.Type) + "?" + spell(q.Plan.Branches[0].Filter)
	}
	return ""
}

// criteriaFor returns the criteria of a conditional change, nil for others. They
// are read once, so that they mean the same at every attempt.
func (s *Service) criteriaFor(ctx context.Context, c *Change) (*search.Query, error) {
	if !c.Conditional() {
		return nil, nil
	}
	if c.criteria.query == nil && c.criteria.err == nil {
		c.criteria.query, c.criteria.err = s.criteriaOf(ctx, c.Type, c.query(), c.Strict, c.Base)
	}
	return c.criteria.query, c.criteria.err
}

// query returns the criteria of a conditional change.
func (c *Change) query() string {
	if c.Method == fhir.Post {
		return strings.TrimPrefix(c.IfNoneExist, "?")
	}
	return c.Criteria
}

// locateByCriteria finds the resource of a conditional create, update, patch or
// delete of one (FHIR R4 http §3.1.0.8.1, §3.1.0.4.3, §3.1.0.6, §3.1.0.7.1).
func (s *Service) locateByCriteria(ctx context.Context, c *Change) error {
	query, err := s.criteriaFor(ctx, c)
	if c.Method == fhir.Patch {
		err = unselective(err, c.Criteria)
	}
	if err != nil {
		return err
	}
	found, err := s.match(ctx, query)
	if err != nil {
		return err
	}
	id := c.Resource.ID()
	switch {
	case len(found) > 1:
		return s.severalMatches(c.Type)
	case len(found) == 1:
		c.Key, c.Current, c.Found = found[0].Key, found[0], true
	case c.Method == fhir.Delete || c.Method == fhir.Purge:
		c.Key = fhir.Key{} // there is nothing to delete
	case c.Method == fhir.Patch:
		return fault.New(fault.NotFound, "no %s matches the criteria", c.Type)
	case c.Method == fhir.Put && id != "":
		if !fhir.ValidID(string(id)) {
			return invalidID()
		}
		c.Key = fhir.Key{Type: c.Type, ID: id}
	default:
		s.assign(c)
	}
	return nil
}

// severalMatches refuses criteria that are met by several resources.
func (s *Service) severalMatches(t fhir.Type) error {
	// Compat: when criteria match several resources, the issue code is required in the reference and multiple-matches in FHIR.
	code := "required"
	if s.compat == fhir.Strict {
		code = "multiple-matches"
	}
	return fault.With(fault.Precondition, fault.Issue{
		Code: code, Text: "the criteria match more than one " + string(t) + "; a conditional interaction needs at most one",
	})
}

// criteriaOf checks the query of a conditional interaction. Unless strict,
// what it does not know is left out as in a search, but not all of it.
func (s *Service) criteriaOf(ctx context.Context, t fhir.Type, query string, strict bool, base string) (*search.Query, error) {
	params, err := search.ParseParams(query)
	if err != nil {
		return nil, err
	}
	text := "the criteria for " + string(t) + " are not selective enough: there must be at least one search parameter that is known and has a value"
	if len(params) == 0 {
		return nil, fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: text})
	}
	q, err := s.plan(ctx, search.Request{Types: []fhir.Type{t}, Params: params, Strict: strict, Base: base, Now: s.now(), List: s.listed(ctx, base)})
	if err != nil {
		return nil, err
	}
	if q.Criteria == 0 {
		return nil, fault.With(fault.Precondition, fault.Issue{Code: "required", Text: text})
	}
	return q, nil
}

// unselective is err, but for a query without any criteria Precondition, as a
// patch and a delete answer it.
func unselective(err error, query string) error {
	if fault.Is(err, fault.Invalid) && strings.Trim(query, "&") == "" {
		return fault.With(fault.Precondition, fault.Issue{Code: "required", Text: fault.As(err).Message})
	}
	return err
}

// match returns resources that meet the criteria: two when there are two or more.
func (s *Service) match(ctx context.Context, q *search.Query) ([]fhir.Version, error) {
	page, err := s.store.Search(ctx, &search.Plan{Branches: q.Plan.Branches, Count: 2})
	if err != nil {
		return nil, err
	}
	return page.Matches, nil
}

// DeleteMatching deletes what the write's Criteria match: nothing, one
// resource, or with _count up to that many, with what _include and _revinclude
// add, all in one write (FHIR R4 http §3.1.0.7.1). It returns how many were
// deleted. Faults: Precondition when several match without _count or the
// criteria select nothing in particular; Invalid for a broken query.
func (s *Service) DeleteMatching(ctx context.Context, w Write, hard bool) (int, error) {
	if err := s.known(w.Type); err != nil {
		return 0, err
	}
	q, err := s.criteriaOf(ctx, w.Type, w.Criteria, w.Strict, w.Base)
	if err = unselective(err, w.Criteria); err != nil {
		return 0, err
	}
	most, err := deleteCount(q.Self)
	if err != nil {
		return 0, err
	}
	plan := &search.Plan{
		Branches: q.Plan.Branches, Count: max(most, 2),
		Includes: q.Plan.Includes, RevIncludes: q.Plan.RevIncludes, MaxIncludes: q.Plan.MaxIncludes,
	}
	method := fhir.Delete
	if hard {
		method = fhir.Purge
	}
	deleted := 0
	err = Retry(ctx, func() error {
		deleted = 0
		page, err := s.store.Search(ctx, plan)
		switch {
		case err != nil:
			return err
		case most == 0 && len(page.Matches) > 1:
			return s.severalMatches(w.Type)
		case page.Truncated:
			return badParameter("_includesCount", "must be larger: more resources are included than a page may hold")
		}
		matches := page.Matches
		if most > 0 {
			matches = matches[:min(most, len(matches))]
		}
		var changes []*Change
		for _, v := range slices.Concat(matches, page.Included) {
			c := &Change{Method: method, Key: v.Key, Current: v, Write: Write{Type: v.Type, ID: v.ID}}
			c.drop = s.drops(c)
			changes = append(changes, c)
		}
		if _, err := s.Hold(ctx, changes...); err != nil {
			return err
		}
		_, err = s.commitAll(ctx, changes)
		deleted = len(changes)
		return err
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// deleteCount returns the _count of a conditional delete, 0 when there is none.
func deleteCount(params []search.Param) (int, error) {
	for _, p := range params {
		if p.Name != "_count" {
			continue
		}
		n, err := strconv.Atoi(p.Value)
		if err != nil || n < 1 || n > maxConditionalDelete {
			return 0, badParameter("_count", "of a conditional delete must be from 1 to "+strconv.Itoa(maxConditionalDelete))
		}
		return n, nil
	}
	return 0, nil
}
