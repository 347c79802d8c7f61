// Package spec holds the definitions of FHIR R4 (4.0.1) as compact tables: every
// type, element, cardinality, choice, binding, reference target, invariant,
// search parameter, compartment and operation.
//
// The tables are generated from the HL7 package hl7.fhir.r4.core (see gen/), embedded
// compressed, and decoded once. Everything here is immutable and safe for
// concurrent use. What the definitions mean is left to validate, fhirpath and
// searchparam.
package spec

// Unbounded is the Max of an element that may repeat without limit ("*").
const Unbounded = -1

// Kind tells what sort of type a Type is.
type Kind uint8

// The kinds of types.
const (
	Primitive Kind = iota + 1 // string, date, …
	Complex                   // HumanName, Quantity, …; also Element and BackboneElement
	Backbone                  // the anonymous type of an element with children, such as Patient.contact
	Resource                  // Patient, …; also Resource and DomainResource
)

// Definitions is one version's set of definitions.
type Definitions struct {
	Version string // "4.0.1"

	types        map[string]*Type
	resources    []*Type // concrete resource types in alphabetical order
	searchParams []*SearchParam
	compartments []*Compartment
	operations   []*Operation
	valueSets    map[string]*ValueSet
}

// Type is the definition of a type.
type Type struct {
	Name       string // "Patient", "HumanName", "string", or for a Backbone its path: "Patient.contact"
	Kind       Kind
	Abstract   bool
	Base       *Type       // nil for Element and Resource
	Elements   []*Element  // with the inherited ones, in the definition's order; for a primitive: id, extension (its value is in the JSON literal)
	Invariants []Invariant // of the type itself
	Pattern    string      // regular expression of a primitive's literal, without anchors; may be empty

	byJSON map[string]jsonProperty // by JSON property name, choices spelt out: valueQuantity
	byName map[string]*Element     // by element name without [x]
}

type jsonProperty struct {
	element *Element
	typ     TypeRef
}

// Element is one element of a type.
type Element struct {
	Name       string // without [x]
	Path       string // "Observation.value[x]"
	Min        int
	Max        int // Unbounded for *
	Choice     bool
	Types      []TypeRef // one, or several for a choice
	Binding    *Binding  // nil when there is none
	Invariants []Invariant
	Modifier   bool
	Summary    bool
}

// Repeats reports whether the element is a list.
func (e *Element) Repeats() bool { return e.Max != 0 && e.Max != 1 }

// TypeRef is a type that an element may have.
type TypeRef struct {
	Type    *Type    // the backbone type for an element with children or a content reference (Questionnaire.item.item); for Element.id and Resource.id the type string or id; for contained and Bundle.entry.resource: Resource
	Targets []string // of Reference and canonical: resource type names allowed, empty when any
}

// Strength of a binding.
type Strength uint8

// The binding strengths.
const (
	Example Strength = iota + 1
	Preferred
	Extensible
	Required
)

// Binding ties a coded element to a value set.
type Binding struct {
	Strength Strength
	ValueSet string // canonical URL without version
}

// Severity of an invariant.
type Severity uint8

// The severities of invariants.
const (
	SeverityWarning Severity = iota + 1
	SeverityError
)

// Invariant is a rule in FHIRPath.
type Invariant struct {
	Key        string // "pat-1"
	Severity   Severity
	Expression string
}

// SearchParam is the definition of a search parameter.
type SearchParam struct {
	URL        string
	Code       string
	Name       string
	Type       string   // number date string token reference composite quantity uri special
	Base       []string // resource types, also Resource and DomainResource
	Expression string   // FHIRPath; empty for the few that have none
	Targets    []string // of a reference parameter
	Components []Component
}

// Component is a part of a composite search parameter.
type Component struct {
	Definition string // URL of a SearchParam
	Expression string // relative to the composite's expression
}

// Compartment is the definition of a compartment.
type Compartment struct {
	Code   string              // "Patient"
	Params map[string][]string // by resource type: codes of the search parameters that link it in; absent types are not in the compartment
}

// Operation is the definition of an operation.
type Operation struct {
	URL      string
	Code     string
	System   bool
	OnType   bool
	Instance bool
	Affects  bool // affectsState
	Types    []string
}

// ValueSet is a value set whose codes the package itself enumerates in full.
// Only those used by a required binding are kept.
type ValueSet struct {
	URL   string
	Codes []Coding
}

// Coding is a code of a code system.
type Coding struct {
	System string
	Code   string
}

// Type returns the type with that name, nil when there is none.
func (d *Definitions) Type(name string) *Type { return d.types[name] }

// Resource returns the concrete resource type with that name, nil when there is none.
func (d *Definitions) Resource(name string) *Type {
	if t := d.types[name]; t != nil && t.Kind == Resource && !t.Abstract {
		return t
	}
	return nil
}

// IsResource reports whether name is a concrete resource type.
func (d *Definitions) IsResource(name string) bool { return d.Resource(name) != nil }

// Resources returns the concrete resource types in alphabetical order.
func (d *Definitions) Resources() []*Type { return d.resources }

// SearchParams returns the search parameters of the base specification.
func (d *Definitions) SearchParams() []*SearchParam { return d.searchParams }

// Compartments returns the compartments.
func (d *Definitions) Compartments() []*Compartment { return d.compartments }

// Operations returns the operations that the specification defines.
func (d *Definitions) Operations() []*Operation { return d.operations }

// ValueSet returns the value set with that canonical URL (without version),
// nil when its codes are not all known.
func (d *Definitions) ValueSet(url string) *ValueSet { return d.valueSets[url] }

// Element returns the element with that name (without [x]), nil when there is none.
func (t *Type) Element(name string) *Element { return t.byName[name] }

// Property returns the element that a JSON property stands for, with the type
// that the property's name chooses: "valueQuantity" is value[x] as Quantity.
// The name comes without the underscore of primitive extensions. ok is false for
// unknown properties and for resourceType.
func (t *Type) Property(name string) (e *Element, ref TypeRef, ok bool) {
	p, ok := t.byJSON[name]
	return p.element, p.typ, ok
}

// JSONName returns the JSON property name of e when it has type ref:
// "valueQuantity" for value[x] as Quantity.
func (e *Element) JSONName(ref TypeRef) string {
	if !e.Choice {
		return e.Name
	}
	n := ref.Type.Name
	return e.Name + string(n[0]&^0x20) + n[1:]
}

// Is reports whether t is the type called name or derived from it.
func (t *Type) Is(name string) bool {
	for ; t != nil; t = t.Base {
		if t.Name == name {
			return true
		}
	}
	return false
}
