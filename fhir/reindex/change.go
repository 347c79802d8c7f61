package reindex

import (
	"context"
	"maps"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// Admit checks the SearchParameter resources among writes that are about to be
// committed, each in the light of those before it. On success settle must be
// called: with true once they are committed, which makes the definitions count,
// otherwise with false. Until then other changes of definitions wait; other
// writes do not.
//
// Faults: Invalid for a definition that breaks a rule; MethodNotAllowed for the
// update of one that FHIR defines; Busy while a reindex job that somebody has
// asked for is running.
//
// Compat: while a job that a client has asked for is running, search parameters
// cannot change, as in the reference; indexing that began by itself does not stand
// in the way.
func (x *Indexer) Admit(ctx context.Context, writes []store.Write) (settle func(committed bool), err error) {
	if !slices.ContainsFunc(writes, func(w store.Write) bool { return w.Key.Type == parameterType }) {
		return func(bool) {}, nil
	}
	x.changing.Lock()
	next, err := x.admit(writes)
	if err != nil {
		x.changing.Unlock()
		return nil, err
	}
	return func(committed bool) {
		defer x.changing.Unlock()
		if committed {
			x.adopt(context.WithoutCancel(ctx), next)
		}
	}, nil
}

// admit returns the definitions as they will be.
func (x *Indexer) admit(writes []store.Write) (map[fhir.ID]*definition, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.free(); err != nil {
		return nil, err
	}
	next := maps.Clone(x.custom)
	for _, w := range writes {
		if w.Key.Type != parameterType || w.Method == fhir.Purge && w.DropSuperseded {
			continue
		}
		delete(next, w.Key.ID)
		if w.Method == fhir.Delete || w.Method == fhir.Purge {
			continue
		}
		sp, err := define(w.Body)
		if err != nil {
			return nil, err
		}
		if x.own.Definition(sp.URL) != nil && w.Method != fhir.Post {
			return nil, ofFHIR()
		}
		if err := x.registry(next, nil).Check(sp); err != nil {
			return nil, err
		}
		next[w.Key.ID] = &definition{sp: sp}
	}
	return next, x.complete(next)
}

// ofFHIR refuses to change what FHIR itself defines.
func ofFHIR() error {
	return fault.New(fault.MethodNotAllowed, "the search parameter is defined by the FHIR specification: it can be switched off by $status, but not updated or deleted")
}

// free refuses changes while a job that somebody has asked for is at work.
func (x *Indexer) free() error {
	if j := x.active(); j != nil && j.Requested {
		return fault.New(fault.Busy, "search parameters cannot change while reindex job %d is running", j.ID)
	}
	return nil
}

// complete reports composites that would be left without a component.
func (x *Indexer) complete(next map[fhir.ID]*definition) error {
	r := x.registry(next, nil)
	for _, d := range next {
		for _, c := range d.sp.Components {
			if d.err == nil && r.Definition(c.Definition) == nil {
				return fault.With(fault.Invalid, fault.Issue{
					Code: "business-rule", Text: "a composite search parameter has this one as a component; delete the composite first", Expression: "SearchParameter.url",
				})
			}
		}
	}
	return nil
}

// adopt makes committed definitions count. Should its own state not be kept, it
// follows from the resources at the next start.
func (x *Indexer) adopt(ctx context.Context, next map[fhir.ID]*definition) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, d := range x.custom { // what is gone is not switched off any more
		if n := next[id]; (n == nil || n.sp.URL != d.sp.URL) && x.own.Definition(d.sp.URL) == nil {
			delete(x.without, d.sp.URL)
		}
	}
	x.custom = next
	if err := x.follow(ctx); err != nil {
		x.log.Error("the state of search parameters could not be kept", "error", err.Error())
	}
}

// follow takes over changed definitions: marks, registry, and the work to do.
func (x *Indexer) follow(ctx context.Context) error {
	changed := x.settleMarks(x.wanted)
	off := slices.Sorted(maps.Keys(x.without))
	err := x.keep(ctx, stateWithout, off)
	if err == nil {
		err = x.keepMarks(ctx, changed)
	}
	x.publish()
	x.plan()
	return err
}

// Deletable tells whether a SearchParameter that is there or not may be deleted.
// Faults: MethodNotAllowed for one of FHIR's own, NotFound for one that never was.
//
// Compat: DELETE of what never was is 204, but 404 for a SearchParameter, as in the
// reference.
func (x *Indexer) Deletable(key fhir.Key, exists bool) error {
	if key.Type != parameterType || exists {
		return nil
	}
	if x.own.Definition("http://hl7.org/fhir/SearchParameter/"+string(key.ID)) != nil {
		return ofFHIR()
	}
	return fault.New(fault.NotFound, "there is no search parameter with this id")
}

// sortedURLs returns the URLs of all definitions, FHIR's own and others.
func (x *Indexer) sortedURLs() []string {
	urls := map[string]bool{}
	for _, sp := range x.own.BuiltIn() {
		urls[sp.URL] = true
	}
	for _, d := range x.custom {
		urls[d.sp.URL] = true
	}
	for _, m := range x.marks {
		for _, k := range m {
			if k.URL != "" {
				urls[k.URL] = true // deleted, but still indexed
			}
		}
	}
	return slices.SortedFunc(maps.Keys(urls), strings.Compare)
}
