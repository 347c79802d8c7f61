package bundle_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/store"
	"salus/fhir/store/memory"
)

func TestProcess_FollowsFHIRWhenStrict(t *testing.T) {
	h := newHarnessWith(t, nil, bundle.Options{}, strict).patients()
	_, err := h.process(`{"resourceType":"Bundle"}`)
	wantFault(t, err, fault.Invalid, "invalid: needs a type")
	_, err = h.Process(t.Context(), bundle.Request{Bundle: parse(t, batch()), Base: base, Logic: "sideways"})
	wantFault(t, err, fault.Invalid, "not-supported: parallel or sequential")
	for _, body := range []string{batch(entry("", "HEAD", "Patient/a", "")), transaction(entry("", "HEAD", "Patient/a", ""))} {
		if got := h.must(body)[0]; got.Status != 200 || got.Body != nil || got.LastModified.IsZero() {
			t.Errorf("HEAD: %+v", got)
		}
	}
}

func TestTransaction_DeletesByCriteriaWhenStrict(t *testing.T) {
	h := newHarnessWith(t, nil, bundle.Options{}, strict).patients()
	got := h.must(transaction(del("Patient?identifier=mrn-1"), del("Patient?identifier=mrn-7"), del("Patient?identifier=mrn-8"), del("Patient/b?hardDelete=true"),
		post("", "Bundle", `{"resourceType":"Bundle","type":"collection"}`)))
	if statuses(got) != "204,204,204,204,201" || h.count("Patient") != 1 {
		t.Errorf("statuses %s, %d are left", statuses(got), h.count("Patient"))
	}
	h = newHarnessWith(t, nil, bundle.Options{}, strict).patients()
	_, err := h.process(transaction(del("Patient?identifier=mrn-1"), put("Patient/a", patient("a", ""))))
	wantFault(t, err, fault.Invalid, "invalid: about Patient/a")
	_, err = h.process(transaction(del("Patient?identifier=mrn-2"), put("Patient/z", patient("z", ""))))
	wantFault(t, err, fault.Precondition, "processing: DELETE Patient?identifier", "multiple-matches: more than one")
	if h.count("Patient") != 3 {
		t.Error("something was done")
	}
}

func TestProcess_RefusesSearchParametersThatWouldBeOne(t *testing.T) {
	param := func(id, url, code, base string) string {
		return put("SearchParameter/"+id, `{"resourceType":"SearchParameter","id":"`+id+`","url":"`+url+`","name":"x","status":"active","description":"x","code":"`+
			code+`","base":["Basic","`+base+`"],"type":"token","expression":"Patient.gender"}`)
	}
	cases := []struct{ name, one, other, issue string }{
		{"urls", param("a", "http://x/1", "a", "Patient"), param("b", "http://x/1", "b", "Patient"), "invalid: duplicate Urls"},
		{"codes", param("a", "http://x/1", "a", "Patient"), param("b", "http://x/2", "a", "Person"), "invalid: duplicate codes:"},
		{"both", param("a", "http://x/1", "a", "Patient"), param("b", "http://x/1", "a", "Patient"), "invalid: duplicate codes and Urls"},
	}
	for _, c := range cases {
		for _, kind := range []func(...string) string{batch, transaction} {
			t.Run(c.name, func(t *testing.T) {
				h := newHarness(t, nil, bundle.Options{})
				_, err := h.process(kind(put("Patient/a", patient("a", "")), c.one, c.other))
				wantFault(t, err, fault.Invalid, c.issue)
				if h.count("Patient") != 0 {
					t.Error("something was stored")
				}
			})
		}
	}
}

// late ends the time of a request with the first write.
type late struct{ store.Store }

func (s late) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	<-ctx.Done()
	return s.Store.Write(ctx, writes)
}

func TestProcess_EndsWhenTheTimeIsOver(t *testing.T) {
	entries := []string{put("Patient/a", patient("a", "")), post("", "Patient", patient("", "")), get("Patient?_id=a")}
	h := newHarness(t, late{memory.New(time.Now)}, bundle.Options{Timeout: time.Millisecond})
	if _, err := h.process(transaction(entries...)); !fault.Is(err, fault.Timeout) {
		t.Errorf("transaction: %v", err)
	}
	if got := statuses(h.must(batch(entries...))); got != "timeout,timeout,timeout" {
		t.Errorf("batch: %s", got)
	}
	if h.count("Patient") != 0 {
		t.Error("something was stored")
	}
}

func TestTransaction_AsksForWhatItMakes(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{}).patients()
	got := h.must(transaction(get("Patient/new?_format=json"), put("Patient/new", patient("new", "")), get("/Patient/a?x=y"), put("Patient/a", patient("a", "mrn-9"))))
	if got[0].Err != nil || got[2].Err != nil {
		t.Errorf("%v, %v", got[0].Err, got[2].Err)
	}
}

func TestProcess_KeepsReferencesWholeWhenTold(t *testing.T) {
	refers := func(id, to string) string {
		return put("Observation/"+id, `{"resourceType":"Observation","id":"`+id+`","status":"final","code":{"text":"x"},"subject":{"reference":"`+to+`"}}`)
	}
	h := newHarnessWith(t, nil, bundle.Options{}, whole).patients()
	h.must(transaction(refers("o", "Patient/d"), put("Patient/d", patient("d", "")), post("urn:uuid:p", "Patient", patient("", "")), refers("p", "urn:uuid:p")))
	_, err := h.process(transaction(put("Patient/e", patient("e", "")), refers("q", "Patient/none")))
	wantFault(t, err, fault.Invalid, "processing: PUT Observation/q", "not-found: leads to no Patient")
	_, err = h.process(transaction(refers("q", "Patient/a"), del("Patient/a")))
	wantFault(t, err, fault.Invalid, "processing: PUT Observation/q", "not-found: leads to no Patient")
	_, err = h.process(transaction(put("Patient/e", patient("e", "")), del("Patient/d")))
	wantFault(t, err, fault.Conflict, "processing: DELETE Patient/d", ": 1 Observation")
	got := h.must(batch(refers("q", "Patient/none"), refers("r", "Patient/b"), post("", "Observation", observation("Patient/none")),
		post("", "Observation", observation("Patient/c")), del("Patient/d"), del("Patient/a")))
	if statuses(got) != "invalid,201,invalid,201,conflict,204" {
		t.Errorf("batch: %s", statuses(got))
	}
	if got := h.must(transaction(del("Patient/d"), del("Observation/o"))); statuses(got) != "204,204" {
		t.Errorf("both ends: %s", statuses(got))
	}
}

func TestProcess_RacingConditionalEntriesMakeOneResource(t *testing.T) {
	h := newHarness(t, nil, bundle.Options{})
	criteria := []string{"identifier=mrn-1", "identifier=%6Drn-1", "active=true", "identifier=mrn-1&active=true", "active=true&identifier=mrn-1,mrn-2"}
	var created atomic.Int64
	var wg sync.WaitGroup
	for i := range 32 {
		c := criteria[i%len(criteria)]
		e := post("", "Patient", patient("", "mrn-1", `"active":true`), "ifNoneExist", c)
		if i%3 == 0 {
			e = put("Patient?"+c, patient("", "mrn-1", `"active":true`))
		}
		body := batch(e)
		if i%2 == 0 {
			body = transaction(e, post("", "Basic", `{"resourceType":"Basic","code":{"text":"x"}}`))
		}
		wg.Go(func() {
			got := h.must(body)
			if got[0].Err != nil {
				t.Errorf("client %d: %v", i, got[0].Err)
			}
			if got[0].Status == 201 {
				created.Add(1)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 || h.count("Patient") != 1 {
		t.Errorf("%d were created, %d are there", created.Load(), h.count("Patient"))
	}
}

// choosy refuses every search parameter.
type choosy struct{}

func (choosy) Admit(_ context.Context, writes []store.Write) (func(bool), error) {
	for _, w := range writes {
		if w.Key.Type == "SearchParameter" {
			return nil, fault.New(fault.Busy, "no search parameters now")
		}
	}
	return func(bool) {}, nil
}

func (choosy) Deletable(fhir.Key, bool) error { return nil }

func (choosy) Reached(context.Context, string) error { return nil }

func TestProcess_ARefusedSearchParameterFailsByItself(t *testing.T) {
	h := newHarnessWith(t, nil, bundle.Options{}, func(o *interaction.Options) { o.Parameters = choosy{} })
	r := h.must(batch(post("", "SearchParameter", `{"resourceType":"SearchParameter","url":"http://x","name":"x","status":"active","description":"x","code":"x","base":["Patient"],"type":"token"}`),
		post("", "Patient", patient("", ""))))
	_, err := h.process(transaction(post("", "Patient", patient("", "")), put("SearchParameter/x", `{"resourceType":"SearchParameter","id":"x","url":"http://x","name":"x","status":"active","description":"x","code":"x","base":["Patient"],"type":"token"}`)))
	wantFault(t, err, fault.Busy, "processing: PUT SearchParameter/x", ": no search parameters now")
	if !fault.Is(r[0].Err, fault.Busy) || r[1].Err != nil || r[1].Status != 201 || h.count("Patient") != 1 {
		t.Errorf("%+v", r)
	}
}
