package searchparam_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"salus/fhir"
	"salus/fhir/spec"
)

// inventor makes resources that have the shape of their type and random content.
type inventor struct {
	*rand.Rand
	defs *spec.Definitions
}

// one returns a random text of several.
func (g *inventor) one(of ...string) string { return of[g.IntN(len(of))] }

func (g *inventor) resource(t *spec.Type) []byte {
	return g.object(append([]byte(nil), `{"resourceType":"`+t.Name+`"`...), t, 0)
}

// object appends the elements of t and the closing bracket.
func (g *inventor) object(dst []byte, t *spec.Type, depth int) []byte {
	first := dst[len(dst)-1] == '{'
	for _, e := range t.Elements {
		if depth > 4 || e.Max == 0 || depth > 0 && g.IntN(3) == 0 || e.Name == "extension" && g.IntN(8) > 0 {
			continue
		}
		ref := e.Types[g.IntN(len(e.Types))]
		if ref.Type.Kind != spec.Primitive && depth == 4 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = fmt.Appendf(dst, "%q:", e.JSONName(ref))
		if !e.Repeats() {
			dst = g.value(dst, ref.Type, depth+1)
			continue
		}
		dst = append(dst, '[')
		for i := range 1 + g.IntN(2) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = g.value(dst, ref.Type, depth+1)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func (g *inventor) value(dst []byte, t *spec.Type, depth int) []byte {
	switch {
	case t.Kind == spec.Resource:
		inner := g.defs.Resource(g.one("Composition", "MessageHeader", "Patient"))
		return fmt.Appendf(dst, `{"resourceType":%q,"id":"r%d"}`, inner.Name, g.IntN(3))
	case t.Kind != spec.Primitive:
		if t.Name == "Reference" && g.IntN(4) > 0 {
			return fmt.Appendf(dst, `{"reference":%q}`, g.reference())
		}
		return g.object(append(dst, '{'), t, depth)
	}
	switch t.Name {
	case "boolean":
		return fmt.Append(dst, g.IntN(2) == 0)
	case "integer", "positiveInt", "unsignedInt":
		return fmt.Append(dst, 1+g.IntN(9))
	case "decimal":
		return append(dst, g.one("1", "1.0", "2.50", "-3", "1e2")...)
	}
	return fmt.Appendf(dst, "%q", g.text(t.Name))
}

func (g *inventor) reference() string {
	target := g.defs.Resources()[g.IntN(len(g.defs.Resources()))].Name
	return g.one("Patient/1", "Practitioner/2", "Location/3", "#c", "urn:uuid:x", "http://h/fhir/Patient/1", "7", target+"/8", target+"/9/_history/1")
}

func (g *inventor) text(primitive string) string {
	switch primitive {
	case "date":
		return g.one("2020", "2020-02", "2020-02-29")
	case "dateTime":
		return g.one("2020", "2020-02-29", "2020-02-29T10:00:00+01:00", "2020-02-29T10:00:00.123456789Z")
	case "instant":
		return "2020-02-29T10:00:00.5Z"
	case "time":
		return "10:00:00"
	case "id":
		return g.one("a", "b")
	case "canonical":
		return g.one("http://c", "http://c|1", "http://c|1#f", "#c")
	case "uri", "url", "oid", "uuid":
		return g.one("http://u", "urn:oid:1.2", "Patient/1")
	case "code":
		return g.one("male", "active", "final", "email", "phone", "depends-on", "successor", "<", "mg", "EUR")
	case "base64Binary":
		return "YQ=="
	}
	return g.one("text", "Müller", "email", "two words")
}

func TestTrieAgreesWithEvaluationForEveryType(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	g := &inventor{Rand: rand.New(rand.NewPCG(1, 2)), defs: spec.R4()}
	rounds, values := 20, 0
	if testing.Short() {
		rounds = 1
	}
	for _, typ := range spec.R4().Resources() {
		for range rounds {
			d, err := fhir.Parse(g.resource(typ))
			if err != nil {
				t.Fatal(typ.Name, err)
			}
			values += agrees(t, r, d.Root())
		}
	}
	if values < 10*rounds*len(r.Types()) {
		t.Errorf("only %d values were compared", values)
	}
}
