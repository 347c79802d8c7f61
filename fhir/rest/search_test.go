package rest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// people puts Patients p1 to p3 of one family and an Observation of p1.
var people = []string{
	`PUT /Patient/p1 {"resourceType":"Patient","id":"p1","name":[{"family":"Muster"}],"birthDate":"1970-01-01"}`,
	`PUT /Patient/p2 {"resourceType":"Patient","id":"p2","name":[{"family":"Muster"}],"birthDate":"1980-01-01"}`,
	`PUT /Patient/p3 {"resourceType":"Patient","id":"p3","name":[{"family":"Muster"}],"birthDate":"1990-01-01"}`,
	`PUT /Observation/o1 {"resourceType":"Observation","id":"o1","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p1"},"valueString":"v"}`,
}

func TestSearch(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{name: "none", method: "GET", path: "/Patient?family=x", status: 200, lacks: []string{`"entry"`, `"total"`},
			has: []string{`{"resourceType":"Bundle","id":"`, `"meta":{"lastUpdated":"2026-01-02T`, `"type":"searchset","link":[{"relation":"self","url":"http://salus.test/Patient?family=x"}]}`}},
		{name: "entries", before: people, method: "GET", path: "/Patient?birthdate=lt1975", status: 200,
			has:   []string{`"entry":[{"fullUrl":"http://salus.test/Patient/p1","resource":{"resourceType":"Patient",`, `},"search":{"mode":"match"}}]}`},
			lacks: []string{`"total"`, "p2", `"next"`}},
		{name: "included", before: people, method: "GET", path: "/Observation?_include=Observation:subject", status: 200,
			has: []string{`"fullUrl":"http://salus.test/Patient/p1"`, `"search":{"mode":"include"}`, `"search":{"mode":"match"}`}},
		{name: "total", before: people, method: "GET", path: "/Patient?_total=accurate&_count=1", status: 200, has: []string{`"type":"searchset","total":3,"link":[{"relation":"next"`}},
		{name: "count only", before: people, method: "GET", path: "/Patient?_summary=count", status: 200, has: []string{`"total":3`}, lacks: []string{`"entry"`, `"next"`}},
		{name: "count of zero", before: people, method: "GET", path: "/Patient?_count=0", status: 200, has: []string{`"total":3`}, lacks: []string{`"entry"`, `"next"`}},
		{name: "summary", before: people, method: "GET", path: "/Patient?_summary=text", status: 200, has: []string{"SUBSETTED"}, lacks: []string{"birthDate"}},
		{name: "elements", before: people, method: "GET", path: "/Observation?_elements=value[x]", status: 200, has: []string{"SUBSETTED", `"valueString":"v"`, `"status":"final"`}, lacks: []string{"subject\":"}},
		{name: "unknown parameter", before: people, method: "GET", path: "/Patient?nonsense=1&family=muster", status: 200,
			has: []string{`"entry":[{"resource":{"resourceType":"OperationOutcome"`, `"severity":"warning","code":"not-supported"`, `"search":{"mode":"outcome"}}`, `"url":"http://salus.test/Patient?family=muster"`, `"fullUrl":"http://salus.test/Patient/p3"`}},
		{name: "unknown parameter, strict", before: people, method: "GET", path: "/Patient?nonsense=1", header: map[string]string{"Prefer": "handling=strict"}, status: 400, issue: "error not-supported"},
		{name: "unknown order, strict", method: "GET", path: "/Patient?_sort=gender", header: map[string]string{"Prefer": "handling=strict"}, status: 400, issue: "error invalid"},
		{name: "estimated total", method: "GET", path: "/Patient?_total=estimate", status: 403, issue: "error not-supported"},
		{name: "several unknown types", method: "GET", path: "/?_type=A,Patient,B", status: 200, has: []string{
			`"issue":[{"severity":"warning","code":"not-supported","diagnostics":"_type: in the list no resource type has the name at place 1, 3"}]`, `?_type=A%2CPatient%2CB"`}},
		{name: "explained", before: people, method: "GET", path: "/Patient?family=muster&_explain=true", status: 200, has: []string{
			`"entry":[{"resource":{"resourceType":"OperationOutcome"`, `"severity":"information","code":"informational","diagnostics":"time: `,
			"Patient.family: text starts with", `},"search":{"mode":"outcome"}},{"fullUrl":"http://salus.test/Patient/p1"`, `Patient?family=muster&_explain=true"`}},
		{name: "not explained", before: people, method: "GET", path: "/Patient?family=muster&_explain=false", status: 200, lacks: []string{"outcome"}},
		{name: "explained, perhaps", method: "GET", path: "/Patient?_explain=perhaps", status: 400, issue: "error invalid"},
		{name: "number too great", method: "GET", path: "/RiskAssessment?probability=-1e30", status: 400, issue: "error too-long"},
		{name: "bad value", method: "GET", path: "/Patient?birthdate=never", status: 400, issue: "error invalid", lacks: []string{"never"}},
		{name: "bad escape", method: "GET", path: "/Patient?family=%zz", status: 400, issue: "error invalid"},
		{name: "refused form", method: "GET", path: "/Patient?family:text=x", status: 403, issue: "error invalid"},
		{name: "malformed token", method: "GET", path: "/Patient?ct=abc", status: 400, issue: "error invalid"},
		{name: "two tokens", method: "GET", path: "/Patient?ct=a&ct=b", status: 403, issue: "error invalid"},
		{name: "escaped self link", method: "GET", path: "/Patient?family=M%C3%BCller%20%26%20%22S%22", status: 200, has: []string{`"url":"http://salus.test/Patient?family=M%C3%BCller%20%26%20%22S%22"`}},
		{name: "whole service", before: people, method: "GET", path: "/?_type=Patient,Observation&_lastUpdated=gt2020", status: 200, has: []string{"Patient/p1", "Observation/o1", `"url":"http://salus.test/?_type=Patient%2CObservation&_lastUpdated=gt2020"`}},
		{name: "form", before: people, method: "POST", path: "/Patient/_search?birthdate=gt1975", body: "family=Muster&birthdate=lt1985", header: form, status: 200,
			has: []string{`"url":"http://salus.test/Patient?birthdate=gt1975&family=Muster&birthdate=lt1985"`, "Patient/p2"}, lacks: []string{"Patient/p1", "Patient/p3"}},
		{name: "form on the service", before: people, method: "POST", path: "/_search", body: "_type=Observation", header: form, status: 200, has: []string{"Observation/o1"}, lacks: []string{"fullUrl\":\"http://salus.test/Patient"}},
		{name: "form with a format", before: people, method: "POST", path: "/_search", body: "_type=Observation&_format=ttl", header: form, status: 406, issue: "error not-supported"},
		{name: "form as JSON", method: "POST", path: "/Patient/_search", body: "{}", status: 415, issue: "error not-supported"},
		{name: "form too large", method: "POST", path: "/Patient/_search", body: strings.Repeat("x", maxBody+1), header: form, status: 413, issue: "error too-long"},
		{name: "pretty", before: people, method: "GET", path: "/Patient?_pretty=true", status: 200, has: []string{"\n      \"fullUrl\": \"http://salus.test/Patient/p1\",\n"}},
		{name: "behind a proxy", before: people, method: "GET", path: "/Patient?_count=1", header: map[string]string{
			"X-Forwarded-Host": "fhir.example, inner", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/gate/"}, status: 200,
			has: []string{`"next","url":"https://fhir.example/gate/Patient?_count=1&ct=`, `"self","url":"https://fhir.example/gate/Patient?_count=1"`, `"fullUrl":"https://fhir.example/gate/Patient/p1"`}},
		{name: "behind a liar", before: people, method: "GET", path: "/Patient?_count=1", header: map[string]string{
			"X-Forwarded-Host": `evil"/`, "X-Forwarded-Proto": "gopher", "X-Forwarded-Prefix": "//evil"}, status: 200,
			has: []string{`"self","url":"http://salus.test/Patient?_count=1"`}},
	})
}

var form = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}

// bundlePage is what tests read of a Bundle.
type bundlePage struct {
	Total *int
	Link  []struct{ Relation, URL string }
	Entry []struct {
		FullURL  string
		Resource struct {
			ResourceType, ID string
			Meta             struct{ VersionID, LastUpdated string }
		}
		Request  struct{ Method, URL string }
		Response struct{ Status, ETag, Location, LastModified string }
	}
}

func readPage(t *testing.T, body []byte) bundlePage {
	t.Helper()
	var p bundlePage
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// next returns the path of the page's next link, "" when it has none. The links
// must stand in the order next, related, self, first, previous.
func (p bundlePage) next(t *testing.T) string {
	t.Helper()
	order := []string{"next", "related", "self", "first", "previous"}
	at := -1
	for _, l := range p.Link {
		i := slices.Index(order, l.Relation)
		if i <= at {
			t.Errorf("the link %s stands at the wrong place", l.Relation)
		}
		at = i
	}
	return p.link(t, "next")
}

// link returns the path of the page's link of a relation, "" when it has none.
func (p bundlePage) link(t *testing.T, relation string) string {
	t.Helper()
	for _, l := range p.Link {
		if l.Relation != relation {
			continue
		}
		path, ok := strings.CutPrefix(l.URL, "http://salus.test")
		if !ok {
			t.Fatalf("%s = %s", relation, l.URL)
		}
		return path
	}
	return ""
}

func TestSearch_PagesHoldEveryMatchOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const n = 25
	for i := range n {
		f.must(t, 201, "PUT", fmt.Sprintf("/Patient/p%02d", i), fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","name":[{"family":"Muster"}]}`, i))
	}
	for _, start := range []string{
		"/Patient?family=muster&_count=7", "/Patient?family=muster&_sort=-_lastUpdated&_count=7&_total=accurate&_pretty=true", "/?_type=Patient&_count=7", "/Patient?name=mu%2Bs%2Cmuster&_count=7",
	} {
		seen, pages := map[string]bool{}, 0
		for path := start; path != ""; pages++ {
			page := readPage(t, f.must(t, 200, "GET", path, "").Body.Bytes())
			for _, e := range page.Entry {
				if seen[e.Resource.ID] {
					t.Errorf("%s: %s is on two pages", start, e.Resource.ID)
				}
				seen[e.Resource.ID] = true
			}
			if (page.Total != nil) != (pages == 0 && strings.Contains(start, "_total")) {
				t.Errorf("%s: page %d has total %v", start, pages, page.Total)
			}
			if path = page.next(t); strings.Contains(path, "_total") {
				t.Errorf("next asks for the total again: %s", path)
			}
		}
		if len(seen) != n || pages != 4 {
			t.Errorf("%s: %d matches on %d pages, want %d on 4", start, len(seen), pages, n)
		}
	}
}

func TestSearch_TokensBelongToTheirQuery(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, b := range people {
		method, rest, _ := strings.Cut(b, " ")
		path, body, _ := strings.Cut(rest, " ")
		f.must(t, 201, method, path, body)
	}
	next := readPage(t, f.must(t, 200, "GET", "/Patient?family=muster&_count=1", "").Body.Bytes()).next(t)
	_, token, _ := strings.Cut(next, "ct=")
	for path, status := range map[string]int{
		next:                                200,
		next + "&_format=json&_pretty=true": 200,
		"/Patient?family=other&_count=1&ct=" + token:                                                 400,
		"/Patient?_count=1&ct=" + token:                                                              400,
		"/Observation?family=muster&_count=1&ct=" + token:                                            400,
		"/Patient/_history?_count=1&ct=" + token:                                                     400,
		"/Patient?family=muster&_count=1&ct=" + token[:len(token)-1] + string(token[len(token)-1]^1): 400,
	} {
		if w := f.do("GET", path, "", nil); w.Code != status {
			t.Errorf("%s = %d, want %d: %s", path, w.Code, status, w.Body)
		}
	}
	w := f.do("POST", "/Patient/_search", "family=muster&_count=1&ct="+url.QueryEscape(token), form)
	if w.Code != 200 {
		t.Errorf("the token in a form = %d: %s", w.Code, w.Body)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	changed := strings.Replace(patientP1, "Maria", "Mara", 1)
	life := []string{"PUT /Patient/p1 " + patientP1, "PUT /Patient/p1 " + changed, "DELETE /Patient/p1", "POST /Patient " + patient}
	runAll(t, []scenario{
		{name: "of a resource", before: life, method: "GET", path: "/Patient/p1/_history", status: 200,
			has: []string{
				`"type":"history","link":[{"relation":"self","url":"http://salus.test/Patient/p1/_history"}],"entry":[{"fullUrl":"http://salus.test/Patient/p1","resource":{"resourceType":"Patient","id":"p1","meta":{"versionId":"3","lastUpdated":"`,
				`"request":{"method":"DELETE","url":"Patient/p1"},"response":{"status":"204 NoContent","etag":"W/\"3\"","lastModified":"2026-`,
				`"request":{"method":"PUT","url":"Patient/p1"},"response":{"status":"200 OK","etag":"W/\"2\""`, "Mara",
			}, lacks: []string{"POST", `"total"`}},
		{name: "of a type", before: life, method: "GET", path: "/Patient/_history", status: 200, has: []string{`"request":{"method":"POST","url":"Patient"},"response":{"status":"201 Created","etag":"W/\"1\""`, `"Patient/p1"`}},
		{name: "of everything", before: life, method: "GET", path: "/_history?_sort=_lastUpdated", status: 200, has: []string{`"url":"http://salus.test/_history?_sort=_lastUpdated"`}},
		{name: "count", before: life, method: "GET", path: "/_history?_summary=count", status: 200, has: []string{`"total":4`}, lacks: []string{`"entry"`, `"next"`}},
		{name: "of nothing", method: "GET", path: "/Patient/p1/_history", status: 404, issue: "error not-found"},
		{name: "unknown type", method: "GET", path: "/Pateint/_history", status: 404, issue: "error not-found"},
		{name: "bad order", method: "GET", path: "/_history?_sort=name", status: 400, issue: "error invalid"},
		{name: "bad token", method: "GET", path: "/_history?ct=x", status: 400, issue: "error invalid"},
		{name: "two tokens", method: "GET", path: "/_history?ct=x&ct=y", status: 403, issue: "error invalid"},
	})
}

func TestHistory_PagesHoldEveryVersionOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must(t, 201, "PUT", "/Patient/p1", patientP1)
	for i := range 22 {
		f.must(t, 200, "PUT", "/Patient/p1", strings.Replace(patientP1, "Maria", fmt.Sprint("Maria", i), 1))
	}
	for _, start := range []string{"/Patient/p1/_history", "/_history?_count=10&_since=2020-01-01", "/Patient/_history?_at=2026", "/Patient/_history?_sort=_lastUpdated&_pretty=true&_format=json"} {
		var seen []string
		pages := 0
		for path := start; path != ""; pages++ {
			page := readPage(t, f.must(t, 200, "GET", path, "").Body.Bytes())
			for _, e := range page.Entry {
				seen = append(seen, e.Resource.Meta.VersionID)
			}
			path = page.next(t)
		}
		slices.Sort(seen)
		if len(slices.Compact(seen)) != 23 || pages != 3 {
			t.Errorf("%s: %d versions on %d pages, want 23 on 3", start, len(seen), pages)
		}
	}
}
