package reindex

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
)

// The names of what is kept in the store.
const (
	stateIndex   = "search-index/" // and a type: what its resources are indexed by
	stateWithout = "search-parameters/disabled"
	stateBases   = "search-index-bases"
	stateJobs    = "reindex/jobs"
)

// mark says by what the resources of a type have values of a code.
type mark struct {
	Hash     string `json:"h"` // of the definition; stale when some have none or others
	Revision int    `json:"r"`
	URL      string `json:"u"` // empty for references, under searchparam.Anywhere
}

// stale as a Hash says that the values are of no use until they are made anew.
const stale = "-"

// marks are those of a type, by code.
type marks map[string]mark

// firstMarks are those of data that was written before marks were kept: FHIR's
// own definitions, in their first revision.
func firstMarks(own *searchparam.Registry, t fhir.Type) marks {
	m := marks{}
	for _, i := range own.Indexed(t) {
		m[i.Code] = mark{Hash: i.Hash, Revision: 1, URL: i.URL}
	}
	return m
}

// wantedMarks are those that a type will have once it is indexed as is wanted.
func (x *Indexer) wantedMarks(t fhir.Type) marks {
	m := marks{}
	for _, i := range x.wanted.Indexed(t) {
		m[i.Code] = mark{Hash: i.Hash, Revision: i.Revision, URL: i.URL}
	}
	if x.integrity {
		m[searchparam.AnywhereCode] = mark{Hash: "references", Revision: 1}
	}
	return m
}

func (x *Indexer) loadState(ctx context.Context) error {
	state, err := x.store.State(ctx, "")
	if err != nil {
		return err
	}
	x.marks = map[fhir.Type]marks{}
	var off []string
	var kept keptJobs
	for name, value := range state {
		var into any
		switch {
		case strings.HasPrefix(name, stateIndex):
			m := marks{}
			x.marks[fhir.Type(strings.TrimPrefix(name, stateIndex))] = m
			into = &m
		case name == stateWithout:
			into = &off
		case name == stateBases:
			into = &x.bases
		case name == stateJobs:
			into = &kept
		default:
			continue
		}
		if err := json.Unmarshal(value, into); err != nil {
			return fault.Wrap(fault.Internal, err, "stored data is damaged: state %s", name)
		}
	}
	for _, url := range off {
		x.without[url] = true
	}
	x.jobs, x.nextID = kept.Jobs, max(1, kept.Next)
	for _, t := range x.own.Types() {
		if x.marks[t] == nil {
			x.marks[t] = firstMarks(x.own, t)
		}
	}
	return nil
}

// keep stores one value.
func (x *Indexer) keep(ctx context.Context, name string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "state %s cannot be written", name)
	}
	return x.store.SetState(ctx, map[string][]byte{name: b})
}

// keepMarks stores the marks of some types.
func (x *Indexer) keepMarks(ctx context.Context, types []fhir.Type) error {
	if len(types) == 0 {
		return nil
	}
	values := make(map[string][]byte, len(types))
	for _, t := range types {
		b, err := json.Marshal(x.marks[t])
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the marks of %s cannot be written", t)
		}
		values[stateIndex+string(t)] = b
	}
	return x.store.SetState(ctx, values)
}

// settleMarks takes over the definitions of now as what is wanted. Values that
// writes no longer keep up are marked stale, so that they are not taken for good
// when their definition comes back. It returns the types whose marks are no longer as kept.
func (x *Indexer) settleMarks(before *searchparam.Registry) []fhir.Type {
	x.wanted = x.registry(x.custom, nil)
	var changed []fhir.Type
	for _, t := range x.own.Types() {
		if before != nil && x.wanted.SameDefinitions(before, t) {
			continue
		}
		for code, m := range x.marks[t] {
			if m.Hash != stale && !x.maintained(t, code, m) {
				m.Hash = stale
				x.marks[t][code] = m
				if !slices.Contains(changed, t) {
					changed = append(changed, t)
				}
			}
		}
	}
	return changed
}

// maintained reports whether today's writes give values that go with those which
// a mark is about. A definition of FHIR's own that a wider one has replaced, or
// that has come back after it, finds what it finds among the wider one's values.
func (x *Indexer) maintained(t fhir.Type, code string, m mark) bool {
	if code == searchparam.AnywhereCode {
		return x.integrity
	}
	sp := x.wanted.Effective(t, code)
	if sp == nil {
		return false
	}
	if !x.wanted.Custom(sp) {
		return true
	}
	return x.wanted.HashOf(sp) == m.Hash || x.ownWith(t, code)
}

// ownWith reports whether a type has a parameter of FHIR's own under a code that is in use.
func (x *Indexer) ownWith(t fhir.Type, code string) bool {
	sp := x.own.Effective(t, code)
	return sp != nil && !x.without[sp.URL]
}

// incomplete reports whether not every resource has its values of a parameter.
func (x *Indexer) incomplete(t fhir.Type, sp *spec.SearchParam) bool {
	if !x.wanted.HasValues(t, sp) {
		return false
	}
	if x.ownWith(t, sp.Code) {
		m, ok := x.marks[t][sp.Code]
		return !ok || m.Hash == stale
	}
	return !x.indexed(sp)
}

// indexed reports whether all types of a custom definition have its values,
// where it is the one that counts.
func (x *Indexer) indexed(sp *spec.SearchParam) bool {
	hash := x.wanted.HashOf(sp)
	for _, t := range x.wanted.TypesOf(sp) {
		if x.wanted.Effective(t, sp.Code) == sp && x.marks[t][sp.Code].Hash != hash {
			return false
		}
	}
	return true
}

// behind reports whether a type's resources are not indexed as is wanted.
func (x *Indexer) behind(t fhir.Type) bool {
	want := x.wantedMarks(t)
	have := x.marks[t]
	if len(want) != len(have) {
		return true
	}
	for code, m := range want {
		if h := have[code]; h.Hash != m.Hash || h.Revision != m.Revision {
			return true
		}
	}
	return false
}

// allBehind returns the types that have to be indexed anew.
func (x *Indexer) allBehind() []fhir.Type {
	var types []fhir.Type
	for _, t := range x.own.Types() {
		if x.behind(t) {
			types = append(types, t)
		}
	}
	return types
}

// emptyTypes marks types without resources as indexed. It is for the time
// before anything is written.
func (x *Indexer) emptyTypes(ctx context.Context, _ []fhir.Type) error {
	behind := x.allBehind()
	if len(behind) == 0 {
		return nil
	}
	counts, err := x.store.Count(ctx)
	if err != nil {
		return err
	}
	behind = slices.DeleteFunc(behind, func(t fhir.Type) bool { return counts[t] > 0 })
	for _, t := range behind {
		x.marks[t] = x.wantedMarks(t)
	}
	return x.keepMarks(ctx, behind)
}

// differing returns the names of parameters whose values a type does not have as wanted.
func (x *Indexer) differing(t fhir.Type) []string {
	want, have := x.wantedMarks(t), x.marks[t]
	var names []string
	for code, m := range want {
		if h := have[code]; h.Hash != m.Hash || h.Revision != m.Revision {
			names = append(names, m.URL)
		}
	}
	for code, m := range have {
		if _, ok := want[code]; !ok {
			names = append(names, m.URL)
		}
	}
	return slices.DeleteFunc(names, func(url string) bool { return url == "" })
}
