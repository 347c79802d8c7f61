package searchparam

import (
	"salus/fhir"
	"salus/fhir/spec"
)

// ExtractByEvaluation extracts every parameter by evaluating its expression,
// without the trie.
func (r *Registry) ExtractByEvaluation(n fhir.Node, o Options) ([]Entry, error) {
	res := r.compiled(n.Type())
	c := compiler{registry: r, resource: res.typ}
	x := extraction{registry: r, options: o, root: n}
	for _, p := range res.params {
		if p.Kind == Special || p.Code == "_id" || p.Code == "_lastUpdated" {
			continue
		}
		q := *p // general makes components of its own
		q.Components = nil
		g, err := c.general(&q, r.byURL[p.URL])
		if err != nil {
			return nil, err
		}
		if err := g.extract(&x); err != nil {
			return nil, err
		}
	}
	return x.out, x.err
}

// Idle returns the names of parameters that can never have a value.
func (r *Registry) Idle() []string {
	var idle []string
	for _, t := range r.all {
		res := r.compiled(t)
		busy := map[*Param]bool{}
		for _, g := range res.general {
			busy[g.param] = true
		}
		res.root.collect(busy)
		for _, p := range res.params {
			if !busy[p] {
				idle = append(idle, p.Name())
			}
		}
	}
	return idle
}

// General returns the names of parameters that the trie cannot hold.
func (r *Registry) General() []string {
	var names []string
	for _, t := range r.all {
		for _, g := range r.compiled(t).general {
			names = append(names, g.param.Name())
		}
	}
	return names
}

func (p *place) collect(busy map[*Param]bool) {
	for _, s := range p.sinks {
		busy[s.param] = true
	}
	for _, e := range p.edges {
		e.to.collect(busy)
	}
	for _, g := range p.guarded {
		g.to.collect(busy)
	}
}

// Probe extracts by a definition that is not in the registry: as the registry
// would, and by evaluation. general reports that the trie cannot hold it.
func (r *Registry) Probe(sp *spec.SearchParam, n fhir.Node) (got, evaluated []Entry, general bool, err error) {
	c := compiler{registry: r, resource: r.types[n.Type()].typ}
	res := &resource{typ: c.resource, root: new(place)}
	p := r.param(sp, n.Type())
	if err := c.param(p, sp, res); err != nil {
		return nil, nil, false, err
	}
	res.root.seal()
	x := extraction{registry: r, root: n}
	if err := x.all(res); err != nil {
		return nil, nil, false, err
	}
	q := *p
	q.Components = nil
	g, err := c.general(&q, sp)
	if err != nil {
		return nil, nil, false, err
	}
	y := extraction{registry: r, root: n}
	err = g.extract(&y)
	return x.out, y.out, len(res.general) > 0, err
}
