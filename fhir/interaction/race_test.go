package interaction_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/store"
)

// spellings mean the same or at least match the same new patient.
var spellings = []string{
	"identifier=urn:example:mrn|mrn-1",
	"identifier=urn%3Aexample%3Amrn%7Cmrn-1",
	"identifier=urn:example:mrn|mrn-1&active=true",
	"active=true&identifier=mrn-1&_count=5",
	"identifier=mrn-1",
	"active=true",
	"identifier=mrn-1,mrn-7&colour=red",
	"_has:Observation:subject:code=none,x&identifier=mrn-1&active:missing=false",
}

func TestConditionalWrites_OfRacingClientsMakeOneResource(t *testing.T) {
	for round := range 8 {
		h := newHarness(t)
		created := make([]int, 32)
		var wg sync.WaitGroup
		for i := range created {
			w := h.write(patient("", "mrn-1", `"active":true`))
			criteria := spellings[(i+round)%(len(spellings)-1)]
			wg.Go(func() {
				var r interaction.Result
				var err error
				if i%3 == 0 {
					w.Criteria = criteria
					r, err = h.Update(t.Context(), w)
				} else {
					w.IfNoneExist = criteria
					r, err = h.Create(t.Context(), w)
				}
				if err != nil {
					t.Errorf("%v", err)
				}
				if r.Outcome == interaction.Created {
					created[i] = 1
				}
			})
		}
		wg.Wait()
		n := 0
		for _, c := range created {
			n += c
		}
		if n != 1 || h.count("Patient") != 1 {
			t.Fatalf("%d were created, %d are there", n, h.count("Patient"))
		}
	}
}

func TestCondition_IsWhatTheCriteriaMean(t *testing.T) {
	h := newHarness(t)
	name := func(criteria string) string {
		return h.Condition(t.Context(), &interaction.Change{Write: interaction.Write{Type: "Patient", IfNoneExist: criteria}, Method: fhir.Post})
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"identifier=a|b", "identifier=a%7Cb", true},
		{"identifier=a&active=true", "?active=true&identifier=a", true},
		{"identifier=a,b", "identifier=b,a", true},
		{"identifier=a", "identifier=a&_summary=true&_count=3&colour=red", true},
		{"identifier=a", "identifier=A", false},
		{"identifier=a|b", "identifier=b", false},
		{"identifier=a,b", "identifier=a&identifier=b", false},
		{"birthdate=2020", "birthdate=2020-01-01", false},
		{"family=a", "family:exact=a", false},
	} {
		if a, b := name(c.a), name(c.b); (a == b) != c.same || a == "" {
			t.Errorf("%s: %q\n%s: %q", c.a, a, c.b, b)
		}
	}
	if got := name("colour=red"); got != "" {
		t.Errorf("criteria that are none have the name %q", got)
	}
}

// overtaken lets another writer come between a search and its write, once.
type overtaken struct {
	store.Store
	once  sync.Once
	other func()
}

func (s *overtaken) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	if len(writes[0].Unless) > 0 {
		s.once.Do(s.other)
	}
	return s.Store.Write(ctx, writes)
}

func TestConditionalWrites_SeeWhatHasComeSinceTheirSearch(t *testing.T) {
	cases := []struct {
		name, between, found, method string
		outcome                      interaction.Outcome
		kind                         fault.Kind
	}{
		{name: "a create finds it", between: patient("b", "mrn-1"), method: "create", outcome: interaction.Matched},
		{name: "a create goes on", between: patient("b", "mrn-2"), method: "create", outcome: interaction.Created},
		{name: "an update changes it", between: patient("b", "mrn-1"), method: "update", outcome: interaction.Updated},
		{name: "an update of another fails", found: patient("a", "mrn-1"), between: patient("b", "mrn-1"), method: "update", kind: fault.Precondition},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := &overtaken{}
			h := newHarness(t, func(s store.Store) store.Store { o.Store = s; return o })
			if c.found != "" {
				h.put(c.found)
			}
			o.other = func() { h.put(c.between) }
			w := h.write(patient("", "mrn-1", `"active":true`))
			var r interaction.Result
			var err error
			if c.method == "create" {
				w.IfNoneExist = "identifier=mrn-1"
				r, err = h.Create(t.Context(), w)
			} else {
				w.Criteria = "identifier=mrn-1"
				r, err = h.Update(t.Context(), w)
			}
			if c.outcome == 0 {
				if !fault.Is(err, c.kind) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || r.Outcome != c.outcome {
				t.Errorf("%s: %+v, %v", fmt.Sprint(r.Outcome), r, err)
			}
		})
	}
}
