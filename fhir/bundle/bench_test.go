package bundle_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/store"
	"salus/fhir/store/memory"
)

// sink takes writes and keeps nothing, so that a benchmark sees this layer only.
type sink struct{ store.Store }

func (sink) Write(_ context.Context, writes []store.Write) ([]fhir.Version, error) {
	made := make([]fhir.Version, len(writes))
	for i, w := range writes {
		made[i] = fhir.Version{Key: w.Key, Number: w.Expect + 1, Method: w.Method, Body: w.Body}
	}
	return made, nil
}

// chart is a transaction of one patient with n-1 observations of the usual size.
func chart(n int) string {
	entries := []string{post("urn:uuid:00000000-0000-4000-8000-000000000000", "Patient", patient("", "mrn-1"))}
	for i := 1; i < n; i++ {
		entries = append(entries, post(fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i), "Observation", fmt.Sprintf(`{
      "resourceType": "Observation", "id": "obs-%d", "status": "final",
      "category": [ { "coding": [ { "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "vital-signs" } ] } ],
      "code": { "coding": [ { "system": "http://loinc.org", "code": "8302-2", "display": "Body Height" } ], "text": "Body Height" },
      "subject": { "reference": "urn:uuid:00000000-0000-4000-8000-000000000000" },
      "effectiveDateTime": "2014-06-10T12:08:57-04:00", "issued": "2014-06-10T12:08:57.337-04:00",
      "valueQuantity": { "value": 104.17%d, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm" } }`, i, i)))
	}
	return transaction(entries...)
}

func BenchmarkTransaction(b *testing.B) {
	for _, n := range []int{100, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmark(b, n, []string{chart(n)}) })
	}
	b.Run("synthea", func(b *testing.B) {
		n := 0
		var texts []string
		for _, file := range syntheaBundles(b) {
			text := unzip(b, file)
			n += strings.Count(text, `"fullUrl"`)
			texts = append(texts, text)
		}
		benchmark(b, n, texts)
	})
}

// benchmark processes texts with n entries in all. It measures this layer,
// validation and extraction, on one processor and without parsing.
func benchmark(b *testing.B, n int, texts []string) {
	h := newHarness(b, sink{memory.New(time.Now)}, bundle.Options{})
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var requests []bundle.Request
	for _, text := range texts {
		requests = append(requests, bundle.Request{Bundle: parse(b, text), Base: base})
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range requests {
			if _, err := h.Process(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
}
