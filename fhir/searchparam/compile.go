package searchparam

import (
	"fmt"
	"slices"

	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// converterFor returns how a parameter takes values of a type, nil when it does
// not: of a choice of types often only some can be searched.
func converterFor(k Kind, t *spec.Type) converter {
	switch k {
	case Token:
		return tokenConverter(t)
	case String:
		return stringConverter(t)
	case Date:
		return dateConverter(t)
	case Number:
		return numberConverter(t)
	case Quantity:
		return quantityConverter(t)
	case Reference:
		return referenceConverter(t)
	case URI:
		return uriConverter(t)
	case Position:
		return positionConverter(t)
	}
	return nil
}

// location is a place with what is known of the nodes there.
type location struct {
	at      *place
	typ     *spec.Type
	element *spec.Element // that leads here; nil at the root
	below   *place        // where the step to here began; nil at the root
	single  bool          // at most one node of a resource stands here
	list    bool          // all nodes here are items of one list
	target  fhir.Type     // as in sink
}

// compiler lays the paths of one resource type's parameters.
type compiler struct {
	registry *Registry
	resource *spec.Type
}

// param compiles one parameter into the trie or, if its expression is none that
// a trie can hold, into res.general.
func (c *compiler) param(p *Param, sp *spec.SearchParam, res *resource) error {
	if p.Kind == Special || sp.Code == "_id" || sp.Code == "_lastUpdated" {
		return nil // not a matter of index values; the store keeps id and time of its own accord
	}
	g, err := c.general(p, sp)
	if err != nil {
		return err
	}
	root := location{at: res.root, typ: c.resource, single: true}
	var found []location
	for _, a := range c.alternatives(g.expression.Root()) {
		locations, ok := c.follow(a, root, root)
		if !ok {
			res.general = append(res.general, g)
			return nil
		}
		found = append(found, locations...)
	}
	if len(found) == 0 {
		return fmt.Errorf("its expression leads nowhere")
	}
	if p.Kind == Composite {
		if !c.composite(p, g, found) {
			res.general = append(res.general, g)
		}
		return nil
	}
	if p.Kind == Reference {
		narrowTargets(p, found)
	}
	p.Single = single(p.Kind, found)
	for _, l := range found {
		c.sink(p, l)
	}
	return nil
}

// single reports whether a resource can have one value of a parameter at most:
// one element of which there is but one, maybe of several types, whose value is
// not taken in several ways.
func single(k Kind, found []location) bool {
	return !slices.ContainsFunc(found, func(l location) bool {
		if l.element != found[0].element || l.below != found[0].below || !l.single {
			return true
		}
		switch k {
		case Date, Number, Quantity:
			return false
		case Reference:
			return l.typ.Name != "Reference"
		}
		return true
	})
}

// alternatives returns the members of a union that concern the resource type:
// parameters that many types share have a path for each in one union.
func (c *compiler) alternatives(e fhirpath.Expr) []fhirpath.Expr {
	union, ok := e.(*fhirpath.Union)
	if !ok {
		return []fhirpath.Expr{e}
	}
	return slices.DeleteFunc(slices.Clone(union.Of), func(e fhirpath.Expr) bool {
		name := firstName(e)
		t := c.registry.defs.Type(name)
		return t != nil && t.Kind == spec.Resource && !c.resource.Is(name)
	})
}

// firstName returns the name that an expression begins with, "" when there is none.
func firstName(e fhirpath.Expr) string {
	for {
		switch x := e.(type) {
		case *fhirpath.Path:
			if x.Of == nil {
				return x.Names[0]
			}
			e = x.Of
		case *fhirpath.Call:
			e = x.Of
		case *fhirpath.TypeOp:
			e = x.Of
		case *fhirpath.Index:
			e = x.Of
		default:
			return ""
		}
	}
}

// sink puts the conversion of a parameter's values to a location.
func (c *compiler) sink(p *Param, l location) {
	convert := converterFor(p.Kind, l.typ)
	if convert == nil {
		return
	}
	s := &sink{param: p, convert: convert, target: l.target}
	if p.Kind == Token && l.typ.Name == "Identifier" {
		p.Identifier = true
	}
	if p.Kind == Token && l.typ.Name == "code" && l.element != nil {
		if b := l.element.Binding; b != nil && b.Strength == spec.Required {
			s.codes = impliedSystems(c.registry.defs.ValueSet(b.ValueSet))
		}
	}
	l.at.sinks = append(l.at.sinks, s)
}

// narrowTargets leaves the targets that the expression lets through: some
// definitions name Group for what is where(resolve() is Patient).
func narrowTargets(p *Param, found []location) {
	var only []fhir.Type
	for _, l := range found {
		if l.target == "" {
			return
		}
		if !slices.Contains(only, l.target) {
			only = append(only, l.target)
		}
	}
	p.Targets = only
}

// follow walks an expression over the definitions instead of a resource: it
// returns all locations where values may stand. ok is false when the
// expression is more than a path with conditions.
func (c *compiler) follow(e fhirpath.Expr, focus, root location) (found []location, ok bool) {
	switch e := e.(type) {
	case nil:
		return []location{focus}, true
	case *fhirpath.Path:
		return c.path(e, focus, root)
	case *fhirpath.Union:
		for _, of := range e.Of {
			more, ok := c.follow(of, focus, root)
			if !ok {
				return nil, false
			}
			found = append(found, more...)
		}
		return found, true
	case *fhirpath.Constant:
		return []location{root}, e.Name == "resource"
	case *fhirpath.TypeOp:
		found, ok = c.follow(e.Of, focus, root)
		found = slices.DeleteFunc(found, func(l location) bool { return !castsTo(l.typ, e.Type.Name) })
		return found, ok && e.Kind != fhirpath.IsType
	case *fhirpath.Index:
		found, ok = c.follow(e.Of, focus, root)
		return atIndex(found, e.At, ok)
	case *fhirpath.Call:
		found, ok = c.follow(e.Of, focus, root)
		return c.call(e, found, ok)
	}
	return nil, false
}

func (c *compiler) path(e *fhirpath.Path, focus, root location) (found []location, ok bool) {
	if found, ok = c.follow(e.Of, focus, root); !ok {
		return nil, false
	}
	names := e.Names
	if e.Of == nil && focus.at == root.at && c.registry.defs.Type(names[0]) != nil {
		if !focus.typ.Is(names[0]) {
			return nil, true
		}
		names = names[1:]
	}
	for _, name := range names {
		var next []location
		for _, l := range found {
			if l.target != "" {
				return nil, false // a sink filters by target, what is below it cannot
			}
			next = append(next, step(l, name)...)
		}
		found = next
	}
	return found, true
}

// step goes from a location to an element: several places when its type is a choice.
func step(l location, name string) (found []location) {
	e := l.typ.Element(name)
	if e == nil {
		return nil
	}
	for _, ref := range e.Types {
		found = append(found, location{
			at: l.at.child(e.JSONName(ref)), below: l.at, typ: ref.Type, element: e,
			single: l.single && !e.Repeats(), list: l.single && e.Repeats(),
		})
	}
	return found
}

// castsTo reports whether as and ofType let a type through: a derived one too,
// but of the primitives only the very type, as package fhirpath has it.
func castsTo(t *spec.Type, name string) bool {
	return t.Name == name || t.Kind != spec.Primitive && t.Is(name)
}

// atIndex goes on with one item of a list, which must be all there is of it: [0]
// counts the items of all lists that the path before it reaches.
func atIndex(found []location, at fhirpath.Expr, ok bool) ([]location, bool) {
	literal, is := at.(*fhirpath.Literal)
	if !ok || !is || len(literal.Values) != 1 {
		return nil, false
	}
	i, is := literal.Values[0].AsInteger()
	if !is || i < 0 {
		return nil, false
	}
	if len(found) != 1 || !found[0].list {
		return nil, false
	}
	l := found[0]
	l.at, l.single, l.list = l.at.guard(guard{index: int(i)}), true, false
	return []location{l}, true
}

func (c *compiler) call(e *fhirpath.Call, found []location, ok bool) ([]location, bool) {
	if !ok || len(e.Args) != 1 {
		return nil, false
	}
	switch e.Name {
	case "where":
		return c.where(e.Args[0], found)
	case "extension":
		url, ok := stringLiteral(e.Args[0])
		if !ok {
			return nil, false
		}
		var next []location
		for _, l := range found {
			if l.target != "" {
				return nil, false
			}
			for _, ext := range step(l, "extension") {
				ext.at, ext.list = ext.at.guard(guard{field: "url", equals: url, index: -1}), false
				next = append(next, ext)
			}
		}
		return next, true
	}
	return nil, false
}

// where understands resolve() is T, and a property that equals a string.
func (c *compiler) where(condition fhirpath.Expr, found []location) ([]location, bool) {
	switch e := condition.(type) {
	case *fhirpath.TypeOp:
		call, is := e.Of.(*fhirpath.Call)
		if !is || call.Of != nil || call.Name != "resolve" || e.Kind != fhirpath.IsType || !c.registry.IsType(fhir.Type(e.Type.Name)) {
			return nil, false
		}
		for i := range found {
			if found[i].target != "" {
				return nil, false
			}
			found[i].target = fhir.Type(e.Type.Name)
		}
		return found, true
	case *fhirpath.Binary:
		path, is := e.Left.(*fhirpath.Path)
		text, isString := stringLiteral(e.Right)
		if !is || !isString || e.Op != "=" || path.Of != nil || len(path.Names) != 1 {
			return nil, false
		}
		for i, l := range found {
			field := l.typ.Element(path.Names[0])
			if field == nil || field.Choice || field.Repeats() || !isText(field.Types[0].Type) {
				return nil, false
			}
			found[i].at, found[i].list = l.at.guard(guard{field: field.Name, equals: text, index: -1}), false
		}
		return found, true
	}
	return nil, false
}

// isText reports whether a primitive equals a string when its text does.
func isText(t *spec.Type) bool { return t.Is("string") || t.Is("uri") }

func stringLiteral(e fhirpath.Expr) (string, bool) {
	literal, ok := e.(*fhirpath.Literal)
	if !ok || len(literal.Values) != 1 || !literal.Values[0].IsSystem() || literal.Values[0].TypeName() != "String" {
		return "", false
	}
	return literal.Values[0].AsString()
}
