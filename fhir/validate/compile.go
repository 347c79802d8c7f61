package validate

import (
	"fmt"

	"salus/fhir/spec"
)

// object is what may stand in the JSON object of one type.
type object struct {
	typ        *spec.Type
	properties map[string]*property // with the twins that carry extensions of primitives
	required   uint64               // bits of the elements that must be there
	extension  bool                 // ext-1 holds
	value      uint64               // bit of Extension.value[x]
	nested     uint64               // bit of Extension.extension
}

// property is one JSON property of an object.
type property struct {
	element *spec.Element
	bit     uint64 // of the element within its object
	typ     *spec.Type
	form    form
	list    bool
	twin    bool                // holds id and extensions of a primitive: _birthDate
	object  *object             // of a complex type, and of a twin
	codes   map[string]struct{} // of a required binding; nil when any code will do
}

// name returns the name of the property, for a twin that of the primitive.
func (p *property) name() string { return p.element.JSONName(spec.TypeRef{Type: p.typ}) }

// form is how a value is written.
type form uint8

const (
	formObject form = iota
	formResource
	formBoolean
	formInteger
	formPositiveInt
	formUnsignedInt
	formDecimal
	formString
	formURI
	formOID
	formUUID
	formCode
	formID
	formDate
	formDateTime
	formInstant
	formTime
	formBase64
	formXHTML
)

var forms = map[string]form{
	"boolean": formBoolean, "integer": formInteger, "positiveInt": formPositiveInt, "unsignedInt": formUnsignedInt,
	"decimal": formDecimal, "string": formString, "markdown": formString, "uri": formURI, "url": formURI,
	"canonical": formURI, "oid": formOID, "uuid": formUUID, "code": formCode, "id": formID, "date": formDate,
	"dateTime": formDateTime, "instant": formInstant, "time": formTime, "base64Binary": formBase64, "xhtml": formXHTML,
}

// compile returns the objects of all concrete resource types by name.
func compile(defs *spec.Definitions) map[string]*object {
	c := compiler{defs: defs, objects: map[*spec.Type]*object{}, codes: map[string]map[string]struct{}{}}
	resources := map[string]*object{}
	for _, t := range defs.Resources() {
		resources[t.Name] = c.object(t)
	}
	return resources
}

type compiler struct {
	defs    *spec.Definitions
	objects map[*spec.Type]*object
	codes   map[string]map[string]struct{}
}

func (c *compiler) object(t *spec.Type) *object {
	if o := c.objects[t]; o != nil {
		return o
	}
	o := &object{typ: t, properties: map[string]*property{}, extension: t.Name == "Extension"}
	c.objects[t] = o // before the elements, which may be of this type
	if len(t.Elements) > 64 {
		panic(fmt.Sprintf("type %s has %d elements; a bit set holds 64", t.Name, len(t.Elements))) // R4 has 54 at most
	}
	for i, e := range t.Elements {
		bit := uint64(1) << i
		if e.Max == 0 {
			continue
		}
		if e.Min > 0 {
			o.required |= bit
		}
		if o.extension {
			switch e.Name {
			case "value":
				o.value = bit
			case "extension":
				o.nested = bit
			}
		}
		for _, ref := range e.Types {
			c.property(o, e, ref, bit)
		}
	}
	return o
}

// property adds the property for e as type ref, and its twin.
func (c *compiler) property(o *object, e *spec.Element, ref spec.TypeRef, bit uint64) {
	p := &property{element: e, bit: bit, typ: ref.Type, list: e.Repeats()}
	o.properties[e.JSONName(ref)] = p
	switch ref.Type.Kind {
	case spec.Complex, spec.Backbone:
		p.object = c.object(ref.Type)
		return
	case spec.Resource:
		p.form = formResource
		return
	}
	p.form = forms[ref.Type.Name]
	if p.form == formObject {
		panic("no check for primitive type " + ref.Type.Name)
	}
	if b := e.Binding; b != nil && b.Strength == spec.Required && p.form == formCode {
		p.codes = c.valueSet(b.ValueSet)
	}
	if isAttribute(o.typ, e) {
		return
	}
	twin := &property{element: e, bit: bit, typ: ref.Type, list: p.list, twin: true, object: c.object(ref.Type)}
	o.properties["_"+e.JSONName(ref)] = twin
}

// isAttribute tells the elements that are attributes in XML and therefore never
// have extensions: the id of an element and the URL of an extension (FHIR R4 json §2.6.2).
func isAttribute(t *spec.Type, e *spec.Element) bool {
	return e.Name == "id" && t.Kind != spec.Resource || e.Name == "url" && t.Name == "Extension"
}

// valueSet returns the codes of a value set, nil when they are not all known.
func (c *compiler) valueSet(url string) map[string]struct{} {
	if codes, ok := c.codes[url]; ok {
		return codes
	}
	var codes map[string]struct{}
	if v := c.defs.ValueSet(url); v != nil {
		codes = make(map[string]struct{}, len(v.Codes))
		for _, code := range v.Codes {
			codes[code.Code] = struct{}{}
		}
	}
	c.codes[url] = codes
	return codes
}
