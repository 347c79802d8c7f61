package xmlformat_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"salus/demo"
	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/validate"
	"salus/fhir/xmlformat"
)

var (
	format = xmlformat.New(spec.R4())
	valid  = validate.New(spec.R4())
)

// checker makes round trips.
type checker struct{ resources int }

// check turns a resource into XML and back and wants the same again; now and then it has it indented too.
func (c *checker) check(t testing.TB, name string, n fhir.Node) {
	t.Helper()
	c.resources++
	want := normal(n)
	for _, pretty := range []bool{false, true} {
		if pretty && c.resources%10 != 0 {
			break
		}
		text, err := format.Append(nil, n, pretty)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if c.resources%50 == 0 {
			wellFormed(t, name, text)
		}
		got, err := format.JSON(nil, text)
		if err != nil {
			t.Errorf("%s, read again: %v in\n%.600s", name, err, text)
			return
		}
		if !bytes.Equal(got, want) {
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			t.Errorf("%s, pretty %v, at %d: got\n%.200s\nwant\n%.200s", name, pretty, i, got[max(0, i-100):], want[max(0, i-100):])
			return
		}
	}
}

func wellFormed(t testing.TB, name string, text []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// normal renders a resource as the package does: properties in the order of the definitions, strings
// with the fewest escapes, narratives without HTML's entities.
func normal(n fhir.Node) []byte {
	return appendResource(nil, n)
}

func appendResource(b []byte, n fhir.Node) []byte {
	t := spec.R4().Resource(string(n.Type()))
	b = append(append(append(b, `{"resourceType":"`...), t.Name...), '"')
	return append(appendProperties(b, n, t), '}')
}

func appendProperties(b []byte, n fhir.Node, t *spec.Type) []byte {
	for _, e := range t.Elements {
		for _, ref := range e.Types {
			for _, name := range []string{e.JSONName(ref), "_" + e.JSONName(ref)} {
				if v := n.Get(name); v.Exists() {
					if b[len(b)-1] != '{' {
						b = append(b, ',')
					}
					b = append(fhir.AppendString(b, name), ':')
					b = appendValue(b, v, ref.Type)
				}
			}
		}
	}
	return b
}

func appendValue(b []byte, n fhir.Node, t *spec.Type) []byte {
	switch n.Kind() {
	case fhir.Array:
		b = append(b, '[')
		for c := range n.Children {
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = appendValue(b, c, t)
		}
		return append(b, ']')
	case fhir.Object:
		if t.Kind == spec.Resource {
			return appendResource(b, n)
		}
		return append(appendProperties(append(b, '{'), n, t), '}')
	case fhir.String:
		s := n.Text()
		if t.Name == "xhtml" {
			s = strings.Trim(s, " \t\r\n")
			for name, text := range xml.HTMLEntity {
				if strings.Contains(s, "&") && !strings.Contains(" amp lt gt quot ", " "+name+" ") {
					s = strings.ReplaceAll(s, "&"+name+";", "&#"+strconv.Itoa(int([]rune(text)[0]))+";")
				}
			}
		} else if t.Name != "string" && t.Name != "markdown" {
			s = strings.Trim(s, " \t\r\n")
		}
		return fhir.AppendString(b, s)
	}
	return append(b, n.Raw()...)
}

func TestAnInventedClinicSurvives(t *testing.T) {
	var c checker
	for json := range demo.Population(7, 3) {
		c.check(t, "demo", parse(t, string(json)))
	}
	for json := range demo.Resources(8, 3) {
		c.check(t, "demo", parse(t, string(json)))
	}
	if c.resources < 500 {
		t.Errorf("only %d resources", c.resources)
	}
}

func parse(t testing.TB, json string) fhir.Node {
	t.Helper()
	d, err := fhir.Parse([]byte(json))
	if err != nil {
		t.Fatalf("%v in %s", err, json)
	}
	return d.Root()
}
