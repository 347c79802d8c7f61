package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var concurrencyTests = []test{
	{"no update is lost when all expect a version", noLostUpdate},
	{"of many creations of a key one wins", oneCreationWins},
	{"concurrent writes are all kept and ordered", concurrentWrites},
	{"readers see whole writes", readersSeeWholeWrites},
	{"calls that cross in their keys do not wait for each other", crossingCalls},
}

// together runs n goroutines and reports the first error of any.
func (f *fixture) together(n int, run func(i int) error) {
	f.Helper()
	var all sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		all.Go(func() { errs <- run(i) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			f.Fatal(err)
		}
	}
}

func noLostUpdate(f *fixture) {
	const writers, rounds = 32, 4
	f.put("a", num("0"))
	ctx := f.Context()
	f.together(writers, func(int) error {
		for done := 0; done < rounds; {
			v, err := f.store.Read(ctx, key("a"))
			if err != nil {
				return err
			}
			w := put("a", num(fmt.Sprint(v.Number)))
			w.Expect = v.Number
			f.clock.advance(time.Millisecond)
			made, err := f.store.Write(ctx, []store.Write{w})
			switch {
			case fault.Is(err, fault.Conflict):
			case err != nil:
				return err
			case made[0].Number != v.Number+1:
				return fmt.Errorf("version %d follows %d", made[0].Number, v.Number)
			default:
				done++
			}
		}
		return nil
	})
	const last = 1 + writers*rounds
	v, err := f.store.Read(ctx, key("a"))
	if err != nil || v.Number != last {
		f.Fatalf("version %d, want %d: %v", v.Number, last, err)
	}
	f.equal("versions in the log", len(f.changes(0)), last)
	f.finds(match(number, numberIs(search.Ge, "0")), "a")
	f.finds(match(number, numberIs(search.Ge, fmt.Sprint(last-1))), "a")
	f.finds(match(number, numberIs(search.Lt, fmt.Sprint(last-1))), "") // all earlier index values are gone
}

func oneCreationWins(f *fixture) {
	for round := range 5 {
		name := fmt.Sprint("r", round)
		var won atomic.Int64
		f.together(16, func(i int) error {
			w, other := put(name, token(fmt.Sprint("by-", i))), put(fmt.Sprintf("Patient/%s-%d", name, i))
			w.Expect = 0
			_, err := f.store.Write(f.Context(), []store.Write{other, w})
			if fault.Is(err, fault.Conflict) {
				return nil
			}
			won.Add(1)
			return err
		})
		f.equal("winners", won.Load(), int64(1))
		f.counts(map[fhir.Type]int64{observation: int64(round) + 1, patient: int64(round) + 1})
		f.equal("found by all winners' codes", f.find(observation, search.And{search.IDs{fhir.ID(name)}, present(observation, code)}), name)
	}
}

func concurrentWrites(f *fixture) {
	const writers, rounds = 16, 12
	var mu sync.Mutex
	acknowledged := map[fhir.Key]fhir.Version{}
	f.together(writers, func(i int) error {
		for n := range rounds {
			f.clock.advance(time.Millisecond)
			writes := []store.Write{
				put(fmt.Sprintf("w%d-%d", i, n), token("s|all"), ref(fmt.Sprint("Patient/p", n))), // all refer to the same few
				put(fmt.Sprintf("Encounter/w%d", i), ref(fmt.Sprint("Patient/p", i))),
			}
			made, err := f.store.Write(f.Context(), writes)
			if err != nil {
				return err
			}
			mu.Lock()
			for _, v := range made {
				acknowledged[v.Key] = v
			}
			mu.Unlock()
			for _, v := range made { // what is acknowledged is visible
				if got, err := f.store.Read(f.Context(), v.Key); err != nil || diff(got, v) != "" {
					return fmt.Errorf("read of an acknowledged write: %v\n%s", err, diff(got, v))
				}
			}
		}
		return nil
	})
	check := func() {
		f.Helper()
		for _, v := range acknowledged {
			f.holds(v)
		}
		f.counts(map[fhir.Type]int64{observation: writers * rounds, encounter: writers})
		plan := everything(observation)
		plan.Branches[0].Filter = hasCode(observation, "all")
		f.equal("found", len(f.search(plan).Matches), writers*rounds)
		for n := range rounds {
			plan.Branches[0].Filter = match(subject, search.Ref{Type: patient, ID: fhir.ID(fmt.Sprint("p", n))})
			f.equal("found by reference", len(f.search(plan).Matches), writers)
		}
		f.equal("changes", len(f.changes(0)), 2*writers*rounds)
	}
	check()
	f.reopen()
	check()
}

// readersSeeWholeWrites rewrites three resources in each call, all with the
// same mark. Any read of more than one must find one mark.
func readersSeeWholeWrites(f *fixture) {
	write := func(n int) []store.Write {
		mark := token([]string{"s|even", "s|odd"}[n%2])
		writes := []store.Write{put("a", mark), put("Patient/b", mark, ref("Observation/a")), put("Encounter/c", mark)}
		for i := range writes {
			writes[i].Body = body(writes[i].Key, fmt.Sprintf(`"mark":%d`, n))
		}
		return writes
	}
	f.write(write(0)...)
	ctx, stop := context.WithCancel(f.Context())
	f.together(5, func(i int) error {
		if i == 0 {
			defer stop()
			for n := range 60 {
				if _, err := f.store.Write(f.Context(), write(n+1)); err != nil {
					return err
				}
			}
			return nil
		}
		for ctx.Err() == nil {
			if err := f.seesWhole(i); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *fixture) seesWhole(i int) error {
	plan := everything(observation, patient, encounter)
	if i%2 == 1 {
		for b := range plan.Branches {
			plan.Branches[b].Filter = hasCode(plan.Branches[b].Type, "even")
		}
	} else {
		plan.Branches = plan.Branches[1:2]
		plan.Includes, plan.MaxIncludes = along(patient, ""), 5
	}
	page, err := f.store.Search(f.Context(), plan)
	if err != nil {
		return err
	}
	seen := append(page.Matches, page.Included...)
	if want := []int{2, 3}[i%2]; len(seen) != want && (i%2 == 0 || len(seen) != 0) {
		return fmt.Errorf("a search sees %d resources of %d that were written together", len(seen), want)
	}
	history, err := f.store.History(f.Context(), store.HistoryQuery{Count: 3})
	if err != nil {
		return err
	}
	for _, group := range [][]fhir.Version{seen, history.Versions} {
		for _, v := range group {
			if v.Number != group[0].Number {
				return fmt.Errorf("a read sees %s at version %d and %s at %d", v.Key, v.Number, group[0].Key, group[0].Number)
			}
		}
	}
	counts, err := f.store.Count(f.Context())
	if err == nil && len(counts) != 3 {
		err = fmt.Errorf("counts have %d types, want 3", len(counts))
	}
	return err
}

// crossingCalls writes the same keys in different orders at the same time.
func crossingCalls(f *fixture) {
	names := []string{"a", "b", "Patient/c", "Encounter/d"}
	f.together(8, func(i int) error {
		for n := range 10 {
			var writes []store.Write
			for j := range names {
				writes = append(writes, put(names[(i+j*(1+2*(n%2)))%len(names)], token(fmt.Sprint("s|", i))))
			}
			if _, err := f.store.Write(f.Context(), writes); err != nil {
				return err
			}
		}
		return nil
	})
	for _, name := range names {
		v, err := f.store.Read(f.Context(), key(name))
		if err != nil || v.Number != 80 {
			f.Errorf("%s is at version %d, want 80: %v", name, v.Number, err)
		}
	}
	f.changes(0)
}
