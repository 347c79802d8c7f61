package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"salus/convert"
	"salus/convert/engine"
	"salus/convert/liquid"
)

func small(t testing.TB, files map[string]string) *engine.Converter {
	t.Helper()
	var all []liquid.File
	for name, text := range files {
		all = append(all, liquid.File{Path: name, Content: []byte(text)})
	}
	c, err := engine.New(all, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range c.Check() {
		t.Fatal(err)
	}
	return c
}

const admission = "MSH|^~\\&|APP|FAC|||20250304||ADT^A01|1|P|2.8\nPID|1||M1^^^H||Invented^Ada\\T\\Co||19700101|F\nZZZ|1|left alone\n"

func TestMessagesBecomeBundles(t *testing.T) {
	t.Parallel()
	c := small(t, map[string]string{
		"ADT_A01.liquid": `{% assign first = hl7v2Data | get_first_segments: 'PID|NK1' -%}
{% evaluate id using 'ID/Patient' PID: first.PID -%}
{ "resourceType": "Bundle", "type": "batch", "entry": [
{% include 'Resource/Patient' PID: first.PID, ID: id -%}
{ "resource": { "resourceType": "Patient", "id": "{{ id }}", "active": true } },
{% include 'Resource/Patient' PID: first.NK1 -%}
] }`,
		"ID/_Patient.liquid": `{{ PID.3.1.Value | generate_id_input: 'Patient', false | generate_uuid }}`,
		"Resource/_Patient.liquid": `{% if PID -%}
{ "fullUrl": "urn:uuid:{{ ID }}", "resource": { "resourceType": "Patient", "id": "{{ ID }}", "name": [ { "family": "{{ PID.5.1.Value }}", "given": [ "{{ PID.5.2.Value }}", ] } ],
"birthDate": "{{ PID.7.Value | add_hyphens_date }}", "gender": "{{ PID.8.Value | get_property: 'CodeSystem/Gender' }}", "deceasedDateTime": "{{ PID.29.Value }}", } },
{% endif -%}`,
		"CodeSystem/CodeSystem.json": `{"Mapping":{"CodeSystem/Gender":{"F":{"code":"female"}}}}`,
	})
	got, err := c.Convert(context.Background(), convert.Request{Source: convert.HL7v2, Template: "ADT_A01", Input: []byte(admission)})
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct {
		Entry []struct {
			FullURL  string
			Resource map[string]any
		}
	}
	if err := json.Unmarshal(got.Output, &bundle); err != nil || len(bundle.Entry) != 1 {
		t.Fatalf("%v in %s", err, got.Output)
	}
	p := bundle.Entry[0].Resource
	if p["birthDate"] != "1970-01-01" || p["gender"] != "female" || p["active"] != true || p["deceasedDateTime"] != nil || bundle.Entry[0].FullURL != "urn:uuid:"+p["id"].(string) {
		t.Errorf("got %s", got.Output)
	}
	if name := p["name"].([]any)[0].(map[string]any); name["given"].([]any)[0] != "Ada&Co" {
		t.Errorf("name is %v", name)
	}
	unused := ""
	for _, u := range got.Unused {
		unused += u.Type + " "
	}
	if unused != "MSH PID ZZZ " {
		t.Errorf("unused: %s", unused)
	}
}

func TestOtherSources(t *testing.T) {
	t.Parallel()
	c := small(t, map[string]string{
		"Doc.liquid":      `{ "title": "{{ msg.ClinicalDocument.title._ }}", "size": {{ msg._originalData | size }} }`,
		"Json.liquid":     `{ "at": "{{ msg.at }}", "n": {{ msg.n }} }`,
		"Account.liquid":  `{% mergeDiff msg -%}{ "type": "", "status": "active" }{% endmergeDiff -%}`,
		"Message.liquid":  `{ "messageDefinition": [ { "MSH": { "2": "^~\\&", "9": "ORU^R01" } }, { "pid": { "3": {{ msg.id | to_json_string }} } } ] }`,
		"Nothing.liquid":  ``,
		"Fragment.liquid": `{ "a": }`,
	})
	for _, c2 := range []struct {
		name string
		r    convert.Request
		want string
	}{
		{"a document", convert.Request{Source: convert.CCDA, Template: "Doc", Input: []byte("<ClinicalDocument>\n<title>T</title></ClinicalDocument>")}, `{"title":"T","size":53}`},
		{"dates of JSON", convert.Request{Source: convert.JSON, Template: "Json", Input: []byte(`{"at":"2025-03-04T05:06:07Z","n":1.10}`)}, `{"at":"03/04/2025 05:06:07","n":1.1}`},
		{"dates as strings", convert.Request{Source: convert.JSON, Template: "Json", DatesAsStrings: true, Input: []byte(`{"at":"2025-03-04T05:06:07Z","n":1}`)}, `{"at":"2025-03-04T05:06:07Z","n":1}`},
		{"STU3", convert.Request{Source: convert.FHIR, Template: "Account", Input: []byte(`{"resourceType":"Account","type":{},"id":"1"}`)}, `{"resourceType":"Account","id":"1","status":"active"}`},
	} {
		got, err := c.Convert(context.Background(), c2.r)
		if err != nil {
			t.Errorf("%s: %v", c2.name, err)
			continue
		}
		if s := strings.NewReplacer("\n", "", "  ", "", `": `, `":`).Replace(string(got.Output)); s != c2.want {
			t.Errorf("%s: got %s, want %s", c2.name, s, c2.want)
		}
	}
	got, err := c.Convert(context.Background(), convert.Request{Source: convert.FHIRBundle, Template: "Message", Input: []byte(`{"id":"M1"}`)})
	if want := "MSH|^~\\&|||||||ORU^R01|\nPID|||M1|\n"; err != nil || string(got.Output) != want {
		t.Errorf("HL7v2: got %q, %v; want %q", got.Output, err, want)
	}
	got, err = c.Convert(context.Background(), convert.Request{Source: convert.FHIRBundle, Template: "Message", Input: []byte(`{"id":"M1|\nZZZ"}`)})
	if want := "MSH|^~\\&|||||||ORU^R01|\nPID|||M1\\F\\\\.br\\ZZZ|\n"; err != nil || string(got.Output) != want {
		t.Errorf("a segment within a value: got %q, %v; want %q", got.Output, err, want)
	}
	for _, c2 := range []struct {
		r    convert.Request
		code convert.Code
	}{
		{convert.Request{Source: convert.HL7v2, Template: "Doc", Input: []byte(" ")}, convert.InputParsingError},
		{convert.Request{Source: convert.HL7v2, Template: "Doc", Input: []byte("PID|1")}, convert.InputParsingError},
		{convert.Request{Source: convert.CCDA, Template: "Doc", Input: []byte("<a>")}, convert.InputParsingError},
		{convert.Request{Source: convert.JSON, Template: "Json", Input: []byte("{")}, convert.InputParsingError},
		{convert.Request{Template: "Json", Input: []byte("{}")}, convert.InputParsingError},
		{convert.Request{Source: convert.JSON, Template: "None", Input: []byte("{}")}, convert.TemplateNotFound},
		{convert.Request{Source: convert.JSON, Template: "Nothing", Input: []byte("{}")}, convert.JSONParsingError},
		{convert.Request{Source: convert.JSON, Template: "Fragment", Input: []byte("{}")}, convert.JSONParsingError},
		{convert.Request{Source: convert.FHIRBundle, Template: "Json", Input: []byte("{}")}, convert.JSONParsingError},
	} {
		if _, err := c.Convert(context.Background(), c2.r); !convert.Is(err, c2.code) {
			t.Errorf("%v %s: got %v, want %d", c2.r.Source, c2.r.Template, err, c2.code)
		}
	}
}

// Templates are compiled when they are first used, and many may use them first.
func TestManyConvertAtOnce(t *testing.T) {
	t.Parallel()
	c, err := engine.New([]liquid.File{
		{Path: "A.liquid", Content: []byte(`{ "a": "{% include 'B' x: msg.a %}", "b": {{ msg | to_json_string }} }`)}, {Path: "B.liquid", Content: []byte("{% assign y = x %}{{ y }}")},
	}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 50 {
				in := fmt.Sprintf(`{"a":"%d-%d"}`, n, i)
				got, err := c.Convert(context.Background(), convert.Request{Source: convert.JSON, Template: "A", Input: []byte(in)})
				if want := fmt.Sprintf(`{"a":"%d-%d","b":%s}`, n, i, in); err != nil || engine.Difference([]byte(want), got.Output) != "" {
					t.Errorf("got %s, %v", got.Output, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSourcesHaveNames(t *testing.T) {
	t.Parallel()
	for s := convert.HL7v2; s <= convert.FHIRBundle; s++ {
		if got, ok := convert.ParseSource(strings.ToUpper(s.String())); !ok || got != s {
			t.Errorf("%v became %v", s, got)
		}
	}
	if _, ok := convert.ParseSource("none"); ok {
		t.Error("there is no source of that name")
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want string }{
		{`{"a":1,"b":[1,{"c":null}]}`, `{"b":[1,{"c":null}],"a":1}`, ""},
		{`{"a":"2025-03-04T05:06:07Z"}`, `{"a":"2025-03-04T06:06:07+01:00"}`, ""},
		{`{"a":"2025-03-04T05:06:07Z"}`, `{"a":"2025-03-04T05:06:07+01:00"}`, ".a has another value"},
		{`{"a":{"b":1}}`, `{"a":{}}`, ".a.b is missing"},
		{`{"a":{}}`, `{"a":{"b":1}}`, ".a.b is not expected"},
		{`{"a":[1,2]}`, `{"a":[1]}`, ".a must have 2 items, and has 1"},
		{`{"a":[1,2]}`, `{"a":[1,3]}`, ".a[1] has another value"},
		{`{"a":1}`, `{"a":1.0}`, ".a has another value"},
		{`{"a":[]}`, `{"a":{}}`, ".a must be an array"}, {`{"a":{}}`, `{"a":1}`, ".a must be an object"}, {`{`, `{}`, "what is expected is no JSON"}, {`{}`, `{`, "the result is no JSON"},
	} {
		if got := engine.Difference([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
