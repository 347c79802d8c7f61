package fhirpath_test

import (
	"strings"
	"testing"

	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// TestCompile_EverySearchParameterOfR4 also checks each expression against the types it is for.
func TestCompile_EverySearchParameterOfR4(t *testing.T) {
	t.Parallel()
	defs := spec.R4()
	for _, p := range defs.SearchParams() {
		if p.Expression == "" {
			continue
		}
		e, err := fhirpath.Compile(p.Expression, defs)
		if err != nil {
			t.Errorf("%s: %s: %v", p.URL, p.Expression, err)
			continue
		}
		again, err := fhirpath.Compile(e.Root().String(), defs)
		if err != nil || again.Root().String() != e.Root().String() {
			t.Errorf("%s: the tree renders as %s, which does not read back: %v", p.URL, e.Root(), err)
		}
		for _, base := range p.Base {
			if !strings.Contains(p.Expression, "|") {
				if err := e.Check(defs.Type(base)); err != nil {
					t.Errorf("%s: %s on %s: %v", p.URL, p.Expression, base, err)
				}
			}
		}
	}
}

func TestCompile_EveryInvariantOfR4(t *testing.T) {
	t.Parallel()
	defs := spec.R4()
	n := 0
	check := func(owner *spec.Type, of []spec.Invariant) {
		for _, inv := range of {
			n++
			e, err := fhirpath.Compile(inv.Expression, defs)
			if err != nil {
				t.Errorf("%s: %s: %v", inv.Key, inv.Expression, err)
				continue
			}
			if inv.Key == "cid-0" {
				continue // the definition's own slip: ChargeItemDefinition has no name
			}
			if err := e.Check(owner); err != nil {
				t.Errorf("%s on %s: %s: %v", inv.Key, owner.Name, inv.Expression, err)
			}
		}
	}
	var walk func(ty *spec.Type, seen map[*spec.Type]bool)
	walk = func(ty *spec.Type, seen map[*spec.Type]bool) {
		if seen[ty] {
			return
		}
		seen[ty] = true
		check(ty, ty.Invariants)
		for _, e := range ty.Elements {
			if len(e.Types) == 1 {
				check(e.Types[0].Type, e.Invariants)
			}
			for _, ref := range e.Types {
				walk(ref.Type, seen)
			}
		}
	}
	seen := map[*spec.Type]bool{}
	for _, ty := range defs.Resources() {
		walk(ty, seen)
	}
	if n < 200 {
		t.Errorf("only %d invariants found", n)
	}
}
