package interaction_test

import (
	"fmt"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

var keyA = fhir.Key{Type: "Patient", ID: "a"}

func withPolicy(t *testing.T, p fhir.VersionPolicy) *harness {
	t.Helper()
	return newHarnessWith(t, func(o *interaction.Options) {
		o.Versioning.Types = map[fhir.Type]fhir.VersionPolicy{"Patient": p}
	})
}

func TestMetaHistory(t *testing.T) {
	tagged := `"meta":{"tag":[{"code":"x"}]}`
	cases := []struct {
		name, after, patch string
		drop               bool
		want               string
	}{
		{name: "only meta changes", after: patient("a", "1", tagged), drop: true, want: "[2]"},
		{name: "only meta changes, history wanted", after: patient("a", "1", tagged), want: "[2 1]"},
		{name: "content changes too", after: patient("a", "2", tagged), drop: true, want: "[2 1]"},
		{name: "content changes", after: patient("a", "2"), drop: true, want: "[2 1]"},
		{name: "a property comes", after: patient("a", "1", `"active":true`), drop: true, want: "[2 1]"},
		{name: "nothing changes", after: patient("a", "1"), drop: true, want: "[1]"},
		{name: "a patch changes only meta", patch: `[{"op":"add","path":"/meta/tag","value":[{"code":"x"}]}]`, drop: true, want: "[2]"},
		{name: "a patch changes content", patch: activate, drop: true, want: "[2 1]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			first := h.put(patient("a", "1"))
			var r interaction.Result
			var err error
			if c.patch != "" {
				w := h.patch("a", c.patch)
				w.DropHistory = c.drop
				r, err = h.Patch(t.Context(), w)
			} else {
				w := h.write(c.after)
				w.DropHistory = c.drop
				r, err = h.Update(t.Context(), w)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(h.versions(keyA)); got != c.want {
				t.Errorf("history %s, want %s", got, c.want)
			}
			if r.Version.Number == 2 && !r.Version.Updated.After(first.Version.Updated) {
				t.Error("lastUpdated stood still")
			}
		})
	}
}

func TestMetaHistory_LeavesAGap(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "1"))
	h.put(patient("a", "2"))
	w := h.write(patient("a", "2", `"meta":{"tag":[{"code":"x"}]}`))
	w.DropHistory = true
	if _, err := h.Update(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(h.versions(keyA)); got != "[3 1]" {
		t.Errorf("history %s", got)
	}
}

func TestMetaHistory_OfADeletedResourceKeepsTheDeletion(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "1"))
	if _, err := h.Delete(t.Context(), keyA, false); err != nil {
		t.Fatal(err)
	}
	w := h.write(patient("a", "1"))
	w.DropHistory = true
	if _, err := h.Update(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(h.versions(keyA)); got != "[3 2 1]" {
		t.Errorf("history %s", got)
	}
}

func TestNoVersion(t *testing.T) {
	h := withPolicy(t, fhir.NoVersion)
	h.put(patient("a", "1"))
	h.put(patient("a", "2"))
	if _, err := h.Patch(t.Context(), h.patch("a", activate)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(h.versions(keyA)); got != "[3]" {
		t.Errorf("versions %s", got)
	}
	if v, err := h.VRead(t.Context(), keyA, "3"); err != nil || v.Number != 3 {
		t.Errorf("vread of the current version: %v", err)
	}
	_, err := h.VRead(t.Context(), keyA, "2")
	wantFault(t, err, fault.NotFound, "", "no version 2")
	for _, r := range []interaction.HistoryRequest{{Type: "Patient"}, {Type: "Patient", ID: "a"}} {
		_, err := h.History(t.Context(), r)
		wantFault(t, err, fault.MethodNotAllowed, "", "keeps no history of Patient")
	}
	if _, err := h.History(t.Context(), interaction.HistoryRequest{}); err != nil {
		t.Errorf("history of the system: %v", err)
	}
	if _, err := h.Delete(t.Context(), keyA, false); err != nil {
		t.Fatal(err)
	}
	h.put(patient("b", "mrn-7"))
	if n, err := h.DeleteMatching(t.Context(), interaction.Write{Type: "Patient", Criteria: "identifier=mrn-7"}, false); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if got := fmt.Sprint(h.versions(keyA), h.versions(fhir.Key{Type: "Patient", ID: "b"})); got != "[4] [2]" {
		t.Errorf("versions after a deletion %s", got)
	}
}

func TestNoVersion_LeavesAloneWhatWasKeptBefore(t *testing.T) {
	policy := fhir.Versioning{Types: map[fhir.Type]fhir.VersionPolicy{}}
	h := newHarnessWith(t, func(o *interaction.Options) { o.Versioning = policy })
	h.put(patient("a", "1"))
	h.put(patient("a", "2"))
	policy.Types["Patient"] = fhir.NoVersion
	h.put(patient("a", "3"))
	if got := fmt.Sprint(h.versions(keyA)); got != "[3 1]" {
		t.Errorf("versions %s", got)
	}
	_, err := h.VRead(t.Context(), keyA, "1")
	wantFault(t, err, fault.MethodNotAllowed, "", "keeps no history")
	if _, err := h.PurgeHistory(t.Context(), keyA); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(h.versions(keyA)); got != "[3]" {
		t.Errorf("versions after the purge %s", got)
	}
}

func TestVersionedUpdate(t *testing.T) {
	const text = "a valid if-match header is required for resource type Patient"
	h := withPolicy(t, fhir.VersionedUpdate)
	h.put(patient("a", "mrn-1"))
	_, err := h.Update(t.Context(), h.write(patient("a", "mrn-2")))
	wantFault(t, err, fault.Invalid, "invalid", text)
	_, err = h.Patch(t.Context(), h.patch("a", activate))
	wantFault(t, err, fault.Invalid, "invalid", text)
	w := h.write(patient("a", "mrn-1", `"active":true`))
	w.ID, w.Criteria = "", "identifier=mrn-1"
	_, err = h.Update(t.Context(), w)
	wantFault(t, err, fault.Invalid, "invalid", text)
	w.IfMatch = `W/"1"`
	if r, err := h.Update(t.Context(), w); err != nil || r.Version.Number != 2 {
		t.Errorf("with If-Match: %+v %v", r, err)
	}
	p := h.patch("a", activate)
	p.IfMatch = `W/"1"`
	_, err = h.Patch(t.Context(), p)
	wantFault(t, err, fault.Precondition, "", "not the current version")
	if _, err := h.Delete(t.Context(), keyA, false); err != nil {
		t.Errorf("a delete needs no If-Match: %v", err)
	}
	if r := h.put(patient("a", "mrn-1")); r.Outcome != interaction.Created {
		t.Errorf("creation by update: %+v", r)
	}
}

func TestDelete_IfMatchCountsUnderFHIRsRules(t *testing.T) {
	for compat, kind := range map[fhir.Compat]fault.Kind{fhir.Azure: 0, fhir.Strict: fault.Precondition} {
		h := newHarnessWith(t, func(o *interaction.Options) { o.Compat = compat })
		h.put(patient("a", "1"))
		h.put(patient("a", "2"))
		_, err := h.DeleteExpected(t.Context(), keyA, `W/"1"`, false)
		if compat == fhir.Azure {
			if err != nil {
				t.Errorf("the reference does not evaluate it: %v", err)
			}
			continue
		}
		wantFault(t, err, kind, "", "not the current version")
		_, err = h.DeleteExpected(t.Context(), keyA, `1`, false)
		wantFault(t, err, fault.Invalid, "", "weak entity tag")
		if r, err := h.DeleteExpected(t.Context(), keyA, `W/"2"`, true); err != nil || r.Outcome != interaction.Deleted {
			t.Errorf("%+v %v", r, err)
		}
	}
}
