package interaction_test

import (
	"fmt"
	"sync"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/patch"
	"salus/fhir/spec"
)

// patchOf reads a JSON Patch or a FHIRPath Patch.
func patchOf(t testing.TB, body string) *patch.Patch {
	t.Helper()
	n := parse(t, body)
	if n.Kind() == fhir.Object {
		p, err := patch.FHIRPath(n, spec.R4(), fhir.Azure)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p, err := patch.JSON(n, fhir.Azure)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *harness) patch(id, body string) interaction.Write {
	h.t.Helper()
	return interaction.Write{Type: "Patient", ID: fhir.ID(id), Base: base, Patch: patchOf(h.t, body)}
}

const activate = `[{"op":"add","path":"/active","value":true}]`

func TestPatch(t *testing.T) {
	deceased := `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},` +
		`{"name":"path","valueString":"Patient"},{"name":"name","valueString":"deceased"},{"name":"value","valueBoolean":true}]}]}`
	cases := []struct {
		name, id, criteria, body, ifMatch string
		outcome                           interaction.Outcome
		key                               string
		number                            int64
		kind                              fault.Kind
		text                              string
	}{
		{name: "changes", id: "a", body: activate, outcome: interaction.Updated, key: "Patient/a", number: 2},
		{name: "by FHIRPath", id: "a", body: deceased, outcome: interaction.Updated, key: "Patient/a", number: 2},
		{name: "changes nothing", id: "a", body: `[{"op":"test","path":"/id","value":"a"}]`, outcome: interaction.Unchanged, key: "Patient/a", number: 1},
		{name: "there is no such resource", id: "zz", body: activate, kind: fault.NotFound},
		{name: "nothing is at what is no id", id: "z z", body: activate, kind: fault.NotFound},
		{name: "there is none, with If-Match", id: "zz", body: activate, ifMatch: `W/"1"`, kind: fault.NotFound},
		{name: "it was deleted", id: "dead", body: activate, kind: fault.Gone},
		{name: "If-Match holds", id: "a", body: activate, ifMatch: `W/"1"`, outcome: interaction.Updated, key: "Patient/a", number: 2},
		{name: "If-Match is stale", id: "a", body: activate, ifMatch: `W/"2"`, kind: fault.Precondition},
		{name: "the outcome is invalid", id: "a", body: `[{"op":"add","path":"/gender","value":"MARKER"}]`, kind: fault.Invalid, text: "Patient.gender"},
		{name: "an unknown property", id: "a", body: `[{"op":"add","path":"/colour","value":"MARKER"}]`, kind: fault.Invalid, text: "no such property"},
		{name: "two of a choice", id: "a", body: `[{"op":"add","path":"/deceasedBoolean","value":true},{"op":"add","path":"/deceasedDateTime","value":"2020"}]`, kind: fault.Invalid, text: "choice"},
		{name: "a dateTime for a date", id: "a", body: `[{"op":"add","path":"/birthDate","value":"2020-01-01T00:00:00Z"}]`, kind: fault.Invalid, text: "Patient.birthDate"},
		{name: "one match", criteria: "identifier=mrn-1", body: activate, outcome: interaction.Updated, key: "Patient/a", number: 2},
		{name: "one match, stale If-Match", criteria: "identifier=mrn-1", body: activate, ifMatch: `W/"9"`, kind: fault.Precondition},
		{name: "no match", criteria: "identifier=mrn-9", body: activate, kind: fault.NotFound},
		{name: "several matches", criteria: "identifier=mrn-2", body: activate, kind: fault.Precondition, text: "more than one"},
		{name: "no criteria", body: activate, kind: fault.Precondition, text: "selective"},
		{name: "unknown criteria", criteria: "colour=MARKER", body: activate, kind: fault.Precondition, text: "selective"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.put(patient("a", "mrn-1"))
			h.put(patient("b", "mrn-2"))
			h.put(patient("c", "mrn-2"))
			h.put(patient("dead", "mrn-3"))
			if _, err := h.Delete(t.Context(), fhir.Key{Type: "Patient", ID: "dead"}, false); err != nil {
				t.Fatal(err)
			}
			w := h.patch(c.id, c.body)
			w.Criteria, w.IfMatch = c.criteria, c.ifMatch
			r, err := h.Patch(t.Context(), w)
			if c.outcome == 0 {
				code := ""
				if f := fault.As(err); f != nil && len(f.Issues) > 0 {
					code = f.Issues[0].Code
				}
				wantFault(t, err, c.kind, code, c.text)
				return
			}
			if err != nil || r.Outcome != c.outcome || r.Version.Key.String() != c.key || r.Version.Number != c.number {
				t.Errorf("got %+v, %v", r, err)
			}
			if c.outcome == interaction.Updated && r.Version.Method != fhir.Patch {
				t.Errorf("the method is %v", r.Version.Method)
			}
		})
	}
}

func TestPatch_ResolvesConditionalReferences(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "mrn-1"))
	h.put(patient("b", "mrn-2"))
	w := h.patch("a", `[{"op":"add","path":"/link","value":[{"type":"seealso","other":{"reference":"Patient?identifier=mrn-2"}}]}]`)
	r, err := h.Patch(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if got := parse(t, string(r.Version.Body.JSON)).Get("link").Index(0).Path("other", "reference").Text(); got != "Patient/b" {
		t.Errorf("the reference is %q", got)
	}
}

func TestPatch_OfRacingWritersLosesNothing(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "mrn-1", `"name":[{"text":"0"}]`))
	const writers = 24
	var wg sync.WaitGroup
	for i := range writers {
		w := h.patch("a", fmt.Sprintf(`[{"op":"add","path":"/name/-","value":{"text":"%d"}}]`, i+1))
		wg.Go(func() {
			if _, err := h.Patch(t.Context(), w); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	v, err := h.Read(t.Context(), fhir.Key{Type: "Patient", ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if n := parse(t, string(v.Body.JSON)).Get("name").Len(); n != writers+1 || v.Number != writers+1 {
		t.Errorf("%d names in version %d", n, v.Number)
	}
}
