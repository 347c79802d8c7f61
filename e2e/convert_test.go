package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// templates writes a small collection of templates.
func templates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ADT_A01.liquid": `{% assign s = hl7v2Data | get_first_segments: 'PID' -%}
{ "resourceType": "Bundle", "type": "batch", "entry": [ { "request": { "method": "PUT", "url": "Patient/{{ s.PID.3.1.Value }}" },
"resource": { "resourceType": "Patient", "id": "{{ s.PID.3.1.Value }}", "name": [ { "family": "{{ s.PID.5.1.Value }}", } ], "gender": "" } } ] }`,
		"Bad.liquid":      "{\n{{ hl7v2Data.Name }} }",
		"Document.liquid": `{ "resourceType": "Bundle", "type": "batch", "id": "{{ msg.ClinicalDocument.id.root }}" }`,
		"Json.liquid":     `{ "resourceType": "Basic", "created": "{{ msg.at }}" }`,
		"metadata.json":   `{"type":"hl7v2"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const admission = "MSH|^~\\&|APP|FAC|||20250304||ADT^A01|1|P|2.8\rPID|1||M1||Invented^Ada\r"

// parameters makes the body of $convert-data.
func parameters(t *testing.T, values ...string) []byte {
	t.Helper()
	type entry struct {
		Name  string `json:"name"`
		Value string `json:"valueString"`
	}
	body := struct {
		Type  string  `json:"resourceType"`
		Entry []entry `json:"parameter"`
	}{Type: "Parameters"}
	for i := 0; i+1 < len(values); i += 2 {
		body.Entry = append(body.Entry, entry{values[i], values[i+1]})
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConvertData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	description := filepath.Join(dir, "workspace.yaml")
	text := fmt.Sprintf("workspace: clinic\nservices:\n  - name: records\n    kind: fhir\n    settings:\n      templates: {\"hospital/adt:v1\": %q}\n  - {name: plain, kind: fhir}\n", templates(t))
	if err := os.WriteFile(description, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--open", "--data", filepath.Join(dir, "data"), "--workspace", description)
	records := s.URL + "/clinic/records"
	convert := func(values ...string) reply {
		return request(t, "POST", records+"/$convert-data", parameters(t, values...))
	}
	all := []string{"inputDataType", "Hl7v2", "templateCollectionReference", "hospital/adt:v1", "rootTemplate", "ADT_A01", "inputData", admission}
	with := func(changes ...string) []string {
		changed := append([]string{}, all...)
		for i := 0; i+1 < len(changes); i += 2 {
			at := -1
			for k := 0; k < len(changed); k += 2 {
				if changed[k] == changes[i] {
					at = k
				}
			}
			if at < 0 {
				changed = append(changed, changes[i], changes[i+1])
			} else {
				changed[at+1] = changes[i+1]
			}
		}
		return changed
	}

	got := convert(all...).want(t, 200)
	if typ := got.header.Get("Content-Type"); !strings.HasPrefix(typ, "text/plain") {
		t.Errorf("Content-Type is %s", typ)
	}
	// What was converted is not stored, but it can be.
	request(t, "GET", records+"/Patient/M1", nil).outcome(t, 404)
	request(t, "POST", records, got.body).want(t, 200)
	if name := request(t, "GET", records+"/Patient/M1", nil).want(t, 200); !strings.Contains(string(name.body), `"family":"Invented"`) {
		t.Errorf("stored: %s", name.body)
	}
	convert(with("inputDataType", "ccda", "rootTemplate", "Document", "inputData", `<ClinicalDocument><id root="1.2.3"/></ClinicalDocument>`)...).want(t, 200)
	for _, c := range []struct{ treat, want string }{{"false", "03/04/2025"}, {"true", "2025-03-04T"}} {
		body := convert(with("inputDataType", "Json", "rootTemplate", "Json", "inputData", `{"at":"2025-03-04T05:06:07Z"}`, "jsonDeserializationTreatDatesAsStrings", c.treat)...).want(t, 200).body
		if !strings.Contains(string(body), c.want) {
			t.Errorf("dates as strings %s: %s", c.treat, body)
		}
	}
	for _, c := range []struct {
		name   string
		values []string
		says   string
	}{
		{"a parameter that is not known", with("colour", "red"), "does not support"},
		{"one that is missing", all[2:], "inputDataType"},
		{"one that is empty", with("rootTemplate", " "), "rootTemplate"},
		{"one twice", append(with(), "rootTemplate", "x"), "more than once"},
		{"an unknown type", with("inputDataType", "Pdf"), "inputDataType"},
		{"a flag that is none", with("jsonDeserializationTreatDatesAsStrings", "maybe"), "jsonDeserializationTreatDatesAsStrings"},
		{"another collection", with("templateCollectionReference", "hospital/adt:v2"), "not configured"},
		{"default templates for other data", with("templateCollectionReference", "microsofthealth/hl7v2templates:default", "inputDataType", "Ccda"), "inconsistent"},
		{"default templates that are not there", with("templateCollectionReference", "microsofthealth/ccdatemplates:default", "inputDataType", "Ccda"), "not in this build"},
		{"another template", with("rootTemplate", "ADT_A99"), "Reason: 1305"},
		{"no message", with("inputData", "PID|1"), "Reason: 1201"},
		{"an error in a template", with("rootTemplate", "Bad"), "Bad, line 2: 1302"},
	} {
		if r := convert(c.values...); !strings.Contains(string(r.body), c.says) {
			t.Errorf("%s: %s", c.name, r.body)
		} else {
			r.outcome(t, 400)
		}
	}
	request(t, "POST", records+"/$convert-data", []byte(`{"resourceType":"Patient"}`)).outcome(t, 400)
	request(t, "GET", records+"/$convert-data", nil).outcome(t, 405)
	if body := request(t, "GET", records+"/metadata", nil).want(t, 200).body; !strings.Contains(string(body), `"convert-data"`) {
		t.Error("the statement does not name the operation")
	}
	// With the templates that are there without any settings, in a service that has none.
	plain := s.URL + "/clinic/plain"
	own := request(t, "POST", plain+"/$convert-data", parameters(t, with("templateCollectionReference", "microsofthealth/FHIRconverter:default")...)).want(t, 200)
	request(t, "POST", plain, own.body).want(t, 200)
	if found, _ := request(t, "GET", plain+"/Patient?identifier=M1&family=invented", nil).want(t, 200).json(t)["entry"].([]any); len(found) != 1 {
		t.Errorf("found %v", found)
	}

	if contains(s.Log, "Invented") || contains(s.Log, "M1") {
		t.Error("the log has what was converted")
	}
}

func TestConvertCommand(t *testing.T) {
	t.Parallel()
	with, in, out := templates(t), t.TempDir(), filepath.Join(t.TempDir(), "out")
	for name, text := range map[string]string{"a.hl7": admission, "b.hl7": strings.Replace(admission, "M1", "M2", 1), "c.hl7": "PID|1", "d.hl7": "FHS|^~\\&\r" + admission + strings.Replace(admission, "M1", "M3", 1) + "FTS|1\r"} {
		if err := os.WriteFile(filepath.Join(in, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := run(t, "convert", "--templates", with, "-i", filepath.Join(in, "a.hl7"), "--unused")
	if code != 0 || !strings.Contains(stdout, `"family": "Invented"`) || strings.Contains(stdout, "gender") || !strings.Contains(stderr, "line 2: PID: 2 components") {
		t.Errorf("one file: %d %s%s", code, stdout, stderr)
	}
	if _, stderr, code := run(t, "convert", "--templates", with, "-i", in, "-o", out); code != 2 || !strings.Contains(stderr, "c.hl7: --template") || !strings.Contains(stderr, "4 converted, 1 failed") {
		t.Errorf("a folder: %d %s", code, stderr)
	}
	if stdout, _, code := run(t, "convert", "--templates", with, "-i", filepath.Join(in, "d.hl7")); code != 0 || strings.Count(stdout, `"resourceType": "Bundle"`) != 2 || !strings.Contains(stdout, `"id": "M3"`) {
		t.Errorf("a batch: %d %s", code, stdout)
	}
	if made := files(t, out); len(made) != 4 {
		t.Errorf("made %v", made)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--template", "Bad", "-i", filepath.Join(in, "a.hl7")}, "Bad, line 2: 1302"},
		{[]string{"--template", "None", "-i", filepath.Join(in, "a.hl7")}, "no template None"},
		{[]string{"-i", in}, "--out"},
		{[]string{"--type", "pdf", "-i", filepath.Join(in, "a.hl7")}, "--type"},
	} {
		if _, stderr, code := run(t, append([]string{"convert", "--templates", with}, c.args...)...); code != 2 || !strings.Contains(stderr, c.says) {
			t.Errorf("%v: %d %s", c.args, code, stderr)
		}
	}
}

// Every public message becomes a transaction that the service takes, with the templates that Salus brings with it.
func TestPublicMessagesAreTaken(t *testing.T) {
	t.Parallel()
	messages, err := filepath.Glob("../../shared/data/hl7v2/messages/*")
	if err != nil || len(messages) == 0 {
		t.Skip("NOT COVERED: public messages: ../shared is not there")
	}
	s := start(t, "--open", "--data", t.TempDir())
	base := s.URL + "/default/fhir"
	for _, name := range messages {
		message, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bundle := request(t, "POST", base+"/$convert-data", parameters(t, "inputDataType", "Hl7v2", "templateCollectionReference", "microsofthealth/fhirconverter:default",
			"rootTemplate", "Message", "inputData", string(message))).want(t, 200)
		if r := request(t, "POST", base, bundle.body); r.status != 200 {
			t.Errorf("%s: %d %s", filepath.Base(name), r.status, r.body)
		}
	}
}
