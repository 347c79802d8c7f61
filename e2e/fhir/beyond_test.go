package fhir_test

import "testing"

// FHIR has more than the reference. What is told here holds for services that
// follow FHIR's rules, and for the suite's own server whatever it follows.

func beyond(t *testing.T, f func(*testing.T, target)) {
	t.Helper()
	for _, service := range services.all {
		if service.mode == strict || services.policies != nil {
			t.Run(string(service.mode), func(t *testing.T) {
				t.Parallel()
				f(t, service)
			})
		}
	}
}

var conditionalReads = []story{
	tell("that has not changed", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 304, head("If-None-Match", `W/"1"`), nothing())),
	tell("that has changed", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 200, head("If-None-Match", `W/"7"`), at("id", "{id}"))),
	tell("that has not changed since", do("POST Patient", 201, body(ann), keep("id", "id"), keepHeader("time", "Last-Modified")), do("GET Patient/{id}", 304, head("If-Modified-Since", "{time}"), nothing())),
	tell("that has changed since", do("POST Patient", 201, body(ann), keep("id", "id")), do("GET Patient/{id}", 200, head("If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"))),
	tell("that is not there", do("GET Patient/{u}", 404, head("If-None-Match", `W/"1"`))),
}

func TestBeyond_ConditionalRead(t *testing.T) {
	t.Parallel()
	beyond(t, func(t *testing.T, service target) {
		for _, s := range conditionalReads {
			t.Run(s.name, func(t *testing.T) { s.run(t, service, false) })
		}
	})
}

func TestBeyond_Search(t *testing.T) {
	t.Parallel()
	beyond(t, func(t *testing.T, service target) {
		w := build(t, service,
			thing{"ann", `{"resourceType":"Patient","language":"de","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Zwetschkenknödel {w}</div>"},"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}],"text":"Medical record"},"system":"http://ids","value":"{w}-1"}],"name":[{"family":"Anders"}],"gender":"female","birthDate":"1980-01-01","managingOrganization":{"identifier":{"system":"http://ids","value":"{w}-org"},"display":"x"}}`},
			thing{"bob", `{"resourceType":"Patient","identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SS"}]},"system":"http://ids","value":"{w}-1"}],"name":[{"family":"Bauer"}],"gender":"male","birthDate":"1990-01-01"}`},
			thing{"cy", `{"resourceType":"Patient","name":[{"family":"Celan"}],"birthDate":"2000-01-01"}`},
			thing{"o1", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/{ann}"},"valueQuantity":{"value":70000,"system":"http://unitsofmeasure.org","code":"g"}}`},
			thing{"o2", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/{bob}"}}`},
			thing{"vs", `{"resourceType":"ValueSet","url":"http://example.org/ValueSet/{w}","status":"active","compose":{"include":[{"system":"http://loinc.org","concept":[{"code":"29463-7"}]}]},"expansion":{"timestamp":"2020-01-01T00:00:00Z","contains":[{"system":"http://loinc.org","code":"29463-7"}]}}`},
		)
		w.finds(t, []find{
			{"_filter", "Patient?_filter=family%20eq%20%22Bauer%22", "bob"},
			{"_filter with or", "Patient?_filter=family%20sw%20%22bau%22%20or%20gender%20eq%20female", "ann bob"},
			{"_filter with and and not", "Patient?_filter=birthdate%20gt%201985-01-01%20and%20not%20(gender%20eq%20male)", "cy"},
			{"_filter in a value set", "Observation?_filter=code%20in%20%22http://example.org/ValueSet/{w}%22", "o1"},
			{"_filter not in a value set", "Observation?_filter=code%20ni%20%22http://example.org/ValueSet/{w}%22", "o2"},
			{"of-type", "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|{w}-1", "ann"},
			{"identifier of a reference", "Patient?organization:identifier=http://ids|{w}-org", "ann"},
			{"in a value set", "Observation?code:in=http://example.org/ValueSet/{w}", "o1"},
			{"not in a value set", "Observation?code:not-in=http://example.org/ValueSet/{w}", "o2"},
			{"a modifier on a chain's end", "Observation?subject:Patient.identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|{w}-1", "o2"},
			{"words of the whole resource", "Patient?_content=celan", "cy"},
		})
		w.ordered(t, []find{
			{"two sort keys", "Patient?_sort=-birthdate,family", "cy bob ann"},
		})
		if service.mode == strict {
			w.finds(t, []find{{"words of the narrative", "Patient?_text=zwetschkenkn%C3%B6del", "ann"}})
		}
	})
}
