package storetest

import (
	"fmt"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

var reindexTests = []test{
	{"current resources come once, in the order of their numbers", currentOrder},
	{"current resources can be gone through while others are written", currentSteady},
	{"reindexing replaces the index values and makes no version", reindexReplaces},
	{"reindexing leaves alone what has been written since", reindexSkips},
	{"reindexing a resource that was purged and made anew leaves it alone", reindexPurged},
	{"reindexing may mention resources that are not there", reindexMentions},
	{"reindexing what is nowhere changes nothing", reindexNothing},
	{"reindexing a resource twice at once is refused", reindexTwice},
	{"writers and a reindexer do not undo each other", reindexBeside},
	{"state is kept by name", stateKept},
}

// current reads all current resources of a type, some at a time.
func (f *fixture) current(t fhir.Type, count int) []store.Current {
	f.Helper()
	var all []store.Current
	for after := uint64(0); ; {
		page, err := f.store.Current(f.Context(), t, after, count)
		if err != nil {
			f.Fatalf("current: %v", err)
		}
		if len(page) > count {
			f.Fatalf("%d resources, asked for %d", len(page), count)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].Number
	}
}

// indexOf makes an entry for a resource as it is now.
func (f *fixture) indexOf(name string, values ...searchparam.Entry) store.Index {
	f.Helper()
	k := key(name)
	for _, c := range f.current(k.Type, 100) {
		if c.Key == k {
			return store.Index{Key: k, Position: c.Position, Values: values}
		}
	}
	f.Fatalf("%s is not among the current resources", name)
	return store.Index{}
}

// reindex checks how many entries are replaced.
func (f *fixture) reindex(want int, entries ...store.Index) {
	f.Helper()
	n, err := f.store.Reindex(f.Context(), entries)
	if err != nil || n != want {
		f.Fatalf("reindexed %d, %v; want %d", n, err, want)
	}
}

func currentOrder(f *fixture) {
	f.equal("of an empty store", len(f.current(observation, 3)), 0)
	var want []fhir.Version
	for i := range 11 {
		v := f.put(fmt.Sprint("r", i), token("s|a"))
		f.put(fmt.Sprint("Patient/r", i))
		if i == 2 {
			v = f.put("r2", token("s|b")) // keeps its place
		}
		want = append(want, v)
	}
	f.delete("r4")
	f.purge("r7")
	want = slices.Delete(slices.Delete(want, 7, 8), 4, 5)
	for range 2 {
		for _, count := range []int{1, 4, 100} {
			var got []fhir.Version
			number := uint64(0)
			for _, c := range f.current(observation, count) {
				if c.Number <= number {
					f.Fatalf("number %d follows %d", c.Number, number)
				}
				number = c.Number
				got = append(got, c.Version)
			}
			f.equal("current", got, want)
		}
		f.reopen()
	}
	position := map[fhir.Key]uint64{}
	for _, c := range f.changes(0) {
		position[c.Key] = c.Position
	}
	all := f.current(observation, 100)
	limit, err := f.store.LastNumber(f.Context())
	if err != nil || all[len(all)-1].Number > limit {
		f.Fatalf("the last number is %d, %v, but there is %d", limit, err, all[len(all)-1].Number)
	}
	f.put("later")
	if later := f.current(observation, 100); later[len(later)-1].Number <= limit {
		f.Fatalf("a later resource has number %d, not above %d", later[len(later)-1].Number, limit)
	}
	f.purge("later")
	for _, name := range []string{"r4", "r7", "never"} {
		_, err := f.store.CurrentOf(f.Context(), key(name))
		f.isFault(err, fault.NotFound)
	}
	for _, c := range f.current(observation, 100) {
		one, err := f.store.CurrentOf(f.Context(), c.Key)
		if err != nil {
			f.Fatalf("current of %s: %v", c.Key, err)
		}
		f.equal("current of "+c.Key.String(), one, c)
		f.equal("position of "+c.Key.String(), c.Position, position[c.Key])
	}
}

func currentSteady(f *fixture) {
	for i := range 10 {
		f.put(fmt.Sprint("r", i))
	}
	seen := map[fhir.Key]int{}
	for after, i := uint64(0), 0; ; i++ {
		page, err := f.store.Current(f.Context(), observation, after, 2)
		if err != nil {
			f.Fatalf("current: %v", err)
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			seen[c.Key]++
			after = c.Number
		}
		f.put(fmt.Sprint("r", i), token("s|new"))
		f.put(fmt.Sprint("Patient/p", i))
	}
	for i := range 10 {
		f.equal("how often a resource comes", seen[key(fmt.Sprint("r", i))], 1)
	}
}

func reindexReplaces(f *fixture) {
	v := f.put("a", token("s|old"), num("7"))
	f.put("b", token("s|old"))
	before := f.changes(0)
	f.reindex(1, f.indexOf("a", token("s|new"), when("2020-02")))
	for range 2 {
		f.finds(hasCode(observation, "old"), "b")
		f.finds(hasCode(observation, "new"), "a")
		f.finds(match(date, dateIs(search.Eq, "2020")), "a")
		f.finds(missing(observation, number), "a b")
		f.finds(present(observation, date), "a")
		f.holds(v)
		f.equal("change log", f.changes(0), before)
		f.counts(map[fhir.Type]int64{observation: 2})
		f.finds(search.Updated{Date: dateIs(search.Ge, "2000")}, "a b")
		f.reopen()
	}
	f.reindex(1, f.indexOf("a"))
	f.finds(hasCode(observation, "new"), "")
	f.finds(missing(observation, code), "a")
	f.put("a", token("s|last")) // what a write replaces are the values of the reindexing
	f.finds(hasCode(observation, "last"), "a")
	f.finds(missing(observation, date), "a b")
}

func reindexSkips(f *fixture) {
	f.put("a", token("s|one"))
	f.put("b", token("s|one"))
	f.put("c", token("s|one"))
	entries := []store.Index{f.indexOf("a", token("s|re")), f.indexOf("b", token("s|re")), f.indexOf("c", token("s|re"))}
	f.put("a", token("s|two"))
	f.delete("b")
	f.reindex(1, entries...)
	f.finds(hasCode(observation, "re"), "c")
	f.finds(hasCode(observation, "two"), "a")
	f.finds(nil, "a c")
}

func reindexPurged(f *fixture) {
	f.put("a", token("s|one"))
	stale := f.indexOf("a", token("s|re"))
	f.purge("a")
	f.reindex(0, stale)
	f.put("a", token("s|two")) // version 1 again
	f.reindex(0, stale)
	f.finds(hasCode(observation, "two"), "a")
	f.finds(hasCode(observation, "re"), "")
}

func reindexMentions(f *fixture) {
	f.put("a", token("s|one"))
	f.reindex(1, f.indexOf("a", token("s|one"), ref("Patient/p")))
	f.absent("Patient/p")
	f.finds(match(subject, search.Ref{Type: patient, ID: "p"}), "a")
	f.put("Patient/p", withType(patient, token("s|red"))...)
	f.finds(chain(observation, patient, hasCode(patient, "red")), "a")
}

// withType gives entries the parameters of another type.
func withType(t fhir.Type, entries ...searchparam.Entry) []searchparam.Entry {
	for i := range entries {
		entries[i].Param = params[t][entries[i].Param.Code]
	}
	return entries
}

func reindexNothing(f *fixture) {
	f.reindex(0)
	f.reindex(0, store.Index{Key: key("never"), Position: 1, Values: []searchparam.Entry{token("s|a")}})
	f.absent("never")
	f.finds(nil, "")
}

func reindexTwice(f *fixture) {
	f.put("a", token("s|one"))
	e := f.indexOf("a", token("s|re"))
	_, err := f.store.Reindex(f.Context(), []store.Index{e, e})
	f.isFault(err, fault.Invalid)
	f.finds(hasCode(observation, "one"), "a")
}

// reindexBeside gives every resource, as long as writers are at work, the values
// of the body it has just read.
func reindexBeside(f *fixture) {
	const writers, rounds = 8, 25
	for i := range writers {
		f.put(fmt.Sprint("w", i), token("s|0"))
	}
	f.together(writers+1, func(i int) error {
		if i == writers {
			for range 3 * rounds {
				page, err := f.store.Current(f.Context(), observation, 0, writers)
				if err != nil {
					return err
				}
				var entries []store.Index
				for _, c := range page {
					entries = append(entries, store.Index{Key: c.Key, Position: c.Position, Values: []searchparam.Entry{token(fmt.Sprint("s|", c.Version.Number))}})
				}
				if _, err := f.store.Reindex(f.Context(), entries); err != nil {
					return err
				}
			}
			return nil
		}
		for n := range rounds {
			w := put(fmt.Sprint("w", i), token(fmt.Sprint("s|", n+2)))
			if _, err := f.store.Write(f.Context(), []store.Write{w}); err != nil {
				return err
			}
		}
		return nil
	})
	f.finds(hasCode(observation, fmt.Sprint(rounds+1)), "w0 w1 w2 w3 w4 w5 w6 w7")
	f.finds(hasCode(observation, fmt.Sprint(rounds)), "")
}

func stateKept(f *fixture) {
	set := func(values map[string][]byte) {
		f.Helper()
		if err := f.store.SetState(f.Context(), values); err != nil {
			f.Fatalf("set state: %v", err)
		}
	}
	holds := func(prefix string, want map[string][]byte) {
		f.Helper()
		got, err := f.store.State(f.Context(), prefix)
		if err != nil {
			f.Fatalf("state: %v", err)
		}
		f.equal("state", got, want)
	}
	holds("", map[string][]byte{})
	value := []byte("one")
	set(map[string][]byte{"a/1": value, "a/2": []byte("two"), "b": []byte("three")})
	value[0] = 'x' // the store keeps none of the caller's bytes
	set(map[string][]byte{"a/2": nil, "b": []byte("four")})
	for range 2 {
		holds("a/", map[string][]byte{"a/1": []byte("one")})
		holds("b", map[string][]byte{"b": []byte("four")})
		holds("c", map[string][]byte{})
		f.reopen()
	}
	f.equal("versions in the log", len(f.changes(0)), 0)
}
