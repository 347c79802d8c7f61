// Package xmlformat turns FHIR XML into FHIR JSON and FHIR JSON into FHIR XML
// (FHIR R4 xml §2.6.1, json §2.6.2), led by the definitions.
//
// It promises that the two say the same: decimals keep their digits, ids and
// extensions of primitives stay with their value, narratives pass as they are.
// What it writes is well-formed and in the order of the schema. What it
// reads is refused with every reason at once, each with its place and none with a
// value; a document type declaration is refused, and entities other than XML's own five
// are unknown. Cardinalities, formats of values and the content of narratives are left
// to package validate, which sees the JSON.
//
// A character that XML 1.0 cannot hold (control characters, U+FFFE, U+FFFF) is
// written as U+FFFD. Line breaks in attributes are read as they stand.
package xmlformat

import (
	"fmt"

	"salus/fhir/spec"
)

// The namespaces of FHIR XML.
const (
	Namespace      = "http://hl7.org/fhir"
	xhtmlNamespace = "http://www.w3.org/1999/xhtml"
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
)

// Format reads and writes XML by one version's definitions. It is immutable and
// safe for concurrent use.
type Format struct {
	resources map[string]*object
	types     map[*spec.Type]*object
}

// New prepares a Format from definitions.
func New(defs *spec.Definitions) *Format {
	f := &Format{resources: map[string]*object{}, types: map[*spec.Type]*object{}}
	for _, t := range defs.Resources() {
		f.resources[t.Name] = f.compile(t)
	}
	return f
}

// object is what may stand in an element of one type.
type object struct {
	typ        *spec.Type
	properties map[string]*property // by name, choices spelt out
}

// property is one element or attribute of an object, which has the same name in JSON.
type property struct {
	name      string
	element   *spec.Element
	typ       *spec.Type
	order     uint8 // of the element within the object
	form      form
	list      bool
	attribute bool    // it is an attribute in XML
	object    *object // of a complex type, or of a primitive's id and extensions
}

// form is how a value is written.
type form uint8

const (
	formObject   form = iota
	formResource      // an element around a resource
	formString        // white space around it counts
	formToken         // a JSON string, where white space around it in XML means nothing
	formBoolean
	formNumber
	formXHTML
)

// forms of primitive types; what is not in it is a token.
var forms = map[string]form{
	"string": formString, "markdown": formString, "boolean": formBoolean, "decimal": formNumber, "integer": formNumber,
	"positiveInt": formNumber, "unsignedInt": formNumber, "xhtml": formXHTML,
}

func (f *Format) compile(t *spec.Type) *object {
	if o := f.types[t]; o != nil {
		return o
	}
	o := &object{typ: t, properties: map[string]*property{}}
	f.types[t] = o // before the elements, which may be of this type
	if len(t.Elements) > 64 {
		panic(fmt.Sprintf("type %s has %d elements; a bit set holds 64", t.Name, len(t.Elements))) // R4 has 54 at most
	}
	for i, e := range t.Elements {
		for _, ref := range e.Types {
			if e.Max == 0 {
				continue
			}
			p := &property{name: e.JSONName(ref), element: e, typ: ref.Type, order: uint8(i), list: e.Repeats()}
			switch ref.Type.Kind {
			case spec.Resource:
				p.form = formResource
			case spec.Primitive:
				p.form = formToken
				if special, ok := forms[ref.Type.Name]; ok {
					p.form = special
				}
				// FHIR R4 xml §2.6.1.1: the id of an element and the url of an extension are attributes.
				p.attribute = e.Name == "id" && t.Kind != spec.Resource || e.Name == "url" && t.Name == "Extension"
				fallthrough
			default:
				p.object = f.compile(ref.Type)
			}
			o.properties[p.name] = p
		}
	}
	return o
}
