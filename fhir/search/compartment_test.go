package search_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// within makes a request of "Patient/1/Observation?code=x", where a * stands for
// every type.
func within(t testing.TB, text string) search.Request {
	t.Helper()
	path, query, _ := strings.Cut(text, "?")
	parts := strings.Split(path, "/")
	member := parts[2]
	if member == "*" {
		member = ""
	}
	r := request(t, member+"?"+query)
	r.Compartment = fhir.Key{Type: fhir.Type(parts[0]), ID: fhir.ID(parts[1])}
	return r
}

func TestCompartmentsHoldWhatRefersToTheirResource(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for text, want := range map[string]string{
		"Patient/1/Observation":                         "or(Observation.subject Patient/1, Observation.performer Patient/1)",
		"Patient/1/Observation?code=x":                  "and(or(Observation.subject Patient/1, Observation.performer Patient/1), Observation.code *|x)",
		"Device/1/Observation":                          "or(Observation.subject Device/1, Observation.device Device/1)",
		"Practitioner/1/Group":                          "or(Group.member Practitioner/1)",
		"RelatedPerson/1/Observation":                   "or(Observation.performer RelatedPerson/1)",
		"Encounter/1/Observation":                       "or(Observation.encounter Encounter/1)",
		"Encounter/1/Encounter":                         "or(ids[1])",
		"Patient/1/Patient":                             "or(Patient.link Patient/1)",
		"Patient/1/*?_type=Patient":                     "and(or(Patient.link Patient/1), not(ids[1]))",
		"Patient/1/*?_type=Encounter&_lastUpdated=2020": "and(or(Encounter.patient Patient/1), updated eq 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999)",
		"Patient/1/Location":                            "or()",
	} {
		q, err := p.Parse(within(t, text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if len(q.Plan.Branches) != 1 {
			t.Errorf("%s: %d branches", text, len(q.Plan.Branches))
		} else if got := show(q.Plan.Branches[0].Filter); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestCompartmentsHoldTheirResourceUnderFHIRsRules(t *testing.T) {
	t.Parallel()
	p := newStrictParser(t)
	for text, want := range map[string]string{
		"Encounter/1/*?_type=Encounter": "or(ids[1])",
		"Patient/1/*?_type=Patient":     "or(Patient.link Patient/1)",
	} {
		if q, err := p.Parse(within(t, text)); err != nil || show(q.Plan.Branches[0].Filter) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCompartmentsOfAllTypes(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	q, err := p.Parse(within(t, "Patient/1/*?_include=*"))
	if err != nil || len(q.Plan.Branches) != 66 || len(q.Plan.Includes) == 0 {
		t.Errorf("all: %v, %d types", err, len(q.Plan.Branches))
	}
	if q, err = p.Parse(within(t, "Patient/1/*?_type=Condition,Nonsense,Location")); err != nil || len(q.Plan.Branches) != 1 || len(q.Warnings) != 1 {
		t.Errorf("with _type: %v, %+v", err, q)
	}
	if _, err = p.Parse(within(t, "Organization/1/*")); !fault.Is(err, fault.Refused) {
		t.Errorf("of a type without compartment: %v", err)
	}
	if _, err = p.Parse(within(t, "Organization/1/Patient")); !fault.Is(err, fault.Refused) {
		t.Errorf("of a type without compartment: %v", err)
	}
}
