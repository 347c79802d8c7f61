package searchparam

import (
	"fmt"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// maxURL is how long the URL of a definition may be.
//
// Compat: the URL of a SearchParameter has at most 128 characters, as in the reference.
const maxURL = 128

// reserved are names that a query uses for something else.
var reserved = []string{
	"_count", "_includesCount", "_total", "_summary", "_elements", "_sort", "_include", "_revinclude", "_type", "_format", "_pretty",
	"_has", "_contained", "_containedType", "_since", "_before", "_at", "ct", "includesCt",
}

// Define reads the definition out of a SearchParameter resource.
func Define(n fhir.Node) *spec.SearchParam {
	sp := &spec.SearchParam{
		URL: n.Get("url").Text(), Code: n.Get("code").Text(), Name: n.Get("name").Text(), Type: n.Get("type").Text(),
		Expression: strings.TrimSpace(n.Get("expression").Text()), Base: texts(n.Get("base")), Targets: texts(n.Get("target")),
	}
	for c := range n.Get("component").Children {
		url, _, _ := strings.Cut(c.Get("definition").Text(), "|")
		sp.Components = append(sp.Components, spec.Component{Definition: url, Expression: c.Get("expression").Text()})
	}
	return sp
}

func texts(n fhir.Node) []string {
	var all []string
	for c := range n.Children {
		all = append(all, c.Text())
	}
	return all
}

// Check tells whether the definition sp can be added to r. The fault, of kind
// Invalid, has an issue for each rule that is broken.
//
// Compat: a code that a type has already may be defined again when every path of
// one of the two expressions is one of the other; the wider one then counts.
func (r *Registry) Check(sp *spec.SearchParam) error {
	c := check{registry: r, sp: sp}
	c.names()
	if c.bases() && c.kind() {
		if kinds[sp.Type] == Composite {
			c.components()
		}
		if len(c.issues) == 0 {
			c.expressions()
		}
		if len(c.issues) == 0 {
			c.codes()
		}
	}
	if len(c.issues) > 0 {
		return fault.With(fault.Invalid, c.issues...)
	}
	return nil
}

// check is the state of one call of Check.
type check struct {
	registry *Registry
	sp       *spec.SearchParam
	issues   []fault.Issue
}

func (c *check) broken(element, code, format string, args ...any) {
	c.issues = append(c.issues, fault.Issue{Code: code, Text: fmt.Sprintf(format, args...), Expression: "SearchParameter." + element})
}

func (c *check) names() {
	switch url := c.sp.URL; {
	case url == "":
		c.broken("url", "required", "a search parameter needs a url")
	case len(url) > maxURL:
		c.broken("url", "too-long", "the url is longer than %d characters", maxURL)
	case c.registry.byURL[url] != nil:
		c.broken("url", "duplicate", "another search parameter has this url")
	}
	valid := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
	}
	switch code := c.sp.Code; {
	case code == "":
		c.broken("code", "required", "a search parameter needs a code")
	case strings.IndexFunc(code, func(r rune) bool { return !valid(r) }) >= 0:
		c.broken("code", "value", "the code may have letters, digits, _ and - only, to stand in a query")
	case slices.Contains(reserved, code):
		c.broken("code", "business-rule", "a query uses this code for something else")
	}
}

// bases checks the types that the parameter is for and those it refers to.
func (c *check) bases() bool {
	before := len(c.issues)
	if len(c.sp.Base) == 0 {
		c.broken("base", "required", "a search parameter needs a base")
	}
	for i, name := range c.sp.Base {
		if t := c.registry.defs.Type(name); t == nil || t.Kind != spec.Resource {
			c.broken(fmt.Sprintf("base[%d]", i), "value", "this base is no resource type")
		}
	}
	for i, name := range c.sp.Targets {
		if t := c.registry.defs.Type(name); t == nil || t.Kind != spec.Resource {
			c.broken(fmt.Sprintf("target[%d]", i), "value", "this target is no resource type")
		}
	}
	return len(c.issues) == before
}

func (c *check) kind() bool {
	switch k := kinds[c.sp.Type]; {
	case c.sp.Type == "":
		c.broken("type", "required", "a search parameter needs a type")
	case k == 0:
		c.broken("type", "value", "the type is none of the types of search parameters")
	case k == Special:
		c.broken("type", "not-supported", "a parameter of type special has no values that could be indexed")
	case c.sp.Expression == "":
		c.broken("expression", "required", "a search parameter needs an expression")
	default:
		return true
	}
	return false
}

func (c *check) components() {
	if len(c.sp.Components) < 2 {
		c.broken("component", "required", "a composite needs two components")
	}
	for i, component := range c.sp.Components {
		element := fmt.Sprintf("component[%d].", i)
		switch definition := c.registry.byURL[component.Definition]; {
		case definition == nil:
			c.broken(element+"definition", "not-found", "the component's search parameter is not defined here")
		case kinds[definition.Type] == Composite || kinds[definition.Type] == Special:
			c.broken(element+"definition", "business-rule", "a component cannot be of type %s", definition.Type)
		}
		if _, err := fhirpath.Compile(component.Expression, c.registry.defs); err != nil {
			c.broken(element+"expression", "invalid", "the component's expression: %s", fault.As(err).Message)
		}
	}
}

// expressions checks the expression on each base.
func (c *check) expressions() {
	e, err := fhirpath.Compile(c.sp.Expression, c.registry.defs)
	if err != nil {
		c.broken("expression", "invalid", "%s", fault.As(err).Message)
		return
	}
	for _, name := range c.sp.Base {
		of := compiler{registry: c.registry, resource: c.registry.defs.Type(name)}
		if err := c.onBase(of, e); err != nil {
			c.broken("expression", "invalid", "on %s: %s", name, fault.As(err).Message)
		}
	}
}

// onBase checks the members of the expression's union that concern a base.
func (c *check) onBase(of compiler, e *fhirpath.Expression) error {
	paths := of.alternatives(e.Root())
	if len(paths) == 0 {
		return fault.New(fault.Invalid, "the expression has no path for this type")
	}
	convertible := kinds[c.sp.Type] == Composite
	for _, path := range paths {
		alone, err := fhirpath.Compile(path.String(), c.registry.defs)
		if err != nil {
			return err
		}
		types, open, err := alone.Types(of.resource)
		if err != nil {
			return err
		}
		convertible = convertible || open
		for _, t := range types {
			convertible = convertible || converterFor(kinds[c.sp.Type], t) != nil
		}
	}
	if !convertible {
		return fault.New(fault.Invalid, "no value of the expression can be searched as %s", c.sp.Type)
	}
	p := c.registry.param(c.sp, fhir.Type(of.resource.Name))
	if err := of.param(p, c.sp, &resource{typ: of.resource, root: new(place)}); err != nil {
		return fault.New(fault.Invalid, "%s", err.Error())
	}
	return nil
}

// codes checks that no type that the parameter is for has another one with its code.
func (c *check) codes() {
	for _, t := range c.registry.TypesOf(c.sp) {
		of := compiler{registry: c.registry, resource: c.registry.types[t].typ}
		for _, other := range c.registry.types[t].defined {
			if other.Code == c.sp.Code && !of.covers(c.sp, other) && !of.covers(other, c.sp) {
				c.broken("code", "duplicate", "%s has another search parameter with this code, and neither expression includes the other", t)
				return
			}
		}
	}
}
