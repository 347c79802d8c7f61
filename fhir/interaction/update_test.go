package interaction_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/store"
)

func contextDone(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func TestUpdate_MakesVersions(t *testing.T) {
	steps := []struct {
		name, body string
		outcome    interaction.Outcome
		existed    bool
		number     int64
	}{
		{"a free id creates", patient("a", "1"), interaction.Created, false, 1},
		{"the same again changes nothing", patient("a", "1"), interaction.Unchanged, true, 1},
		{"another place of meta changes nothing", patient("a", "1", `"meta":{"versionId":"9","lastUpdated":"2001-01-01T00:00:00Z"}`), interaction.Unchanged, true, 1},
		{"other versionId and lastUpdated change nothing", patient("a", "1", `"meta":{"lastUpdated":"2002-01-01T00:00:00Z"}`), interaction.Unchanged, true, 1},
		{"white space changes nothing", strings.ReplaceAll(patient("a", "1", `"meta":{"versionId":"1"}`), ",", ",\n  "), interaction.Unchanged, true, 1},
		{"a tag is a change", patient("a", "1", `"meta":{"tag":[{"code":"x"}]}`), interaction.Updated, true, 2},
		{"another order of properties changes nothing", `{"meta":{"tag":[{"code":"x"}]},"identifier":[{"value":"1","system":"urn:example:mrn"}],"id":"a","resourceType":"Patient"}`, interaction.Unchanged, true, 2},
		{"an escape changes nothing", patient("a", "\\u0031", `"meta":{"tag":[{"code":"x"}]}`), interaction.Unchanged, true, 2},
		{"content is a change", patient("a", "2"), interaction.Updated, true, 3},
		{"content of the same length is a change", patient("a", "3"), interaction.Updated, true, 4},
		{"a number is a change", patient("a", "3", `"multipleBirthInteger":1`), interaction.Updated, true, 5},
		{"items in another order are a change", patient("a", "3", `"name":[{"given":["x","y"]}]`), interaction.Updated, true, 6},
		{"items in yet another order are a change", patient("a", "3", `"name":[{"given":["y","x"]}]`), interaction.Updated, true, 7},
		{"a new property is a change", patient("a", "3", `"name":[{"prefix":["x"]}]`), interaction.Updated, true, 8},
		{"a property under another name is a change", patient("a", "3", `"name":[{"suffix":["x"]}]`), interaction.Updated, true, 9},
	}
	h := newHarness(t)
	for _, s := range steps {
		r := h.put(s.body)
		if r.Outcome != s.outcome || r.Existed != s.existed || r.Version.Number != s.number {
			t.Errorf("%s: outcome %d existed %v version %d", s.name, r.Outcome, r.Existed, r.Version.Number)
		}
	}
	if got := fmt.Sprint(h.versions(fhir.Key{Type: "Patient", ID: "a"})); got != "[9 8 7 6 5 4 3 2 1]" {
		t.Errorf("history %s", got)
	}
}

func TestUpdate_Refuses(t *testing.T) {
	cases := []struct {
		name, body, id, ifMatch string
		kind                    fault.Kind
		code, text              string
	}{
		{"another id in the resource", patient("b", ""), "a", "", fault.Invalid, "invalid", "id in the URL"},
		{"no id in the resource", patient("", ""), "a", "", fault.Invalid, "invalid", "needs the id"},
		{"an id that is none", patient("", ""), "a_MARKER", "", fault.Invalid, "invalid", "1 to 64"},
		{"an id that is too long", patient("", ""), strings.Repeat("x", 65), "", fault.Invalid, "invalid", "1 to 64"},
		{"a bare If-Match", patient("a", ""), "a", "1", fault.Invalid, "", "weak entity tag"},
		{"a strong If-Match", patient("a", ""), "a", `"1"`, fault.Invalid, "", "weak entity tag"},
		{"an If-Match without number", patient("a", ""), "a", `W/"invalidVersion"`, fault.Invalid, "", "weak entity tag"},
		{"an If-Match of version 0", patient("a", ""), "a", `W/"0"`, fault.Invalid, "", "weak entity tag"},
		{"an If-Match of a negative version", patient("a", ""), "a", `W/"-1"`, fault.Invalid, "", "weak entity tag"},
		{"an If-Match with a sign", patient("a", ""), "a", `W/"+1"`, fault.Invalid, "", "weak entity tag"},
		{"an If-Match without end", patient("a", ""), "a", `W/"1`, fault.Invalid, "", "weak entity tag"},
		{"a stale If-Match", patient("a", ""), "a", `W/"1"`, fault.Precondition, "", "not the current version"},
		{"an If-Match of the future", patient("a", ""), "a", `W/"3"`, fault.Precondition, "", "not the current version"},
		{"a part of a resource", patient("a", "", `"meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}`), "a", "", fault.Invalid, "business-rule", "SUBSETTED"},
		{"an If-Match for nothing", patient("new", ""), "new", `W/"1"`, fault.Precondition, "", "not the current version"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.put(patient("a", "1"))
			h.put(patient("a", "2"))
			w := h.write(c.body)
			w.ID, w.IfMatch = fhir.ID(c.id), c.ifMatch
			_, err := h.Update(t.Context(), w)
			wantFault(t, err, c.kind, c.code, c.text)
			if got := fmt.Sprint(h.versions(fhir.Key{Type: "Patient", ID: "a"})); got != "[2 1]" {
				t.Errorf("history %s", got)
			}
		})
	}
}

func TestUpdate_IfMatchOfTheCurrentVersionHolds(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "1"))
	w := h.write(patient("a", "2"))
	w.IfMatch = `W/"1"`
	if r, err := h.Update(t.Context(), w); err != nil || r.Version.Number != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestUpdate_RacingWritersAllSucceedAndLoseNothing(t *testing.T) {
	h := newHarness(t)
	const writers = 32
	var wg sync.WaitGroup
	for i := range writers {
		w := h.write(patient("a", fmt.Sprint(i)))
		wg.Go(func() {
			if _, err := h.Update(t.Context(), w); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for n := range int64(writers) {
		v, err := h.store.ReadVersion(t.Context(), fhir.Key{Type: "Patient", ID: "a"}, n+1)
		if err != nil {
			t.Fatal(err)
		}
		seen[string(v.Body.JSON)] = true
	}
	if len(seen) != writers {
		t.Errorf("%d distinct versions of %d", len(seen), writers)
	}
}

func TestUpdate_OfRacingWritersWithIfMatchOneSucceeds(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "0"))
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		w := h.write(patient("a", fmt.Sprint(i+1)))
		w.IfMatch = `W/"1"`
		wg.Go(func() { _, errs[i] = h.Update(t.Context(), w) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !fault.Is(err, fault.Precondition) {
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

// contested is a store in which another writer always comes first.
type contested struct{ store.Store }

func (contested) Write(context.Context, []store.Write) ([]fhir.Version, error) {
	return nil, fault.New(fault.Conflict, "another writer was faster")
}

func TestUpdate_GivesUpWithConflict(t *testing.T) {
	h := newHarness(t, func(s store.Store) store.Store { return contested{s} })
	_, err := h.Update(t.Context(), h.write(patient("a", "1")))
	wantFault(t, err, fault.Conflict, "", "faster")
}

func TestUpdate_Conditional(t *testing.T) {
	cases := []struct {
		name, criteria, body string
		outcome              interaction.Outcome
		key                  string
		kind                 fault.Kind
	}{
		{name: "no match, no id: creates", criteria: "identifier=mrn-9", body: patient("", "mrn-9"), outcome: interaction.Created, key: "Patient/new-1"},
		{name: "no match, id: creates there", criteria: "identifier=mrn-9", body: patient("z", "mrn-9"), outcome: interaction.Created, key: "Patient/z"},
		{name: "one match, no id: updates", criteria: "identifier=mrn-1", body: patient("", "mrn-1", `"active":true`), outcome: interaction.Updated, key: "Patient/a"},
		{name: "one match, same id: updates", criteria: "identifier=mrn-1", body: patient("a", "mrn-1", `"active":true`), outcome: interaction.Updated, key: "Patient/a"},
		{name: "one match, equal: unchanged", criteria: "identifier=mrn-1", body: patient("a", "mrn-1"), outcome: interaction.Unchanged, key: "Patient/a"},
		{name: "one match, other id: fails", criteria: "identifier=mrn-1", body: patient("z", "mrn-1"), kind: fault.Invalid},
		{name: "several matches: fails", criteria: "identifier=mrn-2", body: patient("", "mrn-2"), kind: fault.Precondition},
		{name: "no criteria: fails", body: patient("", "mrn-2"), kind: fault.Invalid},
		{name: "unknown criteria: fails", criteria: "colour=MARKER", body: patient("", "mrn-2"), kind: fault.Precondition},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.put(patient("a", "mrn-1"))
			h.put(patient("b", "mrn-2"))
			h.put(patient("c", "mrn-2"))
			w := h.write(c.body)
			w.ID, w.Criteria = "", c.criteria
			r, err := h.Update(t.Context(), w)
			if c.outcome == 0 {
				if !fault.Is(err, c.kind) {
					t.Errorf("got %v, want %v", err, c.kind)
				}
				return
			}
			if err != nil || r.Outcome != c.outcome || r.Version.Key.String() != c.key {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestUpdate_OfADeletedResourceCreatesItAgain(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "1"))
	if _, err := h.Delete(t.Context(), fhir.Key{Type: "Patient", ID: "a"}, false); err != nil {
		t.Fatal(err)
	}
	if r := h.put(patient("a", "1")); r.Outcome != interaction.Created || r.Version.Number != 3 || r.Existed {
		t.Errorf("got %+v", r)
	}
}
