package searchparam_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	const url = `"url":"http://example.org/SearchParameter/x",`
	for _, c := range []struct{ name, json, expression string }{
		{"extension", `"code":"eyes","base":["Patient"],"type":"token","expression":"Patient.extension('http://example.org/eyes').value"`, ""},
		{"without the type in front", `"code":"eyes","base":["Patient"],"type":"string","expression":"name.family"`, ""},
		{"several bases", `"code":"town","base":["Patient","Practitioner"],"type":"string","expression":"Patient.address.city | Practitioner.address.city"`, ""},
		{"base of all", `"code":"labelled","base":["Resource"],"type":"token","expression":"Resource.meta.security"`, ""},
		{"reference", `"code":"gp","base":["Patient"],"type":"reference","target":["Practitioner"],"expression":"Patient.generalPractitioner.where(resolve() is Practitioner)"`, ""},
		{"computed", `"code":"names","base":["Patient"],"type":"number","expression":"Patient.name.count()"`, ""},
		{"narrower than another", `"code":"name","base":["Patient"],"type":"string","expression":"Patient.name"`, ""},
		{"wider than another", `"code":"gender","base":["Patient"],"type":"token","expression":"Patient.gender | Patient.contact.gender"`, ""},
		{"composite", `"code":"a-b","base":["Observation"],"type":"composite","expression":"Observation","component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"},{"definition":"http://hl7.org/fhir/SearchParameter/Observation-status","expression":"status"}]`, ""},

		{"code of another", `"code":"gender","base":["Patient"],"type":"token","expression":"Patient.maritalStatus"`, "code"},
		{"code of another, of a base", `"code":"gender","base":["Resource"],"type":"token","expression":"Resource.language"`, "code"},
		{"code of a base's other", `"code":"_tag","base":["Person"],"type":"token","expression":"Person.gender"`, "code"},
		{"reserved code", `"code":"_count","base":["Patient"],"type":"token","expression":"Patient.gender"`, "code"},
		{"code with a colon", `"code":"a:b","base":["Patient"],"type":"token","expression":"Patient.gender"`, "code"},
		{"unknown base", `"code":"eyes","base":["Patiens"],"type":"token","expression":"Patient.gender"`, "base[0]"},
		{"data type as base", `"code":"eyes","base":["HumanName"],"type":"token","expression":"HumanName.use"`, "base[0]"},
		{"unknown target", `"code":"eyes","base":["Patient"],"target":["Nobody"],"type":"reference","expression":"Patient.generalPractitioner"`, "target[0]"},
		{"unknown type", `"code":"eyes","base":["Patient"],"type":"colour","expression":"Patient.gender"`, "type"},
		{"special", `"code":"eyes","base":["Patient"],"type":"special","expression":"Patient.gender"`, "type"},
		{"no expression", `"code":"eyes","base":["Patient"],"type":"token"`, "expression"},
		{"not FHIRPath", `"code":"eyes","base":["Patient"],"type":"token","expression":"Patient.gender ("`, "expression"},
		{"unknown element", `"code":"eyes","base":["Patient"],"type":"token","expression":"Patient.eyes"`, "expression"},
		{"of another type", `"code":"eyes","base":["Patient"],"type":"token","expression":"Practitioner.gender"`, "expression"},
		{"missing for one base", `"code":"eyes","base":["Patient","Group"],"type":"token","expression":"Patient.gender"`, "expression"},
		{"not convertible", `"code":"eyes","base":["Patient"],"type":"quantity","expression":"Patient.gender"`, "expression"},
		{"composite of one", `"code":"a-b","base":["Observation"],"type":"composite","expression":"Observation","component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"}]`, "component"},
		{"composite of composites", `"code":"a-b","base":["Observation"],"type":"composite","expression":"Observation","component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"},{"definition":"http://hl7.org/fhir/SearchParameter/Observation-code-value-date","expression":"$this"}]`, "component[1].definition"},
		{"composite of unknown", `"code":"a-b","base":["Observation"],"type":"composite","expression":"Observation","component":[{"definition":"http://hl7.org/fhir/SearchParameter/clinical-code","expression":"code"},{"definition":"http://example.org/none","expression":"$this"}]`, "component[1].definition"},
	} {
		d, err := fhir.Parse([]byte(`{"resourceType":"SearchParameter",` + url + c.json + "}"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		err = r.Check(searchparam.Define(d.Root()))
		if c.expression == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if issue := fault.As(err).Issues[0]; issue.Expression != "SearchParameter."+c.expression || issue.Text == "" {
			t.Errorf("%s: %+v", c.name, issue)
		}
	}
}

func TestCheck_URL(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for url, fine := range map[string]bool{
		"http://example.org/" + strings.Repeat("x", 109): true, "http://example.org/" + strings.Repeat("x", 110): false, "": false,
		"http://hl7.org/fhir/SearchParameter/individual-gender": false,
	} {
		sp := eyes(eyesPath)
		sp.URL = url
		if err := r.Check(sp); (err == nil) != fine || err != nil && fault.As(err).Issues[0].Expression != "SearchParameter.url" {
			t.Errorf("%d characters: %v", len(url), err)
		}
	}
}
