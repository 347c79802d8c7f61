package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/validate"
)

func TestStructure(t *testing.T) {
	const ok = ""
	for _, c := range []struct{ name, resource, want string }{
		{"smallest resource", `{"resourceType":"Patient"}`, ok},
		{"no type", `{"id":"a"}`, "Resource.resourceType required"},
		{"type not a string", `{"resourceType":1}`, "Resource.resourceType required"},
		{"unknown type", `{"resourceType":"Patiend"}`, "Resource.resourceType structure"},
		{"abstract type", `{"resourceType":"DomainResource"}`, "Resource.resourceType structure"},
		{"data type", `{"resourceType":"HumanName"}`, "Resource.resourceType structure"},
		{"not an object", `["Patient"]`, "Resource structure"},

		{"unknown property", `{"resourceType":"Patient","nam":[]}`, "Patient.nam structure"},
		{"unknown property below", `{"resourceType":"Patient","name":[{"family":"x"},{"familie":"x"}]}`, "Patient.name[1].familie structure"},
		{"property of another case", `{"resourceType":"Patient","Active":true}`, "Patient.Active structure"},
		{"property that is no name", `{"resourceType":"Patient","Jane Doe":true}`, "Patient.? structure"},
		{"resourceType in a data type", `{"resourceType":"Patient","name":[{"resourceType":"HumanName"}]}`, "Patient.name[0].resourceType structure"},
		{"comments of old versions", `{"resourceType":"Patient","fhir_comments":["x"]}`, "Patient.fhir_comments structure"},
		{"choice without type", `{"resourceType":"Patient","deceased":true}`, "Patient.deceased structure"},
		{"choice with a wrong type", `{"resourceType":"Patient","deceasedString":"x"}`, "Patient.deceasedString structure"},

		{"missing element", `{"resourceType":"Observation","status":"final"}`, "Observation.code required"},
		{"missing elements below", `{"resourceType":"Patient","communication":[{"preferred":true}],"link":[{"type":"seealso"}]}`,
			"Patient.communication[0].language required\nPatient.link[0].other required"},
		{"missing choice", `{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"}}`, "MedicationRequest.medication required"},
		{"element with extension only", `{"resourceType":"Observation","_status":{"extension":[{"url":"u","valueCode":"c"}]},"code":{"text":"x"}}`, ok},

		{"single where a list is due", `{"resourceType":"Patient","name":{"family":"x"}}`, "Patient.name structure"},
		{"list where a single is due", `{"resourceType":"Patient","birthDate":["2000"]}`, "Patient.birthDate structure"},
		{"object where a string is due", `{"resourceType":"Patient","gender":{"a":1}}`, "Patient.gender structure"},
		{"string where an object is due", `{"resourceType":"Patient","maritalStatus":"M"}`, "Patient.maritalStatus structure"},
		{"number where a string is due", `{"resourceType":"Patient","name":[{"given":["a",1]}]}`, "Patient.name[0].given[1] structure"},
		{"string where a boolean is due", `{"resourceType":"Patient","active":"true"}`, "Patient.active structure"},
		{"string where a number is due", `{"resourceType":"Patient","multipleBirthInteger":"2"}`, "Patient.multipleBirth.ofType(integer) structure"},
		{"list in a list", `{"resourceType":"Patient","name":[[{"family":"x"}]]}`, "Patient.name[0] structure"},

		{"empty list", `{"resourceType":"Patient","name":[]}`, "Patient.name structure"},
		{"empty object", `{"resourceType":"Patient","maritalStatus":{}}`, "Patient.maritalStatus structure"},
		{"empty object in a list", `{"resourceType":"Patient","name":[{}]}`, "Patient.name[0] structure"},
		{"empty string", `{"resourceType":"Patient","language":""}`, "Patient.language value"},
		{"null", `{"resourceType":"Patient","birthDate":null}`, "Patient.birthDate structure"},
		{"null for an object", `{"resourceType":"Patient","name":[null]}`, "Patient.name[0] structure"},
		{"null without a twin", `{"resourceType":"Patient","name":[{"given":["a",null]}]}`, "Patient.name[0].given[1] structure"},

		{"twin of a single", `{"resourceType":"Patient","birthDate":"2000","_birthDate":{"id":"a","extension":[{"url":"u","valueString":"x"}]}}`, ok},
		{"twin of a list", `{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}`, ok},
		{"twin before its list", `{"resourceType":"Patient","name":[{"_given":[null,{"id":"x"}],"given":["a",null]}]}`, ok},
		{"twin of a choice", `{"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}}`, ok},
		{"twin alone in a list", `{"resourceType":"Patient","name":[{"_given":[{"id":"x"}]}]}`, ok},
		{"twin of another length", `{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[{"id":"x"}]}]}`, "Patient.name[0].given structure"},
		{"null in both", `{"resourceType":"Patient","name":[{"given":["a",null],"_given":[{"id":"x"},null]}]}`,
			"Patient.name[0].given[1] structure\nPatient.name[0].given[1] structure"},
		{"null in a lone twin", `{"resourceType":"Patient","name":[{"_given":[{"id":"x"},null]}]}`, "Patient.name[0].given[1] structure"},
		{"list of twins for a single", `{"resourceType":"Patient","_birthDate":[{"id":"a"}]}`, "Patient.birthDate structure"},
		{"single twin for a list", `{"resourceType":"Patient","name":[{"given":["a"],"_given":{"id":"a"}}]}`, "Patient.name[0].given structure"},
		{"empty list of twins", `{"resourceType":"Patient","name":[{"_given":[]}]}`, "Patient.name[0].given structure"},
		{"empty twin", `{"resourceType":"Patient","_birthDate":{}}`, "Patient.birthDate structure"},
		{"twin with a value", `{"resourceType":"Patient","_birthDate":{"value":"2000"}}`, "Patient.birthDate.value structure"},
		{"twin of an object", `{"resourceType":"Patient","_maritalStatus":{"id":"a"}}`, "Patient._maritalStatus structure"},
		{"twin of an element's id", `{"resourceType":"Patient","name":[{"id":"a","_id":{"id":"b"}}]}`, "Patient.name[0]._id structure"},
		{"problem in a twin", `{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u"}]}}`, "Patient.birthDate.extension[0] invariant"},

		{"two types of a choice", `{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2000"}`, "Patient.deceased.ofType(dateTime) structure"},
		{"two types of a choice by twin", `{"resourceType":"Patient","_deceasedBoolean":{"id":"a"},"deceasedDateTime":"2000"}`, "Patient.deceased.ofType(dateTime) structure"},
		{"path through a choice", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":"1"}}`, "Observation.value.ofType(Quantity).value structure"},

		{"extension without URL", `{"resourceType":"Patient","extension":[{"valueString":"x"}]}`, "Patient.extension[0].url required"},
		{"extension without anything", `{"resourceType":"Patient","extension":[{"url":"u"}]}`, "Patient.extension[0] invariant"},
		{"extension with value and extensions", `{"resourceType":"Patient","extension":[{"url":"u","valueString":"x","extension":[{"url":"v","valueString":"x"}]}]}`, "Patient.extension[0] invariant"},
		{"extension with extended value", `{"resourceType":"Patient","extension":[{"url":"u","_valueString":{"extension":[{"url":"v","valueString":"x"}]}}]}`, ok},
		{"modifier extension on a data type", `{"resourceType":"Patient","name":[{"modifierExtension":[{"url":"u","valueString":"x"}]}]}`, "Patient.name[0].modifierExtension structure"},

		{"contained", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x"}]}`, ok},
		{"contained without id", `{"resourceType":"Patient","contained":[{"resourceType":"Organization"}]}`, "Patient.contained[0].id required"},
		{"contained in contained", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","contained":[{"resourceType":"Basic","id":"b"}]}]}`, "Patient.contained[0].contained invariant"},
		{"contained without type", `{"resourceType":"Patient","contained":[{"id":"o"}]}`, "Patient.contained[0].resourceType required"},
		{"problem in contained", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":1}]}`, "Patient.contained[0].name structure"},
		{"contained in a Bundle", `{"resourceType":"Bundle","type":"collection","contained":[]}`, "Bundle.contained structure"},
		{"resources of a Bundle", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}},
			{"resource":{"resourceType":"Patient","name":[{"given":["a",2]}]}},{"resource":{"resourceType":"Foo"}},{"resource":null}]}`,
			"Bundle.entry[1].resource.name[0].given[1] structure\nBundle.entry[2].resource.resourceType structure\nBundle.entry[3].resource structure"},
		{"resources of Parameters", `{"resourceType":"Parameters","parameter":[{"name":"a","part":[{"name":"b","resource":{"resourceType":"Observation","status":"final"}}]}]}`,
			"Parameters.parameter[0].part[0].resource.code required"},
		{"content reference", `{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"group","item":[{"linkId":"3"}]}]}]}`,
			"Questionnaire.item[0].item[0].item[0].type required"},

		{"required code", `{"resourceType":"Patient","gender":"female"}`, ok},
		{"unknown required code", `{"resourceType":"Patient","gender":"Female"}`, "Patient.gender code-invalid"},
		{"unknown code of an open binding", `{"resourceType":"Patient","language":"tlh"}`, ok},
		{"unknown code of a list that is not known in full", `{"resourceType":"Binary","contentType":"x-special"}`, ok},
		{"escaped property and code", `{"resourceType":"Patient","\u0067ender":"\u0066emale"}`, ok},

		{"several problems", `{"resourceType":"Patient","active":1,"gender":"x","birthDate":"2000-02-30","foo":1}`,
			"Patient.active structure\nPatient.gender code-invalid\nPatient.birthDate value\nPatient.foo structure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := places(issues(t, c.resource)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestIssuesTellPlaceAndRuleButNoValue(t *testing.T) {
	const secret = "Secretname"
	list := issues(t, `{"resourceType":"Patient","name":[{"family":"`+secret+`","given":"`+secret+`","`+secret+` x":1}],"gender":"`+secret+`",
		"birthDate":"`+secret+`","text":{"status":"generated","div":"<div>`+secret+`</div>"},"contained":[{"resourceType":"`+secret+`"}],
		"identifier":[{"value":"`+secret+`","period":{"start":"2021-10-13+02:00"}}]}`)
	if len(list) != 7 {
		t.Errorf("%d issues, want 7", len(list))
	}
	format := false
	for _, i := range list {
		if i.Severity != fault.Error || i.Code == "" || i.Expression == "" || !strings.HasPrefix(i.Text, i.Expression+": ") {
			t.Errorf("incomplete: %+v", i)
		}
		if strings.Contains(i.Text+i.Expression, secret) {
			t.Errorf("tells a value: %+v", i)
		}
		format = format || i.Expression == "Patient.identifier[0].period.start" && strings.Contains(i.Text, "format")
	}
	if !format {
		t.Error("no issue tells that the date's format is wrong")
	}
}

func TestIssuesNameTheirPlaceOnce(t *testing.T) {
	list := issues(t, `{"resourceType":"Observation","status":"final","valueString":"a","valueInteger":1}`)
	if len(list) != 2 {
		t.Fatalf("%d issues, want one for the missing code and one for the second value", len(list))
	}
	for _, i := range list {
		if strings.Count(i.Text, "Observation.") != 1 {
			t.Errorf("%q", i.Text)
		}
	}
}

func TestIssuesAreLimited(t *testing.T) {
	many := strings.Repeat(`{"given":[1,2,3],"x":1},`, 1000)
	list := issues(t, `{"resourceType":"Patient","name":[`+many+`{}]}`)
	if len(list) != validate.MaxIssues {
		t.Errorf("%d issues", len(list))
	}
}

// A Validator is reused: what one resource leaves behind must not reach the next.
func TestResourcesDoNotInfluenceEachOther(t *testing.T) {
	for range 3 {
		if got := places(issues(t, `{"resourceType":"Patient","active":1}`)); got != "Patient.active structure" {
			t.Fatal(got)
		}
		if got := places(issues(t, `{"resourceType":"Patient","active":true}`)); got != "" {
			t.Fatal(got)
		}
	}
}

// Bytes that the fuzzer finds interesting are validated as a resource: there
// must be no panic, and no issue without a place.
func FuzzResource(f *testing.F) {
	f.Add([]byte(patient))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","name":[{"given":[null],"_given":[null]}]}}]}`))
	f.Add([]byte(`{"resourceType":"Patient","deceasedBoolean":1,"_deceasedDateTime":[],"contained":[[{}]],"text":{"div":"<div xmlns='x'><![CDATA[&#x;"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := fhir.Parse(b)
		if err != nil {
			return
		}
		defer d.Release()
		for _, i := range found(t, d.Root()) {
			if i.Expression == "" || i.Code == "" || i.Text == "" {
				t.Errorf("incomplete: %+v", i)
			}
		}
	})
}

// Deep nesting and long lists of problems must not make the work more than proportional to the text.
func TestNestedListsOfProblemsEnd(t *testing.T) {
	deep := strings.Repeat(`{"linkId":"1","type":"x","item":[`, 90) + `{"a":1}` + strings.Repeat(`]}`, 90)
	if n := len(issues(t, fmt.Sprintf(`{"resourceType":"Questionnaire","status":"draft","item":[%s]}`, deep))); n != validate.MaxIssues {
		t.Errorf("%d issues", n)
	}
}
