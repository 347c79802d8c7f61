package bundle_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/store"
	"salus/fhir/store/memory"
)

func TestTransaction_DoesAllEntries(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	body := transaction(
		post("", "Patient", patient("", "mrn-5")),
		post("", "Patient", patient("", "mrn-6"), "ifNoneExist", "identifier=mrn-6"),
		put("Patient/new", patient("new", "")),
		put("Patient?identifier=mrn-7", patient("", "mrn-7")),
		get("Patient/c"),
		get("Patient?identifier=mrn-5"),
		del("Patient/b"),
		get("Patient/new"), // which the transaction itself makes
	)
	got := h.must(body)
	if statuses(got) != "201,201,201,201,200,200,204,200" {
		t.Errorf("statuses %s", statuses(got))
	}
	if string(got[5].Body) != `{"resourceType":"Bundle","total":1}` {
		t.Errorf("the search does not see the create: %s", got[5].Body)
	}
	for _, i := range []int{0, 1, 2, 3} {
		if !got[i].LastModified.Equal(got[6].LastModified) {
			t.Errorf("entry %d has another time than the delete", i)
		}
	}
	// Conditional entries are stable, the others happen again.
	again := h.must(body)
	if statuses(again) != "201,200,200,200,200,200,204,200" {
		t.Errorf("statuses of the second time %s", statuses(again))
	}
	if again[1].Location != got[1].Location || again[3].Location != got[3].Location {
		t.Errorf("conditional entries moved: %s, %s", again[1].Location, again[3].Location)
	}
}

func TestTransaction_FailsAsAWhole(t *testing.T) {
	fine := []string{del("Patient/a"), post("", "Patient", patient("", "mrn-9")), put("Patient/b", patient("b", "mrn-9"))}
	const processing = "processing: nothing of it was stored"
	cases := []struct {
		name   string
		entry  string
		kind   fault.Kind
		issues []string
	}{
		{"an unknown type", post("", "Dragon", `{"resourceType":"Dragon"}`), fault.NotFound, []string{processing + ", at POST Dragon", ": no resource type"}},
		{"an invalid resource", post("", "Patient", `{"resourceType":"Patient","colour":"MARKER"}`), fault.Invalid, []string{processing, "structure: Patient"}},
		{"an update without id", put("Patient/c", patient("", "")), fault.Invalid, []string{processing + ", at PUT Patient/c", "invalid: needs the id"}},
		{"an update of a type", put("Patient", patient("c", "")), fault.Invalid, []string{processing, "invalid: not selective enough"}},
		{"a stale If-Match", put("Patient/c", patient("c", "x"), "ifMatch", `W/"9"`), fault.Precondition, []string{processing, ": not the current version"}},
		{"a bad If-Match", put("Patient/c", patient("c", "x"), "ifMatch", `9`), fault.Invalid, []string{processing, ": weak entity tag"}},
		{"several matches of a conditional create", post("", "Patient", patient("", ""), "ifNoneExist", "identifier=mrn-2"), fault.Precondition, []string{processing, "required: more than one"}},
		{"several matches of a conditional update", put("Patient?identifier=mrn-2", patient("", "")), fault.Precondition, []string{processing + ", at PUT Patient?identifier", "required: more than one"}},
		{"an unresolvable reference", post("", "Observation", observation("Patient?identifier=MARKER")), fault.Invalid, []string{processing, "invalid: matches no resource"}},
		{"an ambiguous reference", post("", "Observation", observation("Patient?identifier=mrn-2")), fault.Invalid, []string{processing, "invalid: more than one"}},
		{"a read of nothing", get("Patient/none"), fault.NotFound, []string{processing + ", at GET Patient/none", ": Patient/none"}},
		{"a read of what it deletes", get("Patient/a"), fault.Gone, []string{processing, ": itself deletes"}},
		{"a bad search", get("Patient?birthdate=MARKER"), fault.Invalid, []string{processing + ", at GET Patient?birthdate", "invalid: not a date"}},
		{"a conditional delete", del("Patient?identifier=mrn-1"), fault.Invalid, []string{processing + ", at DELETE Patient?identifier", "invalid: delete by id"}},
		{"a hard delete", del("Patient/c?hardDelete=true"), fault.Invalid, []string{processing, "invalid: without a query"}},
		{"a search by POST", entry("", "POST", "Patient/_search", ""), fault.Invalid, []string{processing, "invalid: by POST"}},
		{"an operation by POST", entry("", "POST", "Patient/c/$check", `{"resourceType":"Parameters"}`), fault.Invalid, []string{processing, "invalid: by POST"}},
		{"a Bundle", post("", "Bundle", `{"resourceType":"Bundle","type":"collection"}`), fault.Invalid, []string{processing, "invalid: cannot hold a Bundle"}},
		{"a patch that cannot be applied", entry("", "PATCH", "Patient/c", binary(`[{"op":"remove","path":"/photo"}]`)), fault.Invalid, []string{processing + ", at PATCH Patient/c", "invalid: leads nowhere"}},
		{"a patch of nothing", entry("", "PATCH", "Patient/none", binary(`[]`)), fault.NotFound, []string{processing + ", at PATCH Patient/none", ": Patient/none"}},
		{"a PATCH that carries no patch", entry("", "PATCH", "Patient/c", patient("c", "")), fault.Invalid, []string{processing, "invalid: Parameters"}},
		{"no method", `{"request":{"url":"Patient"}}`, fault.Invalid, []string{processing + ", at an entry without", "invalid: request.method"}},
		{"no request", `{"resource":{"resourceType":"Patient"}}`, fault.Invalid, []string{processing + ", at an entry without", "invalid: request.method"}},
		{"a patch of what it updates", entry("", "PATCH", "Patient/b", binary(`[]`)), fault.Invalid, []string{"invalid: two entries of the transaction are about Patient/b"}},
		{"an update of what it deletes", put("Patient/a", patient("a", "")), fault.Invalid, []string{"invalid: two entries of the transaction are about Patient/a"}},
		{"two updates of one resource", put("Patient/b", patient("b", "x")), fault.Invalid, []string{"invalid: two entries of the transaction are about Patient/b"}},
		{"a conditional match of what it deletes", post("", "Patient", patient("", ""), "ifNoneExist", "identifier=mrn-1"), fault.Invalid, []string{"invalid: about Patient/a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, nil, bundle.Options{}).patients()
			before := changes(t, h.store)
			_, err := h.process(transaction(append([]string{c.entry}, fine...)...))
			wantFault(t, err, c.kind, c.issues...)
			if after := changes(t, h.store); after != before {
				t.Errorf("%d changes were stored", after-before)
			}
		})
	}
}

func changes(t *testing.T, s store.Store) int {
	t.Helper()
	n := 0
	for _, err := range s.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestTransaction_RefusesDuplicates(t *testing.T) {
	cases := map[string]string{
		"of a fullUrl": transaction(post("urn:uuid:p", "Patient", patient("", "")), post("urn:uuid:p", "Patient", patient("", ""))),
		"of criteria": transaction(post("", "Patient", patient("", "1"), "ifNoneExist", "identifier=1&active=true"),
			put("Patient?active=true&identifier=1", patient("", "1"))),
	}
	for name, body := range cases {
		_, err := newHarness(t, nil, bundle.Options{}).process(body)
		t.Run(name, func(t *testing.T) { wantFault(t, err, fault.Invalid, "invalid: two entries") })
	}
	// The same id under two types is no duplicate.
	h := newHarness(t, nil, bundle.Options{})
	h.must(transaction(put("Patient/x", patient("x", "")), put("Basic/x", `{"resourceType":"Basic","id":"x","code":{"text":"x"}}`)))
}

func TestTransaction_RewritesLinks(t *testing.T) {
	const p = "urn:uuid:patient" // not a UUID, as clients do
	cases := []struct{ name, in, out string }{
		{"a reference", `"subject":{"reference":"` + p + `"}`, `"subject":{"reference":"Patient/new-1"}`},
		{"an escaped reference", `"subject":{"reference":"urn:uuid:\u0070atient"}`, `"subject":{"reference":"Patient/new-1"}`},
		{"a foreign URN", `"subject":{"reference":"urn:uuid:other"}`, `"subject":{"reference":"urn:uuid:other"}`},
		{"a reference within an extension", `"extension":[{"url":"http://x","valueReference":{"reference":"` + p + `"}}]`, `"valueReference":{"reference":"Patient/new-1"}`},
		{"a uri", `"extension":[{"url":"http://x","valueUri":"` + p + `"}]`, `"valueUri":"Patient/new-1"`},
		{"a canonical", `"meta":{"profile":["` + p + `"]}`, `"profile":["` + p + `"]`},
		{"a reference to a version", `"subject":{"reference":"` + p + `/_history/7"}`, `"subject":{"reference":"Patient/new-1/_history/1"}`},
		{"a string", `"extension":[{"url":"http://x","valueString":"` + p + `"}]`, `"valueString":"` + p + `"`},
		{"the value of an identifier", `"identifier":[{"system":"urn:ietf:rfc:3986","value":"` + p + `"}]`, `"value":"` + p + `"`},
		{"a display", `"subject":{"display":"` + p + `"}`, `"display":"` + p + `"`},
		{"a contained resource", `"contained":[{"resourceType":"Observation","id":"c","status":"final","code":{"text":"x"},"subject":{"reference":"` + p + `"}}],"hasMember":[{"reference":"#c"}]`, `"subject":{"reference":"Patient/new-1"}}],"hasMember":[{"reference":"#c"}]`},
		{"a link in the narrative", `"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"` + p + `\">` + p + `</a> <a href='urn:uuid:other'>b</a></div>"}`,
			`<a href=\"Patient/new-1\">` + p + `</a> <a href='urn:uuid:other'>b</a></div>`},
	}
	for _, c := range cases {
		for _, first := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				h := newHarness(t, nil, bundle.Options{})
				// An update gets no new id, so that the patient's is new-1 in either order.
				source := put("Observation/o", `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},`+c.in+`}`)
				target := post(p, "Patient", patient("", ""))
				if first {
					h.must(transaction(source, target))
				} else {
					h.must(transaction(target, source))
				}
				if got := h.stored("Observation/o"); !strings.Contains(got, c.out) {
					t.Errorf("stored\n%s\nwithout\n%s", got, c.out)
				}
			})
		}
	}
}

func TestTransaction_LinksToEveryKindOfEntry(t *testing.T) {
	cases := []struct{ name, target, ref, want string }{
		{"update", entry("urn:uuid:x", "PUT", "Patient/z", patient("z", "")), "urn:uuid:x", "Patient/z"},
		{"conditional create that matches", post("urn:uuid:x", "Patient", patient("", ""), "ifNoneExist", "identifier=mrn-1"), "urn:uuid:x", "Patient/a"},
		{"conditional create that does not", post("urn:uuid:x", "Patient", patient("", ""), "ifNoneExist", "identifier=mrn-8"), "urn:uuid:x", "Patient/new-"},
		{"conditional update that matches", entry("urn:uuid:x", "PUT", "Patient?identifier=mrn-1", patient("", "mrn-1")), "urn:uuid:x", "Patient/a"},
		{"conditional update that does not", entry("urn:uuid:x", "PUT", "Patient?identifier=mrn-8", patient("", "mrn-8")), "urn:uuid:x", "Patient/new-"},
		{"absolute fullUrl", post("http://old.example/fhir/Patient/1", "Patient", patient("", "")), "http://old.example/fhir/Patient/1", "Patient/new-"},
		{"relative reference below the same base", post("http://old.example/fhir/Patient/1", "Patient", patient("", "")), "Patient/1", "Patient/new-"},
		{"relative reference below another base", post("http://older.example/fhir/Patient/1", "Patient", patient("", "")), "Patient/1", "Patient/1"},
		{"relative fullUrl", post("Patient/1", "Patient", patient("", "")), "Patient/1", "Patient/new-"},
		{"search-style reference", post("urn:uuid:x", "Patient", patient("", "")), "Patient?identifier=mrn-1", "Patient/a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, nil, bundle.Options{}).patients()
			got := h.must(transaction(post("http://old.example/fhir/Observation/9", "Observation", observation(c.ref)), c.target))
			if s := string(got[0].Version.Body.JSON); !strings.Contains(s, `"subject":{"reference":"`+c.want) {
				t.Errorf("stored %s", s)
			}
			r, err := h.read(t.Context(), bundle.Get{URL: "Observation?subject:Patient.identifier=mrn-1"})
			if err != nil {
				t.Fatal(err)
			}
			if found := strings.Contains(string(r.Body), `"total":1`); found != (c.want == "Patient/a") {
				t.Errorf("found through the index: %v", found)
			}
		})
	}
}

func TestTransaction_ReferencesToVersionsNameTheNewOnes(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients() // a, b, c at version 1
	const old = "http://old.example/fhir/Patient/"
	cases := []struct{ target, ref, want string }{
		{entry(old+"a", "PUT", "Patient/a", patient("a", "mrn-1")), old + "a/_history/9", "Patient/a/_history/2"}, // even though it is equal
		{entry(old+"d", "PUT", "Patient/d", patient("d", "")), "Patient/d/_history/9", "Patient/d/_history/1"},
		{post(old+"x", "Patient", patient("", ""), "ifNoneExist", "identifier=mrn-1"), old + "x/_history/9", "Patient/a/_history/2"},
		{entry(old+"x", "PUT", "Patient?identifier=mrn-1", patient("", "mrn-1")), old + "x/_history/9", "Patient/a/_history/3"},
		{post(old+"x", "Patient", patient("", "")), old + "other/_history/9", old + "other/_history/9"},
	}
	for _, c := range cases {
		got := h.must(transaction(post("http://old.example/fhir/Observation/9", "Observation", observation(c.ref)), c.target))
		if s := string(got[0].Version.Body.JSON); !strings.Contains(s, `"subject":{"reference":"`+c.want+`"`) {
			t.Errorf("%s\nstored %s", c.ref, s)
		}
		if strings.HasPrefix(c.want, "Patient") && !strings.HasSuffix(got[1].Location, c.want) {
			t.Errorf("%s leads to %s", c.want, got[1].Location)
		}
	}
}

// racing lets another writer come first, once.
type racing struct {
	store.Store
	once  sync.Once
	other store.Write
}

func (s *racing) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	var err error
	if len(writes) > 1 {
		s.once.Do(func() { _, err = s.Store.Write(ctx, []store.Write{s.other}) })
	}
	if err != nil {
		return nil, err
	}
	return s.Store.Write(ctx, writes)
}

func TestTransaction_TriesAgainAfterALostRace(t *testing.T) {
	key := fhir.Key{Type: "Patient", ID: "z"}
	other := store.Write{Key: key, Method: fhir.Put, Expect: store.AnyVersion, Body: fhir.NewBody(parse(t, patient("z", "other")), "z", nil)}
	h := newHarness(t, &racing{Store: memory.New(time.Now), other: other}, bundle.Options{})
	got := h.must(transaction(put("Patient/z", patient("z", "mine")), post("urn:uuid:p", "Patient", patient("", "")), post("", "Observation", observation("urn:uuid:p"))))
	if statuses(got) != "200,201,201" || got[0].Version.Number != 2 {
		t.Errorf("statuses %s, version %d", statuses(got), got[0].Version.Number)
	}
	if ref, to := string(got[2].Version.Body.JSON), got[1].Version.Key.String(); !strings.Contains(ref, `"`+to+`"`) {
		t.Errorf("the link %s does not lead to %s", ref, to)
	}

	h = newHarness(t, &racing{Store: memory.New(time.Now), other: other}, bundle.Options{})
	h.must(transaction(put("Patient/z", patient("z", "first"))))
	_, err := h.process(transaction(put("Patient/z", patient("z", "mine"), "ifMatch", `W/"1"`), put("Patient/y", patient("y", ""))))
	wantFault(t, err, fault.Precondition, "processing: PUT Patient/z", ": not the current version")
}

func TestTransaction_RacingConditionalCreatesMakeOneResource(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{})
	body := transaction(
		post("urn:uuid:p", "Patient", patient("", "mrn-1"), "ifNoneExist", "identifier=mrn-1"),
		post("urn:uuid:q", "Patient", patient("", "mrn-2"), "ifNoneExist", "identifier=mrn-2"),
		post("", "Observation", observation("urn:uuid:p")))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { h.must(body) })
	}
	wg.Wait()
	if h.count("Patient") != 2 || h.count("Observation") != 16 {
		t.Errorf("%d patients, %d observations", h.count("Patient"), h.count("Observation"))
	}
}

func TestTransaction_AFailingStoreFailsIt(t *testing.T) {
	h := newHarness(t, broken{memory.New(time.Now)}, bundle.Options{})
	_, err := h.process(transaction(post("", "Patient", patient("", ""))))
	if !fault.Is(err, fault.OutOfSpace) {
		t.Errorf("got %v", err)
	}
}

func TestTransaction_APanicReachesTheCaller(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{})
	defer func() {
		if recover() == nil {
			t.Error("the panic was lost")
		}
	}()
	request := bundle.Request{Bundle: parse(t, batch(get("Patient/a"), get("Patient/b"))), Base: base}
	request.Read = func(context.Context, bundle.Get) (bundle.Reply, error) { panic("a defect") }
	_, err := h.Process(t.Context(), request)
	t.Errorf("returned %v", err)
}
