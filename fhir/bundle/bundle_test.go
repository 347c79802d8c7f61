package bundle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store"
	"salus/fhir/store/memory"
	"salus/fhir/validate"
)

const base = "https://salus.example/fhir"

// parts are expensive to make and immutable.
var parts = sync.OnceValues(func() (interaction.Options, error) {
	defs := spec.R4()
	params, err := searchparam.NewRegistry(defs)
	return interaction.Options{
		Definitions: defs, Params: params,
		Parser: search.NewParser(params, search.Options{}), Validator: validate.New(defs),
	}, err
})

type harness struct {
	*bundle.Processor
	t       testing.TB
	service *interaction.Service
	store   store.Store
}

// newHarness returns a processor whose service assigns the ids new-1, new-2 …
func newHarness(t testing.TB, st store.Store, options bundle.Options) *harness {
	t.Helper()
	return newHarnessWith(t, st, options, func(*interaction.Options) {})
}

func strict(o *interaction.Options) { o.Compat = fhir.Strict }

func whole(o *interaction.Options) { o.Integrity = true }

func newHarnessWith(t testing.TB, st store.Store, options bundle.Options, set func(*interaction.Options)) *harness {
	t.Helper()
	o, err := parts()
	if err != nil {
		t.Fatal(err)
	}
	set(&o)
	if st == nil {
		st = memory.New(time.Now)
	}
	o.Store = st
	var mu sync.Mutex
	ids := 0
	o.NewID = func() fhir.ID {
		mu.Lock()
		defer mu.Unlock()
		ids++
		return fhir.ID(fmt.Sprintf("new-%d", ids))
	}
	s := interaction.New(o)
	return &harness{bundle.New(s, options), t, s, st}
}

// read answers GET entries as a transport would: Type/id and Type?query.
func (h *harness) read(ctx context.Context, g bundle.Get) (bundle.Reply, error) {
	path, query, searched := strings.Cut(g.URL, "?")
	typ, id, _ := strings.Cut(path, "/")
	if searched {
		params, err := search.ParseParams(query)
		if err != nil {
			return bundle.Reply{}, err
		}
		r, err := h.service.Search(ctx, search.Request{Types: []fhir.Type{fhir.Type(typ)}, Params: params, Base: base}, nil)
		if err != nil {
			return bundle.Reply{}, err
		}
		return bundle.Reply{Status: 200, Body: fmt.Appendf(nil, `{"resourceType":"Bundle","total":%d}`, len(r.Page.Matches))}, nil
	}
	v, err := h.service.Read(ctx, fhir.Key{Type: fhir.Type(typ), ID: fhir.ID(id)})
	if err != nil {
		return bundle.Reply{}, err
	}
	if etag := fmt.Sprintf(`W/"%d"`, v.Number); g.IfNoneMatch == etag {
		return bundle.Reply{Status: 304, ETag: etag}, nil
	}
	return bundle.Reply{Status: 200, Body: v.JSON(), LastModified: v.Updated}, nil
}

func parse(t testing.TB, text string) fhir.Node {
	t.Helper()
	d, err := fhir.Parse([]byte(text))
	if err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return d.Root()
}

func (h *harness) process(text string) (*bundle.Response, error) {
	h.t.Helper()
	return h.Process(h.t.Context(), bundle.Request{Bundle: parse(h.t, text), Base: base, Read: h.read})
}

func (h *harness) must(text string) []bundle.EntryResult {
	h.t.Helper()
	r, err := h.process(text)
	if err != nil {
		h.t.Fatalf("%v %+v", err, fault.As(err).Issues)
	}
	return r.Entries
}

// patients fills the store with patients a (mrn-1), b and c (both mrn-2).
func (h *harness) patients() *harness {
	h.must(transaction(
		put("Patient/a", patient("a", "mrn-1")), put("Patient/b", patient("b", "mrn-2")), put("Patient/c", patient("c", "mrn-2"))))
	return h
}

func (h *harness) count(typ fhir.Type) int64 {
	h.t.Helper()
	counts, err := h.store.Count(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return counts[typ]
}

func (h *harness) stored(key string) string {
	h.t.Helper()
	typ, id, _ := strings.Cut(key, "/")
	v, err := h.service.Read(h.t.Context(), fhir.Key{Type: fhir.Type(typ), ID: fhir.ID(id)})
	if err != nil {
		h.t.Fatalf("read %s: %v", key, err)
	}
	return string(v.Body.JSON)
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func transaction(entries ...string) string {
	return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
}

func batch(entries ...string) string {
	return strings.Replace(transaction(entries...), "transaction", "batch", 1)
}

// entry makes an entry; more are further properties of its request, as name, value, …
func entry(fullURL, method, url, resource string, more ...string) string {
	var b strings.Builder
	b.WriteString(`{`)
	if fullURL != "" {
		b.WriteString(`"fullUrl":` + quote(fullURL) + `,`)
	}
	if resource != "" {
		b.WriteString(`"resource":` + resource + `,`)
	}
	b.WriteString(`"request":{"method":` + quote(method) + `,"url":` + quote(url))
	for i := 0; i < len(more); i += 2 {
		b.WriteString(`,"` + more[i] + `":` + quote(more[i+1]))
	}
	return b.String() + `}}`
}

func post(fullURL, url, resource string, more ...string) string {
	return entry(fullURL, "POST", url, resource, more...)
}
func put(url, resource string, more ...string) string {
	return entry("", "PUT", url, resource, more...)
}
func get(url string, more ...string) string { return entry("", "GET", url, "", more...) }
func del(url string) string                 { return entry("", "DELETE", url, "") }

func patient(id, identifier string, more ...string) string {
	s := `{"resourceType":"Patient"`
	if id != "" {
		s += `,"id":"` + id + `"`
	}
	if identifier != "" {
		s += `,"identifier":[{"value":"` + identifier + `"}]`
	}
	for _, m := range more {
		s += "," + m
	}
	return s + "}"
}

// observation has a subject.
func observation(subject string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":` + quote(subject) + `}}`
}

// wantFault checks the kind and the issues, each as "code: a part of its text".
func wantFault(t *testing.T, err error, kind fault.Kind, issues ...string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != kind {
		t.Fatalf("got %v, want kind %v", err, kind)
	}
	if len(f.Issues) != len(issues) {
		t.Fatalf("got issues %+v, want %d", f.Issues, len(issues))
	}
	for i, want := range issues {
		code, text, _ := strings.Cut(want, ": ")
		if f.Issues[i].Code != code || !strings.Contains(f.Issues[i].Text, text) {
			t.Errorf("issue %d is %+v, want %q", i, f.Issues[i], want)
		}
	}
	if s := err.Error() + fmt.Sprint(f.Issues); strings.Contains(s, "MARKER") || strings.Contains(s, "mrn-") {
		t.Errorf("the fault shows a value of the request: %s", s)
	}
}

func statuses(entries []bundle.EntryResult) string {
	var b strings.Builder
	for _, e := range entries {
		if e.Err != nil {
			fmt.Fprintf(&b, "%v,", fault.KindOf(e.Err))
			continue
		}
		fmt.Fprintf(&b, "%d,", e.Status)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func TestProcess_RefusesWhatIsNoBatchOrTransaction(t *testing.T) {
	cases := []struct {
		name, body string
		kind       fault.Kind
		issue      string
	}{
		{"another resource", patient("", ""), fault.Invalid, "invalid: must be a Bundle"},
		{"no object", `[1]`, fault.Invalid, "invalid: must be a Bundle"},
		{"no type", `{"resourceType":"Bundle"}`, fault.MethodNotAllowed, "forbidden: needs a type"},
		{"a document", `{"resourceType":"Bundle","type":"document"}`, fault.Invalid, "invalid: batch and transaction"},
		{"a response", `{"resourceType":"Bundle","type":"batch-response"}`, fault.Invalid, "invalid: batch and transaction"},
		{"entries that are no array", `{"resourceType":"Bundle","type":"batch","entry":{}}`, fault.Invalid, "invalid: array"},
		{"too many entries", batch(get("Patient/a"), get("Patient/a"), get("Patient/a")), fault.Invalid, "invalid: at most 2 entries"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := newHarness(t, nil, bundle.Options{EntryLimit: 2}).process(c.body)
			wantFault(t, err, c.kind, c.issue)
		})
	}
}

func TestProcess_OfNothingAnswersNothing(t *testing.T) {
	for _, typ := range []string{"batch", "transaction"} {
		r, err := newHarness(t, nil, bundle.Options{}).process(`{"resourceType":"Bundle","type":"` + typ + `"}`)
		if err != nil || r.Type != typ+"-response" || len(r.Entries) != 0 {
			t.Errorf("%s: %+v, %v", typ, r, err)
		}
	}
}

func TestBatch_DoesEachEntryByItselfInTheOrderOfVerbs(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	got := h.must(batch(
		get("Patient?identifier=mrn-9"), // sees what the others write
		get("Patient/a"),                // deleted before
		put("Patient/b", patient("b", "mrn-9")),
		post("", "Patient", patient("", "mrn-9")),
		post("", "Patient", patient("", "mrn-1"), "ifNoneExist", "identifier=mrn-1"), // a is gone
		post("", "Patient", patient("", "mrn-2"), "ifNoneExist", "identifier=mrn-2"), // b and c
		post("", "Patient", `{"resourceType":"Patient","colour":"MARKER"}`),
		put("Patient/c", patient("other", "")),
		put("Patient/c", patient("c", ""), "ifMatch", `W/"7"`),
		put("Patient?identifier=mrn-10", patient("", "mrn-10")),
		del("Patient/a"),
		del("Patient?identifier=mrn-77"),
		entry("", "PATCH", "Patient/b", `{"resourceType":"Binary","contentType":"x"}`),
		entry("", "HEAD", "Patient/b", ""),
		entry("", "BREW", "Patient/b", ""),
		entry("", "POST", "$unknown", `{"resourceType":"Parameters"}`),
		entry("", "POST", "Dragon", `{"resourceType":"Dragon"}`),
		entry("", "GET", "", ""),
		del("Patient/b/_history/1"),
		get("Patient/b", "ifNoneMatch", `W/"2"`),
		del("Patient/$unknown"),
	))
	want := "200,gone,200,201,201,precondition,invalid,invalid,precondition,201,204,204," +
		"media type,method not allowed,invalid,not found,not found,invalid,method not allowed,304,not found"
	if statuses(got) != want {
		t.Errorf("statuses\n%s\nwant\n%s", statuses(got), want)
	}
	if string(got[0].Body) != `{"resourceType":"Bundle","total":2}` {
		t.Errorf("the search found %s", got[0].Body)
	}
	e := got[2]
	if e.Location != base+"/Patient/b/_history/2" || e.ETag != `W/"2"` || e.LastModified.IsZero() || e.Version == nil || e.Version.Number != 2 {
		t.Errorf("update answered with %+v", e)
	}
	if e := got[10]; e.ETag != `W/"2"` || e.Version != nil || e.Location != "" {
		t.Errorf("delete answered with %+v", e)
	}
}

func TestBatch_WritesOfOneResourceKeepTheirOrder(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{})
	var entries []string
	for i := range 20 {
		entries = append(entries, put("Patient/a", patient("a", fmt.Sprint(i))), put(fmt.Sprintf("Patient/x%d", i), patient(fmt.Sprint("x", i), "")))
	}
	for i, e := range h.must(batch(entries...)) {
		if i%2 == 0 && (e.Err != nil || e.Version.Number != int64(i/2)+1) {
			t.Errorf("write %d: %+v", i/2, e)
		}
	}
}

func TestBatch_ConcurrentBatchesOnTheSameResourcesAllSucceed(t *testing.T) {
	for _, make := range []func(...string) string{batch, transaction} {
		h := newHarness(t, nil, bundle.Options{}).patients()
		var wg sync.WaitGroup
		for i := range 4 {
			body := make(put("Patient/a", patient("a", fmt.Sprint("v", i))), put("Patient/b", patient("b", fmt.Sprint("v", i))))
			wg.Go(func() {
				if got := statuses(h.must(body)); got != "200,200" {
					t.Errorf("statuses %s", got)
				}
			})
		}
		wg.Wait()
		if v, err := h.service.Read(t.Context(), fhir.Key{Type: "Patient", ID: "a"}); err != nil || v.Number != 5 {
			t.Errorf("version %d, %v", v.Number, err)
		}
	}
}

func TestBatch_LeavesLinksBetweenEntriesAlone(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	got := h.must(batch(post("urn:uuid:p", "Patient", patient("", "")), post("", "Observation", observation("urn:uuid:p")),
		post("", "Observation", observation("Patient?identifier=mrn-1"))))
	if s := string(got[1].Version.Body.JSON); !strings.Contains(s, `"reference":"urn:uuid:p"`) {
		t.Errorf("stored %s", s)
	}
	if s := string(got[2].Version.Body.JSON); !strings.Contains(s, `"reference":"Patient/a"`) {
		t.Errorf("stored %s", s)
	}
}

// broken fails every write.
type broken struct{ store.Store }

func (broken) Write(context.Context, []store.Write) ([]fhir.Version, error) {
	return nil, fault.New(fault.OutOfSpace, "the disk is full")
}

func TestBatch_AFailingStoreFailsTheEntries(t *testing.T) {
	h := newHarness(t, broken{memory.New(time.Now)}, bundle.Options{})
	got := h.must(batch(post("", "Patient", patient("", "")), put("Patient/a", patient("a", "")), get("Patient?_id=a")))
	if statuses(got) != "out of space,out of space,200" {
		t.Errorf("statuses %s", statuses(got))
	}
}

func TestBatch_ReadsURLsInEveryForm(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	cases := []struct{ entry, want string }{
		{get(base + "/Patient/a"), "200"},
		{get("/Patient/a"), "200"},
		{put(base+"/Patient/d", patient("d", "")), "201"},
		{put("Patient/a/b/c", patient("a", "")), "not found"},
		{put("Patient/", patient("a", "")), "invalid"},
		{put("Patient/d?_meta-history=true", patient("d", "x")), "200"},
		{put("Patient?identifier=mrn-1&_meta-history=true", patient("", "mrn-1", `"active":true`)), "200"},
		{post("", "Patient/a", patient("", "")), "not found"},
		{del("Patient/a/b"), "not found"},
		{del("Patient/d?_hardDelete=true"), "204"},
		{get("Patient/d"), "not found"},
		{del("Patient?identifier=mrn-2&hardDelete=true&_count=2"), "204"},
		{get("Patient/b"), "not found"},
		{del("Patient?identifier="), "precondition"},
	}
	for _, c := range cases {
		if got := statuses(h.must(batch(c.entry))); got != c.want {
			t.Errorf("%s: %s, want %s", c.entry, got, c.want)
		}
	}
}

func TestBatch_WithoutReaderRefusesGET(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{})
	r, err := h.Process(t.Context(), bundle.Request{Bundle: parse(t, batch(get("Patient/a"))), Base: base})
	if err != nil || statuses(r.Entries) != "not supported" {
		t.Errorf("got %+v, %v", r, err)
	}
}
