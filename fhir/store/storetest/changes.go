package storetest

import (
	"fmt"

	"salus/fhir"
	"salus/fhir/store"
)

var changesTests = []test{
	{"the log has every version in the order of commit", changesOrder},
	{"the log can be followed from any position", changesFollow},
	{"a purge takes its versions out of the log and leaves a mark", changesPurge},
	{"a reader sees the log as it was when it began", changesSteady},
}

func changesOrder(f *fixture) {
	f.equal("empty log", len(f.changes(0)), 0)
	all := story(f)
	f.equal("log", versions(f.changes(0)), all)
	f.reopen()
	f.equal("log after reopening", versions(f.changes(0)), all)
	all = append(all, f.put("z"))
	f.equal("log after reopening and writing", versions(f.changes(0)), all)
}

func changesFollow(f *fixture) {
	story(f)
	log := f.changes(0)
	for i, c := range log {
		f.equal(fmt.Sprintf("after position %d", c.Position), f.changes(c.Position), nilIfNone(log[i+1:]))
	}
	last := log[len(log)-1].Position
	f.equal("far behind the end", len(f.changes(last+1000)), 0)
	for range 5 {
		v := f.put("a")
		news := f.changes(last)
		f.equal("news", versions(news), []fhir.Version{v})
		last = news[0].Position
	}
}

func nilIfNone(log []store.Change) []store.Change {
	if len(log) == 0 {
		return nil
	}
	return log
}

func changesPurge(f *fixture) {
	kept := f.put("b")
	f.put("a")
	f.put("a")
	before := f.changes(0)
	mark := f.purge("a")
	f.equal("log", versions(f.changes(0)), []fhir.Version{kept, mark})
	f.equal("news", versions(f.changes(before[len(before)-1].Position)), []fhir.Version{mark})
	again := f.put("a")
	f.reopen()
	f.equal("log", versions(f.changes(0)), []fhir.Version{kept, mark, again})
	second := f.purge("a")
	f.equal("log after a second purge", versions(f.changes(0)), []fhir.Version{kept, mark, second})
}

func changesSteady(f *fixture) {
	all := story(f)
	var seen []fhir.Version
	for c, err := range f.store.Changes(f.Context(), 0) {
		if err != nil {
			f.Fatalf("changes: %v", err)
		}
		if len(seen) == 0 {
			f.put("later") // does not wait for the reader, and is not seen by it
		}
		seen = append(seen, c.Version)
	}
	f.equal("changes read while there were writes", seen, all)
	n := 0
	for _, err := range f.store.Changes(f.Context(), 0) {
		if err != nil {
			f.Fatalf("changes: %v", err)
		}
		if n++; n == 3 {
			break
		}
	}
	f.equal("changes read before leaving", n, 3)
	f.put("z")
}
