package reindex_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/reindex"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store"
	"salus/fhir/store/memory"
	"salus/fhir/validate"
)

var own = sync.OnceValues(func() (*searchparam.Registry, error) { return searchparam.NewRegistry(spec.R4()) })

// harness is a service with its indexer over a store in memory.
type harness struct {
	*interaction.Service
	t     testing.TB
	store store.Store
	index *reindex.Indexer
	pause func()

	integrity bool
}

func newHarness(t testing.TB, prepare ...func(store.Store)) *harness {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := &harness{t: t, store: memory.New(func() time.Time { return at })}
	for _, p := range prepare {
		p(h.store)
	}
	h.open()
	return h
}

// open opens the service on the store, as a start of the program does.
func (h *harness) open() {
	h.t.Helper()
	r, err := own()
	if err != nil {
		h.t.Fatal(err)
	}
	h.index, err = reindex.Open(h.t.Context(), reindex.Options{
		Store: h.store, Params: r, Batch: 4, Integrity: h.integrity,
		Pause: func(context.Context, time.Duration) {
			if h.pause != nil {
				h.pause()
			}
		},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.Service = interaction.New(interaction.Options{
		Definitions: spec.R4(), Params: h.index.Live(), Parameters: h.index,
		Parser: search.NewParser(h.index.Live(), search.Options{}), Validator: validate.New(spec.R4()), Store: h.store, Integrity: h.integrity,
	})
}

func (h *harness) node(json string) fhir.Node {
	h.t.Helper()
	d, err := fhir.Parse([]byte(json))
	if err != nil {
		h.t.Fatal(err)
	}
	return d.Root()
}

func (h *harness) put(json string) error {
	h.t.Helper()
	n := h.node(json)
	_, err := h.Update(h.t.Context(), interaction.Write{Type: n.Type(), ID: n.ID(), Resource: n})
	return err
}

func (h *harness) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) patients(from, to int) {
	h.t.Helper()
	for i := from; i < to; i++ {
		h.must(h.put(fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","gender":"female","name":[{"use":"maiden","family":"Born%d"}]}`, i, i%2)))
	}
}

const url = "http://example.org/SearchParameter/born"

func parameter(id, url, code, typ, expression string, more ...string) string {
	return fmt.Sprintf(`{"resourceType":"SearchParameter","id":%q,"url":%q,"name":"Born","status":"active","description":"Invented.","code":%q,"base":["Patient"],"type":%q,"expression":%q%s}`,
		id, url, code, typ, expression, strings.Join(more, ""))
}

func born() string {
	return parameter("born", url, "born", "string", "Patient.name.where(use='maiden').family")
}

// count counts what a search finds; -1 when a parameter is ignored.
func (h *harness) count(query string, partial bool) int64 {
	h.t.Helper()
	params, err := search.ParseParams(query)
	h.must(err)
	found, err := h.Search(h.t.Context(), search.Request{
		Types: []fhir.Type{"Patient"}, Params: append(params, search.Param{Name: "_summary", Value: "count"}), Partial: partial,
	}, nil)
	h.must(err)
	if len(found.Query.Warnings) > 0 {
		return -1
	}
	return found.Page.Total
}

func (h *harness) counts(query string, partial bool, want int64) {
	h.t.Helper()
	if got := h.count(query, partial); got != want {
		h.t.Errorf("%s (partial: %v) finds %d, want %d", query, partial, got, want)
	}
}

func (h *harness) status(url string, want reindex.Status) {
	h.t.Helper()
	found, err := h.index.Statuses(reindex.StatusQuery{URLs: []string{url}})
	if want == "" {
		if !fault.Is(err, fault.NotFound) {
			h.t.Errorf("%s: %v, %v", url, found, err)
		}
		return
	}
	if err != nil || len(found) != 1 || found[0].Status != want {
		h.t.Errorf("%s: %v, %v, want %s", url, found, err, want)
	}
}

func (h *harness) work() { h.index.Work(h.t.Context()) }

func TestAParameterIsSearchedByOnceEveryResourceHasItsValues(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 10)
	h.must(h.put(born()))
	h.status(url, reindex.Supported)
	h.counts("born=Born1", false, -1)
	h.patients(10, 12) // writes give it values at once
	h.counts("born=Born1", true, 1)
	if j := h.index.Active(); j == nil || j.Requested || j.Progress() != 0 {
		t.Errorf("job: %+v", j)
	}
	h.work()
	h.status(url, reindex.Enabled)
	h.counts("born=Born1", false, 6)
	h.open()
	h.status(url, reindex.Enabled)
	h.counts("born=Born1", false, 6)
	if h.index.Active() != nil {
		t.Error("there is work after all was done")
	}
}

func TestAChangedParameterIsIndexedAnew(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 6)
	h.must(h.put(born()))
	h.work()
	h.must(h.put(parameter("born", url, "born", "string", "Patient.gender")))
	h.status(url, reindex.Supported)
	h.counts("born=female", false, -1)
	h.must(h.put(born())) // back again before anything was indexed
	h.status(url, reindex.Supported)
	h.work()
	h.status(url, reindex.Enabled)
	h.counts("born=Born0", false, 3)
	h.must(h.put(parameter("born", url+"2", "born", "string", "Patient.gender")))
	h.work()
	h.status(url, "")
	h.status(url+"2", reindex.Enabled)
	h.counts("born=Born0", false, 0)
	h.counts("born=female", false, 6)
}

func TestADeletedParameterLosesItsValues(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 6)
	h.must(h.put(born()))
	h.work()
	_, err := h.Delete(t.Context(), fhir.Key{Type: "SearchParameter", ID: "born"}, false)
	h.must(err)
	h.status(url, reindex.PendingDelete)
	h.counts("born=Born0", false, -1)
	h.open() // the deletion is known from the store alone
	h.status(url, reindex.PendingDelete)
	h.work()
	h.status(url, "")
	r := h.index.Live().Registry().With(searchparam.Selection{Custom: []*spec.SearchParam{searchparam.Define(h.node(born()))}}, nil)
	page, err := h.store.Search(t.Context(), &search.Plan{Total: true, Branches: []search.Branch{{
		Type: "Patient", Filter: search.Missing{Param: r.Param("Patient", "born"), Missing: true},
	}}})
	if err != nil || page.Total != 6 {
		t.Errorf("%v: values are left in all but %d patients", err, page.Total)
	}
}

func TestAStandardParameterCanBeSwitchedOffAndOn(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 6)
	const gender = "http://hl7.org/fhir/SearchParameter/individual-gender"
	set := func(s reindex.Status) []reindex.ParameterStatus {
		now, err := h.index.SetStatuses(t.Context(), []reindex.ParameterStatus{{URL: gender, Status: s}})
		h.must(err)
		return now
	}
	h.status(gender, reindex.Enabled)
	if now := set(reindex.Disabled); now[0].Status != reindex.PendingDisable {
		t.Errorf("switched off: %v", now)
	}
	h.counts("gender=female", false, -1)
	h.open()
	h.status(gender, reindex.PendingDisable)
	h.work()
	h.status(gender, reindex.Disabled)
	h.counts("gender=female", false, -1)
	if now := set(reindex.Supported); now[0].Status != reindex.Supported {
		t.Errorf("switched on: %v", now)
	}
	h.counts("gender=female", true, 0) // the values are gone
	h.work()
	h.status(gender, reindex.Enabled)
	h.counts("gender=female", false, 6)
}

func TestValuesOfAnEarlierProgramAreMadeAnewWhileSearchesGoOn(t *testing.T) {
	t.Parallel()
	r, err := own()
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t)
	h.patients(0, 6)
	h.must(h.store.SetState(t.Context(), reindex.EarlierState(r, "Patient")))
	h.open()
	h.counts("gender=female", false, 6)
	j := h.index.Active()
	if j == nil || len(j.Types) != 1 || j.Types[0].Type != "Patient" || len(j.Params) < 20 {
		t.Fatalf("job: %+v", j)
	}
	h.pause = func() { h.counts("gender=female", false, 6) }
	h.work()
	h.open()
	if h.index.Active() != nil {
		t.Error("it is indexed again at the next start")
	}
}

func TestDataWithoutStateIsTakenForTheFirstRevision(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if j := h.index.Active(); j != nil {
		t.Errorf("an empty store has work: %+v", j)
	}
}

func TestWritersGoOnWhileResourcesAreIndexed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 20)
	h.must(h.put(born()))
	next := 20
	h.pause = func() { // between two batches
		h.must(h.put(fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","name":[{"use":"maiden","family":"Later"}]}`, next%20)))
		h.patients(next, next+1)
		next++
	}
	h.work()
	changed := int64(next - 20)
	if changed < 5 {
		t.Fatalf("%d batches", changed)
	}
	h.counts("born=Later", false, changed)
	h.counts("born:missing=true", false, 0)
	h.counts("born=Born", false, 20)
}

func TestADefinitionThatChangesMeanwhileIsFollowed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.patients(0, 12)
	h.must(h.put(born()))
	other := parameter("more", url+"-more", "more", "token", "Patient.gender")
	h.pause = func() {
		h.pause = nil
		h.must(h.put(other)) // nobody has asked for the job that it interrupts
	}
	h.work()
	h.status(url, reindex.Enabled)
	h.status(url+"-more", reindex.Enabled)
	h.counts("more=female", false, 12)
}
