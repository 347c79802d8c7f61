package interaction_test

import (
	"fmt"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/search"
)

func (h *harness) search(typ fhir.Type, query string) []string {
	h.t.Helper()
	params, err := search.ParseParams(query)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.Search(h.t.Context(), search.Request{Types: []fhir.Type{typ}, Params: params, Base: base}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	var ids []string
	for _, v := range r.Page.Matches {
		ids = append(ids, string(v.ID))
	}
	return ids
}

func TestRead_AndVRead(t *testing.T) {
	h := newHarness(t)
	h.put(patient("a", "1"))
	h.put(patient("a", "2"))
	h.put(patient("gone", "1"))
	if _, err := h.Delete(t.Context(), fhir.Key{Type: "Patient", ID: "gone"}, false); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		key     fhir.Key
		version string // "" for read
		number  int64  // 0 when it fails
		kind    fault.Kind
		gone    int64
	}{
		{key: fhir.Key{Type: "Patient", ID: "a"}, number: 2},
		{key: fhir.Key{Type: "Patient", ID: "a"}, version: "1", number: 1},
		{key: fhir.Key{Type: "Patient", ID: "a"}, version: "2", number: 2},
		{key: fhir.Key{Type: "Patient", ID: "a"}, version: "3", kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "a"}, version: "0", kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "a"}, version: "01", kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "a"}, version: "0b8fb6d1", kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "A"}, kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "no_MARKER"}, kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "no_MARKER"}, version: "1", kind: fault.NotFound},
		{key: fhir.Key{Type: "Group", ID: "a"}, kind: fault.NotFound},
		{key: fhir.Key{Type: "Dragon", ID: "a"}, kind: fault.NotFound},
		{key: fhir.Key{Type: "Dragon", ID: "a"}, version: "1", kind: fault.NotFound},
		{key: fhir.Key{Type: "Patient", ID: "gone"}, kind: fault.Gone, gone: 2},
		{key: fhir.Key{Type: "Patient", ID: "gone"}, version: "2", kind: fault.Gone, gone: 2},
		{key: fhir.Key{Type: "Patient", ID: "gone"}, version: "1", number: 1},
	}
	for _, c := range cases {
		t.Run(c.key.String()+" "+c.version, func(t *testing.T) {
			v, err := h.Read(t.Context(), c.key)
			if c.version != "" {
				v, err = h.VRead(t.Context(), c.key, c.version)
			}
			if c.number > 0 {
				if err != nil || v.Number != c.number || v.Key != c.key {
					t.Errorf("got %+v, %v", v, err)
				}
				return
			}
			wantFault(t, err, c.kind, "", "")
			if f := fault.As(err); f.Version != c.gone {
				t.Errorf("version %d in the fault, want %d", f.Version, c.gone)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	key := fhir.Key{Type: "Patient", ID: "a"}
	cases := []struct {
		name    string
		before  func(h *harness)
		hard    bool
		outcome interaction.Outcome
		existed bool
		number  int64
		history string
	}{
		{"makes a deletion", func(h *harness) { h.put(patient("a", "1")) }, false, interaction.Deleted, true, 2, "[2 1]"},
		{"is idempotent", func(h *harness) { h.put(patient("a", "1")); h.delete(key, false) }, false, interaction.AlreadyDeleted, false, 2, "[2 1]"},
		{"of nothing succeeds", func(h *harness) {}, false, interaction.AlreadyDeleted, false, 0, "[]"},
		{"hard removes all versions", func(h *harness) { h.put(patient("a", "1")); h.put(patient("a", "2")) }, true, interaction.Deleted, true, 0, "[]"},
		{"hard removes a deleted resource", func(h *harness) { h.put(patient("a", "1")); h.delete(key, false) }, true, interaction.Deleted, false, 0, "[]"},
		{"hard of nothing succeeds", func(h *harness) {}, true, interaction.AlreadyDeleted, false, 0, "[]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			c.before(h)
			r := h.delete(key, c.hard)
			if r.Outcome != c.outcome || r.Existed != c.existed || r.Version.Number != c.number || r.Version.Key != key {
				t.Errorf("got %+v", r)
			}
			if got := fmt.Sprint(h.versions(key)); got != c.history {
				t.Errorf("history %s, want %s", got, c.history)
			}
			if found := h.search("Patient", "identifier=1"); found != nil {
				t.Errorf("search still finds %v", found)
			}
		})
	}
	_, err := newHarness(t).Delete(t.Context(), fhir.Key{Type: "Dragon", ID: "a"}, false)
	wantFault(t, err, fault.NotFound, "", "no resource type")
}

func (h *harness) delete(key fhir.Key, hard bool) interaction.Result {
	h.t.Helper()
	r, err := h.Delete(h.t.Context(), key, hard)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func TestDeleteMatching(t *testing.T) {
	cases := []struct {
		name, criteria string
		hard           bool
		deleted        int
		left           int64
		group          bool       // is deleted too
		kind           fault.Kind // when deleted is -1
	}{
		{name: "no match", criteria: "identifier=mrn-9", deleted: 0, left: 4},
		{name: "one match", criteria: "identifier=mrn-1", deleted: 1, left: 3},
		{name: "hard", criteria: "identifier=mrn-1", hard: true, deleted: 1, left: 3},
		{name: "several without _count", criteria: "identifier=mrn-2", deleted: -1, kind: fault.Precondition},
		{name: "several with _count", criteria: "identifier=mrn-2&_count=2", deleted: 2, left: 2},
		{name: "one of several with _count", criteria: "identifier=mrn-2&_count=1", deleted: 1, left: 3},
		{name: "_count of 0", criteria: "identifier=mrn-2&_count=0", deleted: -1, kind: fault.Invalid},
		{name: "_count over 100", criteria: "identifier=mrn-2&_count=101", deleted: -1, kind: fault.Invalid},
		{name: "no criteria", criteria: "", deleted: -1, kind: fault.Precondition},
		{name: "empty value", criteria: "identifier=", deleted: -1, kind: fault.Precondition},
		{name: "unknown criteria", criteria: "colour=MARKER", deleted: -1, kind: fault.Precondition},
		{name: "with what links to it", criteria: "identifier=mrn-1&_revinclude=Group:member", deleted: 2, left: 3, group: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.put(patient("a", "mrn-1"))
			h.put(patient("b", "mrn-2"))
			h.put(patient("c", "mrn-2"))
			h.put(patient("d", "mrn-2"))
			h.put(`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}}]}`)
			n, err := h.DeleteMatching(t.Context(), interaction.Write{Type: "Patient", Criteria: c.criteria, Base: base}, c.hard)
			if c.deleted < 0 {
				if !fault.Is(err, c.kind) || h.count("Patient") != 4 {
					t.Errorf("got %d, %v with %d left", n, err, h.count("Patient"))
				}
				return
			}
			if err != nil || n != c.deleted || h.count("Patient") != c.left {
				t.Errorf("deleted %d, %v, left %d", n, err, h.count("Patient"))
			}
			if gone := h.count("Group") == 0; gone != c.group {
				t.Errorf("the group is gone: %v", gone)
			}
		})
	}
}
