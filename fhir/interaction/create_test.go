package interaction_test

import (
	"strings"
	"sync"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

func TestCreate_IgnoresWhatTheServiceAssigns(t *testing.T) {
	h := newHarness(t)
	w := h.write(`{"resourceType":"Patient","id":"mine","meta":{"versionId":"7","lastUpdated":"1999-01-01T00:00:00Z","tag":[{"code":"x"}]},"active":true}`)
	r, err := h.Create(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != interaction.Created || r.Existed || r.Version.Number != 1 || r.Version.Key.String() != "Patient/new-1" {
		t.Errorf("got %+v", r)
	}
	const want = `{"resourceType":"Patient","id":"new-1","meta":{"versionId":"1","lastUpdated":"2026-01-31T12:00:01.000Z","tag":[{"code":"x"}]},"active":true}`
	if got := string(r.Version.JSON()); got != want {
		t.Errorf("stored\n%s\nwant\n%s", got, want)
	}
	if _, err := h.Read(t.Context(), fhir.Key{Type: "Patient", ID: "mine"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("the client's id was taken: %v", err)
	}
}

func TestCreate_Refuses(t *testing.T) {
	cases := []struct {
		name, body string
		typ        fhir.Type
		kind       fault.Kind
		code, text string
	}{
		{"an unknown type", `{"resourceType":"Dragon"}`, "Dragon", fault.NotFound, "", "no resource type"},
		{"a type in wrong case", `{"resourceType":"patient"}`, "patient", fault.NotFound, "", "no resource type"},
		{"an abstract type", `{"resourceType":"DomainResource"}`, "DomainResource", fault.NotFound, "", "no resource type"},
		{"another type than the URL's", `{"resourceType":"Group","type":"person","actual":true}`, "Patient", fault.Invalid, "invalid", "resourceType"},
		{"no object", `[]`, "Patient", fault.Invalid, "structure", "JSON object"},
		{"a search-style reference without match", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization?identifier=MARKER"}}`, "Patient", fault.Invalid, "invalid", "matches no resource"},
		{"a search-style reference with an unknown parameter", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization?colour=MARKER"}}`, "Patient", fault.Invalid, "invalid", "cannot be searched"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			_, err := h.Create(t.Context(), interaction.Write{Type: c.typ, Resource: parse(t, c.body), Base: base})
			wantFault(t, err, c.kind, c.code, c.text)
			if n := h.count("Patient"); n != 0 {
				t.Errorf("%d resources were stored", n)
			}
		})
	}
}

func TestCreate_RefusesAnInvalidResourceWithAllItsIssues(t *testing.T) {
	h := newHarness(t)
	_, err := h.Create(t.Context(), h.write(`{"resourceType":"Observation","colour":"MARKER"}`))
	f := fault.As(err)
	if f == nil || f.Kind != fault.Invalid || len(f.Issues) < 3 { // status, code, colour
		t.Errorf("got %v %+v", err, f)
	}
}

func TestCreate_ResolvesSearchStyleReferences(t *testing.T) {
	h := newHarness(t)
	h.put(`{"resourceType":"Organization","id":"o1","identifier":[{"value":"north"}],"name":"North"}`)
	body := `{"resourceType":"Patient","managingOrganization":{"reference":"Organization?identifier=north","display":"a?b"}}`
	r, err := h.Create(t.Context(), h.write(body))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(r.Version.Body.JSON), `{"reference":"Organization/o1","display":"a?b"}`) {
		t.Errorf("stored %s", r.Version.Body.JSON)
	}
	if found := h.search("Patient", "organization=Organization/o1"); len(found) != 1 {
		t.Errorf("the index does not have the reference: %v", found)
	}

	h.put(`{"resourceType":"Organization","id":"o2","identifier":[{"value":"north"}],"name":"Other"}`)
	_, err = h.Create(t.Context(), h.write(body))
	wantFault(t, err, fault.Invalid, "invalid", "more than one")
	if n := len(fault.As(err).Issues); n != 1 {
		t.Errorf("%d issues, want 1", n)
	}
}

func TestCreate_Conditional(t *testing.T) {
	cases := []struct {
		name, criteria string
		strict         bool
		outcome        interaction.Outcome // 0: fails
		kind           fault.Kind
		code           string
	}{
		{name: "no match creates", criteria: "identifier=mrn-9", outcome: interaction.Created},
		{name: "one match is returned", criteria: "identifier=urn:example:mrn|mrn-1", outcome: interaction.Matched},
		{name: "a question mark at the start is accepted", criteria: "?identifier=mrn-1", outcome: interaction.Matched},
		{name: "several matches fail", criteria: "identifier=mrn-2", kind: fault.Precondition, code: "required"},
		{name: "empty criteria fail", criteria: "&", kind: fault.Invalid, code: "invalid"},
		{name: "criteria without a known parameter fail", criteria: "colour=MARKER", kind: fault.Precondition, code: "required"},
		{name: "result parameters are no criteria", criteria: "_count=1&_summary=count", kind: fault.Precondition, code: "required"},
		{name: "unknown parameters beside a known one are left out", criteria: "identifier=mrn-1&colour=MARKER", outcome: interaction.Matched},
		{name: "unknown parameters fail when strict", criteria: "identifier=mrn-1&colour=MARKER", strict: true, kind: fault.Invalid, code: "not-supported"},
		{name: "bad values fail", criteria: "birthdate=MARKER", kind: fault.Invalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.put(patient("a", "mrn-1"))
			h.put(patient("b", "mrn-2"))
			h.put(patient("c", "mrn-2"))
			w := h.write(patient("", "mrn-9"))
			w.IfNoneExist, w.Strict = c.criteria, c.strict
			r, err := h.Create(t.Context(), w)
			if c.outcome == 0 {
				if f := fault.As(err); f == nil || f.Kind != c.kind || c.code != "" && (len(f.Issues) != 1 || f.Issues[0].Code != c.code) {
					t.Fatalf("got %v %+v", err, f)
				}
				return
			}
			if err != nil || r.Outcome != c.outcome {
				t.Fatalf("got %+v, %v", r, err)
			}
			if c.outcome == interaction.Matched && (r.Version.Key.String() != "Patient/a" || r.Version.Number != 1 || !r.Existed) {
				t.Errorf("matched %+v", r)
			}
		})
	}
}

func TestCreate_RacingConditionalCreatesMakeOneResource(t *testing.T) {
	h := newHarness(t)
	const clients = 32
	criteria := []string{"identifier=mrn-1&active=true", "active=true&identifier=mrn-1"}
	outcomes := make([]interaction.Outcome, clients)
	var wg sync.WaitGroup
	for i := range clients {
		w := h.write(patient("", "mrn-1", `"active":true`))
		w.IfNoneExist = criteria[i%2]
		wg.Go(func() {
			r, err := h.Create(t.Context(), w)
			if err != nil {
				t.Errorf("client %d: %v", i, err)
			}
			outcomes[i] = r.Outcome
		})
	}
	wg.Wait()
	created := 0
	for _, o := range outcomes {
		if o == interaction.Created {
			created++
		}
	}
	if created != 1 || h.count("Patient") != 1 {
		t.Errorf("%d created, %d stored", created, h.count("Patient"))
	}
}

func TestCreate_WaitingForTheSameCriteriaEndsWithTheContext(t *testing.T) {
	h := newHarness(t)
	w := h.write(patient("", "mrn-1"))
	w.IfNoneExist = "identifier=mrn-1"
	leave, err := h.Exclude(t.Context(), &interaction.Change{Write: w, Method: fhir.Post})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := contextDone(t)
	defer cancel()
	if _, err := h.Create(ctx, w); !fault.Is(err, fault.Canceled) {
		t.Errorf("got %v", err)
	}
	leave()
	if r, err := h.Create(t.Context(), w); err != nil || r.Outcome != interaction.Created {
		t.Errorf("after the first left: %+v %v", r, err)
	}
}
