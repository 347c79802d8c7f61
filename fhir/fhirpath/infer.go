package fhirpath

import "salus/fhir/spec"

// Types returns the types that results can have on a focus of that type; open
// says that others are possible too. It fails as Check does.
func (e *Expression) Types(focus *spec.Type) (types []*spec.Type, open bool, err error) {
	c := checker{defs: e.defs}
	found, err := c.infer(e.root, kinds{types: []*spec.Type{focus}})
	return found.types, found.open, err
}
