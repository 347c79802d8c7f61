package fhir_test

import "testing"

func TestSearch_Reference(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"org", `{"resourceType":"Organization","name":"{w}"}`},
		thing{"ann", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization/{org}"}}`},
		thing{"bob", `{"resourceType":"Patient","managingOrganization":{"reference":"http://elsewhere.example.org/fhir/Organization/{org}"}}`},
		thing{"cy", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization/{other}"}}`},
		thing{"dee", `{"resourceType":"Patient"}`},
		thing{"own", `{"resourceType":"Patient","managingOrganization":{"reference":"{base}/Organization/{org}"}}`},
		thing{"o1", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{ann}"}}`},
		thing{"o2", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Device/{ann}"}}`},
		thing{"o3", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{bob}"},"performer":[{"reference":"Patient/{ann}"},{"reference":"Organization/{org}"}]}`},
	)
	w.finds(t, []find{
		{"id", "Patient?organization={org}", "ann bob own"},
		{"type and id", "Patient?organization=Organization/{org}", "ann bob own"},
		{"own URL", "Patient?organization={base}/Organization/{org}", "ann own"},
		{"foreign URL", "Patient?organization=http://elsewhere.example.org/fhir/Organization/{org}", "bob"},
		{"another foreign URL", "Patient?organization=http://nowhere.example.org/fhir/Organization/{org}", ""},
		{"or", "Patient?organization=Organization/{org},Organization/{other}", "ann bob cy own"},
		{"type in lower case", "Patient?organization=organization/{org}", ""},
		{"unknown id", "Patient?organization=Organization/{none}", ""},
		{"missing", "Patient?organization:missing=true", "dee"},
		{"not missing", "Patient?organization:missing=false", "ann bob cy own"},
		{"id of any type", "Observation?subject={ann}", "o1 o2"},
		{"id of one type", "Observation?subject=Patient/{ann}", "o1"},
		{"type as modifier", "Observation?subject:Patient={ann}", "o1"},
		{"another type as modifier", "Observation?subject:Device={ann}", "o2"},
		{"parameter of one type", "Observation?patient={ann}", "o1"},
		{"parameter of one type with it", "Observation?patient=Patient/{ann}", "o1"},
		{"any of several", "Observation?performer=Organization/{org}", "o3"},
		{"and", "Observation?performer=Patient/{ann}&performer=Organization/{org}", "o3"},
		{"or of types", "Observation?subject=Patient/{ann},Device/{ann}", "o1 o2"},
	})
}

func TestSearch_Chains(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"org", `{"resourceType":"Organization","identifier":[{"value":"{w}-org"}],"name":"{w} Clinic","address":[{"city":"Wien"}]}`},
		thing{"lab", `{"resourceType":"Organization","identifier":[{"value":"{w}-lab"}],"name":"{w} Lab","partOf":{"reference":"Organization/{org}"}}`},
		thing{"gp", `{"resourceType":"Practitioner","identifier":[{"value":"{w}-gp"}],"name":[{"family":"{w}Gruber"}]}`},
		thing{"ann", `{"resourceType":"Patient","name":[{"family":"{w}Smith"}],"gender":"female","birthDate":"1980-05","managingOrganization":{"reference":"Organization/{lab}"},"generalPractitioner":[{"reference":"Practitioner/{gp}"}]}`},
		thing{"bob", `{"resourceType":"Patient","name":[{"family":"{w}Truman"}],"gender":"male","birthDate":"1990","managingOrganization":{"reference":"Organization/{org}"}}`},
		thing{"cy", `{"resourceType":"Patient","name":[{"family":"{w}Adams"}]}`},
		thing{"obs-ann", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/{ann}"},"valueQuantity":{"value":70,"system":"http://unitsofmeasure.org","code":"kg"}}`},
		thing{"obs-ann2", `{"resourceType":"Observation","status":"amended","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/{ann}"}}`},
		thing{"obs-bob", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/{bob}"}}`},
		thing{"obs-none", `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]}}`},
		thing{"rep-ann", `{"resourceType":"DiagnosticReport","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"subject":{"reference":"Patient/{ann}"},"result":[{"reference":"Observation/{obs-ann}"}]}`},
		thing{"rep-bob", `{"resourceType":"DiagnosticReport","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"subject":{"reference":"Patient/{bob}"},"result":[{"reference":"Observation/{obs-bob}"},{"reference":"Observation/{obs-ann2}"}]}`},
		thing{"grp", `{"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/{ann}"}},{"entity":{"reference":"Patient/{cy}"}}]}`},
	)
	w.finds(t, []find{
		{"string", "Observation?subject:Patient.family={w}Smith", "obs-ann obs-ann2"},
		{"without a type, as there is one", "Observation?patient.family={w}Smith", "obs-ann obs-ann2"},
		{"or at the end", "Observation?patient.family={w}Smith,{w}Truman", "obs-ann obs-ann2 obs-bob"},
		{"token", "Observation?subject:Patient.gender=male", "obs-bob"},
		{"not at the end", "Observation?subject:Patient.gender:not=male", "obs-ann obs-ann2"},
		{"partial date", "Observation?subject:Patient.birthdate=1980", "obs-ann obs-ann2"},
		{"date with a prefix", "Observation?subject:Patient.birthdate=gt1985", "obs-bob"},
		{"contains at the end", "Observation?subject:Patient.family:contains=tru", "obs-bob"},
		{"exact at the end", "Observation?subject:Patient.family:exact={w}Truman", "obs-bob"},
		{"missing at the end", "Observation?subject:Patient.gender:missing=false", "obs-ann obs-ann2 obs-bob"},
		{"_id at the end", "Observation?subject:Patient._id={bob}", "obs-bob"},
		{"_tag at the end", "Observation?subject:Patient._tag={w}", "obs-ann obs-ann2 obs-bob"},
		{"_type at the end", "Observation?subject:Patient._type=Patient", "obs-ann obs-ann2 obs-bob"},
		{"reference at the end", "Observation?subject:Patient.organization=Organization/{org}", "obs-bob"},
		{"two levels", "Observation?subject:Patient.organization.name={w}%20clinic", "obs-bob"},
		{"three levels", "Observation?subject:Patient.organization.partof.name={w}%20clinic", "obs-ann obs-ann2"},
		{"two levels with types", "DiagnosticReport?result:Observation.subject:Patient.family={w}Smith", "rep-ann rep-bob"},
		{"two chains", "DiagnosticReport?subject:Patient.family={w}Truman&result.code=29463-7", "rep-bob"},
		{"two chains that do not meet", "DiagnosticReport?subject:Patient.family={w}Smith&result.code=8867-4", ""},
		{"quantity at the end", "DiagnosticReport?result.value-quantity=gt60", "rep-ann"},
		{"nothing at the end", "Observation?subject:Patient.family={w}Nobody", ""},
		{"of another type", "Observation?subject:Device.identifier=x", ""},
		{"over a list", "Group?member:Patient.family={w}Adams", "grp"},
		{"to a practitioner", "Patient?general-practitioner:Practitioner.family={w}Gruber", "ann"},
		{"with a parameter of its own", "Observation?code=29463-7&subject:Patient.family={w}Smith", "obs-ann"},
		{"_has", "Patient?_has:Observation:patient:code=8867-4", "ann"},
		{"_has by another reference", "Patient?_has:Observation:subject:code=29463-7", "ann bob"},
		{"_has of a status", "Patient?_has:Observation:patient:status=amended", "ann"},
		{"_has with or", "Patient?_has:Observation:patient:status=amended,final", "ann bob"},
		{"_has that nothing does", "Patient?_has:Observation:patient:code=none", ""},
		{"_has of an id", "Patient?_has:Observation:patient:_id={obs-bob}", "bob"},
		{"_has with not", "Patient?_has:Observation:patient:code:not=29463-7", "ann"},
		{"_has of a group", "Patient?_has:Group:member:_id={grp}", "ann cy"},
		{"two _has", "Patient?_has:Observation:patient:code=29463-7&_has:Observation:patient:code=8867-4", "ann"},
		{"nested _has", "Patient?_has:Observation:patient:_has:DiagnosticReport:result:code=4548-4", "ann bob"},
		{"nested _has of one", "Patient?_has:Observation:patient:_has:DiagnosticReport:result:_id={rep-ann}", "ann"},
		{"_has of an organization", "Organization?_has:Patient:organization:gender=female", "lab"},
		{"_has at the end of a chain", "Observation?subject:Patient._has:Group:member:_id={grp}", "obs-ann obs-ann2"},
		{"a chain at the end of _has", "Patient?_has:Observation:patient:performer:Practitioner.family=x", ""},
		{"a chain of two at the end of _has", "Organization?_has:Patient:organization:general-practitioner:Practitioner.family={w}Gruber", "lab"},
		{"a chain and _has", "Patient?organization.name={w}%20lab&_has:Observation:patient:status=amended", "ann"},
		{"with an include", "Observation?patient.family={w}Truman&_include=Observation:patient", "obs-bob +bob"},
		{"with a reverse include", "Patient?_has:Observation:patient:status=amended&_revinclude=Observation:patient", "ann +obs-ann +obs-ann2"},
		{"_has over several types", "?_type=Patient,Group&_has:Observation:patient:status=amended", "ann"},
	})
	w.totals(t, []find{
		{"total of a chain", "Observation?patient.family={w}Smith&_summary=count", "2"},
		{"accurate total of a chain", "Observation?patient.family={w}Smith&_total=accurate&_count=1", "2"},
		{"total of _has", "Patient?_has:Observation:patient:code=29463-7&_summary=count", "2"},
	})
	w.ordered(t, []find{
		{"sorted by another parameter", "Patient?_has:Observation:patient:code=29463-7&_sort=-birthdate", "bob ann"},
	})
	if first().mode == azure {
		refuses(t, first(), []refusal{{"Observation?subject.family=x", 0, ""}}) // which of its targets?
	}
	refuses(t, first(), []refusal{
		{"Observation?code.name=x", 0, ""},
		{"Observation?subject:Nobody.name=x", 0, ""},
		{"Patient?_has:Observation:code:status=final", 0, ""},
		{"Patient?_has:Observation=x", 0, ""},
	})
	t.Run("what is deleted is not in between", func(t *testing.T) {
		w := build(t, first(), thing{"p", `{"resourceType":"Patient","name":[{"family":"{w}"}]}`}, thing{"q", `{"resourceType":"Patient","name":[{"family":"{w}"}]}`},
			thing{"op", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{p}"}}`},
			thing{"oq", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{q}"}}`})
		w.remove(t, "Patient/{p}", "Observation/{oq}")
		w.finds(t, []find{
			{"chain", "Observation?subject:Patient.family={w}", ""},
			{"_has", "Patient?_has:Observation:subject:status=final", ""},
		})
	})
}
