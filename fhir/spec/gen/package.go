package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// hl7Package is what the generator wants of an HL7 package.
type hl7Package struct {
	version    string
	structures []*structure // of types, not of profiles and logical models
	params     []*searchParameter
	parts      []*compartment
	operations []*operation
	valueSets  map[string]*valueSet   // by URL
	systems    map[string]*codeSystem // by URL
}

type extension struct {
	URL         string `json:"url"`
	ValueURL    string `json:"valueUrl"`
	ValueString string `json:"valueString"`
}

type structure struct {
	Type       string `json:"type"`
	Kind       string `json:"kind"`
	Abstract   bool   `json:"abstract"`
	Derivation string `json:"derivation"`
	Base       string `json:"baseDefinition"`
	Snapshot   struct {
		Elements []*elementDef `json:"element"`
	} `json:"snapshot"`
}

type elementDef struct {
	Path             string    `json:"path"`
	Min              int       `json:"min"`
	Max              string    `json:"max"`
	Types            []typeDef `json:"type"`
	ContentReference string    `json:"contentReference"`
	Binding          *struct {
		Strength string `json:"strength"`
		ValueSet string `json:"valueSet"`
	} `json:"binding"`
	Constraints []constraint `json:"constraint"`
	Modifier    bool         `json:"isModifier"`
	Summary     bool         `json:"isSummary"`
}

type typeDef struct {
	Extensions []extension `json:"extension"`
	Code       string      `json:"code"`
	Targets    []string    `json:"targetProfile"`
}

type constraint struct {
	Key        string `json:"key"`
	Severity   string `json:"severity"`
	Expression string `json:"expression"`
}

type searchParameter struct {
	Extensions []extension `json:"extension"`
	URL        string      `json:"url"`
	Code       string      `json:"code"`
	Name       string      `json:"name"`
	Type       string      `json:"type"`
	Base       []string    `json:"base"`
	Expression string      `json:"expression"`
	Targets    []string    `json:"target"`
	Components []struct {
		Definition string `json:"definition"`
		Expression string `json:"expression"`
	} `json:"component"`
}

type compartment struct {
	ID        string `json:"id"`
	Code      string `json:"code"`
	Resources []struct {
		Code   string   `json:"code"`
		Params []string `json:"param"`
	} `json:"resource"`
}

type operation struct {
	Extensions []extension `json:"extension"`
	URL        string      `json:"url"`
	Code       string      `json:"code"`
	System     bool        `json:"system"`
	OnType     bool        `json:"type"`
	Instance   bool        `json:"instance"`
	Affects    bool        `json:"affectsState"`
	Types      []string    `json:"resource"`
}

type valueSet struct {
	URL     string `json:"url"`
	Compose struct {
		Include []inclusion       `json:"include"`
		Exclude []json.RawMessage `json:"exclude"`
	} `json:"compose"`
}

type inclusion struct {
	System    string            `json:"system"`
	Concepts  []concept         `json:"concept"`
	Filters   []json.RawMessage `json:"filter"`
	ValueSets []string          `json:"valueSet"`
}

type concept struct {
	Code     string    `json:"code"`
	Concepts []concept `json:"concept"`
}

type codeSystem struct {
	URL      string    `json:"url"`
	Content  string    `json:"content"`
	Concepts []concept `json:"concept"`
}

func readPackage(r io.Reader) (*hl7Package, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	p := &hl7Package{valueSets: map[string]*valueSet{}, systems: map[string]*codeSystem{}}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := p.add(path.Base(h.Name), t); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	if p.version == "" || len(p.structures) == 0 {
		return nil, fmt.Errorf("not a package of definitions")
	}
	slices.SortFunc(p.structures, func(a, b *structure) int { return strings.Compare(a.Type, b.Type) })
	slices.SortFunc(p.params, func(a, b *searchParameter) int { return strings.Compare(a.URL, b.URL) })
	slices.SortFunc(p.parts, func(a, b *compartment) int { return strings.Compare(a.Code, b.Code) })
	slices.SortFunc(p.operations, func(a, b *operation) int { return strings.Compare(a.URL, b.URL) })
	return p, nil
}

// add takes one file of the package.
func (p *hl7Package) add(name string, r io.Reader) error {
	kind, _, _ := strings.Cut(name, "-")
	switch kind {
	case "package.json":
		manifest, err := read[struct{ Version string }](r)
		p.version = manifest.Version
		return err
	case "StructureDefinition":
		s, err := read[structure](r)
		if s.Derivation != "constraint" && s.Kind != "logical" { // a type, neither profile nor logical model
			p.structures = append(p.structures, s)
		}
		return err
	case "SearchParameter":
		s, err := read[searchParameter](r)
		if partOfStandard(s.Extensions) {
			p.params = append(p.params, s)
		}
		return err
	case "OperationDefinition":
		o, err := read[operation](r)
		if partOfStandard(o.Extensions) {
			p.operations = append(p.operations, o)
		}
		return err
	case "CompartmentDefinition":
		c, err := read[compartment](r)
		if c.ID != "example" {
			p.parts = append(p.parts, c)
		}
		return err
	case "ValueSet":
		v, err := read[valueSet](r)
		p.valueSets[v.URL] = v
		return err
	case "CodeSystem":
		c, err := read[codeSystem](r)
		p.systems[c.URL] = c
		return err
	}
	return nil
}

func read[T any](r io.Reader) (*T, error) {
	v := new(T)
	return v, json.NewDecoder(r).Decode(v)
}

const structureDefinition = "http://hl7.org/fhir/StructureDefinition/"

// partOfStandard tells definitions of the standard from the examples and
// profile parameters that the package holds as well: only the former state
// their maturity on the standards track.
func partOfStandard(extensions []extension) bool {
	return slices.ContainsFunc(extensions, func(e extension) bool {
		return e.URL == structureDefinition+"structuredefinition-standards-status"
	})
}
