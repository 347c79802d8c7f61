package interaction_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
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

// clock is one second further at every look.
type clock struct {
	mu  sync.Mutex // protects fields below
	now time.Time
}

func (c *clock) tick() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Second)
	return c.now
}

type harness struct {
	*interaction.Service
	t     testing.TB
	store store.Store
	clock *clock
}

// newHarness returns a service over st, or over an empty memory store.
func newHarness(t testing.TB, wrap ...func(store.Store) store.Store) *harness {
	t.Helper()
	return newHarnessWith(t, func(*interaction.Options) {}, wrap...)
}

// newHarnessWith returns a service with other options.
func newHarnessWith(t testing.TB, set func(*interaction.Options), wrap ...func(store.Store) store.Store) *harness {
	t.Helper()
	o, err := parts()
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	o.Now = c.tick
	o.Store = memory.New(c.tick)
	for _, w := range wrap {
		o.Store = w(o.Store)
	}
	var mu sync.Mutex
	ids := 0
	o.NewID = func() fhir.ID {
		mu.Lock()
		defer mu.Unlock()
		ids++
		return fhir.ID(fmt.Sprintf("new-%d", ids))
	}
	set(&o)
	return &harness{interaction.New(o), t, o.Store, c}
}

func parse(t testing.TB, json string) fhir.Node {
	t.Helper()
	d, err := fhir.Parse([]byte(json))
	if err != nil {
		t.Fatalf("fixture: %v", err)
	}
	return d.Root()
}

// patient is a resource with an identifier and more properties.
func patient(id, identifier string, more ...string) string {
	parts := []string{`"resourceType":"Patient"`}
	if id != "" {
		parts = append(parts, `"id":"`+id+`"`)
	}
	if identifier != "" {
		parts = append(parts, `"identifier":[{"system":"urn:example:mrn","value":"`+identifier+`"}]`)
	}
	return "{" + strings.Join(append(parts, more...), ",") + "}"
}

func (h *harness) write(json string) interaction.Write {
	h.t.Helper()
	n := parse(h.t, json)
	return interaction.Write{Type: n.Type(), ID: n.ID(), Resource: n, Base: base}
}

func (h *harness) put(json string) interaction.Result {
	h.t.Helper()
	r, err := h.Update(h.t.Context(), h.write(json))
	if err != nil {
		h.t.Fatalf("update: %v", err)
	}
	return r
}

// versions returns the numbers of a resource's versions, newest first.
func (h *harness) versions(key fhir.Key) []int64 {
	h.t.Helper()
	page, err := h.store.History(h.t.Context(), store.HistoryQuery{Type: key.Type, ID: key.ID, Count: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	var numbers []int64
	for _, v := range page.Versions {
		numbers = append(numbers, v.Number)
	}
	return numbers
}

func (h *harness) count(typ fhir.Type) int64 {
	h.t.Helper()
	counts, err := h.store.Count(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return counts[typ]
}

// wantFault checks kind, code of the first issue and a part of its text.
func wantFault(t testing.TB, err error, kind fault.Kind, code, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", kind)
	}
	f := fault.As(err)
	if f.Kind != kind {
		t.Fatalf("kind %v (%v), want %v", f.Kind, err, kind)
	}
	gotCode, gotText := "", f.Message
	if len(f.Issues) > 0 {
		gotCode, gotText = f.Issues[0].Code, f.Issues[0].Text
	}
	if gotCode != code {
		t.Errorf("issue code %q, want %q", gotCode, code)
	}
	if !strings.Contains(gotText, text) {
		t.Errorf("text %q does not contain %q", gotText, text)
	}
	for _, secret := range []string{"MARKER", "mrn-"} {
		if strings.Contains(err.Error()+fmt.Sprint(f.Issues), secret) {
			t.Errorf("the fault shows a value of the request: %v %v", err, f.Issues)
		}
	}
}
