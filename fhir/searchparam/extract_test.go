package searchparam_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
)

// render writes a value as the tables below have it.
func render(p *searchparam.Param, v searchparam.Value) string {
	number := func() string {
		low, high := v.Low.String(), v.High.String()
		if v.OpenLow {
			low = "*"
		}
		if v.OpenHigh {
			high = "*"
		}
		if low == high {
			return low
		}
		return low + ".." + high
	}
	switch p.Kind {
	case searchparam.Token:
		if len(v.Parts) == 2 {
			return "of type " + v.Parts[0].System + "|" + v.Parts[0].Code + " " + v.Parts[1].Code
		}
		s := v.System + "|" + v.Code
		if v.Text != "" {
			s += " (" + v.Text + ")"
		}
		return s
	case searchparam.Date:
		return ticks(v.Start) + ".." + ticks(v.End)
	case searchparam.Number:
		return number()
	case searchparam.Quantity:
		return number() + " " + v.System + "|" + v.Code
	case searchparam.Position:
		return v.Low.String() + " " + v.High.String()
	case searchparam.Reference:
		s := v.Ref.String()
		if v.Ref.Local() {
			s = "local " + s
		}
		if v.System != "" || v.Code != "" {
			s += "{" + v.System + "|" + v.Code + "}"
		}
		return s
	case searchparam.Composite:
		var parts []string
		for i, part := range v.Parts {
			parts = append(parts, render(p.Components[i], part))
		}
		return strings.Join(parts, " $ ")
	}
	return v.Text
}

// ticks writes an instant without what is at its end anyway.
func ticks(t searchparam.Ticks) string {
	switch t {
	case searchparam.MinTicks:
		return "-∞"
	case searchparam.MaxTicks:
		return "+∞"
	}
	const day = 24 * 60 * 60 * 1e7
	s := fmt.Sprintf("%d", t/day) // days since 0001-01-01
	if rest := t % day; rest == day-1 {
		return s + "end"
	} else if rest != 0 {
		return fmt.Sprintf("%s+%g", s, float64(rest)/1e7)
	}
	return s
}

func extract(t testing.TB, r *searchparam.Registry, text string, o searchparam.Options) []searchparam.Entry {
	t.Helper()
	d, err := fhir.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := r.Extract(nil, d.Root(), o)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func values(t testing.TB, r *searchparam.Registry, text, code string, o searchparam.Options) []string {
	t.Helper()
	var got []string
	for _, e := range extract(t, r, text, o) {
		if e.Param.Code == code {
			got = append(got, render(e.Param, e.Value))
		}
	}
	return got
}

func TestExtract(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	for _, c := range []struct {
		name, resource, code string
		want                 []string
	}{
		{"token of a code has the system of its value set",
			`{"resourceType":"Patient","gender":"male"}`, "gender",
			[]string{"http://hl7.org/fhir/administrative-gender|male"}},
		{"token of a boolean", `{"resourceType":"Patient","active":true}`, "active", []string{"|true"}},
		{"token of an identifier, and each coding of its type with its value",
			`{"resourceType":"Patient","identifier":[{"system":"urn:s","value":"1","type":{"coding":[{"system":"t","code":"MR"},{"system":"u","code":"X"},{"code":"no system"}]}},{"type":{"coding":[{"system":"t","code":"MR"}]}}]}`, "identifier",
			[]string{"urn:s|1", "of type t|MR 1", "of type u|X 1"}},
		{"position", `{"resourceType":"Location","position":{"longitude":-83.69,"latitude":42.256500}}`, "near", []string{"42.256500 -83.69"}},
		{"position nowhere", `{"resourceType":"Location","position":{"longitude":180.1,"latitude":1}}`, "near", nil},
		{"position in part", `{"resourceType":"Location","position":{"longitude":-83.69}}`, "near", nil},
		{"token of an identifier with its type's text",
			`{"resourceType":"Patient","identifier":[{"system":"urn:s","value":"1","type":{"text":"MRN"}},{"value":"2"},{"use":"old"}]}`, "identifier",
			[]string{"urn:s|1 (MRN)", "|2"}},
		{"token of a contact point has no system",
			`{"resourceType":"Patient","telecom":[{"system":"phone","value":"555"},{"system":"email","value":"a@b"}]}`, "telecom",
			[]string{"|555", "|a@b"}},
		{"a condition selects contact points",
			`{"resourceType":"Patient","telecom":[{"system":"phone","value":"555"},{"system":"email","value":"a@b"}]}`, "email",
			[]string{"|a@b"}},
		{"token of a concept: each coding, and the text alone",
			`{"resourceType":"Condition","code":{"coding":[{"system":"s","code":"1","display":"D"},{"code":"2"},{"display":"E"}],"text":"T"}}`, "code",
			[]string{"s|1 (D)", "|2", "| (E)", "| (T)"}},
		{"token of a coding in meta", `{"resourceType":"Basic","meta":{"tag":[{"system":"s","code":"x"}]}}`, "_tag", []string{"s|x"}},
		{"token of an element of a choice",
			`{"resourceType":"MedicationRequest","medicationCodeableConcept":{"coding":[{"code":"m"}]}}`, "code", []string{"|m"}},
		{"token by evaluation: a date is a death", `{"resourceType":"Patient","deceasedDateTime":"2020"}`, "deceased", []string{"|true"}},
		{"token by evaluation: false is none", `{"resourceType":"Patient","deceasedBoolean":false}`, "deceased", []string{"|false"}},
		{"token by evaluation: nothing said", `{"resourceType":"Patient"}`, "deceased", []string{"|false"}},

		{"string of a name: its parts",
			`{"resourceType":"Patient","name":[{"use":"official","family":"Müller","given":["Ann","Bea"],"prefix":["Dr"],"suffix":["Jr"],"text":"Dr Ann"}]}`, "name",
			[]string{"Müller", "Ann", "Bea", "Dr", "Jr", "Dr Ann"}},
		{"string of a part of a name", `{"resourceType":"Patient","name":[{"given":["Ann","Ann"]},{"given":["Bea"]}]}`, "given", []string{"Ann", "Bea"}},
		{"string of an address: its parts but use and type",
			`{"resourceType":"Patient","address":[{"use":"home","type":"both","line":["1 A St","Flat 2"],"city":"C","district":"D","state":"S","postalCode":"P","country":"X","text":"T"}]}`, "address",
			[]string{"1 A St", "Flat 2", "C", "D", "S", "P", "X", "T"}},
		{"string of markdown", `{"resourceType":"ValueSet","description":"some *text*"}`, "description", []string{"some *text*"}},
		{"string of a choice, and of a text beside it",
			`{"resourceType":"Observation","valueCodeableConcept":{"text":"T","coding":[{"code":"c"}]}}`, "value-string", []string{"T"}},
		{"extensions of primitives are no values", `{"resourceType":"Patient","name":[{"given":[null,"Bea"],"_given":[{"id":"x"},null]}]}`, "given", []string{"Bea"}},

		{"date of a day", `{"resourceType":"Patient","birthDate":"0001-01-02"}`, "birthdate", []string{"1..1end"}},
		{"date of a month", `{"resourceType":"Patient","birthDate":"0001-01"}`, "birthdate", []string{"-∞..30end"}},
		{"date of a year", `{"resourceType":"Patient","birthDate":"0002"}`, "birthdate", []string{"365..729end"}},
		{"date of an instant with a zone",
			`{"resourceType":"Observation","effectiveInstant":"0001-01-02T01:00:00.5+01:00"}`, "date", []string{"1+0.5..1+0.5"}},
		{"date of a period", `{"resourceType":"Observation","effectivePeriod":{"start":"0001-01-02","end":"0001-01-03"}}`, "date", []string{"1..2end"}},
		{"date of a period without end", `{"resourceType":"Observation","effectivePeriod":{"start":"0001-01-02"}}`, "date", []string{"1..+∞"}},
		{"date of a period without start", `{"resourceType":"Observation","effectivePeriod":{"end":"0001-01-02"}}`, "date", []string{"-∞..1end"}},
		{"date of a period that runs backwards", `{"resourceType":"Observation","effectivePeriod":{"start":"0001-01-03","end":"0001-01-02"}}`, "date", []string{"1..2end"}},
		{"date of an empty period", `{"resourceType":"Observation","effectivePeriod":{"id":"x"}}`, "date", nil},
		{"date of a timing: its outer limits",
			`{"resourceType":"Observation","effectiveTiming":{"event":["0001-01-05","0001-01-03"],"repeat":{"boundsPeriod":{"start":"0001-01-04","end":"0001-01-09"}}}}`, "date",
			[]string{"2..8end"}},
		{"date that is none", `{"resourceType":"Patient","birthDate":"0001-02-30"}`, "birthdate", nil},

		{"number of a decimal keeps its digits", `{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.80}]}`, "probability", []string{"0.80"}},
		{"number of a range", `{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":1},"high":{"value":2}}}]}`, "probability", []string{"1..2"}},
		{"number of a range with an open end", `{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":1}}}]}`, "probability", []string{"1..*"}},
		{"number of an integer", `{"resourceType":"MolecularSequence","coordinateSystem":1,"variant":[{"start":5}]}`, "variant-start", []string{"5"}},

		{"quantity with a coded unit",
			`{"resourceType":"Observation","valueQuantity":{"value":5.40,"unit":"milligram","system":"http://unitsofmeasure.org","code":"mg"}}`, "value-quantity",
			[]string{"5.40 http://unitsofmeasure.org|mg"}},
		{"quantity without a code falls back to the unit", `{"resourceType":"Observation","valueQuantity":{"value":5,"unit":"mg","system":"s"}}`, "value-quantity", []string{"5 |mg"}},
		{"quantity with a comparator is open", `{"resourceType":"Observation","valueQuantity":{"value":5,"comparator":"<","code":"mg"}}`, "value-quantity", []string{"*..5 |mg"}},
		{"quantity above a limit is open", `{"resourceType":"Observation","valueQuantity":{"value":5,"comparator":">="}}`, "value-quantity", []string{"5..* |"}},
		{"quantity of money", `{"resourceType":"Invoice","totalGross":{"value":5,"currency":"EUR"}}`, "totalgross", []string{"5 urn:iso:std:iso:4217|EUR"}},
		{"quantity of an age", `{"resourceType":"Condition","onsetAge":{"value":52,"system":"http://unitsofmeasure.org","code":"a"}}`, "onset-age", []string{"52 http://unitsofmeasure.org|a"}},
		{"quantity of a range", `{"resourceType":"Condition","onsetRange":{"low":{"value":1,"unit":"a"},"high":{"value":2}}}`, "onset-age", []string{"1..2 |a"}},
		{"quantity of samples is none", `{"resourceType":"Observation","valueSampledData":{"origin":{"value":1},"period":1,"dimensions":1,"data":"1 2"}}`, "value-quantity", nil},
		{"quantity without a value is none", `{"resourceType":"Observation","valueQuantity":{"unit":"mg"}}`, "value-quantity", nil},

		{"reference by type and id", `{"resourceType":"Observation","subject":{"reference":"Patient/1"}}`, "subject", []string{"local Patient/1"}},
		{"reference to a version", `{"resourceType":"Observation","subject":{"reference":"Patient/1/_history/2"}}`, "subject", []string{"local Patient/1/_history/2"}},
		{"reference elsewhere", `{"resourceType":"Observation","subject":{"reference":"http://other/fhir/Patient/1"}}`, "subject", []string{"http://other/fhir/Patient/1"}},
		{"reference below the own base", `{"resourceType":"Observation","subject":{"reference":"https://here/fhir/Patient/1"}}`, "subject", []string{"local Patient/1"}},
		{"reference by id alone gets the only type", `{"resourceType":"Observation","subject":{"reference":"1"},"specimen":{"reference":"2"}}`, "specimen", []string{"local Specimen/2"}},
		{"reference by id alone among several types", `{"resourceType":"Observation","subject":{"reference":"1"}}`, "subject", []string{"1"}},
		{"reference to a contained resource is none", `{"resourceType":"Observation","subject":{"reference":"#p"}}`, "subject", nil},
		{"reference by identifier", `{"resourceType":"Observation","subject":{"identifier":{"system":"s","value":"v"}}}`, "subject", []string{"{s|v}"}},
		{"reference by display only is none", `{"resourceType":"Observation","subject":{"display":"d"}}`, "subject", nil},
		{"reference to one type of several", `{"resourceType":"Observation","subject":{"reference":"Patient/1"}}`, "patient", []string{"local Patient/1"}},
		{"reference to another type than asked for", `{"resourceType":"Observation","subject":{"reference":"Group/1"}}`, "patient", nil},
		{"reference elsewhere to the type asked for", `{"resourceType":"Observation","subject":{"reference":"http://other/fhir/Patient/1"}}`, "patient", []string{"http://other/fhir/Patient/1"}},
		{"reference that says its type", `{"resourceType":"Observation","subject":{"reference":"urn:uuid:1","type":"Patient"}}`, "patient", []string{"urn:uuid:1"}},
		{"reference of a choice", `{"resourceType":"MedicationRequest","medicationReference":{"reference":"Medication/1"}}`, "medication", []string{"local Medication/1"}},
		{"reference of a canonical: with and without version",
			`{"resourceType":"QuestionnaireResponse","questionnaire":"http://q/Questionnaire/1|2"}`, "questionnaire",
			[]string{"http://q/Questionnaire/1|2", "http://q/Questionnaire/1"}},
		{"reference under a condition",
			`{"resourceType":"Library","relatedArtifact":[{"type":"depends-on","resource":"http://a"},{"type":"successor","resource":"http://b"}]}`, "depends-on",
			[]string{"http://a"}},
		{"reference to the first resource of a document",
			`{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition","id":"c"}},{"resource":{"resourceType":"Composition","id":"d"}}]}`, "composition",
			[]string{"local Composition/c"}},

		{"uri", `{"resourceType":"ValueSet","url":"http://vs"}`, "url", []string{"http://vs"}},
		{"source", `{"resourceType":"Basic","meta":{"source":"http://s#1"}}`, "_source", []string{"http://s#1"}},
		{"profile with version and without, no fragment", `{"resourceType":"Basic","meta":{"profile":["http://p|1.0","http://q#f"]}}`, "_profile", []string{"http://p|1.0", "http://p", "http://q"}},

		{"composite of token and quantity",
			`{"resourceType":"Observation","code":{"coding":[{"system":"s","code":"a"},{"code":"b"}],"text":"T"},"valueQuantity":{"value":1,"code":"mg"}}`, "code-value-quantity",
			[]string{"s|a $ 1 |mg", "|b $ 1 |mg"}},
		{"composite stays within an element",
			`{"resourceType":"Observation","code":{"coding":[{"code":"panel"}]},"component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1}},{"code":{"coding":[{"code":"b"}]},"valueQuantity":{"value":2}}]}`, "combo-code-value-quantity",
			[]string{"|a $ 1 |", "|b $ 2 |"}},
		{"composite of both levels",
			`{"resourceType":"Observation","code":{"coding":[{"code":"p"}]},"valueQuantity":{"value":0},"component":[{"code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1}}]}`, "combo-code-value-quantity",
			[]string{"|p $ 0 |", "|a $ 1 |"}},
		{"composite of token and date", `{"resourceType":"Observation","code":{"coding":[{"code":"a"}]},"valueDateTime":"0001-01-02"}`, "code-value-date", []string{"|a $ 1..1end"}},
		{"composite of token and string", `{"resourceType":"Observation","code":{"coding":[{"code":"a"}]},"valueString":"x"}`, "code-value-string", []string{"|a $ x"}},
		{"composite lacking a component", `{"resourceType":"Observation","code":{"coding":[{"code":"a"}]}}`, "code-value-string", nil},
		{"composite of reference and token",
			`{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}}]}`, "relationship",
			[]string{"local DocumentReference/1 $ http://hl7.org/fhir/document-relationship-type|replaces"}},
		{"composite with a component from the resource",
			`{"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]}},"variant":[{"start":5,"end":6}]}`, "chromosome-variant-coordinate",
			[]string{"|1 $ 5 $ 6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := values(t, r, c.resource, c.code, searchparam.Options{Base: "https://here/fhir"})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExtractSeesReplacedReferences(t *testing.T) {
	r := newRegistry(t)
	o := searchparam.Options{Replace: func(n fhir.Node) (string, bool) {
		return "Patient/7", n.Text() == "urn:uuid:p"
	}}
	const observation = `{"resourceType":"Observation","subject":{"reference":"urn:uuid:p"},"encounter":{"reference":"urn:uuid:q"}}`
	for _, code := range []string{"subject", "patient"} {
		if diff := cmp.Diff([]string{"local Patient/7"}, values(t, r, observation, code, o)); diff != "" {
			t.Errorf("%s: %s", code, diff)
		}
	}
}

func TestExtractAppendsAndComparesOnlyWithinTheResource(t *testing.T) {
	r := newRegistry(t)
	const patient = `{"resourceType":"Patient","gender":"male"}`
	first := extract(t, r, patient, searchparam.Options{})
	d, err := fhir.Parse([]byte(patient))
	if err != nil {
		t.Fatal(err)
	}
	both, err := r.Extract(first, d.Root(), searchparam.Options{})
	if err != nil || len(both) != 2*len(first) {
		t.Errorf("got %d values after %d: %v", len(both), len(first), err)
	}
}

func TestExtractLeavesOutEqualValuesAlsoWhenThereAreMany(t *testing.T) {
	r := newRegistry(t)
	var b strings.Builder
	b.WriteString(`{"resourceType":"Patient","identifier":[`)
	const different = 20_000
	for i := range 2 * different {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"system":"s","value":"%d"}`, i%different)
	}
	b.WriteString(`]}`)
	if got := len(values(t, r, b.String(), "identifier", searchparam.Options{})); got != different {
		t.Errorf("got %d values", got)
	}
}

func TestExtractLeavesOutNumbersOfEqualValue(t *testing.T) {
	const sequence = `{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.5},{"probabilityDecimal":0.50},{"probabilityDecimal":0.6}]}`
	got := values(t, newRegistry(t), sequence, "probability", searchparam.Options{})
	if diff := cmp.Diff([]string{"0.5", "0.6"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestExtractRefusesTooManyCombinations(t *testing.T) {
	codings := strings.Repeat(`{"code":"a"},`, 100) + `{"code":"b"}`
	d, err := fhir.Parse([]byte(`{"resourceType":"Observation","code":{"coding":[` + codings + `]},"valueCodeableConcept":{"coding":[` + codings + `]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newRegistry(t).Extract(nil, d.Root(), searchparam.Options{}); !fault.Is(err, fault.Unprocessable) {
		t.Errorf("got %v", err)
	}
}

func TestExtractRefusesUnknownTypes(t *testing.T) {
	r := newRegistry(t)
	for _, text := range []string{`{"resourceType":"Nonsense"}`, `{}`, `[]`, `{"resourceType":"DomainResource"}`} {
		d, err := fhir.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Extract(nil, d.Root(), searchparam.Options{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, name := range []string{"patient", "observation"} {
		text, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"resourceType":"Observation","code":7,"valueQuantity":[{"value":"x"}],"subject":["Patient/1",{"reference":1}]}`))
	f.Add([]byte(`{"resourceType":"Bundle","entry":[[{"resource":{"resourceType":"Composition","id":"1"}}]]}`))
	r := newRegistry(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := fhir.Parse(text)
		if err != nil {
			t.Skip()
		}
		entries, err := r.Extract(nil, d.Root(), searchparam.Options{})
		if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unprocessable) {
			t.Errorf("got %v", err)
		}
		for _, e := range entries {
			if e.Param == nil || e.Param.Type != d.Root().Type() || e.Value.Start > e.Value.End {
				t.Errorf("got %+v", e)
			}
		}
	})
}
