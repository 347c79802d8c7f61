// Package searchparam knows the search parameters of every resource type and
// takes their values out of resources.
//
// The paths of all parameters of a type are laid over each other in a trie, so
// that one walk over a resource finds the values of all; the few expressions
// that are more than paths are evaluated by package fhirpath. Both ways give the
// same values, and a value comes once. It promises that what can be said in a
// query about a data type (FHIR R4 search §3.1.1.4) is in its values, and leaves
// the query to package search and the index to the engines behind package store.
package searchparam

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// Registry knows the search parameters of every resource type. It is immutable
// to its users and safe for concurrent use. With derives others from it.
type Registry struct {
	defs    *spec.Definitions
	byURL   map[string]*spec.SearchParam
	custom  map[*spec.SearchParam]bool // definitions that are not FHIR's own
	all     []fhir.Type
	types   map[fhir.Type]*resource
	partial bool // a view in which incomplete parameters are searched like others
}

// resource is what the registry knows of one resource type. The parameters are
// compiled at the first use of the type: few services ever see all 146.
type resource struct {
	typ        *spec.Type
	defined    []*spec.SearchParam // of several with one code the first counts
	incomplete map[string]bool     // codes of parameters that not all resources have their values of yet

	once     sync.Once
	params   []*Param // complete ones
	every    []*Param // with those that are incomplete
	byCode   map[string]*Param
	root     *place     // of the trie
	general  []*general // parameters that the trie cannot hold
	failures error
}

var kinds = map[string]Kind{
	"number": Number, "date": Date, "string": String, "token": Token, "reference": Reference,
	"composite": Composite, "quantity": Quantity, "uri": URI, "special": Special,
}

// NewRegistry makes the registry of the definitions' search parameters and of
// expiry.
func NewRegistry(defs *spec.Definitions) (*Registry, error) {
	r := &Registry{
		defs:  defs,
		byURL: make(map[string]*spec.SearchParam, len(defs.SearchParams())),
		types: make(map[fhir.Type]*resource, len(defs.Resources())),
	}
	byBase := map[string][]*spec.SearchParam{}
	for _, sp := range append(slices.Clip(defs.SearchParams()), expiry) {
		if kinds[sp.Type] == 0 {
			return nil, fmt.Errorf("search parameter %s: unknown type %q", sp.URL, sp.Type)
		}
		if r.byURL[sp.URL] != nil {
			return nil, fmt.Errorf("search parameter %s: defined twice", sp.URL)
		}
		r.byURL[sp.URL] = sp
		for _, base := range sp.Base {
			if defs.Type(base) == nil {
				return nil, fmt.Errorf("search parameter %s: unknown base %q", sp.URL, base)
			}
			byBase[base] = append(byBase[base], sp)
		}
	}
	for _, t := range defs.Resources() {
		res := &resource{typ: t}
		for base := t; base != nil; base = base.Base {
			res.defined = append(res.defined, byBase[base.Name]...)
		}
		r.types[fhir.Type(t.Name)] = res
		r.all = append(r.all, fhir.Type(t.Name))
	}
	return r, nil
}

// Definitions returns the definitions that the registry was made of.
func (r *Registry) Definitions() *spec.Definitions { return r.defs }

// BuiltIn returns the definitions that are not custom ones, in no order.
func (r *Registry) BuiltIn() []*spec.SearchParam {
	var all []*spec.SearchParam
	for _, sp := range r.byURL {
		if !r.custom[sp] {
			all = append(all, sp)
		}
	}
	return all
}

// Types returns all concrete resource types in alphabetical order. The slice
// must not be changed.
func (r *Registry) Types() []fhir.Type { return r.all }

// IsType reports whether t is a concrete resource type.
func (r *Registry) IsType(t fhir.Type) bool { return r.types[t] != nil }

// Param returns the parameter by which resources of type t are searched under
// that code, nil when there is none.
func (r *Registry) Param(t fhir.Type, code string) *Param {
	if res := r.compiled(t); res != nil && (r.partial || !res.incomplete[code]) {
		return res.byCode[code]
	}
	return nil
}

// Params returns the parameters of a type, sorted by code. The slice must not be
// changed.
func (r *Registry) Params(t fhir.Type) []*Param {
	if res := r.compiled(t); res != nil {
		if r.partial {
			return res.every
		}
		return res.params
	}
	return nil
}

// Compile compiles the parameters of every type now and returns what is wrong
// with them. Without it, this happens at the first use of a type, and Extract
// returns the error.
func (r *Registry) Compile() error {
	for _, t := range r.all {
		if err := r.compiled(t).failures; err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) compiled(t fhir.Type) *resource {
	res := r.types[t]
	if res != nil {
		res.once.Do(func() { r.compile(res) })
	}
	return res
}

func (r *Registry) compile(res *resource) {
	res.byCode = make(map[string]*Param, len(res.defined))
	c := compiler{registry: r, resource: res.typ}
	res.root = new(place)
	for _, sp := range res.defined {
		if res.byCode[sp.Code] != nil {
			continue // the definition for the more specific base came first
		}
		p := r.param(sp, fhir.Type(res.typ.Name))
		if err := c.param(p, sp, res); err != nil {
			if r.custom[sp] {
				continue // it passes on its base; a type on which it does not must still be written
			}
			res.failures = fault.Wrap(fault.Internal, err, "search parameter %s does not compile", p.Name())
			continue
		}
		res.byCode[p.Code] = p
		res.every = append(res.every, p)
	}
	slices.SortFunc(res.every, func(a, b *Param) int { return strings.Compare(a.Code, b.Code) })
	res.params = res.every
	if len(res.incomplete) > 0 {
		res.params = slices.DeleteFunc(slices.Clone(res.every), func(p *Param) bool { return res.incomplete[p.Code] })
	}
	res.root.seal()
}

// param makes a parameter without its extraction.
func (r *Registry) param(sp *spec.SearchParam, t fhir.Type) *Param {
	p := &Param{Type: t, Code: sp.Code, URL: sp.URL, Kind: kinds[sp.Type]}
	switch sp.Code {
	case "_text", "_content", "_query", "_filter":
		p.Kind = Special // typed string or token, but none of the rules of these types applies
	}
	if sp.URL == near {
		p.Kind = Position
	}
	if p.Kind == Reference {
		p.Targets = r.all
		if len(sp.Targets) > 0 {
			p.Targets = nil
			for _, target := range sp.Targets {
				if r.IsType(fhir.Type(target)) {
					p.Targets = append(p.Targets, fhir.Type(target))
				}
			}
		}
	}
	return p
}
