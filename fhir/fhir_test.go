package fhir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salus/fhir"
)

func isType(t fhir.Type) bool { return t == "Patient" || t == "Observation" }

func TestParseReference(t *testing.T) {
	for text, want := range map[string]fhir.Reference{
		"Patient/1":                                  {Type: "Patient", ID: "1"},
		"Patient/1/_history/2":                       {Type: "Patient", ID: "1", Version: "2"},
		"http://example.org/fhir/Patient/1":          {Base: "http://example.org/fhir", Type: "Patient", ID: "1"},
		"https://example.org:8443/Patient/a-b.c":     {Base: "https://example.org:8443", Type: "Patient", ID: "a-b.c"},
		"http://example.org/Patient/1/_history/2":    {Base: "http://example.org", Type: "Patient", ID: "1", Version: "2"},
		"http://example.org/Patient/1/Observation/2": {Base: "http://example.org/Patient/1", Type: "Observation", ID: "2"},
		"123": {ID: "123"},
		"#a":  {Fragment: "a"},
		"#":   {URL: "#"},
		"":    {},
		"urn:uuid:00000000-0000-4000-8000-000000000000": {URL: "urn:uuid:00000000-0000-4000-8000-000000000000"},
		"urn:oid:1.2.3":                           {URL: "urn:oid:1.2.3"},
		"http://example.org/x#y":                  {URL: "http://example.org/x#y"},
		"Patient/1#y":                             {URL: "Patient/1#y"},
		"http://example.org/ValueSet/1":           {URL: "http://example.org/ValueSet/1"},
		"Unknown/1":                               {URL: "Unknown/1"},
		"patient/1":                               {URL: "patient/1"},
		"/Patient/1":                              {URL: "/Patient/1"},
		"Patient/":                                {URL: "Patient/"},
		"Patient/a_b":                             {URL: "Patient/a_b"},
		"Patient/" + strings.Repeat("a", 65):      {URL: "Patient/" + strings.Repeat("a", 65)},
		"a/b/Patient/1":                           {URL: "a/b/Patient/1"},
		"http://Patient/1":                        {URL: "http://Patient/1"},
		"://x/Patient/1":                          {URL: "://x/Patient/1"},
		"Patient/1/_history/":                     {URL: "Patient/1/_history/"},
		"Patient/1/_history/a/b":                  {URL: "Patient/1/_history/a/b"},
		"1/_history/2":                            {URL: "1/_history/2"},
		"Patient?identifier=http://example.org|1": {URL: "Patient?identifier=http://example.org|1"},
		"Patient?identifier=http://example.org/Patient/1": {URL: "Patient?identifier=http://example.org/Patient/1"},
		"http://example.org/fhir?x=/Patient/1":            {URL: "http://example.org/fhir?x=/Patient/1"},
		"Patient/1 ":                                      {URL: "Patient/1 "},
	} {
		got := fhir.ParseReference(text, isType)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		if got.String() != text {
			t.Errorf("%q is rendered as %q", text, got.String())
		}
		if local := want.Base == "" && want.Type != ""; got.Local() != local || local && got.Key() != (fhir.Key{Type: want.Type, ID: want.ID}) {
			t.Errorf("%q: local %v, key %s", text, got.Local(), got.Key())
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"Patient/1/_history/2", "http://a/Patient/1", "#x", "urn:x", "1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := fhir.ParseReference(s, isType)
		if r.String() != s {
			t.Errorf("%q is rendered as %q", s, r.String())
		}
		if r.Type != "" && (!isType(r.Type) || !fhir.ValidID(string(r.ID))) {
			t.Errorf("%q: %+v", s, r)
		}
	})
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "A-9.z": true, strings.Repeat("a", 64): true, string(fhir.NewID()): true,
		"": false, strings.Repeat("a", 65): false, "a_b": false, "a/b": false, "é": false, "a ": false, "a\n": false,
	} {
		if fhir.ValidID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

func TestInstantsAreUTCWithMilliseconds(t *testing.T) {
	at := time.Date(2024, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", -3600))
	if got := fhir.FormatInstant(at); got != "2025-01-01T00:59:59.999Z" {
		t.Error(got)
	}
}

func TestNames(t *testing.T) {
	if got := (fhir.Key{Type: "Patient", ID: "1"}).String(); got != "Patient/1" {
		t.Error(got)
	}
	for m, want := range map[fhir.Method]string{fhir.Post: "POST", fhir.Put: "PUT", fhir.Patch: "PATCH", fhir.Delete: "DELETE", fhir.Purge: "PURGE", 0: "", 99: ""} {
		if m.String() != want {
			t.Errorf("%d: %q", m, m.String())
		}
		if deleted := want == "DELETE" || want == "PURGE"; (fhir.Version{Method: m}).Deleted() != deleted {
			t.Errorf("%s: deleted %v", want, !deleted)
		}
	}
}
