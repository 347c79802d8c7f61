package searchparam

import (
	"fmt"
	"slices"

	"salus/fault"
	"salus/fhir/decimal"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// general is the extraction of a parameter by evaluating its expressions. Every
// parameter has one; it is used where the trie cannot do.
type general struct {
	param      *Param
	expression *fhirpath.Expression
	components []*fhirpath.Expression // of a composite
	sink       *sink                  // for values that are not of the resource, such as the result of a comparison
	lenient    bool                   // a resource on which it cannot be evaluated has no value
}

// errata corrects definitions of R4 that cannot mean what they say.
var errata = map[string]string{
	"value.as(DateTime) | value.as(Period)": "value.as(dateTime) | value.as(Period)", // System.DateTime is no type of an element
}

// relationship is a composite whose definition in R4 swaps its components: the
// reference is said to be in code, the token in target.
const relationship = "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship"

// general compiles a parameter's expressions and makes the parameters of a
// composite's components.
func (c *compiler) general(p *Param, sp *spec.SearchParam) (g *general, err error) {
	g = &general{param: p, sink: &sink{param: p}, lenient: c.registry.custom[sp]}
	if g.expression, err = c.expression(sp.Expression); err != nil {
		return nil, err
	}
	for _, component := range sp.Components {
		definition := c.registry.byURL[component.Definition]
		if definition == nil {
			return nil, fmt.Errorf("component %s is not defined", component.Definition)
		}
		e, err := c.expression(component.Expression)
		if err != nil {
			return nil, err
		}
		p.Components = append(p.Components, c.registry.param(definition, p.Type))
		g.components = append(g.components, e)
	}
	if sp.URL == relationship {
		slices.Reverse(g.components)
	}
	if p.Kind == Composite && len(g.components) < 2 {
		return nil, fmt.Errorf("a composite needs two components")
	}
	return g, nil
}

func (c *compiler) expression(src string) (*fhirpath.Expression, error) {
	if right, wrong := errata[src]; wrong {
		src = right
	}
	return fhirpath.Compile(src, c.registry.defs)
}

// extract adds the parameter's values.
func (g *general) extract(x *extraction) error {
	resource := fhirpath.NodeItem(x.registry.defs, x.root)
	env := &fhirpath.Env{Resource: resource}
	found, err := g.expression.Eval(env, resource)
	if err != nil {
		return g.failed(err)
	}
	if g.param.Kind != Composite {
		for _, item := range found {
			x.item(g.sink, item)
		}
		return nil
	}
	for _, focus := range found {
		x.gather(len(g.components), func(i int) {
			items, failure := g.components[i].Eval(env, focus)
			if failure != nil {
				err = g.failed(failure)
			}
			for _, item := range items {
				x.item(&sink{param: g.param.Components[i]}, item)
			}
		})
		x.combine(g.param)
	}
	return err
}

// failed is what an evaluation that failed comes to. The expression of a user must
// not keep others from writing what FHIR allows.
func (g *general) failed(err error) error {
	if g.lenient {
		return nil
	}
	return fault.Wrap(fault.Unprocessable, err, "search parameter %s cannot be evaluated on the resource", g.param.Name())
}

// item adds the values of one result of an expression.
func (x *extraction) item(s *sink, it fhirpath.Item) {
	if it.IsSystem() {
		x.system(s, it)
		return
	}
	if it.Node().Exists() {
		if convert := converterFor(s.param.Kind, it.Type()); convert != nil {
			convert(x, s, it.Node())
		}
	}
}

// system adds a value that an expression has computed.
func (x *extraction) system(s *sink, it fhirpath.Item) {
	text, ok := it.Text()
	if !ok || text == "" {
		return
	}
	switch s.param.Kind {
	case Token:
		x.add(s.param, Value{Code: text})
	case String, URI:
		x.add(s.param, Value{Text: text})
	case Reference:
		x.addReference(s.param, Value{Ref: x.reference(text)})
	case Date:
		if start, end, ok := interval(text, true); ok {
			x.add(s.param, Value{Start: start, End: end})
		}
	case Number:
		if d, err := decimal.Parse(text); err == nil {
			x.add(s.param, Value{Low: d, High: d})
		}
	}
}
