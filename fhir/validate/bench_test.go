package validate_test

import (
	"testing"

	"salus/fhir"
)

// patient has the shape and size of a typical generated patient.
const patient = `{
  "resourceType": "Patient",
  "id": "f3a1c9d0-7b1e-4d56-9f0a-2b8c1d4e5f60",
  "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Made by a <a href=\"https://example.org/generator\">generator</a>. Seed: 42</div>"},
  "extension": [
    {"url": "http://example.org/race", "extension": [
      {"url": "category", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "0000-0", "display": "Unspecified"}},
      {"url": "text", "valueString": "Unspecified"}]},
    {"url": "http://example.org/ethnicity", "extension": [
      {"url": "category", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "0000-1", "display": "Unspecified"}},
      {"url": "text", "valueString": "Unspecified"}]},
    {"url": "http://example.org/family-name-of-mother", "valueString": "Example"},
    {"url": "http://example.org/birth-sex", "valueCode": "F"},
    {"url": "http://example.org/place-of-birth", "valueAddress": {"city": "Springfield", "state": "Somewhere", "country": "XX"}},
    {"url": "http://example.org/adjusted-life-years", "valueDecimal": 0.17205490186}],
  "identifier": [
    {"system": "https://example.org/generator", "value": "f3a1c9d0-7b1e-4d56-9f0a-2b8c1d4e5f60"},
    {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR", "display": "Medical Record Number"}], "text": "Medical Record Number"},
     "system": "http://hospital.example.org", "value": "f3a1c9d0-7b1e-4d56-9f0a-2b8c1d4e5f60"},
    {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "DL", "display": "Driver's License"}], "text": "Driver's License"},
     "system": "urn:oid:2.16.840.1.113883.4.3.25", "value": "S00000000"},
    {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PPN", "display": "Passport Number"}], "text": "Passport Number"},
     "system": "http://passport.example.org", "value": "X00000000X"}],
  "name": [{"use": "official", "family": "Example", "given": ["Ada", "Bea"], "prefix": ["Mrs."]},
    {"use": "maiden", "family": "Sample", "given": ["Ada"], "prefix": ["Mrs."]}],
  "telecom": [{"system": "phone", "value": "555-000-0000", "use": "home"}],
  "gender": "female",
  "birthDate": "1970-02-28",
  "deceasedDateTime": "2020-02-29T11:22:33.000+01:00",
  "address": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": [
      {"url": "latitude", "valueDecimal": 42.18810449952}, {"url": "longitude", "valueDecimal": -71.13131602}]}],
    "line": ["1 Example Way Unit 2"], "city": "Springfield", "state": "Somewhere", "postalCode": "00000", "country": "XX"}],
  "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "M"}], "text": "M"},
  "multipleBirthBoolean": false,
  "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en-US", "display": "English"}], "text": "English"}}]
}`

func BenchmarkResource(b *testing.B) {
	d, err := fhir.Parse([]byte(patient))
	if err != nil {
		b.Fatal(err)
	}
	expectValid(b, "patient", d.Root())
	b.SetBytes(int64(len(patient)))
	b.ReportAllocs()
	for b.Loop() {
		if err := validator.Resource(d.Root()); err != nil {
			b.Fatal(err)
		}
	}
}

// A narrative of usual size with markup, which is most of many documents.
func BenchmarkNarrative(b *testing.B) {
	text := `{"resourceType":"Basic","code":{"text":"x"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">`
	for range 100 {
		text += `<p class=\"a\">Some words of <b>text</b> &amp; more<br/></p>\n`
	}
	d, err := fhir.Parse([]byte(text + `</div>"}}`))
	if err != nil {
		b.Fatal(err)
	}
	expectValid(b, "narrative", d.Root())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := validator.Resource(d.Root()); err != nil {
			b.Fatal(err)
		}
	}
}
