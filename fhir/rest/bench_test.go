package rest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sink is a response that only counts.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { s.bytes += len(b); return len(b), nil }

// benchmark measures a GET over 50 patients of about 3 KB each.
func benchmark(b *testing.B, path string) {
	f := newFixture(b)
	note := strings.Repeat("x", 2600)
	for i := range 50 {
		id := fmt.Sprintf("p%d", i)
		f.must(b, 201, "PUT", "/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","name":[{"family":"Muster"}],"photo":[{"title":"`+note+`"}]}`)
	}
	r := httptest.NewRequest("GET", "http://salus.test"+path, nil)
	r.Header.Set("Accept", "application/fhir+json")
	b.ReportAllocs()
	for b.Loop() {
		f.log.Reset()
		w := &sink{header: http.Header{}}
		f.handler.ServeHTTP(w, r)
		if w.status != 200 {
			b.Fatalf("status %d", w.status)
		}
		b.SetBytes(int64(w.bytes))
	}
}

func BenchmarkRead(b *testing.B) { benchmark(b, "/Patient/p7") }

func BenchmarkReadSummary(b *testing.B) { benchmark(b, "/Patient/p7?_summary=true") }

func BenchmarkSearchPageOf50(b *testing.B) { benchmark(b, "/Patient?family=muster&_count=50") }

func BenchmarkMetadata(b *testing.B) { benchmark(b, "/metadata") }

// BenchmarkCreate measures what a POST costs over the store in memory.
func BenchmarkCreate(b *testing.B) {
	f := newFixture(b)
	b.ReportAllocs()
	for b.Loop() {
		f.log.Reset()
		if w := f.do("POST", "/Patient", patient, nil); w.Code != 201 {
			b.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
}
