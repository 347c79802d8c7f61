package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"salus/fhir/spec"
)

// table is the content of the file, ready to be written.
type table struct {
	*hl7Package
	types  []*typeDesc // sorted by name
	number map[string]int
	sets   []enumeration // sorted by URL
}

// typeDesc is one type: that of a structure, or of an element with children.
type typeDesc struct {
	name     string
	kind     spec.Kind
	abstract bool
	base     string // name, empty for none
	pattern  string
	rules    []constraint
	elements []*elementDef
}

var kinds = map[string]spec.Kind{"primitive-type": spec.Primitive, "complex-type": spec.Complex, "resource": spec.Resource}

// table derives types and value sets from the package.
func (p *hl7Package) table() (*table, error) {
	t := &table{hl7Package: p, number: map[string]int{}}
	for _, s := range p.structures {
		types, err := s.types()
		if err != nil {
			return nil, err
		}
		t.types = append(t.types, types...)
	}
	slices.SortFunc(t.types, func(a, b *typeDesc) int { return strings.Compare(a.name, b.name) })
	for i, x := range t.types {
		t.number[x.name] = i
	}
	t.sets = p.enumerate(t.types)
	return t, nil
}

// types returns the structure's own type and those of its elements with children.
func (s *structure) types() ([]*typeDesc, error) {
	kind, ok := kinds[s.Kind]
	if !ok {
		return nil, fmt.Errorf("structure %s: unknown kind %q", s.Type, s.Kind)
	}
	root := &typeDesc{name: s.Type, kind: kind, abstract: s.Abstract, base: strings.TrimPrefix(s.Base, structureDefinition)}
	types := []*typeDesc{root}
	byName := map[string]*typeDesc{s.Type: root}
	for _, e := range s.Snapshot.Elements {
		dot := strings.LastIndexByte(e.Path, '.')
		if dot < 0 {
			root.rules = e.Constraints
			continue
		}
		parent := byName[e.Path[:dot]]
		if parent == nil { // the first child: its parent is an element of an anonymous type
			parent = &typeDesc{name: e.Path[:dot], kind: spec.Backbone}
			holder := s.element(parent.name)
			if holder == nil || len(holder.Types) != 1 {
				return nil, fmt.Errorf("element %s has no parent of one type", e.Path)
			}
			parent.base = holder.Types[0].Code
			holder.Types[0].Code = holder.Path
			byName[parent.name], types = parent, append(types, parent)
		}
		if kind == spec.Primitive && e.Path == s.Type+".value" {
			root.pattern = e.pattern()
			continue
		}
		parent.elements = append(parent.elements, e)
	}
	return types, nil
}

func (s *structure) element(path string) *elementDef {
	i := slices.IndexFunc(s.Snapshot.Elements, func(e *elementDef) bool { return e.Path == path })
	if i < 0 {
		return nil
	}
	return s.Snapshot.Elements[i]
}

// pattern returns the regular expression of a primitive's value, "" when there is none.
func (e *elementDef) pattern() string {
	for _, t := range e.Types {
		for _, x := range t.Extensions {
			if x.URL == structureDefinition+"regex" {
				return x.ValueString
			}
		}
	}
	return ""
}

// name returns the last part of the element's path, without [x].
func (e *elementDef) name() string {
	return strings.TrimSuffix(e.Path[strings.LastIndexByte(e.Path, '.')+1:], "[x]")
}

// max returns the upper cardinality.
func (e *elementDef) max() (int, error) {
	if e.Max == "*" {
		return spec.Unbounded, nil
	}
	return strconv.Atoi(e.Max)
}

// typeNames returns the names of the element's types in kind of holder: a
// content reference stands for the type of the element it names, and the types
// of FHIRPath, in which id and url are defined, for the FHIR type meant.
func (e *elementDef) typeNames(holder spec.Kind) []string {
	if e.ContentReference != "" {
		return []string{strings.TrimPrefix(e.ContentReference, "#")}
	}
	names := make([]string, len(e.Types))
	for i, t := range e.Types {
		names[i] = t.Code
		if !strings.HasPrefix(t.Code, "http://hl7.org/fhirpath/") {
			continue
		}
		names[i] = "string"
		if holder == spec.Resource && e.name() == "id" { // the definitions say string (the page of Resource says id)
			names[i] = "id"
			continue
		}
		for _, x := range t.Extensions {
			if x.URL == structureDefinition+"structuredefinition-fhir-type" {
				names[i] = x.ValueURL
			}
		}
	}
	return names
}

// targets returns the names of the resource types that a reference may have,
// none when it may have any.
func (t typeDef) targets() []string {
	var names []string
	for _, target := range t.Targets {
		name := strings.TrimPrefix(target, structureDefinition)
		if name == "Resource" {
			return nil
		}
		names = append(names, name)
	}
	return names
}
