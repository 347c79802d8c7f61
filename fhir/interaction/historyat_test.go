package interaction_test

import (
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
)

func TestHistory_AtUnderFHIRsRulesIsWhatWasCurrent(t *testing.T) {
	h := newHarnessWith(t, func(o *interaction.Options) { o.Compat = fhir.Strict })
	h.put(patient("a", "1")) // 12:00:01
	h.put(patient("a", "2")) // :02
	h.put(patient("b", "1")) // :03
	h.put(patient("a", "3")) // :04
	if _, err := h.Delete(t.Context(), keyA, false); err != nil {
		t.Fatal(err) // :05
	}
	h.put(patient("b", "2")) // :06
	updated := func(n string) string {
		v, err := h.store.ReadVersion(t.Context(), keyA, int64(n[0]-'0'))
		if err != nil {
			t.Fatal(err)
		}
		return fhir.FormatInstant(v.Updated)
	}
	b, err := h.store.ReadVersion(t.Context(), fhir.Key{Type: "Patient", ID: "b"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	after, err := h.store.ReadVersion(t.Context(), fhir.Key{Type: "Patient", ID: "b"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ at, want string }{
		{fhir.FormatInstant(b.Updated), "Patient/a/2"}, // made before
		{updated("1"), "Patient/a/1"},
		{"2026-01-31", "Patient/a/4 Patient/a/3 Patient/a/2 Patient/a/1"},
		{"2025", ""},
		{fhir.FormatInstant(after.Updated), ""}, // deleted by then
	} {
		r, err := h.History(t.Context(), interaction.HistoryRequest{Type: "Patient", ID: "a", Query: "_at=" + c.at})
		if err != nil {
			t.Fatal(err)
		}
		if got := list(r); got != c.want || r.Self != "_at="+c.at {
			t.Errorf("%s: %s, want %s (self %s)", c.at, got, c.want, r.Self)
		}
	}
	_, err = h.History(t.Context(), interaction.HistoryRequest{Type: "Patient", Query: "_at=2026"})
	wantFault(t, err, fault.NotSupported, "", "one resource")
	_, err = h.History(t.Context(), interaction.HistoryRequest{Query: "_list=x"})
	wantFault(t, err, fault.NotSupported, "", "_list")
}
