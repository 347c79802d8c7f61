package searchparam

import (
	"salus/fault"
	"salus/fhir"
	"salus/fhir/fhirpath"
)

// maxCombinations bounds the values of a composite at one element, which are
// the product of its components' values.
const maxCombinations = 4096

// composite puts a composite's extraction to its locations. It reports whether
// a trie can hold all of it.
func (c *compiler) composite(p *Param, g *general, found []location) bool {
	sinks := make([]*sink, len(found))
	for i, l := range found {
		sinks[i] = &sink{param: p, convert: compositeValues}
		for k, e := range g.components {
			sources, ok := c.component(p.Components[k], e, l)
			if !ok {
				return false
			}
			sinks[i].parts = append(sinks[i].parts, sources)
		}
	}
	for i, l := range found {
		l.at.sinks = append(l.at.sinks, sinks[i])
	}
	return true
}

// component compiles a component's expression on the composite's location.
func (c *compiler) component(p *Param, e *fhirpath.Expression, l location) (sources []source, ok bool) {
	here := location{at: new(place), typ: l.typ, element: l.element, single: true}
	root := location{at: new(place), typ: c.resource, single: true}
	found, ok := c.follow(e.Root(), here, root)
	for _, l := range found {
		c.sink(p, l)
	}
	if !here.at.seal() {
		sources = append(sources, source{at: here.at})
	}
	if !root.at.seal() {
		sources = append(sources, source{at: root.at, absolute: true})
	}
	return sources, ok
}

// compositeValues adds the combinations of the components' values at or below n.
// All come from the same element, which is what a composite is for.
func compositeValues(x *extraction, s *sink, n fhir.Node) {
	x.gather(len(s.parts), func(i int) {
		for _, source := range s.parts[i] {
			if source.absolute {
				x.walk(source.at, x.root, 0)
			} else {
				x.walk(source.at, n, 0)
			}
		}
	})
	x.combine(s.param)
}

// gather lets component add the values of each component. It begins with the
// last: that is the value, which a resource lacks more often than the code
// before it, and without it the rest does not matter.
func (x *extraction) gather(components int, component func(i int)) {
	x.gathering, x.gathered, x.bounds = true, x.gathered[:0], x.bounds[:0]
	for i := components - 1; i >= 0; i-- {
		from := len(x.gathered)
		x.bounds = append(x.bounds, from)
		if component(i); len(x.gathered) == from {
			x.bounds = x.bounds[:0]
			break
		}
	}
	x.gathering = false
}

// combine adds every combination of the gathered values.
func (x *extraction) combine(p *Param) {
	if len(x.bounds) == 0 {
		return
	}
	x.bounds = append(x.bounds, len(x.gathered))
	last := len(x.bounds) - 2
	combinations := 1
	for i := range last + 1 {
		combinations *= x.bounds[i+1] - x.bounds[i]
		if combinations > maxCombinations {
			x.err = fault.New(fault.Unprocessable, "search parameter %s: an element has more than %d combinations of values", p.Name(), maxCombinations)
			return
		}
	}
	for i := range combinations {
		rest, parts := i, make([]Value, last+1)
		for k := range parts {
			values := x.gathered[x.bounds[last-k]:x.bounds[last-k+1]]
			parts[k] = values[rest%len(values)]
			rest /= len(values)
		}
		x.add(p, Value{Parts: parts})
	}
}

// part keeps a component's value. A token's text is no part of it: composites
// have no modifiers, so that nothing can search for it.
func (x *extraction) part(p *Param, v Value) {
	if p.Kind == Token {
		if v.Text = ""; v.System == "" && v.Code == "" {
			return
		}
	}
	x.gathered = append(x.gathered, v)
}
