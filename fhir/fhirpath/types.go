package fhirpath

import "salus/fhir/spec"

// typeOp evaluates is, as and ofType (FHIRPath N1 §6.3, §5.2.4).
func (r *run) typeOp(e *TypeOp, f *frame) ([]Item, error) {
	of, err := r.of(e.Of, f)
	if err != nil {
		return nil, err
	}
	if e.Kind == IsType {
		it, ok, err := single(of, "what is tests")
		if err != nil || !ok {
			return nil, err
		}
		return boolean(it.is(e.Type)), nil
	}
	// Compat: FHIRPath N1 wants one item for as in either form. The search parameters of R4 apply the
	// operator to lists (Observation.component.value as Quantity), so it filters; the function obeys.
	if e.Kind == AsType && e.Function {
		if _, _, err := single(of, "what as casts"); err != nil {
			return nil, err
		}
	}
	var out []Item
	for i := range of {
		if of[i].castsTo(e.Type) {
			if len(of) == 1 {
				return of, nil
			}
			out = append(out, of[i])
		}
	}
	return out, r.spend(len(of))
}

// is reports whether it is of a type or one derived from it.
func (it Item) is(t TypeName) bool {
	if it.typ != nil {
		return t.Namespace != "System" && it.typ.Is(t.Name)
	}
	return t.Namespace != "FHIR" && (it.TypeName() == t.Name || t.Name == "Any" && it.value != nil)
}

// castsTo reports whether as and ofType let it through. A primitive has to be of
// the very type: the official suite wants gender.as(string) to be empty though gender is a string.
func (it Item) castsTo(t TypeName) bool {
	if it.typ != nil && it.typ.Kind == spec.Primitive {
		return t.Namespace != "System" && it.typ.Name == t.Name
	}
	return it.is(t)
}
