package interaction_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

func whole(o *interaction.Options) { o.Integrity = true }

func observation(id, more string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"x"},` + more + `}`
}

func TestIntegrity_ReferencesMustLeadSomewhere(t *testing.T) {
	cases := []struct {
		name, more string
		issues     []string // expressions
	}{
		{"a resource that is there", `"subject":{"reference":"Patient/a"}`, nil},
		{"by the absolute URL", `"subject":{"reference":"` + base + `/Patient/a"}`, nil},
		{"a version of it", `"subject":{"reference":"Patient/a/_history/1"}`, nil},
		{"itself", `"hasMember":[{"reference":"Observation/o"}]`, nil},
		{"elsewhere", `"subject":{"reference":"http://other.example/fhir/Patient/none"}`, nil},
		{"a URN", `"subject":{"reference":"urn:uuid:8d3ff1c4-0d6c-4f5a-9f0e-6a3c3c0c7a11"}`, nil},
		{"an identifier", `"subject":{"identifier":{"value":"mrn-1"}}`, nil},
		{"a contained resource", `"contained":[{"resourceType":"Patient","id":"c"}],"subject":{"reference":"#c"}`, nil},
		{"nothing", `"subject":{"reference":"Patient/none"}`, []string{"Observation.subject"}},
		{"nothing, absolute", `"subject":{"reference":"` + base + `/Patient/none"}`, []string{"Observation.subject"}},
		{"what was deleted", `"subject":{"reference":"Patient/gone"}`, []string{"Observation.subject"}},
		{"several", `"hasMember":[{"reference":"Observation/o"},{"reference":"Observation/x"}],"subject":{"reference":"Patient/none"}`, []string{"Observation.hasMember[1]", "Observation.subject"}},
		{"an extension", `"extension":[{"url":"http://x","valueReference":{"reference":"Patient/none"}}]`, []string{"Observation.extension[0].valueReference"}},
		{"from a contained resource", `"contained":[{"resourceType":"Patient","id":"c","managingOrganization":{"reference":"Organization/x"}}],"subject":{"reference":"#c"}`, []string{"Observation.contained[0].managingOrganization"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarnessWith(t, whole)
			h.put(patient("a", "mrn-1"))
			h.put(patient("gone", ""))
			if _, err := h.Delete(t.Context(), fhir.Key{Type: "Patient", ID: "gone"}, false); err != nil {
				t.Fatal(err)
			}
			_, err := h.Update(t.Context(), h.write(observation("o", c.more)))
			if c.issues == nil {
				if err != nil {
					t.Errorf("got %v %+v", err, fault.As(err).Issues)
				}
				return
			}
			wantFault(t, err, fault.Invalid, "not-found", "leads to no")
			var got []string
			for _, issue := range fault.As(err).Issues {
				got = append(got, issue.Expression)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.issues) {
				t.Errorf("issues at %v, want %v", got, c.issues)
			}
		})
	}
}

func TestIntegrity_WhatIsReferredToStays(t *testing.T) {
	cases := []struct{ name, referrer string }{
		{"by a search parameter", observation("o", `"subject":{"reference":"Patient/a"}`)},
		{"from an extension", observation("o", `"extension":[{"url":"http://x","valueReference":{"reference":"Patient/a"}}]`)},
		{"by a version", observation("o", `"subject":{"reference":"`+base+`/Patient/a/_history/1"}`)},
	}
	key := fhir.Key{Type: "Patient", ID: "a"}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarnessWith(t, whole)
			h.put(patient("a", "mrn-1", `"link":[{"other":{"reference":"Patient/a"},"type":"seealso"}]`))
			h.put(c.referrer)
			for _, hard := range []bool{false, true} {
				_, err := h.Delete(t.Context(), key, hard)
				wantFault(t, err, fault.Conflict, "", "refer to it: 1 Observation")
				if strings.Contains(err.Error(), "Observation/o") {
					t.Errorf("names the referrer: %v", err)
				}
				_, err = h.DeleteMatching(t.Context(), interaction.Write{Type: "Patient", Criteria: "identifier=mrn-1", Base: base}, hard)
				wantFault(t, err, fault.Conflict, "", "refer to it: 1 Observation")
			}
			// Together they can go, and so can what nothing refers to any more.
			n, err := h.DeleteMatching(t.Context(), interaction.Write{Type: "Observation", Criteria: "_id=o", Base: base}, false)
			if err != nil || n != 1 {
				t.Fatalf("%d, %v", n, err)
			}
			if r, err := h.Delete(t.Context(), key, true); err != nil || r.Outcome != interaction.Deleted {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	h := newHarnessWith(t, whole)
	h.put(patient("a", "mrn-1"))
	h.put(observation("o", `"subject":{"reference":"Patient/a"}`))
	n, err := h.DeleteMatching(t.Context(), interaction.Write{Type: "Patient", Criteria: "_id=a&_revinclude=Observation:subject&_count=1", Base: base}, false)
	if err != nil || n != 2 {
		t.Errorf("both ends: %d, %v", n, err)
	}
}

func TestIntegrity_HoldsWhileClientsRace(t *testing.T) {
	for range 10 {
		h := newHarnessWith(t, whole)
		h.put(patient("a", ""))
		var wg sync.WaitGroup
		for i := range 16 {
			w := h.write(observation(fmt.Sprint("o", i), `"subject":{"reference":"Patient/a"}`))
			wg.Go(func() {
				var err error
				if i%4 == 3 {
					_, err = h.Delete(t.Context(), fhir.Key{Type: "Patient", ID: "a"}, i%8 == 3)
				} else {
					_, err = h.Update(t.Context(), w)
				}
				if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if there, refer := h.count("Patient"), h.count("Observation"); there == 0 && refer > 0 {
			t.Fatalf("%d observations refer to a patient that is not there", refer)
		}
	}
}

func TestIntegrity_IsOffUnlessAskedFor(t *testing.T) {
	h := newHarness(t)
	h.put(observation("o", `"subject":{"reference":"Patient/none"}`))
	h.put(patient("a", ""))
	h.put(observation("p", `"subject":{"reference":"Patient/a"}`))
	if _, err := h.Delete(t.Context(), fhir.Key{Type: "Patient", ID: "a"}, false); err != nil {
		t.Error(err)
	}
}
