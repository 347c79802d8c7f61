package storetest

import (
	"context"
	"fmt"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var supersededTests = []test{
	{"a write may drop the version that it supersedes", dropOne},
	{"numbers and times go on where versions were dropped", dropGoesOn},
	{"what is dropped is in no history and no change log", dropLeavesNoTrace},
	{"a refused write drops nothing", dropRefused},
	{"a purge of superseded versions keeps the current one as it is", dropAll},
	{"a purge of superseded versions keeps a deletion", dropAllOfDeleted},
	{"a purge of superseded versions of nothing is no error", dropAllOfNothing},
	{"index and order follow when versions are dropped", dropIndex},
	{"readers never miss the current version while others are dropped", dropUnderReaders},
}

// dropping makes w drop what it supersedes.
func dropping(w store.Write) store.Write {
	w.DropSuperseded = true
	return w
}

func (f *fixture) dropAll(name string) fhir.Version {
	f.Helper()
	return f.write(store.Write{Key: key(name), Method: fhir.Purge, Expect: store.AnyVersion, DropSuperseded: true})[0]
}

// numbers checks which versions of a resource there are.
func (f *fixture) numbers(name string, newest int64, want ...fhir.Version) {
	f.Helper()
	k := key(name)
	f.tells(store.HistoryQuery{Type: k.Type, ID: k.ID}, want)
	for n := int64(0); n <= newest+1; n++ {
		v, err := f.store.ReadVersion(f.Context(), k, n)
		var kept *fhir.Version
		for i := range want {
			if want[i].Number == n {
				kept = &want[i]
			}
		}
		if kept == nil {
			f.isFault(err, fault.NotFound)
			continue
		}
		if err != nil {
			f.Fatalf("read version %d: %v", n, err)
		}
		f.equal(fmt.Sprintf("version %d", n), v, *kept)
	}
}

func dropOne(f *fixture) {
	f.write(dropping(put("a"))) // of nothing is no error
	one := f.put("b")
	f.put("b")
	three := f.write(dropping(put("b")))[0]
	f.equal("number", three.Number, int64(3))
	f.holds(three)
	f.numbers("b", 3, one, three)
	four := f.put("b")
	f.numbers("b", 4, one, three, four)
	dead := f.write(dropping(store.Write{Key: key("b"), Method: fhir.Delete, Expect: 4}))[0]
	f.numbers("b", 5, one, three, dead)
	again := f.write(dropping(put("b")))[0]
	f.numbers("b", 6, one, three, again)
	f.reopen()
	f.numbers("b", 6, one, three, again)
	f.purge("b")
	f.numbers("b", 6)
	f.equal("number after a purge", f.put("b").Number, int64(1))
}

func dropGoesOn(f *fixture) {
	first := f.put("a")
	var last fhir.Version
	for n := int64(2); n < 6; n++ {
		last = f.write(dropping(put("a")))[0]
		f.equal("number", last.Number, n)
		f.reopen()
		f.holds(last)
	}
	log := f.changes(0)
	f.equal("change log", versions(log), []fhir.Version{last})
	f.clock.advance(-time.Hour)
	second := f.put("b")
	f.equal("time", second.Updated, last.Updated)
	f.equal("news", versions(f.changes(log[0].Position)), []fhir.Version{second})
	if !first.Updated.Before(last.Updated) {
		f.Error("time stood still")
	}
}

func dropLeavesNoTrace(f *fixture) {
	a := f.put("a")
	before := f.changes(0)[0].Position
	f.put("b")
	f.put("Patient/c")
	behind := f.changes(before)[0].Position
	c := f.write(dropping(put("Patient/c")))[0]
	b := f.write(dropping(put("b")))[0]
	check := func() {
		f.Helper()
		all := []fhir.Version{a, c, b}
		f.equal("change log", versions(f.changes(0)), all)
		f.equal("from before what was dropped", versions(f.changes(before)), []fhir.Version{c, b})
		f.equal("from what was dropped", versions(f.changes(behind)), []fhir.Version{c, b})
		f.tells(store.HistoryQuery{}, all)
		f.tells(store.HistoryQuery{Type: observation}, []fhir.Version{a, b})
		f.tells(store.HistoryQuery{Type: observation, Before: b.Updated}, []fhir.Version{a})
		page, err := f.store.History(f.Context(), store.HistoryQuery{})
		if err != nil || page.Total != 3 {
			f.Errorf("total: %+v %v", page, err)
		}
	}
	check()
	f.reopen()
	check()
}

func dropRefused(f *fixture) {
	one := f.put("a")
	two := f.put("a")
	w := dropping(put("a"))
	w.Expect = 1
	f.refuse(fault.Conflict, w)
	bad := put("z")
	bad.Expect = 9
	f.refuse(fault.Conflict, dropping(put("a")), bad)
	f.refuse(fault.Conflict, store.Write{Key: key("a"), Method: fhir.Purge, DropSuperseded: true, Expect: 1})
	f.numbers("a", 2, one, two)
}

func dropAll(f *fixture) {
	other := f.put("b", token("x"))
	f.put("a", token("x"))
	f.put("a", token("x"))
	f.delete("a")
	last := f.put("a", token("y"))
	log := f.changes(0)
	made := f.dropAll("a")
	want := last
	want.Body = fhir.Body{}
	f.equal("result", made, want)
	check := func() {
		f.Helper()
		f.numbers("a", 4, last)
		f.equal("change log", f.changes(0), []store.Change{log[0], log[len(log)-1]})
		f.equal("search", f.find(observation, hasCode(observation, "x")), "b")
		f.equal("search", f.find(observation, hasCode(observation, "y")), "a")
		f.holds(other)
		f.counts(map[fhir.Type]int64{observation: 2})
	}
	check()
	f.dropAll("a") // once more changes nothing
	f.reopen()
	check()
	f.equal("next number", f.put("a").Number, int64(5))
}

func dropAllOfDeleted(f *fixture) {
	f.put("a")
	dead := f.delete("a")
	f.equal("result", f.dropAll("a"), dead)
	f.numbers("a", 2, dead)
	f.counts(map[fhir.Type]int64{})
	again := f.put("a")
	f.numbers("a", 3, dead, again)
}

func dropAllOfNothing(f *fixture) {
	f.equal("number", f.dropAll("a").Number, int64(0))
	f.absent("a")
	f.equal("changes", len(f.changes(0)), 0)
	f.refuse(fault.Conflict, store.Write{Key: key("a"), Method: fhir.Purge, DropSuperseded: true, Expect: 1})
	f.equal("number after it", f.put("a").Number, int64(1))
}

func dropIndex(f *fixture) {
	f.put("a", token("old"), ref("Patient/p"))
	f.put("b", token("old"))
	b := f.write(dropping(put("b", token("new"))))[0]
	a := f.write(dropping(put("a", token("new"))))[0]
	check := func() {
		f.Helper()
		f.finds(hasCode(observation, "old"), "")
		f.finds(hasCode(observation, "new"), "a b")
		f.finds(search.Match{Param: params[observation][subject], Operand: search.Ref{Type: patient, ID: "p"}}, "")
		f.inOrder(sorted(search.SortKey{Updated: true}), "b a")
		f.holds(a)
		f.holds(b)
	}
	check()
	f.reopen()
	check()
}

func dropUnderReaders(f *fixture) {
	f.write(put("a"), put("Patient/b"))
	ctx, stop := context.WithCancel(f.Context())
	f.together(4, func(i int) error {
		if i == 0 {
			defer stop()
			for range 80 {
				if _, err := f.store.Write(f.Context(), []store.Write{dropping(put("a")), dropping(put("Patient/b"))}); err != nil {
					return err
				}
			}
			return nil
		}
		for ctx.Err() == nil {
			if _, err := f.store.Read(f.Context(), key("a")); err != nil {
				return err
			}
			log, err := changes(f.Context(), f.store, 0)
			if err != nil {
				return err
			}
			history, err := f.store.History(f.Context(), store.HistoryQuery{Count: 9})
			if err != nil {
				return err
			}
			for what, seen := range map[string][]fhir.Version{"log": versions(log), "history": history.Versions} {
				if len(seen) != 2 || seen[0].Number != seen[1].Number {
					return fmt.Errorf("the %s has %d versions, want both of one call", what, len(seen))
				}
			}
		}
		return nil
	})
	f.equal("changes at the end", len(f.changes(0)), 2)
}
