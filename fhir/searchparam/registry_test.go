package searchparam_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
)

func newRegistry(t testing.TB) *searchparam.Registry {
	t.Helper()
	r, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryParameterOfR4Compiles(t *testing.T) {
	r := newRegistry(t)
	if err := r.Compile(); err != nil {
		t.Fatal(err)
	}
	defined := map[string]bool{}
	for _, typ := range r.Types() {
		for _, p := range r.Params(typ) {
			defined[p.URL] = true
		}
	}
	if got, want := len(defined), len(spec.R4().SearchParams())+1; got != want || got < 1375 {
		t.Errorf("%d of %d parameters are there", got, want)
	}
}

func TestOnlySpecialParametersNeverHaveValues(t *testing.T) {
	common := []string{"_content", "_id", "_lastUpdated", "_query", "_text"}
	idle := slices.DeleteFunc(newRegistry(t).Idle(), func(name string) bool {
		_, code, _ := strings.Cut(name, ".")
		return slices.Contains(common, code)
	})
	if diff := cmp.Diff([]string{}, idle); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyComparisonsNeedEvaluation(t *testing.T) {
	if diff := cmp.Diff([]string{"Patient.deceased"}, newRegistry(t).General()); diff != "" {
		t.Error(diff)
	}
}

func TestParamsAreSortedAndFoundByCode(t *testing.T) {
	r := newRegistry(t)
	for _, typ := range r.Types() {
		params := r.Params(typ)
		if !slices.IsSortedFunc(params, func(a, b *searchparam.Param) int { return strings.Compare(a.Code, b.Code) }) {
			t.Errorf("%s: parameters are not sorted", typ)
		}
		for _, p := range params {
			if r.Param(typ, p.Code) != p || p.Type != typ {
				t.Errorf("%s is not found by its code", p.Name())
			}
		}
	}
	if r.Param("Patient", "nonsense") != nil || r.Param("Nonsense", "_id") != nil || r.Params("Nonsense") != nil {
		t.Error("something unknown is found")
	}
}

func TestParamDescribesItsDefinition(t *testing.T) {
	r := newRegistry(t)
	for _, c := range []struct {
		typ     fhir.Type
		code    string
		kind    searchparam.Kind
		targets []fhir.Type
	}{
		{"Patient", "_id", searchparam.Token, nil},
		{"Patient", "_lastUpdated", searchparam.Date, nil},
		{"Patient", "_text", searchparam.Special, nil},
		{"Patient", "_profile", searchparam.URI, nil},
		{"Patient", "_expiryDate", searchparam.Date, nil},
		{"Location", "near", searchparam.Position, nil},
		{"Observation", "code-value-quantity", searchparam.Composite, nil},
		{"RiskAssessment", "probability", searchparam.Number, nil},
		{"Observation", "encounter", searchparam.Reference, []fhir.Type{"Encounter", "EpisodeOfCare"}},
		{"Observation", "patient", searchparam.Reference, []fhir.Type{"Patient"}}, // the definition adds Group, the expression does not
	} {
		p := r.Param(c.typ, c.code)
		if p == nil || p.Kind != c.kind {
			t.Errorf("%s.%s: got %+v", c.typ, c.code, p)
			continue
		}
		if c.targets != nil && !slices.Equal(p.Targets, c.targets) {
			t.Errorf("%s: targets %v", p.Name(), p.Targets)
		}
	}
	if n := len(r.Param("Provenance", "target").Targets); n < 145 {
		t.Errorf("a reference to anything has %d targets", n)
	}
}

func TestSingleParametersAreTold(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for _, c := range []struct {
		typ    fhir.Type
		code   string
		single bool
	}{
		{"Observation", "date", true},           // one element of several types
		{"Observation", "value-quantity", true}, // a cast of one
		{"Observation", "subject", true},
		{"Observation", "patient", true}, // only references to Patients
		{"Patient", "birthdate", true},
		{"RiskAssessment", "probability", false}, // within a list
		{"Observation", "combo-value-quantity", false},
		{"Observation", "performer", false}, // a list
		{"Condition", "onset-date", true},
		{"Encounter", "location-period", false}, // within a list
		{"Goal", "start-date", true},
		{"Immunization", "reaction-date", false}, // within a list
		{"Observation", "code", false},           // a concept has many codings
		{"DocumentReference", "period", true},    // one element below another
		{"PlanDefinition", "depends-on", false},  // canonicals count with and without version
		{"Condition", "recorded-date", true},
		{"CarePlan", "activity-date", false},
		{"MedicationRequest", "date", false}, // a Timing's list of events is within a list
		{"Communication", "sent", true},
		{"AuditEvent", "date", true},
	} {
		if p := r.Param(c.typ, c.code); p == nil || p.Single != c.single {
			t.Errorf("%s.%s: got %+v", c.typ, c.code, p)
		}
	}
}

func BenchmarkNewRegistry(b *testing.B) {
	defs := spec.R4()
	for b.Loop() {
		if _, err := searchparam.NewRegistry(defs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompileAll(b *testing.B) {
	defs := spec.R4()
	for b.Loop() {
		r, err := searchparam.NewRegistry(defs)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}
