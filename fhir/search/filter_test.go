package search_test

import (
	"net/url"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
)

func TestFilterExpressions(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	const since2000 = "Patient.birthdate ge 2000-01-01T00:00:00..2000-12-31T23:59:59.9999999"
	for text, want := range map[string]string{
		`Patient gender eq male`:                                      "Patient.gender *|male",
		`Patient gender eq "male"`:                                    "Patient.gender *|male",
		`Patient gender ne male`:                                      "and(Patient.gender missing false, not(Patient.gender *|male))",
		`Patient identifier eq urn:s|1`:                               "Patient.identifier urn:s|1",
		`Patient name co "pet"`:                                       "Patient.name contains pet",
		`Patient name sw pet`:                                         "Patient.name starts pet",
		`Patient name ew pet`:                                         "Patient.name ends pet",
		`Patient name eq "a, \"b\" $\u00fc"`:                          `Patient.name whole a, "b" $ü`,
		`Patient name pr true`:                                        "Patient.name missing false",
		`Patient name pr false`:                                       "Patient.name missing true",
		`Patient birthdate ge 2000`:                                   since2000,
		`Patient birthdate po 2000-03`:                                "Patient.birthdate eq 2000-03-01T00:00:00..2000-03-31T23:59:59.9999999",
		`Patient _lastUpdated sa 2020`:                                "updated sa 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999",
		`Patient _id eq a`:                                            "ids[a]",
		`Patient _id ne a`:                                            "not(ids[a])",
		`Patient name sw a or gender eq male and birthdate ge 2000`:   "and(or(Patient.name starts a, Patient.gender *|male), " + since2000 + ")",
		`Patient name sw a or (gender eq male and birthdate ge 2000)`: "or(Patient.name starts a, and(Patient.gender *|male, " + since2000 + "))",
		`Patient not (gender eq male)`:                                "not(Patient.gender *|male)",
		`Patient not(gender eq male) and ( name sw not )`:             "and(not(Patient.gender *|male), Patient.name starts not)",
		`Patient _has:Observation:patient:code eq x`:                  "Observation.patient←(Observation.code *|x)",
		`Observation subject:Patient.name sw x`:                       "Observation.subject→Patient(Patient.name starts x)",
		`Observation patient.organization.name sw x`:                  "Observation.patient→Patient(Patient.organization→Organization(Organization.name starts x))",
		`Observation patient[gender eq male].name sw x`:               "Observation.patient→Patient(and(Patient.gender *|male, Patient.name starts x))",
		`Observation subject re Patient/1`:                            "Observation.subject Patient/1",
		`Observation subject eq Patient/1`:                            "Observation.subject Patient/1",
		`Observation value-quantity gt 5||mg`:                         "Observation.value-quantity gt 5 [4.5, 5.5] *|mg",
		`Observation code-value-quantity eq a$gt5`:                    "Observation.code-value-quantity *|a $ gt 5 [4.5, 5.5] any",
		`Observation code in http://vs|1`:                             "Observation.code in http://vs|1",
		`Observation code ni "http://vs"`:                             "not(Observation.code in http://vs)",
		`Observation code ss http://s|a`:                              "Observation.code below http://s|a",
		`Observation code sb http://s|a`:                              "Observation.code above http://s|a",
		`RiskAssessment probability ap 10`:                            "RiskAssessment.probability ap 10 [9.0, 11.0]",
	} {
		typ, expression, _ := strings.Cut(text, " ")
		q := parse(t, p, typ+"?_filter="+url.QueryEscape(expression))
		if got := show(q.Plan.Branches[0].Filter); got != want || len(q.Warnings) > 0 {
			t.Errorf("%s:\n got %s %v\nwant %s", text, got, q.Warnings, want)
		}
	}
}

func TestFilterRefusals(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for text, want := range map[string]fault.Kind{
		`gender`:                           fault.Invalid,
		`gender eq`:                        fault.Invalid,
		`gender xx male`:                   fault.Invalid,
		`(gender eq male`:                  fault.Invalid,
		`gender eq male)`:                  fault.Invalid,
		`gender eq male name eq x`:         fault.Invalid,
		`gender eq male and`:               fault.Invalid,
		`not gender eq male`:               fault.Invalid,
		`name eq "x`:                       fault.Invalid,
		`name eq "\x"`:                     fault.Invalid,
		`name pr maybe`:                    fault.Invalid,
		`birthdate eq never`:               fault.Invalid,
		`organization[name eq x] eq y`:     fault.Invalid,
		`organization[name eq x.name`:      fault.Invalid,
		`gender.name eq x`:                 fault.Refused,
		`general-practitioner.name eq x`:   fault.Refused,
		`gender ss male`:                   fault.Refused,
		`.name eq x`:                       fault.Invalid,
		strings.Repeat("(", 40) + "a eq b": fault.Invalid,
		"organization." + strings.Repeat("partof.", 10) + "name eq x": fault.Invalid,
	} {
		if _, err := p.Parse(request(t, "Patient?_filter="+url.QueryEscape(text))); !fault.Is(err, want) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	registry, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		f.Fatal(err)
	}
	p := search.NewParser(registry, search.Options{Compat: fhir.Strict})
	for _, seed := range []string{`name co "pet" and not (gender eq male or organization[name sw a].partof.name ew b)`, `_has:Observation:patient:code eq x`, `a[`, `"`, `((`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := search.Request{Types: []fhir.Type{"Patient"}, Params: []search.Param{{Name: "_filter", Value: text}}, Now: now}
		q, err := p.Parse(r)
		if err != nil && fault.KindOf(err) == fault.Internal {
			t.Fatal(err)
		}
		if err == nil && len(q.Warnings) == 0 && q.Plan.Branches[0].Filter == nil {
			t.Fatal("understood, but without a filter")
		}
	})
}

func TestChainsWithoutTypeTakeAllTargetsInStrictMode(t *testing.T) {
	t.Parallel()
	registry, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	p := search.NewParser(registry, search.Options{Compat: fhir.Strict})
	q := parse(t, p, "Observation?subject.birthdate=2000")
	if got := show(q.Plan.Branches[0].Filter); got != "or(Observation.subject→Patient(Patient.birthdate eq 2000-01-01T00:00:00..2000-12-31T23:59:59.9999999 within))" {
		t.Error(got)
	}
	q = parse(t, p, "Observation?subject.name=x")
	if got := show(q.Plan.Branches[0].Filter); !strings.Contains(got, "Observation.subject→Location(Location.name starts x)") || !strings.HasPrefix(got, "or(") {
		t.Error(got)
	}
	if q = parse(t, p, "Observation?subject.nonsense=x"); len(q.Warnings) != 1 {
		t.Errorf("nobody's parameter: %v", q.Warnings)
	}
	if q = parse(t, p, "Observation?_total=estimate"); !q.Plan.Total {
		t.Error("no total for an estimate")
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	asked := 0
	list := func(id fhir.ID) ([]fhir.Key, error) {
		asked++
		return map[fhir.ID][]fhir.Key{"1": {{Type: "Patient", ID: "b"}, {Type: "Group", ID: "g"}}, "2": {{Type: "Patient", ID: "a"}, {Type: "Patient", ID: "b"}}}[id], nil
	}
	for query, want := range map[string]string{
		"Patient?_list=1":             "ids[b]",
		"Patient?_list=List/1,2":      "ids[a b]",
		"Patient?_list=1&_list=2":     "and(ids[b], ids[a b])",
		"Patient?_list=3":             "ids[]",
		"Observation?patient._list=1": "Observation.patient→Patient(ids[b])",
	} {
		r := request(t, query)
		r.List = list
		if q, err := p.Parse(r); err != nil || show(q.Plan.Branches[0].Filter) != want {
			t.Errorf("%s: %v", query, err)
		}
	}
	asked = 0
	r := request(t, "?_list=1")
	r.List = list
	if _, err := p.Parse(r); err != nil || asked != 1 {
		t.Errorf("the List was read %d times: %v", asked, err)
	}
	r = request(t, "Patient?_list=$current-allergies")
	r.List = list
	if _, err := p.Parse(r); !fault.Is(err, fault.Refused) {
		t.Errorf("functional list: %v", err)
	}
}

func TestNotReferenced(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for query, want := range map[string]string{
		"Patient?_not-referenced=Observation:subject":                                   "not(or(Observation.subject←(all)))",
		"Patient?_not-referenced=Observation:subject&_not-referenced=Encounter:patient": "and(not(or(Observation.subject←(all))), not(or(Encounter.patient←(all))))",
		"Patient?_not-referenced=Basic:*":                                               "not(or(Basic.author←(all), Basic.patient←(all), Basic.subject←(all)))",
		"Basic?_not-referenced=Encounter:patient":                                       "not(or())",
	} {
		if got := show(parse(t, p, query).Plan.Branches[0].Filter); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
	if got := show(parse(t, p, "Patient?_not-referenced=*:*").Plan.Branches[0].Filter); strings.Count(got, "←") < 100 {
		t.Error(got)
	}
}
