package lsm_test

import (
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
	"salus/fhir/store/lsm"
)

func TestSearchForWords_IsUnavailableWhileTheyAreIndexed(t *testing.T) {
	s, err := lsm.Open(t.TempDir(), lsm.Options{TextPatience: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // nothing is at stake
	_, err = s.Write(t.Context(), []store.Write{{
		Key: fhir.Key{Type: "Patient", ID: "a"}, Method: fhir.Put, Expect: store.AnyVersion,
		Body: fhir.ReadBody([]byte(`{"resourceType":"Patient","id":"a","meta":{},"note":"word"}`), 44),
	}})
	if err != nil {
		t.Fatal(err)
	}
	plan := &search.Plan{Count: 10, Branches: []search.Branch{{
		Type: "Patient", Filter: search.Content{Any: [][]search.Word{{{Text: "word"}}}},
	}}}
	release := s.HoldText()
	if _, err := s.Search(t.Context(), plan); !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter == 0 {
		t.Errorf("while words are indexed: %v", err)
	}
	release()
	s.AwaitText()
	if _, err := s.Search(t.Context(), &search.Plan{Count: 10, Branches: plan.Branches[:0]}); err != nil {
		t.Error(err)
	}
	if n := s.TextPosition(); n == 0 {
		t.Error("nothing is indexed")
	}
}
