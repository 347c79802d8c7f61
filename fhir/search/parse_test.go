package search_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
)

var now = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)

func newParser(t testing.TB) *search.Parser {
	t.Helper()
	registry, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	return search.NewParser(registry, search.Options{})
}

func newStrictParser(t testing.TB) *search.Parser {
	t.Helper()
	registry, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	return search.NewParser(registry, search.Options{Compat: fhir.Strict})
}

// request makes a request of "Patient?name=x"; types are separated by +.
func request(t testing.TB, text string) search.Request {
	t.Helper()
	path, query, _ := strings.Cut(text, "?")
	params, err := search.ParseParams(query)
	if err != nil {
		t.Fatal(err)
	}
	r := search.Request{Params: params, Base: "https://here/fhir", Now: now}
	if path != "" {
		for name := range strings.SplitSeq(path, "+") {
			r.Types = append(r.Types, fhir.Type(name))
		}
	}
	return r
}

func parse(t testing.TB, p *search.Parser, text string) *search.Query {
	t.Helper()
	q, err := p.Parse(request(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// show writes a filter in short.
func show(f search.Filter) string {
	list := func(word string, parts []search.Filter) string {
		var s []string
		for _, part := range parts {
			s = append(s, show(part))
		}
		return word + "(" + strings.Join(s, ", ") + ")"
	}
	switch f := f.(type) {
	case nil:
		return "all"
	case search.And:
		return list("and", f)
	case search.Or:
		return list("or", f)
	case search.Not:
		return "not(" + show(f.Filter) + ")"
	case search.Match:
		return f.Param.Name() + " " + operand(f.Operand)
	case search.Missing:
		return fmt.Sprintf("%s missing %v", f.Param.Name(), f.Missing)
	case search.IDs:
		return fmt.Sprintf("ids%v", []fhir.ID(f))
	case search.Updated:
		return "updated " + operand(f.Date)
	case search.Chain:
		return fmt.Sprintf("%s→%s(%s)", f.Param.Name(), f.Target, show(f.Filter))
	case search.Content:
		return fmt.Sprintf("words %v %v", f.Narrative, f.Any)
	case search.Has:
		return fmt.Sprintf("%s←(%s)", f.Param.Name(), show(f.Filter))
	}
	return fmt.Sprintf("%T", f)
}

var prefixes = [...]string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

func operand(o search.Operand) string {
	switch o := o.(type) {
	case search.Token:
		system, code := o.System, o.Code
		if o.AnySystem {
			system = "*"
		}
		if o.AnyCode {
			code = "*"
		}
		return system + "|" + code
	case search.Text:
		return [...]string{"starts ", "contains ", "exact ", "whole ", "ends "}[o.Mode] + o.Text
	case search.Date:
		instant := func(t searchparam.Ticks) string {
			return time.Unix(int64(t/1e7)-62135596800, int64(t%1e7)*100).UTC().Format("2006-01-02T15:04:05.9999999")
		}
		s := fmt.Sprintf("%s %s..%s", prefixes[o.Prefix], instant(o.Start), instant(o.End))
		if o.Within {
			s += " within"
		}
		return s
	case search.Number:
		end := "]"
		if o.Open {
			end = ")"
		}
		return fmt.Sprintf("%s %s [%s, %s%s", prefixes[o.Prefix], o.Value, o.Low, o.High, end)
	case search.Near:
		return fmt.Sprintf("near %g %g within %g m", o.Latitude, o.Longitude, o.Metres)
	case *search.Concepts:
		switch {
		case o.ValueSet != "":
			return "in " + o.ValueSet
		case o.Up:
			return "above " + o.System + "|" + o.Code
		}
		return "below " + o.System + "|" + o.Code
	case search.OfType:
		return "of type " + o.System + "|" + o.Code + "|" + o.Value
	case search.Quantity:
		unit := operand(search.Token{System: o.System, Code: o.Code, AnySystem: o.AnySystem, AnyCode: o.AnyCode})
		if o.AnyUnit {
			unit = "any"
		}
		return operand(o.Number) + " " + unit
	case search.Ref:
		if o.URL != "" {
			return "url " + o.URL
		}
		if o.Type == "" {
			return fmt.Sprintf("%v/%s", o.Types, o.ID)
		}
		here := ""
		if o.Here {
			here = "here "
		}
		return here + string(o.Type) + "/" + string(o.ID)
	case search.URI:
		s := [...]string{"equal ", "below ", "above "}[o.Mode] + o.Text
		if o.Segments {
			s += " by segments"
		}
		return s
	case search.Composite:
		var parts []string
		for _, part := range o.Parts {
			parts = append(parts, operand(part))
		}
		return strings.Join(parts, " $ ")
	}
	return fmt.Sprintf("%T", o)
}

func TestParseFilters(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for query, want := range map[string]string{
		"Patient":  "all",
		"Patient?": "all",

		"Patient?gender=male":                            "Patient.gender *|male",
		"Patient?identifier=urn:s|1":                     "Patient.identifier urn:s|1",
		"Patient?identifier=|1":                          "Patient.identifier |1",
		"Patient?identifier=urn:s|":                      "Patient.identifier urn:s|*",
		"Patient?identifier=a\\|b":                       "Patient.identifier *|a|b",
		"Patient?identifier=urn:s|a\\|b\\,c":             "Patient.identifier urn:s|a|b,c",
		"Patient?gender=male,female":                     "or(Patient.gender *|male, Patient.gender *|female)",
		"Patient?gender=male&gender=female":              "and(Patient.gender *|male, Patient.gender *|female)",
		"Patient?gender:not=male,female":                 "not(or(Patient.gender *|male, Patient.gender *|female))",
		"Patient?gender:missing=true":                    "Patient.gender missing true",
		"Patient?gender:text=M\\,x,y":                    "or(Patient.gender starts M,x, Patient.gender starts y)",
		"Observation?code:text=Blut":                     "Observation.code starts Blut",
		"Patient?gender:in=http://vs|1":                  "Patient.gender in http://vs|1",
		"Patient?gender:in=https://here/fhir/ValueSet/1": "Patient.gender in ValueSet/1",
		"Patient?gender:not-in=http://v,http://w":        "not(or(Patient.gender in http://v, Patient.gender in http://w))",
		"Observation?code:below=s|x":                     "Observation.code below s|x",
		"Observation?patient.gender:not-in=v":            "Observation.patient→Patient(not(Patient.gender in v))",
		"Observation?code:above=s|x,t|y":                 "or(Observation.code above s|x, Observation.code above t|y)",
		"Patient?identifier:of-type=s|MR|1\\|2":          "Patient.identifier of type s|MR|1|2",
		"Patient?identifier:of-type=s|MR|1,s|MR|2":       "or(Patient.identifier of type s|MR|1, Patient.identifier of type s|MR|2)",
		"Observation?code-value-date:missing=false":      "Observation.code-value-date missing false",

		"Patient?name=Anna":                "Patient.name starts Anna",
		"Patient?name:exact=Anna%20B":      "Patient.name exact Anna B",
		"Patient?name:contains=nn+a":       "Patient.name contains nn a",
		"Patient?name=a\\,b,c\\$d\\\\e\\f": `or(Patient.name starts a,b, Patient.name starts c$d\e\f)`,
		"Patient?name=ge2020":              "Patient.name starts ge2020",

		"Patient?birthdate=2000-03":                                   "Patient.birthdate eq 2000-03-01T00:00:00..2000-03-31T23:59:59.9999999",
		"Patient?birthdate=ge2000":                                    "Patient.birthdate ge 2000-01-01T00:00:00..2000-12-31T23:59:59.9999999",
		"Patient?birthdate=eq2000,2001-01-01":                         "or(Patient.birthdate eq 2000-01-01T00:00:00..2000-12-31T23:59:59.9999999, Patient.birthdate eq 2001-01-01T00:00:00..2001-01-01T23:59:59.9999999)",
		"Observation?date=sa2020-01-01T10:00:00.1234567%2B01:00":      "Observation.date sa 2020-01-01T09:00:00.1234567..2020-01-01T09:00:00.1234567",
		"Observation?date=ap2020-12-22T00:00:00.0Z":                   "Observation.date ap 2020-12-21T00:00:00..2020-12-23T00:00:00",
		"Observation?date=ge2020&date=lt2021":                         "Observation.date eq 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999", // what overlaps with the time between
		"Observation?date=le2020&status=final&date=gt2019":            "and(Observation.status *|final, Observation.date eq 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999)",
		"Observation?date=ge2021&date=lt2020":                         "and(Observation.date ge 2021-01-01T00:00:00..2021-12-31T23:59:59.9999999, Observation.date lt 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999)",
		"Encounter?location-period=ge2020&location-period=lt2021":     "and(Encounter.location-period ge 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999, Encounter.location-period lt 2021-01-01T00:00:00..2021-12-31T23:59:59.9999999)", // an encounter has many
		"Observation?date=ne2020&date=lt2020&date=le2020&date=gt2020": "and(Observation.date ne 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999, Observation.date lt 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999, Observation.date le 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999, Observation.date gt 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999)",

		"RiskAssessment?probability=0.80":   "RiskAssessment.probability eq 0.80 [0.795, 0.805]",
		"RiskAssessment?probability=100":    "RiskAssessment.probability eq 100 [99.5, 100.5]",
		"RiskAssessment?probability=-1":     "RiskAssessment.probability eq -1 [-1.5, -0.5]",
		"RiskAssessment?probability=gt1e-3": "RiskAssessment.probability gt 0.001 [0.0005, 0.0015]",
		"RiskAssessment?probability=ap-20":  "RiskAssessment.probability ap -20 [-22.0, -18.0]",
		"RiskAssessment?probability=1,2":    "or(RiskAssessment.probability eq 1 [0.5, 1.5], RiskAssessment.probability eq 2 [1.5, 2.5])",

		"Observation?value-quantity=5.4|http://u|mg": "Observation.value-quantity eq 5.4 [5.35, 5.45] http://u|mg",
		"Observation?value-quantity=le5||mg":         "Observation.value-quantity le 5 [4.5, 5.5] *|mg",
		"Observation?value-quantity=5|http://u":      "Observation.value-quantity eq 5 [4.5, 5.5] http://u|*",
		"Observation?value-quantity=5|http://u|":     "Observation.value-quantity eq 5 [4.5, 5.5] http://u|*",
		"Observation?value-quantity=5":               "Observation.value-quantity eq 5 [4.5, 5.5] any",
		"Observation?value-quantity=5||":             "Observation.value-quantity eq 5 [4.5, 5.5] any",

		"Observation?subject=Patient/1":                           "Observation.subject Patient/1",
		"Observation?subject=https://here/fhir/Patient/1":         "Observation.subject here Patient/1",
		"Observation?subject:Patient=https://here/fhir/Patient/1": "Observation.subject here Patient/1",
		"Observation?subject:identifier=s|1,2":                    "or(Observation.subject s|1, Observation.subject *|2)",
		"Observation?subject=https://there/fhir/Patient/1":        "Observation.subject url https://there/fhir/Patient/1",
		"Observation?subject=urn:uuid:1":                          "Observation.subject url urn:uuid:1",
		"Observation?subject=1":                                   "Observation.subject [Group Device Patient Location]/1",
		"Observation?subject:Patient=1":                           "Observation.subject Patient/1",
		"Observation?subject:Patient=Patient/1":                   "Observation.subject Patient/1",
		"Observation?subject:Patient=Group/1":                     "Observation.subject []/1",
		"Observation?subject:not=Patient/1":                       "not(Observation.subject Patient/1)",
		"Observation?subject=patient/1":                           "Observation.subject url patient/1",
		"Observation?subject=http://x/Patient/1/_history/2":       "Observation.subject url http://x/Patient/1/_history/2",
		"Observation?subject=Patient/1/_history/2":                "Observation.subject Patient/1",
		"Observation?patient=1":                                   "Observation.patient Patient/1",
		"QuestionnaireResponse?questionnaire=http://q|1":          "QuestionnaireResponse.questionnaire url http://q|1",
		"Observation?subject=Patient/1,Patient/2":                 "or(Observation.subject Patient/1, Observation.subject Patient/2)",

		"ValueSet?url=http://vs":       "ValueSet.url equal http://vs",
		"ValueSet?url:below=http://vs": "ValueSet.url below http://vs",
		"ValueSet?url:above=http://vs": "ValueSet.url above http://vs",

		"Observation?code-value-quantity=s|c$gt5||mg":                 "Observation.code-value-quantity s|c $ gt 5 [4.5, 5.5] *|mg",
		"Observation?code-value-quantity=s|c":                         "Observation.code-value-quantity s|c",
		"Observation?code-value-string=a\\$b$c":                       "Observation.code-value-string *|a$b $ starts c",
		"Observation?code-value-quantity=a$gt5,b$6":                   "or(Observation.code-value-quantity *|a $ gt 5 [4.5, 5.5] any, Observation.code-value-quantity *|b $ eq 6 [5.5, 6.5] any)",
		"DocumentReference?relationship=DocumentReference/1$replaces": "DocumentReference.relationship DocumentReference/1 $ *|replaces",

		"Patient?_id=a,b":                "ids[a b]",
		"Patient?_content=Husten Fieb*":  "words false [[{husten false} {fieb true}]]",
		"Patient?_content=a AND b OR c":  "words false [[{a false} {b false}] [{c false}]]",
		"Patient?_content=Ä-b*,c":        "words false [[{a false} {b true}] [{c false}]]",
		"Observation?patient._content=a": "Observation.patient→Patient(words false [[{a false}]])",
		"Patient?_id:not=a":              "not(ids[a])",
		"Patient?_id=a_b":                "ids[]",
		"Patient?_id:missing=true":       "ids[]",
		"Patient?_id:missing=false":      "and()",
		"Patient?_lastUpdated=gt2020":    "updated gt 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999",
		"Patient?_lastUpdated=2020,2021": "or(updated eq 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999, updated eq 2021-01-01T00:00:00..2021-12-31T23:59:59.9999999)",
		"Patient?_tag=s|t":               "Patient._tag s|t",
		"Patient?_security=t":            "Patient._security *|t",
		"Patient?_profile=http://p":      "Patient._profile equal http://p",
		"Patient?_profile=http://p|1":    "Patient._profile equal ",
		"Patient?_source:below=http://p": "Patient._source below http://p",
		"Patient?_tag:not=t&_tag:not=t":  "not(Patient._tag *|t)",

		"Observation?subject:Patient.name=x":                                           "Observation.subject→Patient(Patient.name starts x)",
		"Observation?patient.name:exact=x,y":                                           "Observation.patient→Patient(or(Patient.name exact x, Patient.name exact y))",
		"Observation?patient.gender:not=male":                                          "Observation.patient→Patient(not(Patient.gender *|male))",
		"Observation?patient.organization.name=x":                                      "Observation.patient→Patient(Patient.organization→Organization(Organization.name starts x))",
		"Observation?patient._id=1":                                                    "Observation.patient→Patient(ids[1])",
		"Observation?patient._type=Patient":                                            "Observation.patient→Patient(and())",
		"Observation?patient._type=Group":                                              "Observation.patient→Patient(ids[])",
		"Observation?patient._lastUpdated=2020":                                        "Observation.patient→Patient(updated eq 2020-01-01T00:00:00..2020-12-31T23:59:59.9999999)",
		"Patient?_has:Observation:patient:code=x":                                      "Observation.patient←(Observation.code *|x)",
		"Patient?_has:Observation:patient:code:not=x":                                  "Observation.patient←(not(Observation.code *|x))",
		"Patient?_has:Observation:patient:_has:AuditEvent:entity:agent=Practitioner/1": "Observation.patient←(AuditEvent.entity←(AuditEvent.agent Practitioner/1))",
		"Patient?_has:Observation:patient:encounter:Encounter.status=x":                "Observation.patient←(Observation.encounter→Encounter(Encounter.status *|x))",
		"Encounter?subject:Patient._has:Group:member:_id=1":                            "Encounter.subject→Patient(Group.member←(ids[1]))",
	} {
		q := parse(t, p, query)
		if len(q.Plan.Branches) != 1 {
			t.Errorf("%s: %d branches", query, len(q.Plan.Branches))
			continue
		}
		if got := show(q.Plan.Branches[0].Filter); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
		if len(q.Warnings) > 0 {
			t.Errorf("%s: %v", query, q.Warnings)
		}
	}
}

func TestParseByTheRulesOfFHIR(t *testing.T) {
	t.Parallel()
	p := newStrictParser(t)
	const year = "2020-01-01T00:00:00..2020-12-31T23:59:59.9999999"
	for query, want := range map[string]string{
		"Patient?birthdate=2020":              "Patient.birthdate eq " + year + " within",
		"Patient?birthdate=eq2020":            "Patient.birthdate eq " + year + " within",
		"Patient?birthdate=ge2020":            "Patient.birthdate ge " + year + " within",
		"Patient?birthdate=le2020":            "Patient.birthdate le " + year + " within",
		"Patient?birthdate=ne2020":            "Patient.birthdate ne " + year,
		"Patient?birthdate=gt2020":            "Patient.birthdate gt " + year,
		"Patient?birthdate=sa2020,lt2020":     "or(Patient.birthdate sa " + year + ", Patient.birthdate lt " + year + ")",
		"Patient?_lastUpdated=eb2020,gt2020":  "or(updated eb " + year + ", updated gt " + year + ")",
		"RiskAssessment?probability=0.80":     "RiskAssessment.probability eq 0.80 [0.795, 0.805)",
		"RiskAssessment?probability=ne1,gt2":  "or(RiskAssessment.probability ne 1 [0.5, 1.5), RiskAssessment.probability gt 2 [1.5, 2.5])",
		"RiskAssessment?probability=ap20":     "RiskAssessment.probability ap 20 [18.0, 22.0]",
		"Observation?value-quantity=5||mg":    "Observation.value-quantity eq 5 [4.5, 5.5) *|mg",
		"Observation?value-quantity=gt5,lt2":  "or(Observation.value-quantity gt 5 [4.5, 5.5] any, Observation.value-quantity lt 2 [1.5, 2.5] any)",
		"Observation?code-value-date=c$2020":  "Observation.code-value-date *|c $ eq " + year + " within",
		"ValueSet?url:below=http://vs":        "ValueSet.url below http://vs by segments",
		"ValueSet?url:above=http://vs":        "ValueSet.url above http://vs by segments",
		"ValueSet?url=http://vs":              "ValueSet.url equal http://vs",
		"Patient?_profile=http://p|1":         "Patient._profile equal http://p|1",
		"Patient?_text=Husten":                "words true [[{husten false}]]",
		"Location?near=42.25|-83.69|11.2|km":  "Location.near near 42.25 -83.69 within 11200 m",
		"Location?near=42.25|-83.69|2":        "Location.near near 42.25 -83.69 within 2000 m",
		"Location?near=42.25|-83.69|1|[mi_i]": "Location.near near 42.25 -83.69 within 1609.344 m",
		"Location?near=1|2":                   "Location.near near 1 2 within 50000 m",
	} {
		if got := show(parse(t, p, query).Plan.Branches[0].Filter); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
}

func TestParseRefusalsByTheRulesOfFHIR(t *testing.T) {
	t.Parallel()
	p := newStrictParser(t)
	for _, query := range []string{"near=1", "near=1|x", "near=91|1", "near=1|181", "near=1|1|far", "near=1|1|1|kg", "near=1|1|-1", "near=1|1|1|m|x"} {
		if _, err := p.Parse(request(t, "Location?"+query)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for query, want := range map[string]fault.Kind{
		"Patient?birthdate=x":                             fault.Invalid,
		"Patient?birthdate=2000-13":                       fault.Invalid,
		"Patient?birthdate=2000-01-01T00:00:00.12345678Z": fault.Invalid,
		"Patient?birthdate=2000-01-01T00:00:00+01:00":     fault.Invalid,
		"Patient?birthdate=GE2000":                        fault.Invalid,
		"Patient?gender=a|b|c":                            fault.Invalid,
		"Patient?_content=-":                              fault.Invalid,
		"Patient?_content=OR a":                           fault.Invalid,
		"Patient?_content=a,":                             fault.Invalid,
		"Patient?_content:exact=a":                        fault.Refused,
		"Patient?_content=\"a b\"":                        fault.Refused,
		"Patient?identifier:of-type=a|b":                  fault.Invalid,
		"Patient?identifier:of-type=a|b|":                 fault.Invalid,
		"Patient?identifier:of-type=a|b|c|d":              fault.Invalid,
		"Observation?subject:identifier=a|b|c":            fault.Invalid,
		"Patient?gender=|":                                fault.Invalid,
		"Patient?gender=a,,b":                             fault.Invalid,
		"Patient?gender=a,":                               fault.Invalid,
		"RiskAssessment?probability=x":                    fault.Invalid,
		"RiskAssessment?probability=1e9999":               fault.Invalid,
		"Observation?value-quantity=1e9999|s|mg":          fault.Invalid,
		"RiskAssessment?probability=ge":                   fault.Invalid,
		"Observation?value-quantity=1|a|b|c":              fault.Invalid,
		"Observation?value-quantity=|a|b":                 fault.Invalid,
		"Observation?code-value-quantity=a$":              fault.Invalid,
		"Patient?_lastUpdated=yesterday":                  fault.Invalid,
		"Patient?_count=-1":                               fault.Invalid,
		"Patient?_count=ten":                              fault.Invalid,
		"Patient?_count=":                                 fault.Invalid,
		"Patient?_includesCount=0":                        fault.Invalid,
		"Patient?_total=some":                             fault.Invalid,
		"Patient?_summary=short":                          fault.Invalid,
		"Patient?_elements=":                              fault.Invalid,
		"Patient?_elements=id&_summary=text":              fault.Invalid,
		"Patient?ct=":                                     fault.Invalid,
		"Patient?_sort=name&_sort=birthdate":              fault.Invalid,
		"?_type=":                                         fault.Invalid,
		"?_type=Patient,Observation&name=x":               fault.Invalid,
		"Patient+Observation?birthdate=2000":              fault.Invalid,
		"Observation?_include=Nonsense:subject":           fault.Invalid,
		"Observation?_include=Observation:subject:":       fault.Invalid,
		"Observation?_include=Observation:subject:X":      fault.Invalid,
		"Observation?_include=":                           fault.Invalid,

		"Patient?birthdate=ge2000,lt1990":                 fault.Refused,
		"Patient?_lastUpdated=ge2000,lt1990":              fault.Refused,
		"RiskAssessment?probability=1,gt2":                fault.Refused,
		"Patient?name:in=x":                               fault.Refused,
		"Observation?code:below=|x":                       fault.Refused,
		"Observation?code:above=s|":                       fault.Refused,
		"Patient?name:text=x":                             fault.Refused,
		"Patient?gender:above=x":                          fault.Refused,
		"Patient?gender:of-type=a|b|c":                    fault.Refused,
		"Patient?gender:not:missing=x":                    fault.Refused,
		"Patient?gender:missing=yes":                      fault.Refused,
		"Patient?name:not=x":                              fault.Refused,
		"Patient?birthdate:exact=2000":                    fault.Refused,
		"Observation?code-value-quantity:not=a$1":         fault.Refused,
		"Observation?code-value-quantity=a$1$2":           fault.Refused,
		"Observation?subject:above=x":                     fault.Refused,
		"Observation?subject:below=x":                     fault.Refused,
		"Observation?subject:Medication=1":                fault.Refused,
		"Observation?subject:patient=1":                   fault.Refused,
		"Observation?subject.name=x":                      fault.Refused,
		"Observation?subject:Nonsense.name=x":             fault.Refused,
		"Observation?code.name=x":                         fault.Refused,
		"Patient?_id:exact=1":                             fault.Refused,
		"Patient?_lastUpdated:not=2020":                   fault.Refused,
		"Observation?_include:exact=Patient:link":         fault.Refused,
		"Patient?_has=x":                                  fault.Refused,
		"Patient?_has:Observation=x":                      fault.Refused,
		"Patient?_has:Observation:patient=x":              fault.Refused,
		"Patient?_has:Nonsense:patient:code=x":            fault.Refused,
		"Patient?_has:Observation:code:code=x":            fault.Refused,
		"Patient?_total=estimate":                         fault.Refused,
		"Patient?_count:exact=1":                          fault.Refused,
		"Patient?ct=a&ct=b":                               fault.Refused,
		"?_type:exact=Patient":                            fault.Refused,
		"?_include=Observation:subject":                   fault.Refused,
		"?_type=Observation&_include=*":                   fault.Refused,
		"Observation?_include=Observation":                fault.Refused,
		"Observation?_include=subject":                    fault.Refused,
		"Observation?_include=Observation:code":           fault.Refused,
		"Patient?_revinclude:recurse=Observation:subject": fault.Invalid,

		"Nonsense?name=x": fault.NotFound,
	} {
		_, err := p.Parse(request(t, query))
		if !fault.Is(err, want) {
			t.Errorf("%s: got %v, want %v", query, err, want)
		}
	}
}

func TestParseTellsWhatIsNotSupported(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for query, want := range map[string]int{
		"Patient?nonsense=1":                                   1,
		"Patient?nonsense=1&gender=male&other=2":               2,
		"Patient?=x":                                           1,
		"Patient?gender=":                                      1,
		"Patient?Gender=male":                                  1,
		"Patient?_text=x":                                      1,
		"Patient?_query=z&_containedType=x":                    2,
		"Patient?_list=y":                                      1, // without a way to read it
		"Patient?_not-referenced=x":                            1,
		"Patient?_not-referenced=*:subject":                    1,
		"Patient?_not-referenced=Observation:subject:x":        1,
		"Patient?_not-referenced=Observation:code":             1,
		"Patient?_not-referenced=Nonsense:*":                   1,
		"Patient?_filter=nonsense+eq+x":                        1,
		"Patient?_filter=birthdate+in+x":                       1,
		"Patient?_filter=gender+co+x":                          1,
		"Patient?_filter=birthdate+co+2000":                    1,
		"Location?near=1":                                      1,
		"Patient?_sort=nonsense":                               1,
		"Patient?_sort=link":                                   1,
		"Patient?_sort=gender":                                 1,
		"Patient?_contained=true&_score=1":                     2,
		"Patient?general-practitioner:Practitioner.nonsense=1": 1,
		"Patient?_has:Observation:nonsense:code=x":             1,
		"Patient?_has:Observation:patient:nonsense=x":          1,
		"Patient?_include=Patient:nonsense":                    1,
		"?_type=Nonsense,Patient":                              1,
		"?_type=Nonsense":                                      1,
		"?name=x":                                              1, // no parameter of all types
	} {
		r := request(t, query)
		q, err := p.Parse(r)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if len(q.Warnings) != want {
			t.Errorf("%s: %d warnings: %v", query, len(q.Warnings), q.Warnings)
		}
		for _, w := range q.Warnings {
			if w.Severity != fault.Warning || w.Code != "not-supported" {
				t.Errorf("%s: %+v", query, w)
			}
		}
		r.Strict = true
		if _, err := p.Parse(r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s, strictly: %v", query, err)
		}
	}
}

func TestParseKeepsWhatItUnderstoodForTheSelfLink(t *testing.T) {
	t.Parallel()
	q := parse(t, newParser(t), "Patient?gender=male&nonsense=1&_count=5&gender=male&_sort=nonsense&name=x&ct=token&_format=json&_pretty=true")
	want := []search.Param{{"gender", "male"}, {"_count", "5"}, {"name", "x"}, {"_format", "json"}, {"_pretty", "true"}}
	if diff := cmp.Diff(want, q.Self); diff != "" {
		t.Error(diff)
	}
	if q.After != "token" || q.Format != "json" || q.Pretty != "true" || q.Criteria != 2 {
		t.Errorf("got %+v", q)
	}
}

func TestParseResultParameters(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	q := parse(t, p, "Patient")
	if q.Plan.Count != 10 || q.Plan.Total || q.Plan.MaxIncludes != 1000 || q.Criteria != 0 {
		t.Errorf("defaults: %+v", q.Plan)
	}
	q = parse(t, p, "Patient?_count=5000&_total=accurate")
	if q.Plan.Count != 1000 || !q.Plan.Total || len(q.Warnings) != 1 || q.Warnings[0].Severity != fault.Information ||
		!strings.Contains(q.Warnings[0].Text, "exceeds limit") {
		t.Errorf("over the limit: %+v %v", q.Plan, q.Warnings)
	}
	if q = parse(t, p, "Patient?_count=99999999999999999999"); q.Plan.Count != 1000 {
		t.Errorf("far over the limit: %+v", q.Plan)
	}
	for _, query := range []string{"Patient?_count=0", "Patient?_summary=count&_count=7"} {
		if q = parse(t, p, query); q.Plan.Count != 0 || !q.Plan.Total {
			t.Errorf("%s: %+v", query, q.Plan)
		}
	}
	q = parse(t, p, "Patient?_elements=id,%20name&_summary=false&_includesCount=3")
	if diff := cmp.Diff([]string{"id", "name"}, q.Elements); diff != "" || q.Plan.MaxIncludes != 3 {
		t.Errorf("%s %+v", diff, q.Plan)
	}
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	q := parse(t, p, "Patient?_sort=-birthdate,name,_lastUpdated")
	var got []string
	for _, key := range q.Plan.Sort {
		name := "updated"
		if !key.Updated {
			name = key.Param.Name()
		}
		got = append(got, fmt.Sprint(name, " ", key.Descending))
	}
	if diff := cmp.Diff([]string{"Patient.birthdate true", "Patient.name false", "updated false"}, got); diff != "" {
		t.Error(diff)
	}
	if q = parse(t, p, "?_type=Practitioner,Patient&_sort=family"); q.Plan.Sort[0].Param.Type != q.Plan.Branches[0].Type {
		t.Errorf("sorted by %s", q.Plan.Sort[0].Param.Name())
	}
}

func TestParseTypes(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	all := len(parse(t, p, "?_tag=x").Plan.Branches)
	if all != 146 {
		t.Errorf("a search over all types has %d branches", all)
	}
	for query, want := range map[string]string{
		"?_type=Practitioner,Patient&family=x":          "Patient: Patient.family starts x; Practitioner: Practitioner.family starts x; ",
		"?_type=Practitioner,Patient&_type=Patient":     "Patient: all; ",
		"?_type=Patient,Nonsense":                       "Patient: all; ",
		"?_type=Nonsense":                               "",
		"Patient?_type=Patient":                         "Patient: all; ",
		"Patient?_type=Group":                           "",
		"Patient+Group?_type:not=Group":                 "Patient: all; ",
		"Patient+Group?_has:Observation:subject:code=x": "Patient: Observation.subject←(Observation.code *|x); Group: Observation.subject←(Observation.code *|x); ",
	} {
		var got strings.Builder
		for _, b := range parse(t, p, query).Plan.Branches {
			fmt.Fprintf(&got, "%s: %s; ", b.Type, show(b.Filter))
		}
		if got.String() != want {
			t.Errorf("%s: got %s", query, &got)
		}
	}
	if n := len(parse(t, p, "?_type:not=Patient").Plan.Branches); n != all-1 {
		t.Errorf("all types but one are %d", n)
	}
}

func TestParseIncludes(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	names := func(includes []search.Include) []string {
		var s []string
		for _, i := range includes {
			s = append(s, strings.TrimSuffix(i.Param.Name()+":"+string(i.Target), ":"))
		}
		return s
	}
	q := parse(t, p, "Observation?_include=Observation:subject:Patient&_include=Observation:encounter&_revinclude=Provenance:target&_include=Observation:encounter:Encounter")
	if diff := cmp.Diff([]string{"Observation.subject:Patient", "Observation.encounter", "Observation.encounter:Encounter"}, names(q.Plan.Includes)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Provenance.target"}, names(q.Plan.RevIncludes)); diff != "" {
		t.Error(diff)
	}
	q = parse(t, p, "Encounter?_include=*&_include=Encounter:*")
	want := []string{"Encounter.account", "Encounter.appointment", "Encounter.based-on", "Encounter.diagnosis", "Encounter.episode-of-care",
		"Encounter.location", "Encounter.part-of", "Encounter.participant", "Encounter.patient", "Encounter.practitioner",
		"Encounter.reason-reference", "Encounter.service-provider", "Encounter.subject"}
	if diff := cmp.Diff(want, names(q.Plan.Includes)); diff != "" {
		t.Error(diff)
	}
	q = parse(t, p, "Specimen?_revinclude=DiagnosticReport:*")
	if got := names(q.Plan.RevIncludes); !cmp.Equal(got, []string{"DiagnosticReport.specimen"}) {
		t.Errorf("a wildcard includes %v", got)
	}
	if q = parse(t, p, "Patient?_revinclude=*"); len(q.Plan.RevIncludes) < 100 {
		t.Errorf("everything that refers to patients is %d parameters", len(q.Plan.RevIncludes))
	}
}

func TestParseBoundsSearches(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	if _, err := p.Parse(request(t, "Patient?gender="+strings.Repeat("a,", 1999)+"a")); err != nil {
		t.Errorf("2000 values: %v", err)
	}
	if _, err := p.Parse(request(t, "Patient?gender="+strings.Repeat("a,", 2000)+"a")); !fault.Is(err, fault.Invalid) {
		t.Errorf("2001 values: %v", err)
	}
	if _, err := search.ParseParams(strings.Repeat("a=b&", 3000)); !fault.Is(err, fault.Invalid) {
		t.Errorf("3000 parameters: %v", err)
	}
	var wildcards strings.Builder
	wildcards.WriteString("Patient?_count=1")
	for _, source := range []string{"Task", "Provenance", "AuditEvent", "Communication", "CommunicationRequest", "List", "Composition",
		"PaymentNotice", "PaymentReconciliation", "Basic", "ClinicalImpression", "DetectedIssue", "DocumentReference"} {
		for _, target := range spec.R4().Resources() { // each has parameters that refer to anything
			fmt.Fprintf(&wildcards, "&_include=%s:*:%s", source, target.Name)
		}
	}
	if _, err := p.Parse(request(t, wildcards.String())); !fault.Is(err, fault.Invalid) {
		t.Errorf("too many wildcards: %v", err)
	}
	chain := func(n int) string { return "Patient?" + strings.Repeat("link:Patient.", n) + "name=x" }
	if _, err := p.Parse(request(t, chain(8))); err != nil {
		t.Errorf("a chain of 8: %v", err)
	}
	if _, err := p.Parse(request(t, chain(9))); !fault.Is(err, fault.Invalid) {
		t.Errorf("a chain of 9: %v", err)
	}
}

func TestParseNeverRepeatsValues(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	const secret = "Geheimnis"
	for _, name := range []string{
		"birthdate", "birthdate:missing", "gender:missing", "_count", "_total", "_summary", "_sort", "_include", "_revinclude", "_type",
		"_lastUpdated", "nonsense", "_has:Observation:patient:date", "link:Patient.birthdate", "_id:missing", "_elements", "ct",
	} {
		for _, value := range []string{secret, secret + "|" + secret + "|" + secret + "|", "ge" + secret, secret + ":" + secret + ":" + secret} {
			for _, strict := range []bool{false, true} {
				q, err := p.Parse(search.Request{Types: []fhir.Type{"Patient"}, Params: []search.Param{{name, value}}, Strict: strict, Now: now})
				if err != nil && strings.Contains(fmt.Sprint(err, fault.As(err).Issues), secret) {
					t.Errorf("%s: %v", name, err)
				}
				if q != nil && strings.Contains(fmt.Sprint(q.Warnings), secret) {
					t.Errorf("%s: %v", name, q.Warnings)
				}
			}
		}
	}
}

func TestParseParams(t *testing.T) {
	t.Parallel()
	got, err := search.ParseParams("b=1&a=%C3%A9+x%2B&b=2&&c&=d&e=f=g")
	want := []search.Param{{"b", "1"}, {"a", "é x+"}, {"b", "2"}, {"c", ""}, {"", "d"}, {"e", "f=g"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, bad := range []string{"a=%", "a=%zz", "%a=b", "a=%ff"} {
		if _, err := search.ParseParams(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

var escaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)

func TestEscapedValuesComeBack(t *testing.T) {
	p := newParser(t)
	special := rapid.StringOfN(rapid.SampledFrom([]rune(`ab,|$\ &=+%ü`)), 1, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		system, code, text := special.Draw(t, "system"), special.Draw(t, "code"), special.Draw(t, "text")
		if strings.TrimSpace(code) == "" || strings.TrimSpace(text) == "" {
			t.Skip("a component that is empty")
		}
		value := escaper.Replace(system) + "|" + escaper.Replace(code) + "$" + escaper.Replace(text)
		params, err := search.ParseParams("code-value-string=" + url.QueryEscape(value+","+value))
		if err != nil {
			t.Fatal(err)
		}
		q, err := p.Parse(search.Request{Types: []fhir.Type{"Observation"}, Params: params, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		or, ok := q.Plan.Branches[0].Filter.(search.Or)
		if !ok || len(or) != 2 {
			t.Fatalf("got %s", show(q.Plan.Branches[0].Filter))
		}
		want := search.Composite{Parts: []search.Operand{search.Token{System: system, Code: code}, search.Text{Text: text}}}
		if diff := cmp.Diff(want, or[1].(search.Match).Operand); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"name=a,b&birthdate=ge2020&_sort=-name&_count=5", "_has:Observation:patient:code-value-quantity=a|b$lt5||mg",
		`general-practitioner:Practitioner.name:exact=a\,b\\`, "_include=*&_revinclude=Observation:subject:Patient&_type=Patient",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	p := newParser(f)
	f.Fuzz(func(t *testing.T, query string, system bool) {
		params, err := search.ParseParams(query)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
			return
		}
		r := search.Request{Types: []fhir.Type{"Patient", "Observation"}, Params: params, Base: "http://h", Now: now}
		if system {
			r.Types = nil
		}
		q, err := p.Parse(r)
		switch {
		case err != nil:
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.Refused {
				t.Errorf("got %v", err)
			}
		case len(q.Self)+len(q.Warnings) > 2*len(params)+strings.Count(query, ","):
			t.Errorf("%d parameters became %d and %d warnings", len(params), len(q.Self), len(q.Warnings))
		}
	})
}

func BenchmarkParse(b *testing.B) {
	p := newParser(b)
	r := request(b, "Observation?patient=Patient/1&code=http://loinc.org|8302-2&date=ge2020&_sort=-date&_count=50")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Parse(r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestParseTellsUnknownIncludeTargetsFromBlankOnes(t *testing.T) {
	t.Parallel()
	p := newParser(t)
	for target, want := range map[string]string{"Nonsense": "not-supported", "": "invalid"} {
		_, err := p.Parse(request(t, "Observation?_include=Observation:subject:"+target))
		if f := fault.As(err); f.Kind != fault.Invalid || len(f.Issues) != 1 || f.Issues[0].Code != want {
			t.Errorf("target %q: got %v %v, want an Invalid fault with code %s", target, err, f.Issues, want)
		}
	}
}

func TestParseTellsWhichSortFieldIsNotSupported(t *testing.T) {
	t.Parallel()
	q := parse(t, newParser(t), "Patient?_sort=birthdate,gender")
	if len(q.Warnings) != 1 || !strings.Contains(q.Warnings[0].Text, "field 2 ") {
		t.Errorf("warnings %v", q.Warnings)
	}
}

func TestParseHidesNamesThatAreNone(t *testing.T) {
	t.Parallel()
	q := parse(t, newParser(t), "Patient?Jane%20Doe=1")
	if len(q.Warnings) != 1 || !strings.HasPrefix(q.Warnings[0].Text, "a parameter with characters that no name has is not supported") {
		t.Errorf("warnings %v", q.Warnings)
	}
}
