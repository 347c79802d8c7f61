package storetest

import (
	"fmt"
	"sync/atomic"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var conditionTests = []test{
	{"Require holds for what is there after the call", requireHolds},
	{"Unless holds while nothing else matches", unlessHolds},
	{"a refused condition leaves nothing of the call", conditionLeavesNothing},
	{"of many calls whose Unless they would meet one wins", oneMeets},
	{"a reference and a deletion do not both succeed", referenceOrDeletion},
}

func del(name string) store.Write {
	return store.Write{Key: key(name), Method: fhir.Delete, Expect: store.AnyVersion}
}

func requiring(w store.Write, names ...string) store.Write {
	for _, n := range names {
		w.Require = append(w.Require, key(n))
	}
	return w
}

func unless(w store.Write, t fhir.Type, f search.Filter) store.Write {
	w.Unless = append(w.Unless, search.Branch{Type: t, Filter: f})
	return w
}

func requireHolds(f *fixture) {
	f.put("there")
	f.put("gone")
	f.delete("gone")
	f.put("purged")
	f.purge("purged")
	f.put("mentions", ref("Observation/mentioned"))
	f.write(requiring(put("a"), "there", "a"))
	f.write(requiring(put("b"), "c"), put("c"))
	f.write(put("gone"), requiring(put("d"), "gone"))
	f.delete("gone")
	f.write(requiring(del("d"), "there"))
	for _, name := range []string{"gone", "purged", "mentioned", "never", "Patient/there"} {
		f.refuse(fault.Conflict, requiring(put("x"), "there", name))
	}
	f.refuse(fault.Conflict, requiring(put("x"), "there"), del("there"))
	f.refuse(fault.Conflict, store.Write{Key: key("there"), Method: fhir.Purge, Expect: store.AnyVersion}, requiring(put("x"), "there"))
	f.refuse(fault.Conflict, requiring(del("there"), "there"))
	f.absent("x")
	f.absent("never")
	f.put("there")
	keep := store.Write{Key: key("there"), Method: fhir.Purge, Expect: store.AnyVersion, DropSuperseded: true}
	f.write(requiring(keep, "there"))
}

func unlessHolds(f *fixture) {
	x := hasCode(observation, "x")
	f.put("other", token("y"))
	f.write(unless(put("a", token("x")), observation, x)) // nothing matches
	f.write(unless(put("a", token("x")), observation, x)) // only what the call itself writes does
	f.refuse(fault.Conflict, unless(put("b", token("x")), observation, x))
	f.refuse(fault.Conflict, unless(put("Patient/b"), observation, nil))
	f.refuse(fault.Conflict, put("c"), unless(unless(put("b"), patient, nil), observation, search.And{x, search.IDs{"a"}}))
	f.refuse(fault.Conflict, unless(del("other"), observation, x))
	f.write(unless(put("b", token("x")), patient, nil), unless(put("c", token("x")), observation, hasCode(observation, "z")))
	f.write(unless(put("d"), observation, x), del("a"), del("b"), put("c", token("y")))
	f.write(unless(put("e", token("x")), observation, x), put("f", token("x"))) // the call's own writes do not count
}

func conditionLeavesNothing(f *fixture) {
	v := f.put("a", token("x"))
	before := len(f.changes(0))
	f.refuse(fault.Conflict, put("b", token("x")), unless(put("c"), observation, hasCode(observation, "x")))
	f.refuse(fault.Conflict, del("a"), requiring(put("b"), "never"))
	f.equal("changes", len(f.changes(0)), before)
	f.holds(v)
	f.absent("b")
	f.absent("c")
}

// oneMeets races calls whose conditions differ and which all would meet what
// any of them writes.
func oneMeets(f *fixture) {
	conditions := []search.Filter{hasCode(observation, "x"), search.And{hasCode(observation, "x"), hasCode(observation, "y")}, present(observation, code)}
	for round := range 10 {
		var won atomic.Int64
		f.together(32, func(i int) error {
			if i%4 == 0 { // others share their commits
				_, err := f.store.Write(f.Context(), []store.Write{put(fmt.Sprintf("Patient/%d-%d", round, i))})
				return err
			}
			w := unless(put(fmt.Sprintf("%d-%d", round, i), token("x"), token("y")), observation, conditions[i%len(conditions)])
			_, err := f.store.Write(f.Context(), []store.Write{w})
			if fault.Is(err, fault.Conflict) {
				return nil
			}
			won.Add(1)
			return err
		})
		f.equal("winners", won.Load(), int64(1))
		for _, v := range f.search(everything(observation)).Matches {
			f.delete(string(v.ID))
		}
	}
}

func referenceOrDeletion(f *fixture) {
	to := search.Match{Param: params[observation][subject], Operand: search.Ref{Type: patient, ID: "p"}}
	for round := range 10 {
		f.put("Patient/p")
		var deletions, references atomic.Int64
		f.together(16, func(i int) error {
			w := requiring(put(fmt.Sprintf("%d-%d", round, i), ref("Patient/p")), "Patient/p")
			if i%2 == 0 {
				w = unless(del("Patient/p"), observation, to)
			}
			_, err := f.store.Write(f.Context(), []store.Write{w})
			if fault.Is(err, fault.Conflict) {
				return nil
			}
			if i%2 == 0 {
				deletions.Add(1)
			} else {
				references.Add(1)
			}
			return err
		})
		if (deletions.Load() > 0) == (references.Load() > 0) {
			f.Fatalf("%d deletions and %d references succeeded", deletions.Load(), references.Load())
		}
		for _, v := range f.search(everything(observation)).Matches {
			f.delete(string(v.ID))
		}
	}
}
