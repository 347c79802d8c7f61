package searchparam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"salus/fhir"
	"salus/fhir/spec"
)

const probed = `{
	"resourceType": "Patient",
	"extension": [
		{"url": "http://a", "valueString": "ext a"},
		{"url": "http://b", "valueString": "ext b"},
		{"url": "http://a", "valueReference": {"reference": "Organization/1"}},
		{"url": "http://c", "extension": [{"url": "inner", "valueDecimal": 1.50}]}
	],
	"name": [
		{"use": "usual", "family": "First", "given": ["A", "B"]},
		{"use": "official", "family": "Second", "given": ["C"]},
		{"use": "official", "family": "Third", "given": ["D"]}
	],
	"gender": "male",
	"birthDate": "2000-01-01",
	"multipleBirthInteger": 2,
	"contact": [
		{"gender": "female", "name": {"family": "Kin", "given": ["E"]}},
		{"name": {"family": "Unsaid"}}
	],
	"generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "Organization/2"}]
}`

func TestExpressionsOfAnyShapeAreExtracted(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	d, err := fhir.Parse([]byte(probed))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind, expression string
		general          bool
		want             []string
	}{
		{"string", "Patient.extension('http://a').value", false, []string{"ext a"}},
		{"string", "Patient.extension('http://b').value.ofType(string)", false, []string{"ext b"}},
		{"reference", "Patient.extension('http://a').value as Reference", false, []string{"local Organization/1"}},
		{"number", "Patient.extension('http://c').extension('inner').value", false, []string{"1.50"}},
		{"string", "Patient.extension.where(url='http://a').value", false, []string{"ext a"}},
		{"string", "Patient.name.where(use='official').family", false, []string{"Second", "Third"}},
		{"string", "Patient.contact.where(gender='female').name.family", false, []string{"Kin"}},
		{"string", "Patient.name.where('official'=use).family", true, []string{"Second", "Third"}},
		{"string", "Patient.where(active='true').name.family", true, nil},
		{"reference", "Patient.generalPractitioner.where(resolve() is Organization).where(resolve() is Practitioner)", true, nil},
		{"string", "Patient.name[1].family", false, []string{"Second"}},
		{"string", "Patient.name[7].family", false, nil},
		{"string", "Patient.name.where(use='official')[0].family", true, []string{"Second"}},
		{"string", "Patient.name.given[2]", true, []string{"C"}},
		{"string", "Patient.name[0].given[1]", false, []string{"B"}},
		{"string", "Patient.name.given.first()", true, []string{"A"}},
		{"string", "Patient.name.where(given.count() > 1).family", true, []string{"First"}},
		{"string", "Patient.birthDate.toString()", true, []string{"2000-01-01"}},
		{"uri", "'http://' + Patient.id.trace('x').first() | 'http://h'", true, []string{"http://h"}},
		{"number", "Patient.multipleBirth.ofType(integer)", false, []string{"2"}},
		{"number", "Patient.name.count()", true, []string{"3"}},
		{"date", "Patient.birthDate + 1 day", true, []string{"730120..730120end"}},
		{"token", "Patient.gender = 'male'", true, []string{"|true"}},
		{"token", "Patient.gender | Patient.contact.gender", false,
			[]string{"http://hl7.org/fhir/administrative-gender|male", "http://hl7.org/fhir/administrative-gender|female"}},
		{"reference", "Patient.generalPractitioner.where(resolve() is Organization)", false, []string{"local Organization/2"}},
		{"reference", "Patient.generalPractitioner.where(resolve() is Organization).reference", true, nil},
		{"reference", "Patient.generalPractitioner.reference", false, nil},
	} {
		got, evaluated, general, err := r.Probe(&spec.SearchParam{Type: c.kind, Code: "probe", Expression: c.expression}, d.Root())
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if general != c.general {
			t.Errorf("%s: evaluated %v", c.expression, general)
		}
		var values []string
		for _, e := range got {
			values = append(values, render(e.Param, e.Value))
		}
		if diff := cmp.Diff(c.want, values); diff != "" {
			t.Errorf("%s: %s", c.expression, diff)
		}
		if diff := cmp.Diff(rendered(evaluated, true), rendered(got, true)); diff != "" {
			t.Errorf("%s, evaluation and registry: %s", c.expression, diff)
		}
	}
}

func TestCompositesOfAnyShapeAreExtracted(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	d, err := fhir.Parse([]byte(probed))
	if err != nil {
		t.Fatal(err)
	}
	for expression, general := range map[string]bool{
		"Patient.contact":                        false,
		"Patient.contact.where(gender.exists())": true,
	} {
		sp := &spec.SearchParam{Type: "composite", Code: "probe", Expression: expression, Components: []spec.Component{
			{Definition: "http://hl7.org/fhir/SearchParameter/individual-gender", Expression: "gender"},
			{Definition: "http://hl7.org/fhir/SearchParameter/individual-family", Expression: "name.family"},
		}}
		got, evaluated, isGeneral, err := r.Probe(sp, d.Root())
		if err != nil || isGeneral != general {
			t.Errorf("%s: evaluated %v, %v", expression, isGeneral, err)
			continue
		}
		if diff := cmp.Diff(rendered(evaluated, true), rendered(got, true)); diff != "" || len(got) != 1 {
			t.Errorf("%s: %d values %s", expression, len(got), diff)
		}
	}
}

func TestDefinitionsThatCannotWorkDoNotCompile(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	d, err := fhir.Parse([]byte(probed))
	if err != nil {
		t.Fatal(err)
	}
	component := spec.Component{Definition: "http://hl7.org/fhir/SearchParameter/individual-gender", Expression: "gender"}
	for name, sp := range map[string]*spec.SearchParam{
		"no FHIRPath":         {Type: "token", Expression: "Patient.("},
		"no such element":     {Type: "token", Expression: "Patient.nonsense"},
		"another type":        {Type: "token", Expression: "Group.name"},
		"unknown component":   {Type: "composite", Expression: "Patient", Components: []spec.Component{{Definition: "x", Expression: "gender"}, component}},
		"bad component":       {Type: "composite", Expression: "Patient", Components: []spec.Component{component, {Definition: component.Definition, Expression: ")"}}},
		"a single component":  {Type: "composite", Expression: "Patient", Components: []spec.Component{component}},
		"failing on the data": {Type: "string", Expression: "Patient.name.given.single()"},
	} {
		if _, _, _, err := r.Probe(sp, d.Root()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
