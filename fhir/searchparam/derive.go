package searchparam

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"salus/fhir"
	"salus/fhir/spec"
)

// Selection says in what a service's parameters differ from FHIR's own.
type Selection struct {
	Custom  []*spec.SearchParam // added to them; the pointer is what a definition is known again by
	Without map[string]bool     // URLs of those that are not used, own or custom

	// Incomplete reports whether not all resources of a type have their values of a
	// parameter yet. Such a parameter has values but is not searched by.
	Incomplete func(t fhir.Type, sp *spec.SearchParam) bool
}

// Partial returns a view of r in which incomplete parameters are searched like others.
func (r *Registry) Partial() *Registry {
	view := *r
	view.partial = true
	return &view
}

// With returns the registry of r's definitions as changed by s. Types whose
// parameters are the same in r or in before, which may be nil, are not compiled
// again. Definitions in s must have passed Check.
func (r *Registry) With(s Selection, before *Registry) *Registry {
	d := &Registry{
		defs: r.defs, all: r.all, byURL: maps.Clone(r.byURL),
		custom: make(map[*spec.SearchParam]bool, len(s.Custom)), types: make(map[fhir.Type]*resource, len(r.types)),
	}
	byBase := map[string][]*spec.SearchParam{}
	for _, sp := range s.Custom {
		d.byURL[sp.URL], d.custom[sp] = sp, true
		if s.Without[sp.URL] {
			continue
		}
		for _, base := range sp.Base {
			byBase[base] = append(byBase[base], sp)
		}
	}
	for t, old := range r.types {
		d.types[t] = d.derive(old, byBase, s)
		for _, known := range []*Registry{r, before} {
			if known != nil && d.sameType(known, t) {
				d.types[t] = known.types[t]
			}
		}
	}
	return d
}

// derive makes what is known of a type out of what is known of FHIR's own parameters.
func (r *Registry) derive(old *resource, byBase map[string][]*spec.SearchParam, s Selection) *resource {
	res := &resource{typ: old.typ, incomplete: map[string]bool{}}
	for _, sp := range old.defined {
		if !s.Without[sp.URL] {
			res.defined = append(res.defined, sp)
		}
	}
	c := compiler{registry: r, resource: res.typ}
	for base := old.typ; base != nil; base = base.Base {
		for _, sp := range byBase[base.Name] {
			at := slices.IndexFunc(res.defined, func(other *spec.SearchParam) bool { return other.Code == sp.Code })
			if at < 0 || !c.wider(sp, res.defined[at]) {
				at = len(res.defined)
			}
			res.defined = slices.Insert(res.defined, at, sp)
		}
	}
	if s.Incomplete == nil {
		return res
	}
	for _, sp := range winners(res.defined) {
		if s.Incomplete(fhir.Type(res.typ.Name), sp) {
			res.incomplete[sp.Code] = true
		}
	}
	return res
}

// winners returns the definitions that count: the first of each code.
func winners(defined []*spec.SearchParam) []*spec.SearchParam {
	seen := make(map[string]bool, len(defined))
	found := make([]*spec.SearchParam, 0, len(defined))
	for _, sp := range defined {
		if !seen[sp.Code] {
			seen[sp.Code] = true
			found = append(found, sp)
		}
	}
	return found
}

// sameType reports whether a type has the same parameters in both registries.
func (r *Registry) sameType(other *Registry, t fhir.Type) bool {
	return maps.Equal(r.types[t].incomplete, other.types[t].incomplete) && r.SameDefinitions(other, t)
}

// SameDefinitions reports whether a type has the same definitions in both registries.
func (r *Registry) SameDefinitions(other *Registry, t fhir.Type) bool {
	a, b := r.types[t], other.types[t]
	if a == b {
		return true
	}
	if !slices.Equal(a.defined, b.defined) {
		return false
	}
	for _, sp := range a.defined {
		for _, component := range sp.Components {
			if r.byURL[component.Definition] != other.byURL[component.Definition] {
				return false
			}
		}
	}
	return true
}

// Indexed tells what the values of a parameter are made by. Equal ones make
// equal values.
type Indexed struct {
	Code     string
	URL      string
	Hash     string // of what the definition says about values
	Revision int    // of the program's way to extract and index them
}

// Indexed returns what resources of a type are indexed by, sorted by code,
// incomplete parameters included.
func (r *Registry) Indexed(t fhir.Type) []Indexed {
	res := r.types[t]
	if res == nil {
		return nil
	}
	var all []Indexed
	for _, sp := range winners(res.defined) {
		if !r.HasValues(t, sp) {
			continue
		}
		p := r.param(sp, t)
		all = append(all, Indexed{Code: sp.Code, URL: sp.URL, Hash: r.HashOf(sp), Revision: p.Revision()})
	}
	slices.SortFunc(all, func(a, b Indexed) int { return strings.Compare(a.Code, b.Code) })
	return all
}

// HasValues reports whether a definition gives resources of a type index values.
func (r *Registry) HasValues(t fhir.Type, sp *spec.SearchParam) bool {
	return r.param(sp, t).Kind != Special && sp.Code != "_id" && sp.Code != "_lastUpdated"
}

// HashOf is a digest of what a definition says about values.
func (r *Registry) HashOf(sp *spec.SearchParam) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q", sp.Code, sp.Type, sp.Expression, sp.Targets)
	for _, component := range sp.Components {
		kind := ""
		if definition := r.byURL[component.Definition]; definition != nil {
			kind = definition.Type
		}
		fmt.Fprintf(h, " %q %q", kind, component.Expression)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Definition returns the definition with a URL, nil when there is none.
func (r *Registry) Definition(url string) *spec.SearchParam { return r.byURL[url] }

// Custom reports whether a definition was added to FHIR's own.
func (r *Registry) Custom(sp *spec.SearchParam) bool { return r.custom[sp] }

// TypesOf returns the resource types that a definition is for, in alphabetical order.
func (r *Registry) TypesOf(sp *spec.SearchParam) []fhir.Type {
	var found []fhir.Type
	for _, t := range r.all {
		if slices.ContainsFunc(sp.Base, r.types[t].typ.Is) {
			found = append(found, t)
		}
	}
	return found
}

// Effective returns the definition that counts for a type and code, nil when there is none.
func (r *Registry) Effective(t fhir.Type, code string) *spec.SearchParam {
	if res := r.types[t]; res != nil {
		for _, sp := range res.defined {
			if sp.Code == code {
				return sp
			}
		}
	}
	return nil
}

// wider reports whether a finds all that b finds in the compiler's type, and more.
func (c *compiler) wider(a, b *spec.SearchParam) bool {
	return c.covers(a, b) && !c.covers(b, a)
}

// covers reports whether every path of b is one of a, for parameters of one type.
func (c *compiler) covers(a, b *spec.SearchParam) bool {
	if a.Type != b.Type {
		return false
	}
	x, y := c.paths(a), c.paths(b)
	for _, path := range y {
		if !slices.Contains(x, path) {
			return false
		}
	}
	return len(y) > 0
}

// paths returns the members of an expression's union that concern the type, nil
// when it does not compile.
func (c *compiler) paths(sp *spec.SearchParam) []string {
	e, err := c.expression(sp.Expression)
	if err != nil {
		return nil
	}
	var paths []string
	for _, a := range c.alternatives(e.Root()) {
		paths = append(paths, a.String())
	}
	return paths
}
