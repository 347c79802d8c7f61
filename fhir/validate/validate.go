// Package validate checks the structure of resources against the base
// definitions: the part of validation that happens at every write.
//
// It promises that a resource it accepts has no unknown property, keeps every
// cardinality, has one type per choice, obeys the format of every primitive type
// and the codes of required bindings, and carries only harmless XHTML in
// narratives. It reports up to MaxIssues problems at once, each with its place as
// FHIRPath and none with a value. A valid resource costs one walk.
//
// Of the invariants only ext-1 (an extension has a value or extensions, not both), dom-2
// (contained resources hold none themselves) and those of narratives (txt-1, txt-2) are
// checked. The others, profiles, the targets of references, codes of bindings that are not
// required or cannot be enumerated, and questions to the terminology are left to
// validation against profiles.
package validate

import (
	"sync"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
)

// MaxIssues is how many problems are reported at once. The check ends there.
const MaxIssues = 50

// Validator checks resources. It is immutable and safe for concurrent use.
type Validator struct {
	resources map[string]*object
	walks     sync.Pool
}

// New prepares a Validator from definitions.
func New(defs *spec.Definitions) *Validator {
	v := &Validator{resources: compile(defs)}
	v.walks.New = func() any { return &walk{v: v} }
	return v
}

// Resource checks n against the base definition of its resourceType. It returns
// nil or a *fault.Fault of kind Invalid with up to MaxIssues issues.
func (v *Validator) Resource(n fhir.Node) error {
	w := v.walks.Get().(*walk)
	w.root = n
	w.resource(n, false)
	issues := w.issues
	w.root, w.issues = fhir.Node{}, nil
	v.walks.Put(w)
	if len(issues) == 0 {
		return nil
	}
	return fault.With(fault.Invalid, issues...)
}
