package xmlformat_test

import (
	"testing"

	"salus/demo"
	"salus/fhir"
)

// invented returns a bundle of an invented clinic.
func invented(tb testing.TB) fhir.Node {
	tb.Helper()
	var last []byte
	for json := range demo.Population(7, 1) {
		last = json
	}
	d, err := fhir.Parse(last)
	if err != nil {
		tb.Fatal(err)
	}
	return d.Root()
}

func BenchmarkReading(b *testing.B) {
	text, err := format.Append(nil, invented(b), false)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		if out, err = format.JSON(out[:0], text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriting(b *testing.B) {
	n := invented(b)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = format.Append(out[:0], n, false); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out)))
}
