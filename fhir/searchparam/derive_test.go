package searchparam_test

import (
	"slices"
	"testing"

	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
)

// eyes is an invented parameter of patients.
func eyes(expression string) *spec.SearchParam {
	return &spec.SearchParam{
		URL: "http://example.org/SearchParameter/eyes", Code: "eyes", Type: "token", Base: []string{"Patient"}, Expression: expression,
	}
}

const eyesPath = "Patient.extension('http://example.org/eyes').value.ofType(code)"

func TestWith_AddsParametersToTheirTypesAlone(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	d := r.With(searchparam.Selection{Custom: []*spec.SearchParam{eyes(eyesPath)}}, nil)
	if p := d.Param("Patient", "eyes"); p == nil || p.Kind != searchparam.Token {
		t.Errorf("Patient.eyes = %+v", p)
	}
	if r.Param("Patient", "eyes") != nil {
		t.Error("the registry it was derived from has changed")
	}
	if d.Param("Observation", "code") != r.Param("Observation", "code") {
		t.Error("a type without a change was compiled again")
	}
	again := r.With(searchparam.Selection{}, d)
	if again.Param("Patient", "gender") != r.Param("Patient", "gender") {
		t.Error("what was taken back left something")
	}
}

func TestWith_LeavesParametersOut(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	gender := r.Param("Patient", "gender").URL
	d := r.With(searchparam.Selection{Without: map[string]bool{gender: true}}, nil)
	if d.Param("Patient", "gender") != nil || d.Param("Patient", "birthdate") == nil {
		t.Error("another parameter than asked for is left out")
	}
}

func TestPartial_HasIncompleteParameters(t *testing.T) {
	t.Parallel()
	custom := eyes(eyesPath)
	d := newRegistry(t).With(searchparam.Selection{
		Custom:     []*spec.SearchParam{custom},
		Incomplete: func(_ fhir.Type, sp *spec.SearchParam) bool { return sp == custom },
	}, nil)
	if d.Param("Patient", "eyes") != nil {
		t.Error("an incomplete parameter is searched by")
	}
	if n, m := len(d.Params("Patient")), len(d.Partial().Params("Patient")); m != n+1 || d.Partial().Param("Patient", "eyes") == nil {
		t.Errorf("%d parameters, %d with incomplete ones", n, m)
	}
	doc, err := fhir.Parse([]byte(`{"resourceType":"Patient","extension":[{"url":"http://example.org/eyes","valueCode":"green"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	values, err := d.Extract(nil, doc.Root(), searchparam.Options{})
	values = slices.DeleteFunc(values, func(e searchparam.Entry) bool { return e.Param.Code != "eyes" })
	if err != nil || len(values) != 1 || values[0].Value.Code != "green" {
		t.Errorf("extracted %+v, %v", values, err)
	}
}

func TestWith_TheWiderOfTwoDefinitionsCounts(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	standard := r.Param("Patient", "gender").URL
	for name, c := range map[string]struct{ expression, counts string }{
		"narrower": {"Patient.gender", standard},
		"wider":    {"Patient.gender | Patient.contact.gender", "http://example.org/SearchParameter/gender"},
	} {
		sp := &spec.SearchParam{URL: "http://example.org/SearchParameter/gender", Code: "gender", Type: "token", Base: []string{"Patient"}, Expression: c.expression}
		d := r.With(searchparam.Selection{Custom: []*spec.SearchParam{sp}}, nil)
		if got := d.Param("Patient", "gender").URL; got != c.counts {
			t.Errorf("%s: %s counts", name, got)
		}
		if d.Effective("Patient", "gender").URL != c.counts {
			t.Errorf("%s: another definition is effective", name)
		}
	}
}

func TestIndexed_ChangesWithWhatMakesValues(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	find := func(d *searchparam.Registry) searchparam.Indexed {
		for _, x := range d.Indexed("Patient") {
			if x.Code == "eyes" {
				return x
			}
		}
		return searchparam.Indexed{}
	}
	with := func(sp *spec.SearchParam) searchparam.Indexed {
		return find(r.With(searchparam.Selection{Custom: []*spec.SearchParam{sp}}, nil))
	}
	one, same, other := with(eyes(eyesPath)), with(eyes(eyesPath)), with(eyes("Patient.gender"))
	if one.Hash == "" || one.Revision < 1 || one != same {
		t.Errorf("%+v is not %+v", one, same)
	}
	if one.Hash == other.Hash {
		t.Error("another expression has the same hash")
	}
}

func TestACustomExpressionThatFailsHasNoValue(t *testing.T) {
	t.Parallel()
	d := newRegistry(t).With(searchparam.Selection{Custom: []*spec.SearchParam{eyes("Patient.name.single().family")}}, nil)
	doc, err := fhir.Parse([]byte(`{"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}],"gender":"male"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Extract(nil, doc.Root(), searchparam.Options{}); err != nil {
		t.Error(err)
	}
}

func TestLive_WaitsForWritersOfEarlierRegistries(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	l := searchparam.NewLive(r)
	leave := l.Enter()
	d := r.With(searchparam.Selection{}, nil)
	l.Replace(d)
	if l.Registry() != d {
		t.Error("the registry was not replaced")
	}
	later := l.Enter()
	settled := make(chan error)
	go func() { settled <- l.Settle(t.Context()) }()
	select {
	case <-settled:
		t.Error("settled before the earlier writer left")
	default:
	}
	leave()
	if err := <-settled; err != nil { // the later writer is still there
		t.Error(err)
	}
	later()
}
