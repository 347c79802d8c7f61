package storetest

import (
	"fmt"
	"testing"

	"salus/fhir/store"
)

// BenchmarkWrite measures durable writes of n resources a call over an engine.
func BenchmarkWrite(b *testing.B, open Factory, n int) {
	c := newClock()
	s := open(b, b.TempDir(), c.now)
	defer func() {
		if err := s.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	}()
	written := 0
	for b.Loop() {
		writes := make([]store.Write, n)
		for i := range writes {
			written++
			writes[i] = put(fmt.Sprint("o", written), token("s|c"), when("2020-01-15"), ref("Patient/p"), qty("1.5 u|mg"))
		}
		if _, err := s.Write(b.Context(), writes); err != nil {
			b.Fatalf("write: %v", err)
		}
	}
	b.ReportMetric(float64(written)/b.Elapsed().Seconds(), "resources/s")
}

// BenchmarkSearch measures pages of a filter over n observations.
func BenchmarkSearch(b *testing.B, open Factory, n int) {
	c := newClock()
	s := open(b, b.TempDir(), c.now)
	f := &fixture{TB: b, factory: open, clock: c, store: s}
	many(f, n)
	plan := everything(observation)
	plan.Branches[0].Filter = hasCode(observation, "mod7-3")
	plan.Count = 50
	for b.Loop() {
		if _, err := s.Search(b.Context(), plan); err != nil {
			b.Fatalf("search: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatalf("close: %v", err)
	}
}
