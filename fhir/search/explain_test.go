package search_test

import (
	"strings"
	"testing"

	"salus/fhir/search"
)

func TestDescribe_TellsEveryConditionWithoutItsValue(t *testing.T) {
	t.Parallel()
	azure, strict := newParser(t), newStrictParser(t)
	for query, want := range map[string]string{
		"Patient":                                            "all of type Patient",
		"Patient?gender=secret&active=true":                  "2 conditions of which all must hold",
		"Patient?gender=secret,b":                            "2 conditions of which one must hold",
		"Patient?gender:not=secret":                          "what does not",
		"Patient?gender=secret":                              "Patient.gender: code",
		"Patient?identifier=secret|1":                        "Patient.identifier: system and code",
		"Patient?identifier=secret|":                         "Patient.identifier: system",
		"Patient?identifier:of-type=secret|b|c":              "Patient.identifier: identifier of a type",
		"Patient?gender:in=secret":                           "Patient.gender: one of 0 codes",
		"Patient?gender:missing=true":                        "Patient.gender: missing",
		"Patient?gender:missing=false":                       "Patient.gender: present",
		"Patient?family:contains=secret":                     "Patient.family: text contains",
		"Patient?birthdate=sa2000":                           "Patient.birthdate: date sa",
		"Patient?_id=secret,b":                               "Patient._id: one of 2",
		"Patient?_lastUpdated=ap2000":                        "Patient._lastUpdated: ap",
		"Patient?_profile:below=secret":                      "Patient._profile: URI below",
		"Patient?_content=secret":                            "Patient._content: words",
		"Patient?_text=secret":                               "Patient._text: words",
		"Patient?organization=secret":                        "Patient.organization: reference by type and id",
		"Patient?link=secret":                                "Patient.link: reference by id",
		"Patient?organization=http://secret":                 "Patient.organization: reference by URL",
		"Patient?organization.name=secret":                   "Patient.organization: leads to Organization",
		"Patient?_has:Observation:patient:code=secret":       "Observation.patient: leads here",
		"RiskAssessment?probability=ne0.5":                   "RiskAssessment.probability: number ne",
		"Observation?value-quantity=lt5":                     "Observation.value-quantity: quantity lt in any unit",
		"Observation?value-quantity=eb5||secret":             "Observation.value-quantity: quantity eb",
		"Observation?code-value-string=secret$x":             "Observation.code-value-string: code with text starts with",
		"Location?near=1|1":                                  "Location.near: position near",
		"Observation?_filter=code eq secret and status eq y": "2 conditions of which all must hold",
		"Observation?_filter=subject:Patient.name ew secret": "Observation.subject: leads to Patient",
	} {
		p := azure
		if strings.HasPrefix(query, "Location") || strings.Contains(query, "_text") {
			p = strict
		}
		b := parse(t, p, query).Plan.Branches[0]
		got := search.Describe(b.Type, b.Filter)
		if got != want || strings.Contains(got, "secret") {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}
