package interaction

import (
	"bytes"
	"context"
	"strings"

	"salus/fault"
	"salus/fhir"
)

// Links tells what references stand for that are not literal: the text of the
// reference, such as "Patient?identifier=…", and the "Type/id" to store instead.
type Links map[string]string

// Replace gives the new text of a Reference.reference; it is what NewBody and
// Extract ask for every string of a resource.
func (l Links) Replace(n fhir.Node) (string, bool) {
	if len(l) == 0 || n.Name() != "reference" {
		return "", false
	}
	s, ok := l[n.Text()]
	return s, ok
}

// ResolveReferences adds to links what the search-style references of n stand
// for, unless links has them already. Each must match exactly one resource
// (FHIR R4 http §3.1.0.11.3).
//
// Compat: references that are searches, such as Patient?identifier=x, are resolved
// at every create and update; in FHIR in transactions only.
func (s *Service) ResolveReferences(ctx context.Context, n fhir.Node, base string, links Links) error {
	if bytes.IndexByte(n.Raw(), '?') < 0 {
		return nil
	}
	return s.resolveIn(ctx, n, base, links)
}

func (s *Service) resolveIn(ctx context.Context, n fhir.Node, base string, links Links) error {
	for c := range n.Children {
		switch c.Kind() {
		case fhir.Object, fhir.Array:
			if err := s.resolveIn(ctx, c, base, links); err != nil {
				return err
			}
		case fhir.String:
			if c.Name() != "reference" {
				continue
			}
			if err := s.resolve(ctx, c.Text(), base, links); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) resolve(ctx context.Context, ref, base string, links Links) error {
	name, query, ok := strings.Cut(ref, "?")
	if !ok || links[ref] != "" || !s.defs.IsResource(name) {
		return nil
	}
	typ := fhir.Type(name)
	q, err := s.criteriaOf(ctx, typ, query, true, base)
	if err != nil {
		return unresolved(typ, "has criteria that cannot be searched for")
	}
	found, err := s.match(ctx, q)
	if err != nil {
		return err
	}
	switch len(found) {
	case 0:
		return unresolved(typ, "matches no resource")
	case 1:
		links[ref] = found[0].Key.String()
		return nil
	}
	return unresolved(typ, "matches more than one resource")
}

func unresolved(t fhir.Type, why string) error {
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "a conditional reference to " + string(t) + " " + why})
}
