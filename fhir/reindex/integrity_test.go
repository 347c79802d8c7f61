package reindex_test

import (
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/reindex"
)

// deletePatient deletes Patient/p00 and returns what becomes of it.
func (h *harness) deletePatient() error {
	_, err := h.Delete(h.t.Context(), fhir.Key{Type: "Patient", ID: "p00"}, false)
	return err
}

const referrer = `{"resourceType":"Basic","id":"b","code":{"text":"x"},"extension":[{"url":"http://example.org/x","valueReference":{"reference":"Patient/p00"}}]}`

func TestReferencesOutsideOfParametersSurviveIndexing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.integrity = true
	h.open()
	h.patients(0, 1)
	h.must(h.put(referrer))
	if _, err := h.index.Start(t.Context(), reindex.Settings{TargetTypes: []string{"Basic"}}); err != nil {
		t.Fatal(err)
	}
	h.work()
	if err := h.deletePatient(); !fault.Is(err, fault.Conflict) {
		t.Errorf("after a job: %v", err)
	}
	if _, err := h.index.Resource(t.Context(), fhir.Key{Type: "Basic", ID: "b"}); err != nil {
		t.Fatal(err)
	}
	if err := h.deletePatient(); !fault.Is(err, fault.Conflict) {
		t.Errorf("after indexing the resource: %v", err)
	}
}

func TestReferencesCountWhateverBecomesOfParameters(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.integrity = true
	h.open()
	h.patients(0, 1)
	h.must(h.put(referrer)) // so that the parameter is not complete at once
	h.must(h.put(strings.Replace(parameter("ref", url, "ref", "reference", "Basic.extension.value.ofType(Reference)"), `["Patient"]`, `["Basic"]`, 1)))
	h.must(h.put(referrer[:len(referrer)-1] + `,"language":"en"}`))
	if err := h.deletePatient(); !fault.Is(err, fault.Conflict) {
		t.Errorf("under a new parameter: %v", err)
	}
	h.work()
	if _, err := h.Delete(t.Context(), fhir.Key{Type: "SearchParameter", ID: "ref"}, false); err != nil {
		t.Fatal(err)
	}
	if err := h.deletePatient(); !fault.Is(err, fault.Conflict) {
		t.Errorf("after the parameter has gone: %v", err)
	}
}

func TestIntegrityOfDataThatIsThere(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 1)
	h.must(h.put(referrer))
	h.integrity = true
	h.open()
	h.work()
	if err := h.deletePatient(); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	found, err := h.index.Statuses(reindex.StatusQuery{})
	for _, s := range found {
		if s.URL == "" || strings.HasPrefix(s.URL, "#") {
			t.Errorf("%+v is no search parameter", s)
		}
	}
	if values, err := h.index.Preview(t.Context(), fhir.Key{Type: "Basic", ID: "b"}); err != nil || len(values) != 1 { // code
		t.Errorf("preview: %v, %v", values, err)
	}
	if err != nil || h.index.Active() != nil {
		t.Errorf("%v, %+v", err, h.index.Active())
	}
	h.open()
	if h.index.Active() != nil {
		t.Error("there is work after all was done")
	}
	h.integrity = false
	h.open()
	h.work()
	if err := h.deletePatient(); err != nil {
		t.Errorf("without integrity: %v", err)
	}
}
