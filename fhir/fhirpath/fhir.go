package fhirpath

import (
	"strings"

	"salus/fault"
	"salus/fhir"
)

// fhirFunctions are those that FHIR adds (FHIR R4 fhirpath §2.9.1.5), and the
// two keys of SQL on FHIR v2.
var fhirFunctions = map[string]*function{
	"extension":       {min: 1, max: 1, eval: extension},
	"hasValue":        {eval: hasValue},
	"getValue":        {eval: value},
	"resolve":         {eval: resolve},
	"memberOf":        {min: 1, max: 1, eval: memberOf},
	"conformsTo":      {min: 1, max: 1, eval: conformsTo},
	"htmlChecks":      {eval: htmlChecks},
	"getResourceKey":  {eval: resourceKey},
	"getReferenceKey": {max: 1, eval: referenceKey, prepare: prepareTypeArg},
}

var extensionSteps = []*step{newStep("extension")}

func extension(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	url, ok, err := r.stringArg(c.Args[0], f, "the URL of extension")
	if err != nil || !ok {
		return nil, err
	}
	var all, out []Item
	for _, it := range in {
		if all, err = r.walk(all[:0], it, extensionSteps); err != nil {
			return nil, err
		}
		for _, x := range all {
			if x.node.Get("url").Text() == url {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

func hasValue(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	return boolean(len(in) == 1 && (in[0].typ == nil || in[0].primitive()) && in[0].system() != nil), nil
}

func value(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	if len(in) != 1 || in[0].typ != nil && !in[0].primitive() {
		return nil, nil
	}
	if v := in[0].system(); v != nil {
		return []Item{{value: v}}, nil
	}
	return nil, nil
}

// resolve follows references and skips those it cannot follow.
func resolve(r *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	var out []Item
	for _, it := range in {
		ref, ok := it.AsString()
		if !ok {
			ref = it.node.Get("reference").Text()
		}
		if target, ok := r.resolve(ref, it); ok {
			out = append(out, target)
		}
	}
	return out, r.spend(len(in))
}

func (r *run) resolve(ref string, from Item) (Item, bool) {
	if id, local := strings.CutPrefix(ref, "#"); local {
		return r.contained(id)
	}
	if r.env.Resolve != nil && ref != "" {
		return r.env.Resolve(ref)
	}
	if r.defs == nil {
		return Item{}, false
	}
	name := string(fhir.ParseReference(ref, func(t fhir.Type) bool { return r.defs.IsResource(string(t)) }).Type)
	if name == "" && from.typ != nil {
		name = from.node.Get("type").Text()
	}
	t := r.defs.Resource(name)
	return Item{typ: t}, t != nil
}

// contained finds a resource inside of %rootResource; "#" alone is the container itself.
func (r *run) contained(id string) (Item, bool) {
	containers, err := r.constant("rootResource")
	if err != nil || len(containers) != 1 {
		return Item{}, false
	}
	if id == "" {
		return containers[0], true
	}
	for c := range containers[0].node.Get("contained").Children {
		if string(c.ID()) == id {
			return Item{node: c, typ: resourceType(r.defs, c, nil)}, true
		}
	}
	return Item{}, false
}

func memberOf(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	it, ok, err := single(in, "what memberOf takes")
	if err != nil || !ok {
		return nil, err
	}
	valueSet, ok, err := r.stringArg(c.Args[0], f, "the value set of memberOf")
	if err != nil || !ok {
		return nil, err
	}
	if r.env.MemberOf == nil {
		return nil, fault.New(fault.NotSupported, "FHIRPath: memberOf has no terminology to ask here")
	}
	if code, ok := it.AsString(); ok {
		return r.isMember(valueSet, "", code)
	}
	if it.typ != nil && it.typ.Is("CodeableConcept") {
		for coding := range it.node.Get("coding").Children {
			found, err := r.isMember(valueSet, coding.Get("system").Text(), coding.Get("code").Text())
			if err != nil || found[0].value == true {
				return found, err
			}
		}
		return falseItems, nil
	}
	if it.typ != nil && it.typ.Is("Coding") {
		return r.isMember(valueSet, it.node.Get("system").Text(), it.node.Get("code").Text())
	}
	return nil, invalid("memberOf takes a code, Coding or CodeableConcept, not %s", it.TypeName())
}

func (r *run) isMember(valueSet, system, code string) ([]Item, error) {
	if err := r.spend(analyticSteps); err != nil {
		return nil, err
	}
	ok, err := r.env.MemberOf(valueSet, system, code)
	return boolean(ok), err
}

const profileBase = "http://hl7.org/fhir/StructureDefinition/"

// conformsTo knows the profiles that are the types themselves; others need a validator.
func conformsTo(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	it, ok, err := single(in, "what conformsTo takes")
	if err != nil || !ok {
		return nil, err
	}
	profile, ok, err := r.stringArg(c.Args[0], f, "the profile of conformsTo")
	if err != nil || !ok {
		return nil, err
	}
	name, core := strings.CutPrefix(profile, profileBase)
	if !core || r.defs == nil || r.defs.Type(name) == nil {
		return nil, fault.New(fault.NotSupported, "FHIRPath: conformsTo does not know the profile")
	}
	return boolean(it.typ != nil && it.typ.Is(name)), nil
}

// resourceKey is the key that referenceKey gives for a reference to the resource.
func resourceKey(_ *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	var out []Item
	for _, it := range in {
		if it.node.Type() != "" && it.node.ID() != "" {
			out = append(out, String(fhir.Key{Type: it.node.Type(), ID: it.node.ID()}.String()))
		}
	}
	return out, nil
}

// prepareTypeArg reads an argument that is the name of a type, which the grammar cannot tell from a path.
func prepareTypeArg(c *Call) (any, string) {
	if len(c.Args) == 0 {
		return "", ""
	}
	path, ok := c.Args[0].(*Path)
	if !ok || path.Of != nil || len(path.Names) > 2 || len(path.Names) == 2 && path.Names[0] != "FHIR" {
		return nil, c.Name + " takes the name of a type"
	}
	return path.Names[len(path.Names)-1], ""
}

func referenceKey(r *run, c *Call, in []Item, _ *frame) ([]Item, error) {
	want, _ := c.prep.(string)
	var out []Item
	for _, it := range in {
		ref := fhir.ParseReference(it.node.Get("reference").Text(), func(t fhir.Type) bool {
			return r.defs != nil && r.defs.IsResource(string(t))
		})
		if ref.Type != "" && ref.ID != "" && (want == "" || want == string(ref.Type)) {
			out = append(out, String(ref.Key().String()))
		}
	}
	return out, nil
}
