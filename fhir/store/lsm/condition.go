package lsm

import (
	"context"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

// hold checks the Require and Unless of a call's writes, whose heads are given.
func (c *committer) hold(p *pending, heads []head) error {
	var require []fhir.Key
	var unless []search.Branch
	for i := range p.writes {
		require = append(require, p.writes[i].Require...)
		unless = append(unless, p.writes[i].Unless...)
	}
	if len(require) > 0 {
		if err := c.require(p, heads, require); err != nil {
			return err
		}
	}
	if len(unless) > 0 {
		return c.unless(p, unless)
	}
	return nil
}

func (c *committer) require(p *pending, heads []head, keys []fhir.Key) error {
	after := make(map[docID]bool, len(p.writes)) // whether what the call writes is there then
	for i := range p.writes {
		after[p.prepared[i].claim.doc] = leaves(&p.writes[i], heads[i])
	}
	for _, key := range keys {
		claim := p.claims[key]
		there, own := after[claim.doc]
		if !own {
			h, err := c.head(claim)
			if err != nil {
				return err
			}
			there = h.live()
		}
		if !there {
			return fault.New(fault.Conflict, "the write requires a %s that is not there", key.Type)
		}
	}
	return nil
}

// leaves reports whether the resource of a write is there afterwards.
func leaves(w *store.Write, old head) bool {
	switch w.Method {
	case fhir.Delete:
		return false
	case fhir.Purge:
		return w.DropSuperseded && old.live()
	}
	return true
}

// unless searches for what must not be there. The call is the first of its
// group, so that the database has all that was committed before.
func (c *committer) unless(p *pending, branches []search.Branch) (err error) {
	q, err := c.s.newQuery(context.Background()) // past the point where a caller may leave
	if err != nil {
		return err
	}
	defer func() { err = q.close(err) }()
	found, err := q.branches(&search.Plan{Branches: branches})
	if err != nil {
		return err
	}
	own := make(map[docID]bool, len(p.writes))
	for i := range p.prepared {
		own[p.prepared[i].claim.doc] = true
	}
	met := false
	err = each(found, 0, q.last, func(doc docID) (bool, error) {
		met = !own[doc]
		return !met, nil
	})
	if err == nil && met {
		err = fault.New(fault.Conflict, "a resource is there that the write must not meet")
	}
	return err
}
