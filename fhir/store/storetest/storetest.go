// Package storetest holds engines to the contract of package store. An engine
// passes when Run, RunModel and RunCrash pass over it:
//
//	func TestStore(t *testing.T) { storetest.Run(t, open) }
//
// It promises to use nothing but the port: parameters, index values and bodies
// are made by hand, so that a failure here is the engine's. Run checks one
// statement of the contract at a time, RunModel compares random operations with
// the model in package memory, RunCrash kills a writing process. What an engine
// adds to the port (formats, compaction, options) it tests itself. An engine
// with internal boundaries, such as chunks of document numbers, should call Run
// a second time with a Factory that starts right before one.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// Factory opens a store on a directory that exists; the same directory again
// means what is stored there. It must not close the store: who opens it does.
type Factory func(t testing.TB, dir string, now func() time.Time) store.Store

// Run checks the contract, one statement a subtest.
func Run(t *testing.T, open Factory) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"Write", writeTests},
		{"Superseded", supersededTests},
		{"Condition", conditionTests},
		{"Match", matchTests},
		{"Filter", filterTests},
		{"Content", contentTests},
		{"Join", joinTests},
		{"Order", orderTests},
		{"Paging", pagingTests},
		{"Include", includeTests},
		{"Explain", explainTests},
		{"History", historyTests},
		{"Changes", changesTests},
		{"Concurrency", concurrencyTests},
		{"Reindex", reindexTests},
		{"Life", lifeTests},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(start(t, open)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(*fixture)
}

// clock is the time as the stores under test see it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock {
	return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fixture is a store under test in a directory of its own. Its methods fail
// the test when the store does not do what they say.
type fixture struct {
	testing.TB
	factory Factory
	dir     string
	clock   *clock
	store   store.Store
}

func start(t *testing.T, open Factory) *fixture {
	f := &fixture{TB: t, factory: open, dir: t.TempDir(), clock: newClock()}
	f.store = open(t, f.dir, f.clock.now)
	t.Cleanup(func() {
		if err := f.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return f
}

func (f *fixture) reopen() {
	f.Helper()
	if err := f.store.Close(); err != nil {
		f.Fatalf("close: %v", err)
	}
	f.store = f.factory(f, f.dir, f.clock.now)
}

// write applies writes a second later than the ones before.
func (f *fixture) write(writes ...store.Write) []fhir.Version {
	f.Helper()
	f.clock.advance(time.Second)
	made, err := f.store.Write(f.Context(), writes)
	if err != nil {
		f.Fatalf("write: %v", err)
	}
	if len(made) != len(writes) {
		f.Fatalf("%d writes returned %d versions", len(writes), len(made))
	}
	return made
}

// put writes one resource with a body of its own and index values.
func (f *fixture) put(name string, values ...searchparam.Entry) fhir.Version {
	f.Helper()
	return f.write(put(name, values...))[0]
}

func (f *fixture) delete(name string) fhir.Version {
	f.Helper()
	return f.write(store.Write{Key: key(name), Method: fhir.Delete, Expect: store.AnyVersion})[0]
}

func (f *fixture) purge(name string) fhir.Version {
	f.Helper()
	return f.write(store.Write{Key: key(name), Method: fhir.Purge, Expect: store.AnyVersion})[0]
}

// refuse checks that writes fail with a kind.
func (f *fixture) refuse(kind fault.Kind, writes ...store.Write) {
	f.Helper()
	made, err := f.store.Write(f.Context(), writes)
	f.isFault(err, kind)
	if made != nil {
		f.Errorf("a refused write returned versions")
	}
}

func (f *fixture) isFault(err error, kind fault.Kind) {
	f.Helper()
	if !fault.Is(err, kind) {
		f.Fatalf("error is %v, want kind %q", err, kind)
	}
}

// holds checks that v is the current version of its resource.
func (f *fixture) holds(v fhir.Version) {
	f.Helper()
	got, err := f.store.Read(f.Context(), v.Key)
	if err != nil {
		f.Fatalf("read %s: %v", v.Key, err)
	}
	f.equal("current version of "+v.Key.String(), got, v)
}

// absent checks that a resource is not known.
func (f *fixture) absent(name string) {
	f.Helper()
	_, err := f.store.Read(f.Context(), key(name))
	f.isFault(err, fault.NotFound)
}

// equal compares; bodies without JSON are equal whether nil or empty.
func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if diff := diff(got, want); diff != "" {
		f.Fatalf("%s (-got +want):\n%s", what, diff)
	}
}

var sameContent = cmp.Options{
	cmp.Comparer(func(a, b fhir.Body) bool {
		return string(a.JSON) == string(b.JSON) && a.Meta == b.Meta
	}),
	cmp.Comparer(func(a, b time.Time) bool { // the location counts: instants are kept in UTC
		return a.Equal(b) && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	}),
}

func diff(got, want any) string { return cmp.Diff(got, want, sameContent) }

// search answers a plan, which must succeed.
func (f *fixture) search(plan *search.Plan) *search.Page {
	f.Helper()
	page, err := f.store.Search(f.Context(), plan)
	if err != nil {
		f.Fatalf("search: %v", err)
	}
	return page
}

// walk visits all pages of a plan, checks their shape and returns the matches.
// between, if any, runs after each page but the last.
func (f *fixture) walk(plan search.Plan, between func()) []fhir.Version {
	f.Helper()
	var all []fhir.Version
	for {
		page := f.search(&plan)
		if page.Next != nil && len(page.Matches) != plan.Count || len(page.Matches) > plan.Count {
			f.Fatalf("page of %d matches, want %d, more: %t", len(page.Matches), plan.Count, page.Next != nil)
		}
		if len(page.Matches) == 0 && plan.After != nil && between == nil {
			f.Fatalf("a page announced another, which is empty")
		}
		all = append(all, page.Matches...)
		if page.Next == nil {
			return all
		}
		if plan.After = page.Next; between != nil {
			between()
		}
	}
}

// find returns what matches a filter on one type, by id, as "a b c".
func (f *fixture) find(typ fhir.Type, filter search.Filter) string {
	f.Helper()
	found := f.walk(search.Plan{Branches: []search.Branch{{Type: typ, Filter: filter}}, Count: 3}, nil)
	slices.SortFunc(found, func(a, b fhir.Version) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return ids(found)
}

// finds checks what matches a filter on observations, and that its negation
// matches the rest.
func (f *fixture) finds(filter search.Filter, want string) {
	f.Helper()
	if got := f.find(observation, filter); got != want {
		f.Errorf("%s\n  matches %q, want %q", describe(filter), got, want)
	}
	var rest []string
	for _, id := range strings.Fields(f.find(observation, nil)) {
		if !slices.Contains(strings.Fields(want), id) {
			rest = append(rest, id)
		}
	}
	if got := f.find(observation, search.Not{Filter: filter}); got != strings.Join(rest, " ") {
		f.Errorf("not %s\n  matches %q, want %q", describe(filter), got, strings.Join(rest, " "))
	}
}

// counts checks Count.
func (f *fixture) counts(want map[fhir.Type]int64) {
	f.Helper()
	got, err := f.store.Count(f.Context())
	if err != nil {
		f.Fatalf("count: %v", err)
	}
	f.equal("counts", got, want)
}

// changes returns the change log after a position.
func (f *fixture) changes(after uint64) []store.Change {
	f.Helper()
	log, err := changes(f.Context(), f.store, after)
	if err != nil {
		f.Fatalf("changes: %v", err)
	}
	return log
}

// changes reads a change log and checks that positions ascend and that time
// does not go back.
func changes(ctx context.Context, s store.Store, after uint64) ([]store.Change, error) {
	var log []store.Change
	last := store.Change{Position: after}
	for c, err := range s.Changes(ctx, after) {
		switch {
		case err != nil:
			return log, err
		case c.Position <= last.Position:
			return log, fmt.Errorf("position %d follows %d", c.Position, last.Position)
		case c.Updated.Before(last.Updated):
			return log, fmt.Errorf("position %d: lastUpdated goes back", c.Position)
		}
		log, last = append(log, c), c
	}
	return log, nil
}

// versions returns the versions of changes.
func versions(log []store.Change) []fhir.Version {
	var all []fhir.Version
	for _, c := range log {
		all = append(all, c.Version)
	}
	return all
}
