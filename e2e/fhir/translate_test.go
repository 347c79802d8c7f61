package fhir_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// toXML writes a JSON resource as XML (FHIR R4 xml §2.6.2). Properties come out
// in the order in which they stand, so bodies keep to the order of the standard.
// Extensions of primitives are not needed here and refused.
func toXML(resource string) (string, error) {
	d := json.NewDecoder(strings.NewReader(resource))
	d.UseNumber()
	root, err := ordered(d)
	if err != nil {
		return "", err
	}
	fields, ok := root.([]field)
	if !ok {
		return "", errors.New("not an object")
	}
	var out strings.Builder
	writeResource(&out, fields)
	return out.String(), nil
}

// field is a property of an object whose order counts.
type field struct {
	name  string
	value any
}

func ordered(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		var fields []field
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := ordered(d)
			if err != nil {
				return nil, err
			}
			fields = append(fields, field{name.(string), value})
		}
		_, err = d.Token()
		return fields, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := ordered(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

func writeResource(out *strings.Builder, fields []field) {
	typ := "Nothing"
	for _, f := range fields {
		if f.name == "resourceType" {
			typ = fmt.Sprint(f.value)
		}
	}
	fmt.Fprintf(out, `<%s xmlns="http://hl7.org/fhir">`, typ)
	writeFields(out, fields)
	fmt.Fprintf(out, `</%s>`, typ)
}

func writeFields(out *strings.Builder, fields []field) {
	for _, f := range fields {
		values, ok := f.value.([]any)
		if !ok {
			values = []any{f.value}
		}
		for _, v := range values {
			if f.name != "resourceType" {
				writeElement(out, f.name, v)
			}
		}
	}
}

func writeElement(out *strings.Builder, name string, v any) {
	fields, isObject := v.([]field)
	switch {
	case name == "div":
		out.WriteString(fmt.Sprint(v))
	case !isObject:
		fmt.Fprintf(out, `<%s value="%s"/>`, name, escape(fmt.Sprint(v)))
	case len(fields) > 0 && fields[0].name == "resourceType":
		fmt.Fprintf(out, `<%s>`, name)
		writeResource(out, fields)
		fmt.Fprintf(out, `</%s>`, name)
	default:
		fmt.Fprintf(out, `<%s`, name)
		var inner []field
		for _, f := range fields {
			if f.name == "url" && (name == "extension" || name == "modifierExtension") || f.name == "id" {
				fmt.Fprintf(out, ` %s="%s"`, f.name, escape(fmt.Sprint(f.value)))
			} else {
				inner = append(inner, f)
			}
		}
		out.WriteString(">")
		writeFields(out, inner)
		fmt.Fprintf(out, `</%s>`, name)
	}
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

// node is an element as encoding/xml reads it.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Nodes   []node     `xml:",any"`
	Inner   string     `xml:",innerxml"`
}

// fromXML reads an XML resource into the shape that JSON is read into, so that
// paths are the same in both. A value that may repeat but occurs once is no list.
func fromXML(b []byte) (any, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, nil
	}
	var n node
	if err := xml.NewDecoder(bytes.NewReader(b)).Decode(&n); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return n.resource(), nil
}

func (n node) resource() map[string]any {
	m := n.object()
	m["resourceType"] = n.XMLName.Local
	return m
}

func (n node) object() map[string]any {
	m := map[string]any{}
	for _, a := range n.Attrs {
		if a.Name.Local != "xmlns" && a.Name.Space == "" {
			m[a.Name.Local] = a.Value
		}
	}
	for _, c := range n.Nodes {
		name, value := c.XMLName.Local, c.value()
		switch old := m[name].(type) {
		case nil:
			m[name] = value
		case []any:
			m[name] = append(old, value)
		default:
			m[name] = []any{old, value}
		}
	}
	return m
}

func (n node) value() any {
	switch {
	case n.XMLName.Local == "div":
		return n.Inner
	case len(n.Nodes) == 1 && n.Nodes[0].XMLName.Local[0] < 'a': // resource, contained, outcome
		return n.Nodes[0].resource()
	case len(n.Nodes) == 0 && len(n.Attrs) == 1 && n.Attrs[0].Name.Local == "value":
		return n.Attrs[0].Value
	}
	return n.object()
}
