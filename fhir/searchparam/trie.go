package searchparam

import (
	"slices"

	"salus/fhir"
)

// A place is a node of the trie of one resource type: all paths of its search
// parameters laid over each other, so that one walk over a resource finds the
// values of all.
type place struct {
	edges   []edge
	byName  map[string]*place // the edges again, once there are many
	guarded []guard
	sinks   []*sink
}

type edge struct {
	name string // of the JSON property: valueQuantity
	to   *place
}

// guard leads to what counts only for some of the nodes at a place.
type guard struct {
	field, equals string // a property of the node and its text: where(system='phone')
	index         int    // or its position in the list: entry[0]; -1 for any
	to            *place
}

// sink turns the nodes of a place into values of a parameter.
type sink struct {
	param   *Param
	convert converter
	codes   codes      // of a token from a code element
	target  fhir.Type  // of a reference: only to this type: where(resolve() is Patient)
	parts   [][]source // of a composite: for each component where its values are
}

// source is where a component of a composite has values: a trie of its own that
// begins at the composite's node or at the resource.
type source struct {
	at       *place
	absolute bool
}

// converter adds the values of a node to x.
type converter func(x *extraction, s *sink, n fhir.Node)

// child returns the place below p for a JSON property, which it makes if need be.
func (p *place) child(name string) *place {
	for _, e := range p.edges {
		if e.name == name {
			return e.to
		}
	}
	to := new(place)
	p.edges = append(p.edges, edge{name, to})
	return to
}

func (p *place) guard(g guard) *place {
	for _, other := range p.guarded {
		if other.field == g.field && other.equals == g.equals && other.index == g.index {
			return other.to
		}
	}
	g.to = new(place)
	p.guarded = append(p.guarded, g)
	return g.to
}

// fewEdges is up to how many edges looking for the property of each is cheaper
// than looking up each property.
const fewEdges = 2

// seal prepares a finished trie for walking and cuts off ways that lead to no sink.
func (p *place) seal() (empty bool) {
	p.edges = slices.DeleteFunc(p.edges, func(e edge) bool { return e.to.seal() })
	p.guarded = slices.DeleteFunc(p.guarded, func(g guard) bool { return g.to.seal() })
	if len(p.edges) > fewEdges {
		p.byName = make(map[string]*place, len(p.edges))
		for _, e := range p.edges {
			p.byName[e.name] = e.to
		}
	}
	return len(p.edges)+len(p.guarded)+len(p.sinks) == 0
}

// walk takes the values at and below node n, which stands at a place as item
// number index of its list.
func (x *extraction) walk(at *place, n fhir.Node, index int) {
	if n.Kind() == fhir.Null {
		return
	}
	for _, s := range at.sinks {
		s.convert(x, s, n)
	}
	for i := range at.guarded {
		if g := &at.guarded[i]; g.lets(n, index) {
			x.walk(g.to, n, index)
		}
	}
	switch {
	case len(at.edges) == 0 || n.Kind() != fhir.Object:
	case at.byName == nil:
		for _, e := range at.edges {
			x.enter(e.to, n.Get(e.name))
		}
	default:
		for c := n.First(); c.Exists(); c = c.Next() {
			if to := at.byName[c.Name()]; to != nil {
				x.enter(to, c)
			}
		}
	}
}

// enter walks a property's value or each item of it.
func (x *extraction) enter(at *place, n fhir.Node) {
	switch n.Kind() {
	case fhir.Absent:
	case fhir.Array:
		i := 0
		for c := n.First(); c.Exists(); c = c.Next() {
			x.walk(at, c, i)
			i++
		}
	default:
		x.walk(at, n, 0)
	}
}

func (g *guard) lets(n fhir.Node, index int) bool {
	if g.index >= 0 && g.index != index {
		return false
	}
	if g.field == "" {
		return true
	}
	field := n.Get(g.field)
	return field.Kind() == fhir.String && field.Text() == g.equals
}
