package fhir_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// resources has the least that each type of R4 allows, one resource a line, with
// invented values.
//
//go:embed testdata/resources.ndjson
var resources string

// TestEveryType writes each type in both formats, reads it back whole, finds it
// and deletes it. Parameters, which no service stores, are left out.
func TestEveryType(t *testing.T) {
	t.Parallel()
	service := first()
	xml := speaksXML(t, service)
	types := 0
	for line := range strings.Lines(resources) {
		types++
		line = strings.ReplaceAll(line, "{u}", unique())
		want := tree(t, line)
		kind := text(lookup(want, "resourceType"))
		t.Run(kind, func(t *testing.T) {
			if kind == "SearchParameter" {
				defining.Lock()
				defer defining.Unlock()
			}
			created := step{request: "POST " + kind, status: 201, body: line}
			steps := []step{created, do("GET "+kind+"/{id}", 200, etag(1), equals(want)), do("GET "+kind+"?_id={id}", 200, has("entry", 1), at("entry.0.resource.resourceType", kind)),
				do("DELETE "+kind+"/{id}", 204), do("GET "+kind+"/{id}", 410), do("GET "+kind+"?_id={id}", 200, has("entry", 0))}
			keep("id", "id")(&steps[0])
			story{name: "JSON", steps: steps}.run(t, service, false)
			if !xml {
				return
			}
			line, want := strings.ReplaceAll(line, "e2e", "xml"), tree(t, strings.ReplaceAll(line, "e2e", "xml")) // another one
			written, err := toXML(line)
			if err != nil {
				t.Fatal(err)
			}
			tell("XML", do("POST "+kind, 201, typed("application/fhir+xml", written), equals(want), keep("id", "id")), do("GET "+kind+"/{id}", 200, equals(want)),
				do("GET "+kind+"/{id}", 200, head("Accept", "application/fhir+xml"), at("resourceType", kind), at("id", "{id}")), do("DELETE "+kind+"/{id}", 204)).run(t, service, false)
		})
	}
	if types != 145 {
		t.Errorf("there are %d types, want 145", types)
	}
}

func tree(t *testing.T, resource string) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(resource)))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// equals wants a resource, whatever its id and meta.
func equals(want map[string]any) part {
	return checks(func(r reply, _ values) string {
		got, ok := r.tree.(map[string]any)
		if !ok {
			return "the body is no resource"
		}
		stripped := map[string]any{}
		for name, value := range got {
			if name != "id" && name != "meta" {
				stripped[name] = value
			}
		}
		if !reflect.DeepEqual(stripped, want) {
			return "the resource is not what was written: " + text(want)
		}
		return ""
	})
}
