package fhir_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// nasty are what values are made of: everything that FHIR or a URL gives a
// meaning to, and what is not ASCII.
var nasty = []string{"|", "$", ",", `\`, " ", "+", "&", "=", "?", "#", "%", "%2C", "/", ":", ";", "'", `"`, "<", ">", "(", ")", "*", "~", "ä", "ß", "名", "🩺", "a", "B", "7", "-", "."}

// escapeValue escapes what separates values (FHIR R4 search §3.1.1.4.0.1).
func escapeValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "$", `\$`, ",", `\,`).Replace(s)
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// TestSearch_EscapedValues writes values of nasty characters, finds them, and
// follows the links that come back.
func TestSearch_EscapedValues(t *testing.T) {
	t.Parallel()
	var values []string
	generator := rapid.Custom(func(t *rapid.T) string {
		return "x" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(nasty), 1, 9).Draw(t, "parts"), "") + "x" // no blanks at the ends
	})
	for i := range 40 {
		values = append(values, fmt.Sprintf("%d%s", 10+i, generator.Example(i+1)))
	}
	for i, s := range nasty {
		values = append(values, fmt.Sprintf("%d%s.", 50+i, s))
	}
	var things []thing
	for i, v := range values {
		for _, copy := range []string{"a", "b"} { // two, so that there is a next page
			things = append(things, thing{fmt.Sprintf("v%d-%s", i, copy), `{"resourceType":"Patient","identifier":[{"system":"urn:x","value":` + quoted(v) + `}],"name":[{"family":` + quoted(v) + `}]}`})
		}
	}
	w := build(t, first(), things...)
	for i, v := range values {
		t.Run(v, func(t *testing.T) {
			want := []string{fmt.Sprintf("v%d-a", i), fmt.Sprintf("v%d-b", i)}
			for _, criterion := range []string{
				"identifier=" + url.QueryEscape(escapeValue(v)),
				"identifier=" + url.QueryEscape("urn:x|"+escapeValue(v)),
				"family:exact=" + strings.ReplaceAll(url.QueryEscape(escapeValue(v)), "+", "%20"),
				"family=" + url.QueryEscape("nobody,"+escapeValue(v)),
			} {
				address := w.on.base + "/" + w.within("Patient?"+criterion) + "&_count=1"
				r, err := send("GET", address, "")
				if err != nil {
					t.Fatal(err)
				}
				if self := w.walk(t, r.link("self")); !slices.Equal(sorted(self), want) {
					t.Errorf("self finds %q\n%v", self, r)
				}
				if pages := w.walk(t, address); !slices.Equal(sorted(pages), want) {
					t.Errorf("found %q\n%v", pages, r)
				}
			}
		})
	}
}

func sorted(pages [][]string) []string {
	all := slices.Concat(pages...)
	slices.Sort(all)
	return all
}

// TestSearch_SelfIsWhatWasAsked compares decoded.
func TestSearch_SelfIsWhatWasAsked(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"name=a&gender=male", "gender=male&name=a", "name=a%2Cb", "identifier=urn:x%7Cy", "identifier=urn:x|y", "name=a%20b", "name=a+b", "name=%C3%A4", "birthdate=ge2000-01-01T00:00:00%2B02:00",
		"_has:Observation:patient:code=a", "general-practitioner:Practitioner.name=a", "name:exact=a", "_sort=-birthdate", "_count=3", "_summary=count", "_elements=name,gender", "_include=Patient:organization",
		"_revinclude=Observation:subject", `name=a%5C%2Cb`, "_total=accurate", "name=50%25", "name=a%26b", "name=a%3Db", "name=%23",
	} {
		t.Run(query, func(t *testing.T) {
			r, err := send("GET", first().base+"/Patient?"+query, "")
			if err != nil || r.status != 200 {
				t.Fatal(err, r)
			}
			_, self, _ := strings.Cut(r.link("self"), "?")
			got, err := url.ParseQuery(self)
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := url.ParseQuery(query); got.Encode() != want.Encode() {
				t.Errorf("self is %q, want %q", self, query)
			}
		})
	}
}
