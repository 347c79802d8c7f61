package fhirpath_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"

	"salus/fhir/spec"
)

// element is one XML element with its children, as FHIR XML uses them.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Inner    string     `xml:",innerxml"`
}

func (e element) attr(name string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// xmlToJSON turns a resource in FHIR XML into FHIR JSON, led by the definitions.
func xmlToJSON(b []byte, defs *spec.Definitions) ([]byte, error) {
	var root element
	if err := xml.Unmarshal(b, &root); err != nil {
		return nil, err
	}
	var out strings.Builder
	err := writeResource(&out, root, defs)
	return []byte(out.String()), err
}

func writeResource(out *strings.Builder, e element, defs *spec.Definitions) error {
	t := defs.Resource(e.XMLName.Local)
	if t == nil {
		return fmt.Errorf("%s is no resource type", e.XMLName.Local)
	}
	fmt.Fprintf(out, `{"resourceType":%q`, t.Name)
	if err := writeProperties(out, e, t, defs, true); err != nil {
		return err
	}
	out.WriteByte('}')
	return nil
}

// writeProperties writes what is inside an object, the attributes first.
func writeProperties(out *strings.Builder, e element, t *spec.Type, defs *spec.Definitions, comma bool) error {
	property := func(name string) {
		if comma {
			out.WriteByte(',')
		}
		comma = true
		fmt.Fprintf(out, "%q:", name)
	}
	for _, a := range e.Attrs {
		if name := a.Name.Local; name == "id" || name == "url" {
			property(name)
			fmt.Fprintf(out, "%q", a.Value)
		}
	}
	for i := 0; i < len(e.Children); {
		name := e.Children[i].XMLName.Local
		end := i + 1
		for end < len(e.Children) && e.Children[end].XMLName.Local == name {
			end++
		}
		def, ref, ok := t.Property(name)
		if !ok {
			return fmt.Errorf("%s has no %s", t.Name, name)
		}
		same := e.Children[i:end]
		i = end
		values, twins, err := write(same, ref.Type, defs)
		if err != nil {
			return err
		}
		if values != nil {
			property(name)
			out.WriteString(list(values, def.Repeats()))
		}
		if twins != nil {
			property("_" + name)
			out.WriteString(list(twins, def.Repeats()))
		}
	}
	return nil
}

func list(values []string, repeats bool) string {
	if !repeats {
		return values[0]
	}
	return "[" + strings.Join(values, ",") + "]"
}

// write renders the values of one property, and of primitives what belongs under the underscore; nil for nothing.
func write(same []element, t *spec.Type, defs *spec.Definitions) (values, twins []string, err error) {
	var hasValue, hasTwin bool
	for _, c := range same {
		value, twin := "null", "null"
		var b strings.Builder
		switch {
		case t.Name == "xhtml":
			quoted, _ := json.Marshal(`<div xmlns="http://www.w3.org/1999/xhtml">` + c.Inner + "</div>")
			value, hasValue = string(quoted), true
		case t.Kind == spec.Primitive:
			if v, ok := c.attr("value"); ok {
				value, hasValue = literal(v, t), true
			}
			b.WriteByte('{')
			err = writeProperties(&b, c, t, defs, false)
			b.WriteByte('}')
			if b.Len() > 2 {
				twin, hasTwin = b.String(), true
			}
		case t.Kind == spec.Resource:
			err = writeResource(&b, c.Children[0], defs)
			value, hasValue = b.String(), true
		default:
			b.WriteByte('{')
			err = writeProperties(&b, c, t, defs, false)
			b.WriteByte('}')
			value, hasValue = b.String(), true
		}
		if err != nil {
			return nil, nil, err
		}
		values, twins = append(values, value), append(twins, twin)
	}
	if !hasValue {
		values = nil
	}
	if !hasTwin {
		twins = nil
	}
	return values, twins, nil
}

func literal(v string, t *spec.Type) string {
	for _, name := range []string{"boolean", "integer", "decimal"} {
		if t.Is(name) {
			return v
		}
	}
	quoted, _ := json.Marshal(v)
	return string(quoted)
}
