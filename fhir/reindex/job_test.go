package reindex_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/reindex"
)

func TestAJobGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 12)
	h.must(h.put(born()))
	started, err := h.index.Start(t.Context(), reindex.Settings{})
	h.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	h.pause = cancel
	h.index.Work(ctx)
	h.pause = nil
	h.open()
	if j := h.index.Active(); j == nil || j.ID != started.ID || !j.Requested {
		t.Fatalf("job: %+v", j)
	}
	h.counts("born=Born1", false, -1)
	h.work()
	h.counts("born=Born1", false, 6)
	if j, err := h.index.Job(started.ID); err != nil || j.Status != reindex.Completed || j.Progress() != 1000 {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 12)
	for name, s := range map[string]reindex.Settings{
		"too many":     {PerQuery: 10_001},
		"negative":     {PerWrite: -1},
		"both targets": {TargetTypes: []string{"Patient"}, TargetURLs: []string{url}},
		"unknown type": {TargetTypes: []string{"Patiens"}},
		"unknown url":  {TargetURLs: []string{url}},
	} {
		if _, err := h.index.Start(t.Context(), s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	j, err := h.index.Start(t.Context(), reindex.Settings{})
	if err != nil || j.Status != reindex.Completed || j.Details == "" || j.Settings.PerQuery != reindex.DefaultPerQuery {
		t.Errorf("nothing to do: %+v, %v", j, err)
	}
	if _, err := h.index.Cancel(t.Context(), j.ID); !fault.Is(err, fault.Invalid) {
		t.Errorf("cancel what is complete: %v", err)
	}
	first, err := h.index.Start(t.Context(), reindex.Settings{TargetTypes: []string{"Patient"}})
	h.must(err)
	second, err := h.index.Start(t.Context(), reindex.Settings{})
	if err != nil || second.ID != first.ID {
		t.Errorf("a second job: %+v, %v", second, err)
	}
	err = h.put(born())
	if !fault.Is(err, fault.Busy) || !strings.Contains(err.Error(), fmt.Sprint("job ", first.ID)) {
		t.Errorf("a definition while a job is at work: %v", err)
	}
	h.pause = func() {
		j, err := h.index.Job(first.ID)
		if total, done := j.Total(); err != nil || total != 12 || j.Progress() != min(999, done*1000/12) || done == 0 {
			t.Errorf("%d of %d: %d, %v", done, total, j.Progress(), err)
		}
		h.pause = func() { t.Error("work goes on after the job was canceled") }
		_, err = h.index.Cancel(t.Context(), first.ID)
		h.must(err)
	}
	h.work()
	if j, err := h.index.Job(first.ID); err != nil || j.Status != reindex.Canceled {
		t.Errorf("%+v, %v", j, err)
	}
	h.must(h.put(born()))
	if _, err := h.index.Job(99); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown job: %v", err)
	}
	if _, err := h.index.Cancel(t.Context(), 99); !fault.Is(err, fault.NotFound) {
		t.Errorf("cancel an unknown job: %v", err)
	}
}

func TestWritesOfDefinitionsAreChecked(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.must(h.put(born()))
	const gender = "http://hl7.org/fhir/SearchParameter/individual-gender"
	h.must(h.put(parameter("pair", url+"-pair", "pair", "composite", "Patient", fmt.Sprintf(
		`,"component":[{"definition":%q,"expression":"name.family"},{"definition":%q,"expression":"gender"}]`, url, gender))))
	for _, c := range []struct {
		name, json string
		kind       fault.Kind
	}{
		{"same url", parameter("other", url, "other", "string", "Patient.name"), fault.Invalid},
		{"same code", parameter("other", url+"-other", "born", "string", "Patient.address.city"), fault.Invalid},
		{"broken expression", parameter("other", url+"-other", "other", "string", "Patient.nonsense"), fault.Invalid},
		{"FHIR's own", parameter("own", gender, "gender", "token", "Patient.gender"), fault.MethodNotAllowed},
	} {
		if err := h.put(c.json); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := h.Create(t.Context(), interaction.Write{Type: "SearchParameter", Resource: h.node(parameter("x", gender, "gender", "token", "Patient.gender"))}); !fault.Is(err, fault.Invalid) {
		t.Errorf("create of FHIR's own: %v", err)
	}
	for id, kind := range map[fhir.ID]fault.Kind{"individual-gender": fault.MethodNotAllowed, "none": fault.NotFound, "born": fault.Invalid} {
		if _, err := h.Delete(t.Context(), fhir.Key{Type: "SearchParameter", ID: id}, false); !fault.Is(err, kind) {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	counts, err := h.store.Count(t.Context())
	if err != nil || counts["SearchParameter"] != 2 {
		t.Errorf("something refused was stored: %v, %v", counts, err)
	}
}

func TestATransactionDefinesAllOrNone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	post := func(entries ...string) error {
		for i, e := range entries {
			entries[i] = `{"request":{"method":"POST","url":"SearchParameter"},"resource":` + e + "}"
		}
		_, err := bundle.New(h.Service, bundle.Options{}).Process(t.Context(), bundle.Request{
			Bundle: h.node(`{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + "]}"),
		})
		return err
	}
	a, b := parameter("a", url+"-a", "a", "string", "Patient.name"), parameter("b", url+"-b", "b", "string", "Patient.name.given")
	if err := post(a, parameter("b", url+"-b", "a", "string", "Patient.address")); !fault.Is(err, fault.Invalid) {
		t.Errorf("two with one code: %v", err)
	}
	h.status(url+"-a", "")
	h.must(post(a, b))
	h.status(url+"-a", reindex.Supported)
	h.work()
	h.status(url+"-b", reindex.Enabled)
}

func TestSetStatuses_Faults(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	_, err := h.index.SetStatuses(t.Context(), []reindex.ParameterStatus{
		{URL: url, Status: reindex.Disabled},
		{URL: "http://hl7.org/fhir/SearchParameter/individual-gender", Status: reindex.Enabled},
		{URL: "http://hl7.org/fhir/SearchParameter/Resource-query", Status: reindex.Disabled},
		{URL: "http://hl7.org/fhir/SearchParameter/individual-gender", Status: reindex.Disabled},
	})
	if !fault.Is(err, fault.Invalid) || len(fault.As(err).Issues) != 3 {
		t.Errorf("%v", err)
	}
	h.status("http://hl7.org/fhir/SearchParameter/individual-gender", reindex.Enabled)
	if found, err := h.index.Statuses(reindex.StatusQuery{Codes: []string{"gender"}, Types: []string{"Patient"}}); err != nil || len(found) != 1 {
		t.Errorf("by code and type: %v, %v", found, err)
	}
}

func TestOneResourceIsIndexed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 2)
	h.must(h.put(born()))
	key := fhir.Key{Type: "Patient", ID: "p01"}
	values, err := h.index.Preview(t.Context(), key)
	h.must(err)
	found := false
	for _, e := range values {
		found = found || e.Param.Code == "born" && e.Value.Describe(e.Param) == "Born1"
	}
	if !found {
		t.Errorf("%+v", values)
	}
	h.counts("born=Born1", true, 0)
	_, err = h.index.Resource(t.Context(), key)
	h.must(err)
	h.counts("born=Born1", true, 1)
	if _, err := h.index.Preview(t.Context(), fhir.Key{Type: "Patient", ID: "none"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestReferencesBelowAnEarlierBaseStayLocal(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	n := h.node(`{"resourceType":"Patient","id":"a","managingOrganization":{"reference":"https://salus.example/fhir/Organization/o"}}`)
	_, err := h.Update(t.Context(), interaction.Write{Type: "Patient", ID: "a", Resource: n, Base: "https://salus.example/fhir"})
	h.must(err)
	h.counts("organization=Organization/o", false, 1)
	h.open()
	_, err = h.index.Start(t.Context(), reindex.Settings{TargetTypes: []string{"Patient"}})
	h.must(err)
	h.work()
	h.counts("organization=Organization/o", false, 1)
}
