package fhir_test

import (
	"strings"
	"testing"
)

func TestSearch_System(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"pat", `{"resourceType":"Patient","meta":{"security":[{"system":"http://sec","code":"R"}],"source":"http://source.example.org/{w}"},"name":[{"family":"{w}Common"}],"gender":"male"}`},
		thing{"prac", `{"resourceType":"Practitioner","name":[{"family":"{w}Common"}],"gender":"female"}`},
		thing{"org", `{"resourceType":"Organization","meta":{"profile":["http://example.org/StructureDefinition/{w}"]},"name":"{w}Common"}`},
		thing{"obs", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{pat}"}}`},
	)
	w.finds(t, []find{
		{"all that has the tag", "?", "obs org pat prac"},
		{"one type", "?_type=Patient", "pat"},
		{"several types", "?_type=Patient,Organization", "org pat"},
		{"a type twice", "?_type=Patient,Patient", "pat"},
		{"not a type", "?_type:not=Patient", "obs org prac"},
		{"not several types", "?_type:not=Patient,Observation", "org prac"},
		{"a parameter that both types have", "?_type=Patient,Practitioner&family={w}Common", "pat prac"},
		{"a token that both types have", "?_type=Patient,Practitioner&gender=female", "prac"},
		{"an id", "?_id={obs}", "obs"},
		{"ids", "?_id={obs},{pat}", "obs pat"},
		{"an id and a type", "?_id={obs},{pat}&_type=Patient", "pat"},
		{"a security label", "?_security=http://sec|R", "pat"},
		{"a profile", "?_profile=http://example.org/StructureDefinition/{w}", "org"},
		{"a source", "?_source=http://source.example.org/{w}", "pat"},
		{"_lastUpdated", "?_lastUpdated=gt2020", "obs org pat prac"},
		{"_lastUpdated of the past", "?_lastUpdated=lt2020", ""},
		{"an unknown type among others", "?_type=Patient,Nobody", "pat !not-supported"},
		{"unknown types alone", "?_type=Nobody", "!not-supported"},
		{"_type on a type", "Patient?_type=Patient", "pat"},
		{"another _type on a type", "Patient?_type=Observation", ""},
	})
	w.totals(t, []find{
		{"total", "?_summary=count", "4"},
		{"total of types", "?_type=Patient,Observation&_total=accurate", "2"},
	})
	t.Run("by _id not", func(t *testing.T) {
		w.finds(t, []find{
			{"of the type", "Patient?_id:not={pat}", ""},
			{"on the system", "?_id:not={pat},{org}", "obs prac"},
		})
	})
}

func TestSearch_IDs(t *testing.T) {
	t.Parallel()
	w := crowd(t, first(), 5)
	w.plain(t, []find{
		{"one", "Patient?_id={p00}", "p00"},
		{"several", "Patient?_id={p00},{p03}", "p00 p03"},
		{"one twice", "Patient?_id={p00},{p00}", "p00"},
		{"with unknown ones", "Patient?_id={p00},{none}", "p00"},
		{"unknown", "Patient?_id={none}", ""},
		{"and", "Patient?_id={p00},{p01}&_id={p01},{p02}", "p01"},
		{"another type's", "Observation?_id={p00}", ""},
		{"with criteria", "Patient?_id={p00},{p01}&gender=female", "p01"},
		{"many", "Patient?_id={p00}" + strings.Repeat(",{none}", 500), "p00"},
	})
}

func TestSearch_Lists(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"ann", `{"resourceType":"Patient"}`}, thing{"bob", `{"resourceType":"Patient"}`}, thing{"cy", `{"resourceType":"Patient"}`}, thing{"obs", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`},
		thing{"list", `{"resourceType":"List","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/{ann}"}},{"item":{"reference":"Patient/{bob}"}},{"item":{"reference":"Observation/{obs}"}}]}`},
		thing{"empty", `{"resourceType":"List","status":"current","mode":"working"}`},
	)
	w.plain(t, []find{
		{"of a type", "Patient?_list={list}", "ann bob"},
		{"of another type", "Observation?_list={list}", "obs"},
		{"with criteria", "Patient?_list={list}&_id={ann}", "ann"},
		{"empty", "Patient?_list={empty}", ""},
		{"unknown", "Patient?_list={none}", ""},
	})
}

func TestSearch_NotReferenced(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"ann", `{"resourceType":"Patient"}`}, thing{"bob", `{"resourceType":"Patient"}`}, thing{"cy", `{"resourceType":"Patient"}`},
		thing{"obs", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{ann}"}}`},
		thing{"enc", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/{bob}"}}`},
	)
	w.finds(t, []find{
		{"by nothing", "Patient?_not-referenced=*:*", "cy"},
		{"by a type", "Patient?_not-referenced=Observation:*", "bob cy"},
		{"by a parameter", "Patient?_not-referenced=Encounter:subject", "ann cy"},
		{"by one and by the other", "Patient?_not-referenced=Encounter:subject&_not-referenced=Observation:subject", "cy"},
		{"with criteria", "Patient?_not-referenced=Encounter:subject&_id={ann},{bob}", "ann"},
		{"without a separator", "Patient?_not-referenced=Observation", "ann bob cy !not-supported"},
	})
	w.totals(t, []find{{"total", "Patient?_not-referenced=Encounter:subject&_summary=count", "2"}})
}

func TestSearch_Canonical(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"plain", `{"resourceType":"Observation","meta":{"profile":["http://example.org/StructureDefinition/{w}"]},"status":"final","code":{"text":"x"}}`},
		thing{"versioned", `{"resourceType":"Observation","meta":{"profile":["http://example.org/StructureDefinition/{w}|1.0","http://example.org/StructureDefinition/other-{w}#part"]},"status":"final","code":{"text":"x"}}`},
		thing{"none", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`},
	)
	w.finds(t, []find{
		{"finds every version", "Observation?_profile=http://example.org/StructureDefinition/{w}", "plain versioned"},
		{"without the fragment", "Observation?_profile=http://example.org/StructureDefinition/other-{w}", "versioned"},
		{"missing", "Observation?_profile:missing=true", "none"},
		{"not missing", "Observation?_profile:missing=false", "plain versioned"},
		{"another", "Observation?_profile=http://example.org/StructureDefinition/none-{w}", ""},
	})
	if first().mode == azure {
		w.finds(t, []find{{"azure: a version finds nothing", "Observation?_profile=http://example.org/StructureDefinition/{w}|1.0", ""}})
	}
}

func TestSearch_Compartments(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"ann", `{"resourceType":"Patient"}`}, thing{"bob", `{"resourceType":"Patient"}`},
		thing{"dev", `{"resourceType":"Device","patient":{"reference":"Patient/{ann}"}}`},
		thing{"o1", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"a"}]},"subject":{"reference":"Patient/{ann}"}}`},
		thing{"o2", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"b"}]},"subject":{"reference":"Patient/{ann}"},"device":{"reference":"Device/{dev}"}}`},
		thing{"o3", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"a"}]},"subject":{"reference":"Patient/{bob}"}}`},
		thing{"o4", `{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"a"}]},"subject":{"reference":"Patient/{bob}"},"performer":[{"reference":"Patient/{ann}"}]}`},
		thing{"cond", `{"resourceType":"Condition","subject":{"reference":"Patient/{ann}"}}`},
		thing{"enc", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/{ann}"}}`},
	)
	w.finds(t, []find{
		{"of a patient", "Patient/{ann}/Observation", "o1 o2 o4"},
		{"of another", "Patient/{bob}/Observation", "o3 o4"},
		{"of a device", "Device/{dev}/Observation", "o2"},
		{"with criteria", "Patient/{ann}/Observation?code=a", "o1 o4"},
		{"everything in it", "Patient/{ann}/*", "cond enc o1 o2 o4"},
		{"some types", "Patient/{ann}/*?_type=Condition,Encounter", "cond enc"},
		{"one type", "Patient/{ann}/*?_type=Condition", "cond"},
		{"unknown type among others", "Patient/{ann}/*?_type=Condition,Nobody", "cond !not-supported"},
		{"of nobody", "Patient/{none}/Observation", ""},
		{"with an include", "Patient/{ann}/Observation?code=b&_include=Observation:device", "o2 +dev"},
	})
	w.totals(t, []find{{"total", "Patient/{ann}/Observation?_summary=count", "3"}})
	refuses(t, first(), []refusal{
		{"Patient/x/Nobody", 404, "not-found"},
		{"Organization/x/Patient", 0, ""},
	})
	t.Run("pages keep the place", func(t *testing.T) {
		place := w.on.base + "/" + w.fill("Patient/{ann}/Observation")
		r, err := send("GET", place+"?_count=2", "")
		if err != nil {
			t.Fatal(err)
		}
		if next := r.link("next"); !strings.HasPrefix(next, place+"?") {
			t.Errorf("next is %q\n%v", next, r)
		}
		if pages := w.walk(t, place+"?_count=2"); len(pages) != 2 || len(pages[1]) != 1 {
			t.Errorf("pages are %q", pages)
		}
	})
}
