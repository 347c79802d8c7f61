package searchparam_test

import (
	"os"
	"testing"

	"salus/fhir"
	"salus/fhir/searchparam"
)

func BenchmarkExtract(b *testing.B) {
	r := newRegistry(b)
	for _, name := range []string{"patient", "observation"} {
		b.Run(name, func(b *testing.B) {
			text, err := os.ReadFile("testdata/" + name + ".json")
			if err != nil {
				b.Fatal(err)
			}
			d, err := fhir.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			var entries []searchparam.Entry
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if entries, err = r.Extract(entries[:0], d.Root(), searchparam.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(entries)), "values")
		})
	}
}
