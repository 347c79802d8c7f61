package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// Current returns resources of a type in the order of their creation.
func (s *Store) Current(ctx context.Context, t fhir.Type, after uint64, count int) ([]store.Current, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var found []store.Current
	for key, r := range s.resources {
		if v := r.current(); key.Type == t && r.created > after && !v.Deleted() {
			found = append(found, store.Current{Number: r.created, Position: r.position, Version: v})
		}
	}
	slices.SortFunc(found, func(a, b store.Current) int { return cmp.Compare(a.Number, b.Number) })
	return found[:min(count, len(found))], nil
}

// CurrentOf returns one current resource.
func (s *Store) CurrentOf(ctx context.Context, key fhir.Key) (store.Current, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return store.Current{}, err
	}
	r, ok := s.resources[key]
	if !ok || r.current().Deleted() {
		return store.Current{}, fault.New(fault.NotFound, "%s is not there", key)
	}
	return store.Current{Number: r.created, Position: r.position, Version: r.current()}, nil
}

// LastNumber returns the newest position, since resources are numbered by those.
func (s *Store) LastNumber(ctx context.Context) (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.position, s.ready(ctx)
}

// Reindex replaces the index values of current versions.
func (s *Store) Reindex(ctx context.Context, entries []store.Index) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	seen := map[fhir.Key]bool{}
	for _, e := range entries {
		if seen[e.Key] {
			return 0, fault.New(fault.Invalid, "%s is indexed twice at once", e.Key)
		}
		seen[e.Key] = true
	}
	replaced := 0
	for _, e := range entries {
		if r, ok := s.resources[e.Key]; ok && r.position == e.Position && !r.current().Deleted() {
			r.values = slices.Clone(e.Values)
			replaced++
		}
	}
	return replaced, nil
}

// State returns values by names that begin with prefix.
func (s *Store) State(ctx context.Context, prefix string) (map[string][]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for name, value := range s.state {
		if strings.HasPrefix(name, prefix) {
			found[name] = bytes.Clone(value)
		}
	}
	return found, nil
}

// SetState keeps values under names.
func (s *Store) SetState(ctx context.Context, values map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	for name, value := range values {
		if len(value) == 0 {
			delete(s.state, name)
		} else {
			s.state[name] = bytes.Clone(value)
		}
	}
	return nil
}
