package interaction_test

import (
	"fmt"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/search"
)

func list(r *interaction.HistoryResult) string {
	var b strings.Builder
	for _, v := range r.Page.Versions {
		fmt.Fprintf(&b, "%s/%d ", v.Key, v.Number)
	}
	return strings.TrimSpace(b.String())
}

func TestHistory(t *testing.T) {
	h := newHarness(t) // the clock ticks at every write, beginning with 12:00:01
	h.put(patient("a", "1"))
	h.put(patient("b", "1"))
	h.put(`{"resourceType":"Basic","id":"c","code":{"text":"x"}}`)
	h.put(patient("a", "2"))
	h.delete(fhir.Key{Type: "Patient", ID: "a"}, false)
	at := map[string]string{}
	all, err := h.History(t.Context(), interaction.HistoryRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all.Page.Versions {
		at[fmt.Sprintf("%s/%d", v.Key, v.Number)] = fhir.FormatInstant(v.Updated)
	}
	const a3a2a1 = "Patient/a/3 Patient/a/2 Patient/a/1"
	cases := []struct {
		name, typ, id, query, want string
	}{
		{"system", "", "", "", "Patient/a/3 Patient/a/2 Basic/c/1 Patient/b/1 Patient/a/1"},
		{"type", "Patient", "", "", "Patient/a/3 Patient/a/2 Patient/b/1 Patient/a/1"},
		{"instance", "Patient", "a", "", a3a2a1},
		{"newest first by name", "Patient", "a", "_sort=-_lastUpdated", a3a2a1},
		{"oldest first", "Patient", "a", "_sort=_lastUpdated", "Patient/a/1 Patient/a/2 Patient/a/3"},
		{"_since includes its instant", "", "", "_since=" + at["Patient/a/2"], "Patient/a/3 Patient/a/2"},
		{"_before excludes its instant", "", "", "_before=" + at["Basic/c/1"], "Patient/b/1 Patient/a/1"},
		{"both", "", "", "_since=" + at["Patient/b/1"] + "&_before=" + at["Patient/a/2"], "Basic/c/1 Patient/b/1"},
		{"_since of a year", "Patient", "b", "_since=2026", "Patient/b/1"},
		{"_since later", "Patient", "b", "_since=2027", ""},
		{"_since with an unencoded plus", "Patient", "b", "_since=2026-01-31T13:00:00+01:00", "Patient/b/1"},
		{"_at of a day", "Patient", "a", "_at=2026-01-31", a3a2a1},
		{"_at of an instant", "", "", "_at=" + at["Basic/c/1"], "Basic/c/1"},
		{"page", "Patient", "a", "_count=2", "Patient/a/3 Patient/a/2"},
		{"only the total", "Patient", "a", "_summary=count", ""},
		{"unknown parameters are ignored", "Patient", "a", "colour=1", a3a2a1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, err := h.History(t.Context(), interaction.HistoryRequest{Type: fhir.Type(c.typ), ID: fhir.ID(c.id), Query: c.query})
			if err != nil || list(r) != c.want {
				t.Errorf("got %q, %v, want %q", list(r), err, c.want)
			}
		})
	}
}

func TestHistory_TotalsAndPages(t *testing.T) {
	h := newHarness(t)
	for i := range 5 {
		h.put(patient("a", fmt.Sprint(i)))
	}
	for _, query := range []string{"_count=0", "_summary=count", "_summary=count&_count=3"} {
		r, err := h.History(t.Context(), interaction.HistoryRequest{Type: "Patient", ID: "a", Query: query})
		if err != nil || r.Page.Total != 5 || r.Count != 0 || len(r.Page.Versions) != 0 {
			t.Errorf("%s: %+v, %v", query, r, err)
		}
	}
	var seen []string
	request := interaction.HistoryRequest{Type: "Patient", Query: "_count=2&_at=2026&x=y"}
	for {
		r, err := h.History(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if r.Query != "_count=2&_at=2026" || r.Self != "_count=2" {
			t.Errorf("links carry %q and %q", r.Query, r.Self)
		}
		seen = append(seen, list(r))
		if request.After = r.Page.Next; request.After == nil {
			break
		}
	}
	if got := strings.Join(seen, "|"); got != "Patient/a/5 Patient/a/4|Patient/a/3 Patient/a/2|Patient/a/1" {
		t.Errorf("pages %s", got)
	}
}

func TestHistory_Refuses(t *testing.T) {
	cases := []struct {
		name, typ, id, query string
		kind                 fault.Kind
		code, text           string
	}{
		{"an unknown type", "Dragon", "", "", fault.NotFound, "", "no resource type"},
		{"an unknown resource", "Patient", "x", "", fault.NotFound, "", "Patient/x"},
		{"an id that is none", "Patient", "x_MARKER", "", fault.NotFound, "", "with that id"},
		{"_before in the future", "", "", "_before=2027", fault.Invalid, "invalid", "future"},
		{"a bad date", "", "", "_since=MARKER", fault.Invalid, "invalid", "_since"},
		{"another sort", "", "", "_sort=_id", fault.Invalid, "invalid", "_sort"},
		{"a bad count", "", "", "_count=MARKER", fault.Invalid, "invalid", "_count"},
		{"a negative count", "", "", "_count=-1", fault.Invalid, "invalid", "_count"},
		{"_at with _since", "", "", "_at=2026&_since=2025", fault.Refused, "invalid", "_at"},
		{"a bad encoding", "", "", "_since=%zz", fault.Invalid, "invalid", "percent"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := newHarness(t).History(t.Context(), interaction.HistoryRequest{Type: fhir.Type(c.typ), ID: fhir.ID(c.id), Query: c.query})
			wantFault(t, err, c.kind, c.code, c.text)
		})
	}
}

func TestSearch_ContinuesAPage(t *testing.T) {
	h := newHarness(t)
	for i := range 5 {
		h.put(patient(fmt.Sprint("p", i), "mrn-1"))
	}
	params, err := search.ParseParams("identifier=mrn-1&_count=2")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for after := []byte(nil); ; {
		r, err := h.Search(t.Context(), search.Request{Types: []fhir.Type{"Patient"}, Params: params, Base: base}, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range r.Page.Matches {
			got = append(got, string(v.ID))
		}
		if after = r.Page.Next; after == nil {
			break
		}
	}
	if s := strings.Join(got, " "); s != "p0 p1 p2 p3 p4" {
		t.Errorf("found %s", s)
	}
	_, err = h.Search(t.Context(), search.Request{Types: []fhir.Type{"Dragon"}}, nil)
	wantFault(t, err, fault.NotFound, "", "no resource type")
}
