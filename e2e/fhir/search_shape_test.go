package fhir_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// crowd builds n patients with the names p00, p01, … and families in that order.
func crowd(t *testing.T, on target, n int) *world {
	t.Helper()
	var things []thing
	for i := range n {
		number := strconv.Itoa(100 + i)[1:]
		things = append(things, thing{"p" + number, `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"name":[{"family":"{w}` + number + `"}],"gender":"` + []string{"male", "female"}[i%2] + `","birthDate":"19` + number + `"}`})
	}
	return build(t, on, things...)
}

// searched is a story about one search within a world.
func (w *world) searched(t *testing.T, name, request string, parts ...part) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		tell(name, do(w.within(request), 200, parts...)).run(t, w.on, false)
	})
}

// walk follows next links and returns the names of matches, page by page.
func (w *world) walk(t *testing.T, address string) (pages [][]string) {
	t.Helper()
	for address != "" {
		r, err := send("GET", address, "")
		if err != nil || r.status != 200 {
			t.Fatalf("page %d: %v %v", len(pages)+1, err, r)
		}
		pages = append(pages, w.names(r.entries("match")))
		address = r.link("next")
		if len(pages) > 100 {
			t.Fatal("the pages do not end")
		}
	}
	return pages
}

func TestSearch_Bundle(t *testing.T) {
	t.Parallel()
	w := crowd(t, first(), 12)
	w.searched(t, "has a type, an id and a time", "GET Patient", at("resourceType", "Bundle"), at("type", "searchset"), at("id", "*"), at("meta.lastUpdated", "*"))
	w.searched(t, "has ten entries", "GET Patient", has("entry", 10), keepLink("next", "next"))
	w.searched(t, "has as many as asked for", "GET Patient?_count=3", has("entry", 3))
	w.searched(t, "has no total unless asked", "GET Patient", at("total", ""))
	w.searched(t, "has full URLs and modes", "GET Patient?_count=1", at("entry.0.search.mode", "match"), at("entry.0.fullUrl", "~/Patient/"+w.prefix))
	w.searched(t, "has self", "GET Patient?gender=male", keepLink("self", "self"))
	w.searched(t, "has next before self", "GET Patient?_count=2", at("link.0.relation", "next"))
	w.searched(t, "has self first when it is all", "GET Patient?_count=50", at("link.0.relation", "self"), has("link", 1))
	w.searched(t, "_total=accurate", "GET Patient?_total=accurate&_count=2", at("total", "12"))
	w.searched(t, "_total=none", "GET Patient?_total=none", at("total", ""))
	w.searched(t, "_summary=count", "GET Patient?_summary=count", at("total", "12"), has("entry", 0))
	w.searched(t, "_count=0", "GET Patient?_count=0", at("total", "12"), has("entry", 0))
	w.searched(t, "_summary=count with criteria", "GET Patient?_summary=count&gender=male", at("total", "6"))
	w.searched(t, "_summary=true", "GET Patient?_summary=true&_count=1", at("entry.0.resource.text", ""), at("entry.0.resource.gender", "*"), says("SUBSETTED"))
	w.searched(t, "_summary=text", "GET Patient?_summary=text&_count=1", at("entry.0.resource.text.div", "*"), at("entry.0.resource.gender", ""), says("SUBSETTED"))
	w.searched(t, "_summary=data", "GET Patient?_summary=data&_count=1", at("entry.0.resource.text", ""), at("entry.0.resource.gender", "*"), says("SUBSETTED"))
	w.searched(t, "_summary=false", "GET Patient?_summary=false&_count=1", at("entry.0.resource.text.div", "*"), hides("SUBSETTED"))
	w.searched(t, "_elements", "GET Patient?_elements=gender&_count=1", at("entry.0.resource.gender", "*"), at("entry.0.resource.birthDate", ""), at("entry.0.resource.meta.versionId", "1"), says("SUBSETTED"))
	w.searched(t, "_elements unknown", "GET Patient?_elements=shoes,birthDate&_count=1", at("entry.0.resource.birthDate", "*"), at("entry.0.resource.gender", ""))
	w.searched(t, "_elements with _summary=false", "GET Patient?_elements=gender&_summary=false&_count=1", at("entry.0.resource.gender", "*"))
	w.searched(t, "_pretty", "GET Patient?_pretty=true&_count=1", says("\n  "))
	w.searched(t, "_count above the maximum says so first", "GET Patient?_count=5000", at("entry.0.search.mode", "outcome"), at("entry.0.resource.issue.0.severity", "information"), at("entry.1.search.mode", "match"))
	w.searched(t, "an unknown parameter says so first", "GET Patient?shoes=7&_count=2", at("entry.0.search.mode", "outcome"), at("entry.0.resource.issue.0.severity", "warning"), at("entry.0.resource.issue.0.code", "not-supported"), has("entry", 3))
	w.searched(t, "several unknown parameters, in order", "GET Patient?shoes=7&hats=3", at("entry.0.resource.issue.0.diagnostics", "~shoes"), at("entry.0.resource.issue.1.diagnostics", "~hats"))
	w.searched(t, "an unknown parameter is not in self", "GET Patient?shoes=7&gender=male", checks(func(r reply, _ values) string {
		if self := r.link("self"); strings.Contains(self, "shoes") || !strings.Contains(self, "gender=male") {
			return "self is " + self
		}
		return ""
	}))
	w.searched(t, "handling=lenient", "GET Patient?shoes=7&_count=1", prefer("handling=lenient"), has("entry", 2))
	w.searched(t, "parameters that are equal count once", "GET Patient?gender=male&gender=male&_count=1", checks(func(r reply, _ values) string {
		if n := strings.Count(r.link("self"), "gender=male"); n != 1 {
			return "self is " + r.link("self")
		}
		return ""
	}))
	w.searched(t, "parameters are case-sensitive", "GET Patient?Gender=male&_count=1", at("entry.0.search.mode", "outcome"))
	if first().mode == azure {
		w.searched(t, "two tags of a subset", "GET Patient?_summary=true&_count=1", says("http://hl7.org/fhir/v3/ObservationValue"), says("http://terminology.hl7.org/CodeSystem/v3-ObservationValue"))
		w.searched(t, "_text is not there", "GET Patient?_text=x", at("entry.0.resource.issue.0.code", "not-supported"))
	}
	t.Run("pages", func(t *testing.T) {
		for _, size := range []string{"1", "5", "6", "11", "12", "13"} {
			var all []string
			for _, page := range w.walk(t, w.on.base+"/"+w.within("Patient?_count="+size)) {
				if len(page) == 0 {
					t.Errorf("_count=%s: there is an empty page", size)
				}
				all = append(all, page...)
			}
			if len(all) != 12 || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 12 {
				t.Errorf("_count=%s: the pages hold %q", size, all)
			}
		}
	})
	t.Run("pages do not miss what is changed meanwhile", func(t *testing.T) {
		w := crowd(t, first(), 6)
		r, err := send("GET", w.on.base+"/"+w.within("Patient?_count=3"), "")
		if err != nil {
			t.Fatal(err)
		}
		w.remove(t, "Patient/{p00}")
		if rest := w.walk(t, r.link("next")); len(slices.Concat(rest...)) != 3 {
			t.Errorf("after the first page come %q", rest)
		}
	})
	t.Run("the total is on the first page alone", func(t *testing.T) {
		if first().mode != azure {
			t.Skip("the reference's rule")
		}
		tell("", do(w.within("GET Patient?_total=accurate&_count=5"), 200, at("total", "12"), keepLink("next", "next")), do("GET {next}", 200, at("total", ""))).run(t, w.on, false)
	})
}

func TestSearch_Post(t *testing.T) {
	t.Parallel()
	w := crowd(t, first(), 4)
	tag := "_tag=" + url.QueryEscape("urn:salus:e2e|"+w.prefix)
	form := func(name, request, parameters string, parts ...part) {
		t.Run(name, func(t *testing.T) {
			parts = append(parts, typed("application/x-www-form-urlencoded", parameters))
			tell(name, do(request, 200, parts...)).run(t, w.on, false)
		})
	}
	form("parameters in the body", "POST Patient/_search", tag+"&gender=male", has("entry", 2))
	form("parameters in body and query", "POST Patient/_search?gender=female", tag, has("entry", 2))
	form("parameters in body and query together", "POST Patient/_search?gender=female", tag+"&birthdate=1901", has("entry", 1))
	form("on the system", "POST _search", tag+"&_type=Patient", has("entry", 4))
	form("self is the same search by GET", "POST Patient/_search", tag+"&gender=male", keepLink("self", "self"), checks(func(r reply, v values) string {
		if strings.Contains(v["self"], "_search") || !strings.Contains(v["self"], "gender=male") {
			return "self is " + v["self"]
		}
		return ""
	}))
	form("next is a GET", "POST Patient/_search", tag+"&_count=1", keepLink("next", "next"))
	form("escaped values", "POST Patient/_search", "_tag=urn%3Asalus%3Ae2e%7C"+w.prefix+"&family="+w.prefix+"00", has("entry", 1))
	form("unknown parameters", "POST Patient/_search", tag+"&shoes=7", at("entry.0.search.mode", "outcome"))
	form("nothing in the body", "POST Patient/_search?"+tag, "", has("entry", 4))
	t.Run("JSON is no form", func(t *testing.T) {
		tell("", do("POST Patient/_search", 415, body(`{}`))).run(t, w.on, false)
	})
}

func TestSearch_Refused(t *testing.T) {
	t.Parallel()
	refuses(t, first(), []refusal{
		{"Patient?_count=many", 400, "invalid"},
		{"Patient?_count=-1", 400, "invalid"},
		{"Patient?_count=1.5", 400, "invalid"},
		{"Patient?_total=some", 400, "invalid"},
		{"Patient?_summary=some", 400, "invalid"},
		{"Patient?_elements=", 400, "invalid"},
		{"Patient?_elements=gender&_summary=true", 400, "invalid"},
		{"Patient?_elements=gender&_summary=count", 400, "invalid"},
		{"Patient?ct=nonsense", 400, "invalid"},
		{"Patient?ct=YWJj", 400, "invalid"},
		{"Patient?_pretty=yes", 400, "invalid"},
		{"?_type=", 400, "invalid"},
		{"Nobody?name=x", 404, "not-found"},
		{"patient?name=x", 404, "not-found"},
		{"?_type=Patient,Observation&family=x", 400, ""},
		{"Patient?_has:Observation:patient=x", 0, ""},
		{"Patient?_id:missing=maybe", 403, "invalid"},
		{"Patient?_id=" + strings.Repeat("a,", 2200) + "a", 400, ""},
	})
	refuses(t, first(), []refusal{
		{"Patient?shoes=7", 400, "not-supported"},
		{"Patient?_sort=gender", 400, "invalid"},
		{"Patient?_not-referenced=x", 400, ""},
	}, "Prefer", "handling=strict")
	refuses(t, first(), []refusal{{"Patient?shoes=7", 400, "invalid"}}, "Prefer", "handling=wild")
	for _, service := range services.all {
		if service.mode == azure {
			refuses(t, service, []refusal{
				{"Patient?_total=estimate", 403, "not-supported"},
			})
		} else {
			tell("estimate", do("GET Patient?_total=estimate", 200, at("total", "*"))).run(t, service, false)
		}
	}
}
