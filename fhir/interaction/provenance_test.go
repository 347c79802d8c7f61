package interaction_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/store"
)

const provenance = `{"resourceType":"Provenance","recorded":"2026-01-31T12:00:00Z","agent":[{"who":{"reference":"Practitioner/x"}}]}`

func TestProvenance_IsStoredWithWhatWasWritten(t *testing.T) {
	cases := []struct {
		name   string
		write  func(*harness, interaction.Write) (interaction.Result, error)
		target string
	}{
		{"create", func(h *harness, w interaction.Write) (interaction.Result, error) { return h.Create(h.t.Context(), w) }, "Patient/new-1/_history/1"},
		{"update", func(h *harness, w interaction.Write) (interaction.Result, error) {
			w.ID = "a"
			return h.Update(h.t.Context(), w)
		}, "Patient/a/_history/2"},
		{"conditional create", func(h *harness, w interaction.Write) (interaction.Result, error) {
			w.IfNoneExist = "identifier=mrn-9"
			return h.Create(h.t.Context(), w)
		}, "Patient/new-1/_history/1"},
		{"conditional update", func(h *harness, w interaction.Write) (interaction.Result, error) {
			w.Criteria = "identifier=mrn-1"
			return h.Update(h.t.Context(), w)
		}, "Patient/a/_history/2"},
		{"conditional create that finds", func(h *harness, w interaction.Write) (interaction.Result, error) {
			w.IfNoneExist = "identifier=mrn-1"
			return h.Create(h.t.Context(), w)
		}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.put(patient("a", "mrn-1"))
			w := h.write(patient("a", "mrn-1", `"active":true`))
			w.ID, w.Provenance = "", parse(t, provenance)
			r, err := c.write(h, w)
			if err != nil {
				t.Fatal(err)
			}
			page, err := h.store.History(t.Context(), store.HistoryQuery{Type: "Provenance", Count: 5})
			if err != nil {
				t.Fatal(err)
			}
			if c.target == "" {
				if len(page.Versions) != 0 {
					t.Errorf("stored %d", len(page.Versions))
				}
				return
			}
			if len(page.Versions) != 1 || !strings.HasSuffix(string(page.Versions[0].Body.JSON), `"target":[{"reference":"`+c.target+`"}]}`) {
				t.Fatalf("stored %+v", page.Versions)
			}
			if !page.Versions[0].Updated.Equal(r.Version.Updated) {
				t.Error("it was another write")
			}
		})
	}
}

func TestProvenance_IsCheckedBeforeTheWrite(t *testing.T) {
	for name, text := range map[string]string{
		"another resource": patient("", "mrn-1"),
		"no resource":      `[1]`,
		"with a target":    strings.Replace(provenance, "{", `{"target":[],`, 1),
		"an invalid one":   `{"resourceType":"Provenance","colour":"MARKER"}`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			w := h.write(patient("a", "mrn-1"))
			w.Provenance = parse(t, text)
			if _, err := h.Update(t.Context(), w); !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
			if _, err := h.Read(t.Context(), fhir.Key{Type: "Patient", ID: "a"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("the resource: %v", err)
			}
		})
	}
}
