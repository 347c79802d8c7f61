package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
)

// follows writes the includes of a plan in short: ↓ for forward, ↑ for backward.
func follows(plan *search.Plan) string {
	var all []string
	for n, list := range [][]search.Include{plan.Includes, plan.RevIncludes} {
		for _, i := range list {
			text := string("↓↑"[3*n:3*n+3]) + i.Param.Name()
			if i.Target != "" {
				text += ":" + string(i.Target)
			}
			if i.Iterate {
				text += " iterate"
			}
			if i.Once {
				text += " once"
			}
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

func TestIncludesIterate(t *testing.T) {
	t.Parallel()
	registry, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, want, strictly string }{
		{"Observation?_include=Observation:encounter", "↓Observation.encounter", ""},
		{"Observation?_include=Observation:patient&_include:iterate=Patient:general-practitioner",
			"↓Observation.patient, ↓Patient.general-practitioner iterate", ""},
		{"Observation?_include:recurse=Patient:organization&_include=Observation:patient",
			"↓Patient.organization iterate, ↓Observation.patient", ""},
		{"Organization?_include:iterate=Organization:partof", "↓Organization.partof iterate once", "↓Organization.partof iterate"},
		{"Patient?_include=Patient:organization&_include:iterate=Organization:partof",
			"↓Patient.organization, ↓Organization.partof iterate once", "↓Patient.organization, ↓Organization.partof iterate"},
		{"Patient?_revinclude:iterate=Observation:subject:Patient", "↑Observation.subject:Patient iterate", ""},
		{"Patient?_revinclude:iterate=Observation:patient&_revinclude:iterate=DiagnosticReport:result",
			"↑Observation.patient iterate, ↑DiagnosticReport.result iterate", ""},
		{"Observation?_include:iterate=Observation:derived-from:Observation&_revinclude:iterate=DiagnosticReport:result",
			"↓Observation.derived-from:Observation iterate once, ↑DiagnosticReport.result iterate",
			"↓Observation.derived-from:Observation iterate, ↑DiagnosticReport.result iterate"},
		{"Encounter?_include:iterate=Encounter:episode-of-care&_revinclude:iterate=Encounter:episode-of-care", // there and back
			"↓Encounter.episode-of-care iterate once, ↑Encounter.episode-of-care iterate once",
			"↓Encounter.episode-of-care iterate, ↑Encounter.episode-of-care iterate"},
	} {
		for _, compat := range []fhir.Compat{fhir.Azure, fhir.Strict} {
			q := parse(t, search.NewParser(registry, search.Options{Compat: compat}), c.query)
			want := c.want
			if compat == fhir.Strict && c.strictly != "" {
				want = c.strictly
			}
			if got := follows(q.Plan); got != want {
				t.Errorf("%s:\n got %s\nwant %s", c.query, got, want)
			}
			told := slices.ContainsFunc(q.Warnings, func(i fault.Issue) bool { return strings.Contains(i.Text, "followed once") })
			if told != strings.Contains(want, "once") {
				t.Errorf("%s: %v", c.query, q.Warnings)
			}
		}
	}
}

// What the reference refuses or ignores, FHIR has.
func TestIncludesUnderFHIRsRules(t *testing.T) {
	t.Parallel()
	azure, strict := newParser(t), newStrictParser(t)
	if q := parse(t, azure, "Patient?_revinclude:iterate=*"); follows(q.Plan) != "" || len(q.Warnings) != 1 {
		t.Errorf("a wildcard that iterates: %s", follows(q.Plan))
	}
	if q := parse(t, strict, "Patient?_revinclude:iterate=DiagnosticReport:*"); !strings.Contains(follows(q.Plan), "↑DiagnosticReport.result iterate") {
		t.Errorf("a wildcard that iterates, strictly: %s", follows(q.Plan))
	}
	for query, want := range map[string]string{
		"Patient?_revinclude:iterate=Observation:subject":                                         "↑Observation.subject iterate",
		"?_type=Patient,Observation&_include=Patient:organization":                                "↓Patient.organization",
		"?_include=Observation:encounter&_type=Patient,Observation&_revinclude=Encounter:subject": "↓Observation.encounter, ↑Encounter.subject",
	} {
		if _, err := azure.Parse(request(t, query)); err == nil {
			t.Errorf("%s is taken", query)
		}
		if got := follows(parse(t, strict, query).Plan); got != want {
			t.Errorf("%s, strictly: %s, want %s", query, got, want)
		}
	}
	if _, err := strict.Parse(request(t, "?_include=Patient:organization")); !fault.Is(err, fault.Refused) {
		t.Errorf("without a type: %v", err)
	}
}

func TestIncludesByWildcard(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	count := func(query string) (forward, backward int) {
		q := parse(t, p, query)
		return len(q.Plan.Includes), len(q.Plan.RevIncludes)
	}
	for _, queries := range [][]string{
		{"Patient?_include=*", "Patient?_include=*:*", "Patient?_include=Patient:*"},
		{"Patient?_revinclude=*", "Patient?_revinclude=*:*"},
	} {
		var all []string
		for _, query := range queries {
			forward, backward := count(query)
			all = append(all, fmt.Sprint(forward, " ", backward))
		}
		if len(slices.Compact(all)) != 1 || all[0] == "0 0" {
			t.Errorf("%v: %v", queries, all)
		}
	}
	if forward, _ := count("Patient?_include:iterate=*"); forward < 300 {
		t.Errorf("an iterating wildcard takes %d references", forward)
	}
	if _, backward := count("Patient?_revinclude=Observation:*"); backward < 2 {
		t.Errorf("the references of observations to patients: %d", backward)
	}
}
