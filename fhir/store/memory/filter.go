package memory

import (
	"slices"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// values returns what a resource is indexed by under a parameter. Parameters
// are the same when type and code are.
func (r *resource) under(p *searchparam.Param) []searchparam.Value {
	var values []searchparam.Value
	for _, e := range r.values {
		if e.Param.Type == p.Type && e.Param.Code == p.Code {
			values = append(values, e.Value)
		}
	}
	return values
}

// refersTo reports whether a resource refers to key through a parameter.
func (r *resource) refersTo(key fhir.Key, p *searchparam.Param) bool {
	return slices.ContainsFunc(r.under(p), func(v searchparam.Value) bool {
		return v.Ref.Local() && v.Ref.Key() == key
	})
}

// live returns the resource of a key if it is there and not deleted.
func (s *Store) live(key fhir.Key) (*resource, bool) {
	r, ok := s.resources[key]
	return r, ok && !r.current().Deleted()
}

// holds reports whether the filter holds for a live resource.
func (s *Store) holds(filter search.Filter, r *resource) bool {
	switch f := filter.(type) {
	case nil:
		return true
	case search.And:
		return !slices.ContainsFunc(f, func(part search.Filter) bool { return !s.holds(part, r) })
	case search.Or:
		return slices.ContainsFunc(f, func(part search.Filter) bool { return s.holds(part, r) })
	case search.Not:
		return !s.holds(f.Filter, r)
	case search.Match:
		return slices.ContainsFunc(r.under(f.Param), func(v searchparam.Value) bool { return satisfies(v, f.Operand) })
	case search.Missing:
		return (len(r.under(f.Param)) == 0) == f.Missing
	case search.IDs:
		return slices.Contains(f, r.current().ID)
	case search.Updated:
		at := searchparam.TicksOf(r.current().Updated)
		return dateSatisfies(at, at, f.Date)
	case search.Content:
		return contentHolds(f, r.current())
	case search.Chain:
		return s.chainHolds(f, r)
	case search.Has:
		return s.hasHolds(f, r)
	}
	return false
}

func contentHolds(f search.Content, v fhir.Version) bool {
	d, err := fhir.Parse(v.Body.JSON)
	if err != nil {
		return false
	}
	words, narrative := searchparam.Words(nil, nil, d.Root())
	if f.Narrative {
		words = narrative
	}
	return f.In(words)
}

func (s *Store) chainHolds(f search.Chain, r *resource) bool {
	return slices.ContainsFunc(r.under(f.Param), func(v searchparam.Value) bool {
		if !v.Ref.Local() || v.Ref.Type != f.Target {
			return false
		}
		target, ok := s.live(v.Ref.Key())
		return ok && s.holds(f.Filter, target)
	})
}

func (s *Store) hasHolds(f search.Has, r *resource) bool {
	for key := range s.resources {
		source, ok := s.live(key)
		if ok && key.Type == f.Param.Type && source.refersTo(r.current().Key, f.Param) && s.holds(f.Filter, source) {
			return true
		}
	}
	return false
}
