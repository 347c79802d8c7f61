package fhirpath_test

import (
	"testing"

	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

const patientJSON = `{"resourceType":"Patient","id":"p1","meta":{"profile":["http://example.org/p"]},
"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Ada</p></div>"},
"extension":[{"url":"http://example.org/x","valueString":"y"}],
"identifier":[{"use":"usual","system":"urn:oid:1.2.36","value":"12345","period":{"start":"2001-05-06"}}],
"active":true,
"name":[{"use":"official","family":"Lovelace","given":["Ada","Augusta"]},{"use":"maiden","family":"Byron","given":["Ada",null],"_given":[null,{"extension":[{"url":"http://example.org/absent","valueCode":"unknown"}]}]}],
"telecom":[{"system":"phone","value":"555","use":"home"},{"system":"email","value":"a@example.org"}],
"gender":"female","birthDate":"1815-12-10","_birthDate":{"id":"b1","extension":[{"url":"http://example.org/time","valueDateTime":"1815-12-10T08:00:00Z"}]},
"deceasedDateTime":"1852-11-27","address":[{"city":"London","line":["St James's Square"]}],
"contact":[{"name":{"family":"King"}}],
"generalPractitioner":[{"reference":"Practitioner/7"},{"reference":"Organization/8"},{"reference":"#c1"}],
"contained":[{"resourceType":"Practitioner","id":"c1","active":false}]}`

const observationJSON = `{"resourceType":"Observation","id":"o1","status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}],"text":"Blood pressure"},
"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2020-02-29T10:30:00+01:00",
"valueQuantity":{"value":1.50,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},
"component":[
 {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
 {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`

func resource(t testing.TB, src string) fhirpath.Item {
	t.Helper()
	doc, err := fhir.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return fhirpath.NodeItem(spec.R4(), doc.Root())
}

// BenchmarkEval runs expressions of search parameters and invariants.
func BenchmarkEval(b *testing.B) {
	patient, observation := resource(b, patientJSON), resource(b, observationJSON)
	for _, bm := range []struct {
		name, src string
		focus     fhirpath.Item
	}{
		{"Path", "Patient.name.family", patient},
		{"PathPrimitive", "Patient.birthDate", patient},
		{"OtherType", "Observation.code", patient},
		{"ChoiceAs", "(Observation.value as Quantity)", observation},
		{"UnionOfAs", "(Observation.value as Quantity) | (Observation.component.value as Quantity)", observation},
		{"WhereEquals", "Patient.telecom.where(system='phone')", patient},
		{"WhereResolve", "Patient.generalPractitioner.where(resolve() is Practitioner)", patient},
		{"Invariant", "name.all(family.exists() or given.exists())", patient},
		{"QuantityCompare", "value > 1 'mg/L'", observation},
		{"Date", "Patient.birthDate <= @2020-01-01", patient},
	} {
		b.Run(bm.name, func(b *testing.B) {
			e, err := fhirpath.Compile(bm.src, spec.R4())
			if err != nil {
				b.Fatal(err)
			}
			env := &fhirpath.Env{}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(env, bm.focus); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhirpath.Compile("Patient.generalPractitioner.where(resolve() is Practitioner)", spec.R4()); err != nil {
			b.Fatal(err)
		}
	}
}
