package rest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"salus/fhir/rest"
	"salus/fhir/search"
)

func TestLinks_LeadBackTheWayThatWasCome(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 60 {
		f.must(t, 201, "PUT", fmt.Sprintf("/Patient/p%02d", i), fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","name":[{"family":"Muster"}]}`, i))
	}
	for _, start := range []string{"/Patient?_count=2", "/Patient?_count=2&_sort=-_lastUpdated", "/Patient?_count=2&_total=accurate"} {
		var pages []string // first ids of the pages, in order
		get := func(path string) (bundlePage, string) {
			p := readPage(t, f.must(t, 200, "GET", path, "").Body.Bytes())
			return p, p.Entry[0].Resource.ID
		}
		page, id := get(start)
		if page.link(t, "previous") != "" || page.link(t, "first") == "" {
			t.Errorf("%s: links of the first page: %+v", start, page.Link)
		}
		for {
			pages = append(pages, id)
			next := page.next(t)
			if next == "" {
				break
			}
			page, id = get(next)
			if _, first := get(page.link(t, "first")); first != pages[0] {
				t.Fatalf("%s: first leads to %s", start, first)
			}
			if len(next) > 512 {
				t.Errorf("%s: a next link of %d bytes", start, len(next))
			}
		}
		back := 0
		for path := page.link(t, "previous"); path != ""; back++ {
			page, id = get(path)
			if want := pages[len(pages)-2-back]; id != want {
				t.Fatalf("%s: %d pages back is %s, want %s", start, back+1, id, want)
			}
			path = page.link(t, "previous")
		}
		if len(pages) != 30 || back < 3 {
			t.Errorf("%s: %d pages, %d back", start, len(pages), back)
		}
	}
	short := readPage(t, f.must(t, 200, "GET", "/Patient?_count=100", "").Body.Bytes())
	if len(short.Link) != 1 || short.Link[0].Relation != "self" {
		t.Errorf("links of a single page: %+v", short.Link)
	}
	third := readPage(t, f.must(t, 200, "GET", "/Patient?_count=25", "").Body.Bytes())
	second := readPage(t, f.must(t, 200, "GET", third.next(t), "").Body.Bytes())
	if second.link(t, "previous") != "/Patient?_count=25" {
		t.Errorf("previous of the second page = %s", second.link(t, "previous"))
	}
}

// Names and values of any characters survive the way into a link and back.
func TestLinks_EscapeWhatParametersHold(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a|b", "a$b", `a\,b`, `\\`, "a b+c", "Müller", "%41", "&=#?", "ge2020-01-01T00:00:00+01:00", "日本", ""}))
	rapid.Check(t, func(r *rapid.T) {
		var params []search.Param
		for range rapid.IntRange(1, 5).Draw(r, "params") {
			params = append(params, search.Param{Name: text.Draw(r, "name"), Value: text.Draw(r, "value")})
		}
		link := rest.LinkURL("http://x", "/Patient", params)
		_, query, _ := strings.Cut(link, "?")
		got, err := search.ParseParams(query)
		if err != nil || !slices.Equal(got, params) {
			r.Fatalf("%s: %v, %q, want %q", link, err, got, params)
		}
	})
}

// gathering puts a patient with n observations.
func gathering(t *testing.T, f *fixture, n int) {
	t.Helper()
	f.must(t, 201, "PUT", "/Patient/p1", `{"resourceType":"Patient","id":"p1"}`)
	f.must(t, 201, "PUT", "/Patient/p2", `{"resourceType":"Patient","id":"p2"}`)
	for i := range n {
		f.must(t, 201, "PUT", fmt.Sprintf("/Observation/o%d", i), fmt.Sprintf(
			`{"resourceType":"Observation","id":"o%d","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p%d"}}`, i, 1+i%2))
	}
}

func TestIncludes_ThatDoNotFitArePaged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	gathering(t, f, 14)
	var got []string
	search := "/Patient?_count=1&_revinclude=Observation:subject&_includesCount=3"
	for matches := search; matches != ""; {
		body := f.must(t, 200, "GET", matches, "").Body.String()
		page := readPage(t, []byte(body))
		if !strings.Contains(body, `"code":"incomplete"`) || page.Entry[0].Resource.ResourceType != "OperationOutcome" {
			t.Errorf("%s: no warning", matches)
		}
		for _, e := range page.Entry[2:] { // behind outcome and match
			got = append(got, e.Resource.ID)
		}
		for rest := page.link(t, "related"); rest != ""; {
			if !strings.HasPrefix(rest, "/Patient/$includes?_count=1&_revinclude=Observation%3Asubject&_includesCount=3&includesCt=") {
				t.Fatalf("related = %s", rest)
			}
			body := f.must(t, 200, "GET", rest, "").Body.String()
			more := readPage(t, []byte(body))
			if more.link(t, "self") != rest || more.link(t, "related") != "" || strings.Contains(body, `"mode":"match"`) {
				t.Errorf("%s: %s", rest, body)
			}
			for _, e := range more.Entry {
				if e.Resource.ResourceType == "Observation" {
					got = append(got, e.Resource.ID)
				}
			}
			if rest = more.next(t); (rest != "") != strings.Contains(body, `"code":"incomplete"`) {
				t.Errorf("a warning without a link, or the other way round: %s", body)
			}
		}
		matches = page.next(t)
	}
	if want := "o0 o2 o4 o6 o8 o10 o12 o1 o3 o5 o7 o9 o11 o13"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, " "), want)
	}
}

func TestIncludes_OfCompartmentsArePaged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must(t, 201, "PUT", "/Patient/p1", `{"resourceType":"Patient","id":"p1"}`)
	for _, id := range []string{"1", "2", "3"} {
		f.must(t, 201, "PUT", "/Encounter/e"+id, `{"resourceType":"Encounter","id":"e`+id+`","status":"planned","class":{"code":"AMB"}}`)
		f.must(t, 201, "PUT", "/Observation/o"+id, `{"resourceType":"Observation","id":"o`+id+`","status":"final","code":{"text":"t"},
			"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e`+id+`"}}`)
	}
	f.must(t, 201, "PUT", "/Observation/other", `{"resourceType":"Observation","id":"other","status":"final","code":{"text":"t"},"encounter":{"reference":"Encounter/e1"}}`)
	page := readPage(t, f.must(t, 200, "GET", "/Patient/p1/Observation?_include=Observation:encounter&_includesCount=1", "").Body.Bytes())
	var got []string
	for rest := page.link(t, "related"); rest != ""; {
		if !strings.HasPrefix(rest, "/Observation/$includes?_include=") {
			t.Fatal(rest)
		}
		more := readPage(t, f.must(t, 200, "GET", rest, "").Body.Bytes())
		got = append(got, more.Entry[len(more.Entry)-1].Resource.ID)
		rest = more.next(t)
	}
	if strings.Join(got, " ") != "e2 e3" {
		t.Errorf("got %s", got)
	}
	all := f.must(t, 200, "GET", "/Patient/p1/*?_include=Observation:encounter&_includesCount=1", "").Body.String()
	if !strings.Contains(all, "narrow the search") || strings.Contains(all, `"related"`) {
		t.Errorf("of all types: %s", all)
	}
}

func TestLinks_CanBeAskedToExplainThemselves(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	gathering(t, f, 1)
	next := readPage(t, f.must(t, 200, "GET", "/Patient?_count=1", "").Body.Bytes()).next(t)
	if body := f.must(t, 200, "GET", next+"&_explain=true", "").Body.String(); !strings.Contains(body, "informational") || !strings.Contains(body, "Patient/p2") {
		t.Error(body)
	}
}

func TestLinks_ThatWouldBeTooLongAreLeftOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must(t, 201, "PUT", "/Patient/p1", `{"resourceType":"Patient","id":"p1"}`)
	body := "_id:not=" + strings.Repeat("x", 65_000)
	w := f.do("POST", "/Patient/_search", body, form)
	if !strings.Contains(w.Body.String(), `"self"`) || strings.Contains(w.Body.String(), `"outcome"`) {
		t.Error("a link that is short enough is left out")
	}
	w = f.do("POST", "/Patient/_search", body+strings.Repeat("x", 1000), form)
	if got := w.Body.String(); w.Code != 200 || strings.Contains(got, `"link"`) || !strings.Contains(got, "the link self is left out") ||
		!strings.Contains(got, `"severity":"information","code":"informational"`) || !strings.Contains(got, "Patient/p1") {
		t.Errorf("%d %.300s", w.Code, got)
	}
}

func TestIncludes_Refusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	gathering(t, f, 6)
	page := readPage(t, f.must(t, 200, "GET", "/Patient?_count=1&_revinclude=Observation:subject&_includesCount=1", "").Body.Bytes())
	related := page.link(t, "related")
	for path, status := range map[string]int{
		"/Patient/$includes?_count=1":                                 400,
		"/Patient/$includes?_count=1&includesCt=":                     400,
		"/Patient/$includes?_count=1&includesCt=abc":                  400,
		strings.Replace(related, "_count=1", "_count=2", 1):           400, // of another search
		strings.Replace(related, "/Patient/", "/Practitioner/", 1):    400,
		related + "&includesCt=x":                                     403,
		strings.Replace(related, "/Patient/", "/Nonsense/", 1):        404,
		strings.Replace(page.next(t), "&ct=", "&includesCt=", 1):      200, // is ignored in a search
		strings.Replace(related, "/Patient/$includes", "/Patient", 1): 200,
	} {
		w := f.do("GET", path, "", nil)
		if w.Code != status {
			t.Errorf("%s = %d, want %d: %s", path, w.Code, status, w.Body)
		}
		if status == 200 && (!strings.Contains(w.Body.String(), "includesCt goes with") || strings.Contains(w.Body.String(), `includesCt=x`)) {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	iterating := f.must(t, 200, "GET", "/Patient?_revinclude:iterate=Observation:subject:Patient&_includesCount=1", "").Body.String()
	if !strings.Contains(iterating, `"code":"incomplete"`) || strings.Contains(iterating, `"related"`) {
		t.Errorf("iterating: %s", iterating)
	}
}
