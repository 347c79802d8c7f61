package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var lifeTests = []test{
	{"reopening keeps everything", reopenKeeps},
	{"reopening many times goes on where it was", reopenOften},
	{"a store may be closed twice and serves nothing afterwards", closeTwice},
	{"closing waits for the writes in work", closeWaits},
	{"a call whose context is done fails and leaves nothing", canceled},
	{"an empty store answers everything", emptyStore},
}

func reopenKeeps(f *fixture) {
	all := story(f)
	family(f)
	type seen struct {
		Log     []store.Change
		Page    *search.Page
		Counts  map[fhir.Type]int64
		History *store.HistoryPage
		Chained string
	}
	look := func() seen {
		f.Helper()
		var s seen
		var err error
		s.Log = f.changes(0)
		plan := everything(patient, observation, encounter)
		plan.Sort, plan.Total = []search.SortKey{descending(by(name))}, true
		s.Page = f.search(plan)
		if s.Counts, err = f.store.Count(f.Context()); err != nil {
			f.Fatalf("count: %v", err)
		}
		if s.History, err = f.store.History(f.Context(), store.HistoryQuery{Count: 100, Total: true}); err != nil {
			f.Fatalf("history: %v", err)
		}
		s.Chained = f.find(observation, chain(observation, patient, hasCode(patient, "red")))
		return s
	}
	before := look()
	if len(before.Log) <= len(all) || len(before.Page.Matches) == 0 || before.Chained == "" {
		f.Fatalf("there is nothing to keep: %+v", before)
	}
	for range 2 {
		f.reopen()
		f.equal("after reopening", look(), before)
	}
}

func reopenOften(f *fixture) {
	for i := range 8 {
		id := fmt.Sprint("o", i)
		f.put(id, token(fmt.Sprint("s|code-", i)), token("s|all"), ref(fmt.Sprint("Patient/p", i)))
		f.put("o0", token("s|code-0"), token("s|all"), ref("Patient/p0"))
		f.reopen()
		f.equal("new", f.find(observation, hasCode(observation, fmt.Sprint("code-", i))), id)
	}
	f.equal("all", f.find(observation, hasCode(observation, "all")), "o0 o1 o2 o3 o4 o5 o6 o7")
	f.equal("changes", len(f.changes(0)), 16)
	f.equal("number", f.put("o0").Number, int64(10))
}

func closeTwice(f *fixture) {
	kept := f.put("a")
	for range 2 {
		if err := f.store.Close(); err != nil {
			f.Fatalf("close: %v", err)
		}
		for what, call := range f.calls(f.Context()) {
			if err := call(); !fault.Is(err, fault.Unavailable) {
				f.Errorf("%s after closing: %v, want kind %q", what, err, fault.Unavailable)
			}
		}
	}
	f.reopen()
	f.holds(kept)
	f.absent("called")
}

// calls has every method of the port but Close.
func (f *fixture) calls(ctx context.Context) map[string]func() error {
	s := f.store
	return map[string]func() error{
		"Read":        func() error { _, err := s.Read(ctx, key("a")); return err },
		"ReadVersion": func() error { _, err := s.ReadVersion(ctx, key("a"), 1); return err },
		"Write":       func() error { _, err := s.Write(ctx, []store.Write{put("called")}); return err },
		"Search":      func() error { _, err := s.Search(ctx, everything(observation)); return err },
		"History":     func() error { _, err := s.History(ctx, store.HistoryQuery{Count: 5}); return err },
		"Count":       func() error { _, err := s.Count(ctx); return err },
		"Changes": func() error {
			for _, err := range s.Changes(ctx, 0) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// closeWaits closes a store under load. Each write is either there afterwards or was refused.
func closeWaits(f *fixture) {
	var mu sync.Mutex
	var acknowledged []fhir.Version
	begun := make(chan struct{})
	var once sync.Once
	f.together(9, func(i int) error {
		if i == 0 {
			<-begun
			return f.store.Close()
		}
		for n := 0; ; n++ {
			made, err := f.store.Write(f.Context(), []store.Write{put(fmt.Sprintf("w%d-%d", i, n), token("s|x"))})
			if fault.Is(err, fault.Unavailable) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			acknowledged = append(acknowledged, made...)
			mu.Unlock()
			if n == 3 {
				once.Do(func() { close(begun) })
			}
		}
	})
	f.reopen()
	for _, v := range acknowledged {
		f.holds(v)
	}
	f.equal("changes", len(f.changes(0)), len(acknowledged))
}

func canceled(f *fixture) {
	kept := f.put("a", token("s|x"))
	gone, cancel := context.WithCancel(f.Context())
	cancel()
	late, cancelLate := context.WithDeadline(f.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for _, c := range []struct {
		ctx  context.Context
		kind fault.Kind
	}{{gone, fault.Canceled}, {late, fault.Timeout}} {
		for what, call := range f.calls(c.ctx) {
			err := call()
			switch {
			case err == nil && (what == "Read" || what == "ReadVersion" || what == "Count"): // may be too quick to ask
			case !fault.Is(err, c.kind):
				f.Errorf("%s: %v, want kind %q", what, err, c.kind)
			}
		}
	}
	f.absent("called")
	f.holds(kept)
	f.equal("changes", len(f.changes(0)), 1)

	// Leaving in the middle of a long read ends it.
	many(f, 600)
	ctx, cancel := context.WithCancel(f.Context())
	defer cancel()
	n := 0
	for _, err := range f.store.Changes(ctx, 0) {
		if err != nil {
			f.isFault(err, fault.Canceled)
			break
		}
		if n++; n == 10 {
			cancel()
		}
	}
	f.finds(hasCode(observation, "x"), "a")
}

func emptyStore(f *fixture) {
	for range 2 {
		page := f.search(&search.Plan{Branches: everything(patient, observation).Branches, Count: 10, Total: true})
		f.equal("page", page, &search.Page{})
		f.counts(map[fhir.Type]int64{})
		f.equal("changes", len(f.changes(0)), 0)
		f.tells(store.HistoryQuery{}, nil)
		for _, filter := range []search.Filter{
			hasCode(observation, "x"), search.Not{Filter: hasCode(observation, "x")}, missing(observation, name),
			chain(observation, patient, nil), hasOf(encounter, nil), search.IDs{"a"},
		} {
			f.equal(describe(filter), f.find(observation, filter), "")
		}
		f.inOrder(sorted(by(date)), "")
		f.reopen()
	}
}
