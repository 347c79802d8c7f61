package patch_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
)

// FuzzPatch applies what any client may send. Nothing may panic, and what comes
// out is a resource with the same id and no empty object or array.
func FuzzPatch(f *testing.F) {
	f.Add(`[{"op":"add","path":"/name/0/given/-","value":"z"},{"op":"copy","from":"/name","path":"/contact"},{"op":"remove","path":"/_birthDate"}]`)
	f.Add(`[{"op":"move","from":"/name/0","path":"/x"},{"op":"test","path":"/x/given/0","value":"x"},{"op":"replace","path":"/meta","value":{}}]`)
	f.Add(operation(op("add", "Patient", "name", `"valueString":"link"`, "value", `"part":[{"name":"type","valueCode":"seealso"}]`)))
	f.Add(operation(op("move", "Patient.name.given", "source", `"valueInteger":1`, "destination", `"valueInteger":0`) + ";;" + op("delete", "Patient.name.given[0]")))
	f.Add(operation(op("insert", "Patient.name", "index", `"valueInteger":1`, "value", `"valueHumanName":{"text":"x"}`)))
	f.Add(operation(op("upsert", "Patient.meta", "name", `"valueString":"tag"`, "value", `"valueCoding":{"code":"x"}`)))
	f.Fuzz(func(t *testing.T, body string) {
		d, err := fhir.Parse([]byte(body))
		if err != nil {
			return
		}
		got, err := outcome(parse(t, before), d.Root(), fhir.Azure)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge && k != fault.NotSupported {
				t.Errorf("%v", err)
			}
			return
		}
		n := parse(t, got)
		if n.ID() != "a" || n.Type() != "Patient" {
			t.Errorf("not the same resource: %s", got)
		}
		if plain := strings.ReplaceAll(got, " ", ""); strings.Contains(plain, ":{}") || strings.Contains(plain, ":[]") {
			for c := range n.Children {
				if k := c.Kind(); (k == fhir.Object || k == fhir.Array) && c.Len() == 0 {
					t.Errorf("empty %s: %s", c.Name(), got)
				}
			}
		}
	})
}
