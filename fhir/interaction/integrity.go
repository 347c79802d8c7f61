package interaction

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// reference is a literal reference of a resource to one of this service.
type reference struct {
	key        fhir.Key
	expression string // where it stands, such as Observation.hasMember[1]
}

// errReferredTo is the cause of a Conflict that trying again does not mend.
var errReferredTo = errors.New("referred to")

// anywhere is the parameter under which a service with integrity keeps the
// references that no search parameter of type t covers. It is in no registry.
func anywhere(t fhir.Type) *searchparam.Param {
	return &searchparam.Param{Type: t, Code: "#anywhere", Kind: searchparam.Reference}
}

// refer takes down the references of c's resource and adds those that values
// lack.
func (s *Service) refer(c *Change, values []searchparam.Entry, replace func(fhir.Node) (string, bool)) []searchparam.Entry {
	w := referenceWalk{isType: func(t fhir.Type) bool { return s.defs.IsResource(string(t)) }, base: c.Base, replace: replace}
	w.walk(c.Resource, string(c.Type))
	c.refers = w.found
	indexed := map[fhir.Key]bool{}
	for i := range values {
		if p := values[i].Param; p.Kind == searchparam.Reference && values[i].Value.Ref.Local() {
			indexed[values[i].Value.Ref.Key()] = true
		}
	}
	for _, r := range w.found {
		if !indexed[r.key] {
			indexed[r.key] = true
			value := searchparam.Value{Ref: fhir.Reference{Type: r.key.Type, ID: r.key.ID}}
			values = append(values, searchparam.Entry{Param: anywhere(c.Type), Value: value})
		}
	}
	return values
}

// referenceWalk finds the references that must lead somewhere: not those to
// contained resources, by URN, by identifier or to other servers, and not those
// between the entries of a Bundle that is stored as a resource.
type referenceWalk struct {
	isType  func(fhir.Type) bool
	base    string
	replace func(fhir.Node) (string, bool)
	found   []reference
}

func (w *referenceWalk) walk(n fhir.Node, path string) {
	for c := range n.Children {
		switch name := c.Name(); c.Kind() {
		case fhir.Object:
			w.walk(c, path+"."+name)
		case fhir.Array:
			if path == "Bundle" && name == "entry" {
				continue
			}
			i := 0
			for item := range c.Children {
				if item.Kind() == fhir.Object {
					w.walk(item, path+"."+name+"["+strconv.Itoa(i)+"]")
				}
				i++
			}
		case fhir.String:
			if name == "reference" {
				w.reference(c, path)
			}
		}
	}
}

func (w *referenceWalk) reference(n fhir.Node, path string) {
	text := n.Text()
	if w.replace != nil {
		if to, ok := w.replace(n); ok {
			text = to
		}
	}
	r := fhir.ParseReference(text, w.isType)
	if r.Base == w.base {
		r.Base = ""
	}
	if r.Local() {
		w.found = append(w.found, reference{r.Key(), path})
	}
}

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
		there, ok := own[r.key]
		if !ok {
			there, ok = known[r.key]
		}
		if !ok {
			v, err := s.current(ctx, r.key)
			if err != nil {
				return err
			}
			there = v.Number > 0 && !v.Deleted()
			known[r.key] = there
		}
		if !there {
			issues = append(issues, fault.Issue{
				Code: "not-found", Text: "the reference leads to no " + string(r.key.Type) + " of this service", Expression: r.expression,
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
		any := search.Or{search.Match{Param: anywhere(t), Operand: to}}
		for _, p := range registry.Params(t) {
			if p.Kind == searchparam.Reference {
				any = append(any, search.Match{Param: p, Operand: to})
			}
		}
		branches = append(branches, search.Branch{Type: t, Filter: any})
	}
	return branches
}
