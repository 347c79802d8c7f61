package patch_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/patch"
	"salus/fhir/spec"
)

func parse(t testing.TB, json string) fhir.Node {
	t.Helper()
	d, err := fhir.Parse([]byte(json))
	if err != nil {
		t.Fatalf("%v: %s", err, json)
	}
	return d.Root()
}

// outcome applies a patch, of whichever kind, to a resource.
func outcome(n, body fhir.Node, rules fhir.Compat) (string, error) {
	var p *patch.Patch
	var err error
	if body.Type() != "" {
		p, err = patch.FHIRPath(body, spec.R4(), rules)
	} else {
		p, err = patch.JSON(body, rules)
	}
	if err != nil {
		return "", err
	}
	d, err := p.Apply(n)
	if err != nil {
		return "", err
	}
	return string(d.Root().Raw()), nil
}

const before = `{"resourceType":"Patient","id":"a","meta":{"versionId":"1","lastUpdated":"2026-01-01T00:00:00Z","tag":[{"code":"t"}]},` +
	`"text":{"status":"generated","div":"<div/>"},"birthDate":"1970-03-03","_birthDate":{"id":"b"},` +
	`"name":[{"family":"MARKER","given":["x","y"],"_given":[null,{"id":"g"}]}],"multipleBirthInteger":2}`

type step struct {
	name, patch string
	resource    string // before when empty
	has, lacks  string // of the outcome
	text        string // of the fault
	rules       fhir.Compat
}

func runSteps(t *testing.T, steps []step, wrap func(string) string) {
	t.Helper()
	for _, c := range steps {
		t.Run(c.name, func(t *testing.T) {
			if c.resource == "" {
				c.resource = before
			}
			got, err := outcome(parse(t, c.resource), parse(t, wrap(c.patch)), c.rules)
			if c.text != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Message, c.text) {
					t.Fatalf("got %v, want Invalid with %q (%s)", err, c.text, got)
				}
				if strings.Contains(err.Error(), "MARKER") {
					t.Errorf("the fault shows a value: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, c.has) {
				t.Errorf("outcome lacks %s: %s", c.has, got)
			}
			if c.lacks != "" && strings.Contains(got, c.lacks) {
				t.Errorf("outcome has %s: %s", c.lacks, got)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	runSteps(t, []step{
		{name: "nothing to do", patch: `[]`, has: before},
		{name: "add a property", patch: `[{"op":"add","path":"/active","value":true}]`, has: `"multipleBirthInteger":2,"active":true}`},
		{name: "add keeps digits", patch: `[{"op":"add","path":"/x","value":1.000}]`, has: `"x":1.000`},
		{name: "add in place of", patch: `[{"op":"add","path":"/birthDate","value":"1971"}]`, has: `"birthDate":"1971","_birthDate"`},
		{name: "add to an array", patch: `[{"op":"add","path":"/name/0/given/1","value":"z"}]`, has: `["x","z","y"]`},
		{name: "add to the end", patch: `[{"op":"add","path":"/name/0/given/-","value":"z"}]`, has: `["x","y","z"]`},
		{name: "add to a new array", patch: `[{"op":"add","path":"/photo","value":[]},{"op":"add","path":"/photo/0","value":{"title":"p"}}]`, has: `"photo":[{"title":"p"}]`},
		{name: "an empty array does not stay", patch: `[{"op":"add","path":"/photo","value":[{}]}]`, has: before},
		{name: "the last item goes with its array", patch: `[{"op":"remove","path":"/name/0"}]`, has: `{"id":"b"},"multipleBirthInteger"`},
		{name: "the last property goes with its object", patch: `[{"op":"remove","path":"/_birthDate/id"}]`, has: `"1970-03-03","name"`},
		{name: "an empty twin becomes null", patch: `[{"op":"add","path":"/name/0/_given/0","value":{"id":"n"}},{"op":"remove","path":"/name/0/_given/1"},{"op":"remove","path":"/name/0/_given/1/id"}]`, has: `"_given":[{"id":"n"},null]`},
		{name: "twins without anything go", patch: `[{"op":"remove","path":"/name/0/_given/1/id"}]`, lacks: `_given`, has: `["x","y"]`},
		{name: "replace", patch: `[{"op":"replace","path":"/multipleBirthInteger","value":3}]`, has: `"multipleBirthInteger":3`},
		{name: "replace nothing", patch: `[{"op":"replace","path":"/active","value":3}]`, text: "leads nowhere"},
		{name: "remove nothing", patch: `[{"op":"remove","path":"/active"}]`, text: "leads nowhere"},
		{name: "move", patch: `[{"op":"move","from":"/birthDate","path":"/deceasedDateTime"}]`, has: `"deceasedDateTime":"1970-03-03"`, lacks: `"birthDate":`},
		{name: "move to itself", patch: `[{"op":"move","from":"/name/0","path":"/name/0"}]`, has: before},
		{name: "move into itself", patch: `[{"op":"move","from":"/name","path":"/name/0/x"}]`, text: "into itself"},
		{name: "copy", patch: `[{"op":"copy","from":"/name/0","path":"/name/-"},{"op":"remove","path":"/name/1/family"}]`, has: `"family":"MARKER"`},
		{name: "a test holds", patch: `[{"op":"test","path":"/multipleBirthInteger","value":2.0},{"op":"test","path":"/name/0/given","value":["x","\u0079"]}]`, has: before},
		{name: "a test fails", patch: `[{"op":"test","path":"/name/0/family","value":"MARKER2"}]`, text: "test fails"},
		{name: "change of choice", patch: `[{"op":"remove","path":"/multipleBirthInteger"},{"op":"add","path":"/multipleBirthBoolean","value":true}]`, has: `"multipleBirthBoolean":true`, lacks: "Integer"},
		{name: "no array", patch: `{"op":"add"}`, text: "array of operations"},
		{name: "no object", patch: `[1]`, text: "must be an object"},
		{name: "no op", patch: `[{"path":"/active","value":true}]`, text: "op must be"},
		{name: "unknown op", patch: `[{"op":"MARKER","path":"/active","value":true}]`, text: "op must be"},
		{name: "no path", patch: `[{"op":"add","value":true}]`, text: "path is missing"},
		{name: "an empty path", patch: `[{"op":"add","path":"","value":true}]`, text: "JSON Pointer"},
		{name: "the whole under FHIR's rules", patch: `[{"op":"test","path":"","value":` + before + `}]`, rules: fhir.Strict, has: before},
		{name: "the whole removed", patch: `[{"op":"remove","path":""}]`, rules: fhir.Strict, text: "cannot be removed"},
		{name: "no slash", patch: `[{"op":"add","path":"active","value":true}]`, text: "begins with /"},
		{name: "a bad escape", patch: `[{"op":"add","path":"/a~2","value":true}]`, text: "0 or 1"},
		{name: "no value", patch: `[{"op":"add","path":"/active"}]`, text: "needs a value"},
		{name: "no from", patch: `[{"op":"move","path":"/active"}]`, text: "from is missing"},
		{name: "an index with zero", patch: `[{"op":"remove","path":"/name/00"}]`, text: "index"},
		{name: "an index with a sign", patch: `[{"op":"remove","path":"/name/+0"}]`, text: "index"},
		{name: "an index too far", patch: `[{"op":"add","path":"/name/2","value":{}}]`, text: "leads nowhere"},
		{name: "into a literal", patch: `[{"op":"add","path":"/birthDate/x","value":{}}]`, text: "leads nowhere"},
		{name: "the id", patch: `[{"op":"replace","path":"/id","value":"b"}]`, text: "id is immutable"},
		{name: "the id to itself", patch: `[{"op":"replace","path":"/id","value":"a"}]`, has: before},
		{name: "without id", patch: `[{"op":"remove","path":"/id"}]`, text: "id is immutable"},
		{name: "the type", patch: `[{"op":"replace","path":"/resourceType","value":"Basic"}]`, text: "resourceType is immutable"},
		{name: "the version", patch: `[{"op":"replace","path":"/meta/versionId","value":"2"}]`, text: "meta.versionId is immutable"},
		{name: "without version", patch: `[{"op":"remove","path":"/meta/versionId"}]`, text: "meta.versionId is immutable"},
		{name: "the time", patch: `[{"op":"replace","path":"/meta/lastUpdated","value":"2027-01-01T00:00:00Z"}]`, text: "meta.lastUpdated is immutable"},
		{name: "another meta", patch: `[{"op":"replace","path":"/meta","value":{"tag":[{"code":"u"}]}}]`, has: `"meta":{"tag":[{"code":"u"}]}`},
		{name: "the narrative", patch: `[{"op":"replace","path":"/text/div","value":"<div>x</div>"}]`, text: "text.div is immutable"},
		{name: "its status", patch: `[{"op":"replace","path":"/text/status","value":"empty"}]`, text: "text.status is immutable"},
		{name: "the narrative under FHIR's rules", patch: `[{"op":"replace","path":"/text/div","value":"<div>x</div>"}]`, rules: fhir.Strict, has: "<div>x</div>"},
	}, func(p string) string { return p })
}

func TestJSON_IsBounded(t *testing.T) {
	double := strings.Repeat(`{"op":"copy","from":"/name","path":"/name/-"},`, 60)
	many := strings.Repeat(`{"op":"test","path":"/id","value":"a"},`, 10_001)
	for name, p := range map[string]string{"copies": double, "operations": many} {
		_, err := outcome(parse(t, before), parse(t, "["+strings.TrimSuffix(p, ",")+"]"), fhir.Azure)
		if !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// operation makes Parameters of the parts of operations.
func operation(parts string) string {
	var all []string
	for op := range strings.SplitSeq(parts, ";;") {
		all = append(all, `{"name":"operation","part":[`+op+`]}`)
	}
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(all, ",") + `]}`
}

// op makes the usual parts; more are those that differ.
func op(typ, path string, more ...string) string {
	parts := []string{`{"name":"type","valueCode":"` + typ + `"}`, `{"name":"path","valueString":"` + path + `"}`}
	for i := 0; i+1 < len(more); i += 2 {
		parts = append(parts, `{"name":"`+more[i]+`",`+more[i+1]+`}`)
	}
	return strings.Join(parts, ",")
}

func TestFHIRPath(t *testing.T) {
	const observation = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueString":"MARKER","_valueString":{"id":"v"}}`
	runSteps(t, []step{
		{name: "add", patch: op("add", "Patient", "name", `"valueString":"active"`, "value", `"valueBoolean":true`), has: `"active":true`},
		{name: "add to a list", patch: op("add", "Patient", "name", `"valueString":"name"`, "value", `"valueHumanName":{"text":"n"}`), has: `},{"text":"n"}]`},
		{name: "add to a list of primitives with twins", patch: op("add", "Patient.name", "name", `"valueString":"given"`, "value", `"valueString":"z"`), has: `"given":["x","y","z"],"_given":[null,{"id":"g"},null]`},
		{name: "add a value with a twin", patch: op("add", "Patient.name", "name", `"valueString":"prefix"`, "value", `"valueString":"z","_valueString":{"id":"p"}`), has: `"prefix":["z"],"_prefix":[{"id":"p"}]`},
		{name: "add to a primitive", patch: op("add", "Patient.birthDate", "name", `"valueString":"extension"`, "value", `"part":[{"name":"url","valueUri":"urn:x"},{"name":"value","valueCode":"c"}]`), has: `"_birthDate":{"id":"b","extension":[{"url":"urn:x","valueCode":"c"}]}`},
		{name: "add by a condition", patch: op("add", "Patient.name.where(given.exists($this = 'y'))", "name", `"valueString":"text"`, "value", `"valueString":"t"`), has: `"text":"t"`},
		{name: "add a choice", resource: `{"resourceType":"Observation","id":"o"}`, patch: op("add", "Observation", "name", `"valueString":"value"`, "value", `"valueQuantity":{"value":1.00}`), has: `"valueQuantity":{"value":1.00}`},
		{name: "add a spelt choice", resource: `{"resourceType":"Observation","id":"o"}`, patch: op("add", "Observation", "name", `"valueString":"valueQuantity"`, "value", `"valueQuantity":{"value":1}`), has: `"valueQuantity":{"value":1}`},
		{name: "add a second choice", resource: observation, patch: op("add", "Observation", "name", `"valueString":"value"`, "value", `"valueQuantity":{"value":1}`), text: "Existing element value found at Observation"},
		{name: "add what is there", patch: op("add", "Patient", "name", `"valueString":"birthDate"`, "value", `"valueDate":"1971"`), text: "Existing element birthDate found at Patient"},
		{name: "add an anonymous type", patch: op("add", "Patient", "name", `"valueString":"link"`, "value", `"part":[{"name":"other","valueReference":{"reference":"Patient/b"}},{"name":"type","valueCode":"seealso"}]`), has: `"link":[{"other":{"reference":"Patient/b"},"type":"seealso"}]`},
		{name: "add nested anonymous types", resource: `{"resourceType":"Questionnaire","id":"q"}`, patch: op("add", "Questionnaire", "name", `"valueString":"item"`, "value", `"part":[{"name":"linkId","valueString":"1"},{"name":"item","part":[{"name":"linkId","valueString":"1.1"}]},{"name":"item","part":[{"name":"linkId","valueString":"1.2"}]}]`), has: `"item":[{"linkId":"1","item":[{"linkId":"1.1"},{"linkId":"1.2"}]}]`},
		{name: "add a resource", patch: op("add", "Patient", "name", `"valueString":"contained"`, "value", `"resource":{"resourceType":"Basic","id":"x"}`), has: `"contained":[{"resourceType":"Basic","id":"x"}]`},
		{name: "add an unknown element", patch: op("add", "Patient.name.where(family = 'MARKER')", "name", `"valueString":"colour"`, "value", `"valueString":"t"`), text: "Element colour not found at Patient.name.where(family = '…') when processing patch add operation."},
		{name: "add an unknown part", patch: op("add", "Patient", "name", `"valueString":"link"`, "value", `"part":[{"name":"colour","valueString":"x"}]`), text: "Element colour not found"},
		{name: "add a value of another type", patch: op("add", "Patient", "name", `"valueString":"active"`, "value", `"valueString":"MARKER"`), text: "Invalid input for active at Patient"},
		{name: "add parts to a literal", patch: op("add", "Patient", "name", `"valueString":"active"`, "value", `"part":[{"name":"x","valueString":"x"}]`), text: "Invalid input for active at Patient"},
		{name: "add at several places", resource: `{"resourceType":"Patient","id":"a","name":[{"text":"1"},{"text":"2"}]}`, patch: op("add", "Patient.name", "name", `"valueString":"family"`, "value", `"valueString":"t"`), text: "Multiple matches found for Patient.name"},
		{name: "add nowhere", patch: op("add", "Patient.contact", "name", `"valueString":"gender"`, "value", `"valueCode":"male"`), text: "No content found at Patient.contact when processing patch add operation."},
		{name: "insert", patch: op("insert", "Patient.name.given", "index", `"valueInteger":1`, "value", `"valueString":"z"`), has: `"given":["x","z","y"],"_given":[null,null,{"id":"g"}]`},
		{name: "insert into a new list", patch: op("insert", "Patient.photo", "index", `"valueInteger":0`, "value", `"valueAttachment":{"title":"t"}`), has: `"photo":[{"title":"t"}]`},
		{name: "insert too far", patch: op("insert", "Patient.name", "index", `"valueInteger":2`, "value", `"valueHumanName":{"text":"n"}`), text: "out of bounds"},
		{name: "insert before the start", patch: op("insert", "Patient.name", "index", `"valueInteger":-1`, "value", `"valueHumanName":{"text":"n"}`), text: "from 0"},
		{name: "insert into no list", patch: op("insert", "Patient.birthDate", "index", `"valueInteger":0`, "value", `"valueDate":"1970"`), text: "is no list"},
		{name: "insert into a condition", patch: op("insert", "Patient.name.where(true)", "index", `"valueInteger":0`, "value", `"valueDate":"1970"`), text: "must end in the name"},
		{name: "delete", patch: op("delete", "Patient.birthDate"), lacks: "irthDate"},
		{name: "delete an item", patch: op("delete", "Patient.name.given[0]"), has: `"given":["y"],"_given":[{"id":"g"}]`},
		{name: "delete nothing", patch: op("delete", "Patient.deceased"), has: before},
		{name: "delete several", patch: op("delete", "Patient.name.given"), text: "Multiple matches found for Patient.name.given when processing patch delete operation."},
		{name: "delete the last item", patch: op("delete", "Patient.name"), lacks: `"name"`},
		{name: "delete an extension of a primitive", resource: `{"resourceType":"Patient","id":"a","_birthDate":{"extension":[{"url":"urn:x","valueCode":"c"}]},"active":true}`, patch: op("delete", "Patient.birthDate.extension('urn:x')"), has: `{"resourceType":"Patient","id":"a","active":true}`},
		{name: "delete the whole", patch: op("delete", "Patient"), text: "whole resource"},
		{name: "delete the id", patch: op("delete", "Patient.id"), text: "id is immutable"},
		{name: "delete the version", patch: op("delete", "Patient.meta.versionId"), text: "meta.versionId is immutable"},
		{name: "replace", patch: op("replace", "Patient.birthDate", "value", `"valueDate":"1980"`), has: `"birthDate":"1980","name"`},
		{name: "replace within a list", patch: op("replace", "Patient.name.given.where($this = 'y')", "value", `"valueString":"z"`), has: `"given":["x","z"]`, lacks: "_given"},
		{name: "replace a choice by another type", resource: observation, patch: op("replace", "Observation.value", "value", `"valueQuantity":{"value":1}`), has: `"code":{"text":"x"},"valueQuantity":{"value":1}}`},
		{name: "replace nothing", patch: op("replace", "Patient.active", "value", `"valueBoolean":true`), text: "No content found at Patient.active when processing patch replace operation."},
		{name: "replace the id", patch: op("replace", "Patient.id", "value", `"valueId":"b"`), text: "immutable"},
		{name: "replace the narrative", patch: op("replace", "Patient.text.status", "value", `"valueCode":"empty"`), text: "immutable"},
		{name: "replace what is no element", patch: op("replace", "'MARKER'", "value", `"valueString":"b"`), text: "must select an element"},
		{name: "move", patch: op("move", "Patient.name.given", "source", `"valueInteger":1`, "destination", `"valueInteger":0`), has: `"given":["y","x"],"_given":[{"id":"g"},null]`},
		{name: "move from nowhere", patch: op("move", "Patient.name.given", "source", `"valueInteger":2`, "destination", `"valueInteger":0`), text: "out of bounds"},
		{name: "upsert what is there", patch: op("upsert", "Patient", "name", `"valueString":"birthDate"`, "value", `"valueDate":"1980"`), has: `"birthDate":"1980"`},
		{name: "upsert what is not there", patch: op("upsert", "Patient", "name", `"valueString":"language"`, "value", `"valueCode":"en"`), has: `"language":"en"`},
		{name: "upsert to a list", patch: op("upsert", "Patient.meta", "name", `"valueString":"tag"`, "value", `"valueCoding":{"code":"u"}`), has: `"tag":[{"code":"t"},{"code":"u"}]`},
		{name: "upsert what the list has", patch: op("upsert", "Patient.meta", "name", `"valueString":"tag"`, "value", `"valueCoding":{"code":"t"}`), has: before},
		{name: "upsert by path", patch: op("upsert", "Patient.language", "value", `"valueCode":"en"`), has: `"language":"en"`},
		{name: "one after the other", patch: op("add", "Patient", "name", `"valueString":"active"`, "value", `"valueBoolean":true`) + ";;" + op("replace", "Patient.active", "value", `"valueBoolean":false`), has: `"active":false`},
		{name: "no type", patch: `{"name":"path","valueString":"Patient"}`, text: "'type' part"},
		{name: "an unknown type", patch: op("MARKER", "Patient"), text: "Invalid patch operation type"},
		{name: "no path", patch: `{"name":"type","valueCode":"delete"}`, text: "Patch delete operations must have the 'path' part."},
		{name: "no value", patch: op("replace", "Patient.active"), text: "Patch replace operations must have the 'value' part."},
		{name: "no name", patch: op("add", "Patient", "value", `"valueBoolean":true`), text: "Patch add operations must have the 'name' part."},
		{name: "no index", patch: op("insert", "Patient.name", "value", `"valueBoolean":true`), text: "Patch insert operations must have the 'index' part."},
		{name: "no source", patch: op("move", "Patient.name", "destination", `"valueInteger":1`), text: "Patch move operations must have the 'source' part."},
		{name: "a part twice", patch: op("delete", "Patient.name", "path", `"valueString":"Patient"`), text: "stands twice"},
		{name: "a broken path", patch: op("delete", "Patient.."), text: "FHIRPath"},
	}, operation)
}

func TestFHIRPath_RefusesOtherBodies(t *testing.T) {
	for name, body := range map[string]string{
		"another resource": `{"resourceType":"Basic"}`, "another parameter": `{"resourceType":"Parameters","parameter":[{"name":"x"}]}`,
		"no list": `{"resourceType":"Parameters","parameter":{"name":"operation"}}`,
	} {
		if _, err := outcome(parse(t, before), parse(t, body), fhir.Azure); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
