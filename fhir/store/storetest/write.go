package storetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

var writeTests = []test{
	{"versions count from 1 through update, delete and recreation", versionsCount},
	{"a version keeps its method, time and exact body", versionsKeep},
	{"what never was is not found", neverWas},
	{"a purge removes every version and the count starts again", purgeRemoves},
	{"a purge of nothing is no error", purgeOfNothing},
	{"Expect is the number of the current version", expectHolds},
	{"a conflict leaves nothing of the call", conflictLeavesNothing},
	{"a call writes several resources of several types in order", writesSeveral},
	{"a key twice in one call is refused", refusesTwice},
	{"lastUpdated is in UTC and milliseconds", updatedPrecision},
	{"lastUpdated does not go back when the clock does", updatedMonotonic},
	{"counts follow every write", countsFollow},
	{"the caller may reuse the bytes it wrote", bytesAreReusable},
}

func versionsCount(f *fixture) {
	for n, step := range []struct {
		method fhir.Method
		write  store.Write
	}{
		{fhir.Post, put("a", token("x"))},
		{fhir.Put, put("a", token("y"))},
		{fhir.Patch, put("a")},
		{fhir.Delete, store.Write{Key: key("a")}},
		{fhir.Put, put("a", token("z"))},
		{fhir.Delete, store.Write{Key: key("a")}},
	} {
		w := step.write
		w.Method, w.Expect = step.method, int64(n)
		v := f.write(w)[0]
		f.equal("version", v, fhir.Version{
			Key: key("a"), Number: int64(n) + 1, Updated: f.clock.now(), Method: step.method, Body: w.Body,
		})
		f.holds(v)
	}
}

func versionsKeep(f *fixture) {
	var made []fhir.Version
	for _, more := range []string{
		`"n":1.0`, `"n":1.00`, // the digits of a decimal count
		`"s":"Z\u00fcrich Zürich \/ \\ \" 🙂"`,
		`"s":""`,
		`"big":"` + strings.Repeat("0123456789abcdef", 1<<16) + `"`, // 1 MiB
		`"same":[` + strings.Repeat(`{"a":1},`, 2000) + `{}]`,
	} {
		k := key("a")
		made = append(made, f.write(store.Write{Key: k, Method: fhir.Put, Expect: store.AnyVersion, Body: body(k, more)})...)
		if want := body(k, more); !bytes.Equal(made[len(made)-1].Body.JSON, want.JSON) {
			f.Fatalf("the written version of %d bytes is not what was given", len(want.JSON))
		}
	}
	made = append(made, f.delete("a"))
	check := func() {
		f.Helper()
		for i, want := range made {
			got, err := f.store.ReadVersion(f.Context(), key("a"), int64(i)+1)
			if err != nil {
				f.Fatalf("read version %d: %v", i+1, err)
			}
			f.equal(fmt.Sprintf("version %d", i+1), got, want)
			f.equal("JSON for clients", string(got.JSON()), string(want.JSON()))
		}
		f.holds(made[len(made)-1])
	}
	check()
	f.reopen()
	check()
}

func neverWas(f *fixture) {
	v := f.put("a")
	f.absent("b")
	f.absent("Patient/a") // an id belongs to its type
	f.absent("A")         // ids differ by case
	for _, n := range []int64{0, -1, 2, 1 << 40} {
		_, err := f.store.ReadVersion(f.Context(), key("a"), n)
		f.isFault(err, fault.NotFound)
	}
	_, err := f.store.ReadVersion(f.Context(), key("b"), 1)
	f.isFault(err, fault.NotFound)
	f.holds(v)
}

func purgeRemoves(f *fixture) {
	other := f.put("b", token("x"))
	f.put("a", token("x"))
	f.put("a", token("x"))
	f.delete("a")
	f.put("a", token("x"))
	v := f.purge("a")
	f.equal("purge", v, fhir.Version{Key: key("a"), Method: fhir.Purge, Updated: f.clock.now()})
	gone := func() {
		f.Helper()
		f.absent("a")
		for n := int64(0); n <= 4; n++ {
			_, err := f.store.ReadVersion(f.Context(), key("a"), n)
			f.isFault(err, fault.NotFound)
		}
		f.equal("search", f.find(observation, hasCode(observation, "x")), "b")
		f.holds(other)
	}
	gone()
	f.reopen()
	gone()
	w := put("a", token("y"))
	w.Expect = 0
	again := f.write(w)[0]
	f.equal("number after purge", again.Number, int64(1))
	f.holds(again)
	_, err := f.store.ReadVersion(f.Context(), key("a"), 2)
	f.isFault(err, fault.NotFound)
	f.equal("search by what the purged one had", f.find(observation, hasCode(observation, "x")), "b")
	f.equal("search by what the new one has", f.find(observation, hasCode(observation, "y")), "a")
}

func purgeOfNothing(f *fixture) {
	f.purge("a")
	f.absent("a")
	f.equal("number after it", f.put("a").Number, int64(1))
}

func expectHolds(f *fixture) {
	try := func(expect int64, method fhir.Method, ok bool) {
		f.Helper()
		w := store.Write{Key: key("a"), Method: method, Expect: expect}
		if method == fhir.Put {
			w.Body = put("a").Body
		}
		if ok {
			f.write(w)
			return
		}
		f.refuse(fault.Conflict, w)
	}
	for _, method := range []fhir.Method{fhir.Put, fhir.Delete, fhir.Purge} {
		try(1, method, false) // there is none
	}
	try(0, fhir.Put, true)
	for _, method := range []fhir.Method{fhir.Put, fhir.Delete, fhir.Purge} {
		try(0, method, false) // there is one
		try(2, method, false)
	}
	try(1, fhir.Put, true)
	try(1, fhir.Put, false) // superseded
	try(2, fhir.Delete, true)
	try(0, fhir.Put, false) // a deletion is a version
	try(2, fhir.Put, false)
	try(3, fhir.Put, true)
	try(store.AnyVersion, fhir.Put, true)
	try(4, fhir.Purge, false)
	try(5, fhir.Purge, true)
	try(5, fhir.Put, false)
	try(0, fhir.Put, true)
}

func conflictLeavesNothing(f *fixture) {
	kept := f.write(put("a", token("old")), put("b", token("old")), put("c", token("old")))
	log := f.changes(0)
	bad := put("z", token("new"))
	bad.Expect = 7
	for at := range 5 { // wherever in the call the conflict is
		writes := []store.Write{
			put("a", token("new")),
			{Key: key("b"), Method: fhir.Delete, Expect: store.AnyVersion},
			{Key: key("c"), Method: fhir.Purge, Expect: store.AnyVersion},
			put("Patient/new", token("new")),
		}
		writes = append(writes[:at:at], append([]store.Write{bad}, writes[at:]...)...)
		f.refuse(fault.Conflict, writes...)
	}
	check := func() {
		f.Helper()
		for _, v := range kept {
			f.holds(v)
		}
		f.absent("Patient/new")
		f.absent("z")
		f.equal("search", f.find(observation, hasCode(observation, "old")), "a b c")
		f.equal("search", f.find(observation, hasCode(observation, "new")), "")
		f.counts(map[fhir.Type]int64{observation: 3})
		f.equal("change log", f.changes(0), log)
	}
	check()
	f.reopen()
	check()
}

func writesSeveral(f *fixture) {
	f.put("gone")
	f.put("dead")
	writes := []store.Write{
		put("Patient/p", token("x")),
		put("a", token("x"), ref("Patient/p"), ref("Encounter/e")),
		{Key: key("dead"), Method: fhir.Delete, Expect: 1},
		put("Encounter/e", token("x"), ref("Patient/p")),
		{Key: key("gone"), Method: fhir.Purge, Expect: 1},
	}
	made := f.write(writes...)
	for i, v := range made {
		want := fhir.Version{Key: writes[i].Key, Number: 1, Method: writes[i].Method, Updated: f.clock.now(), Body: writes[i].Body}
		switch v.Method {
		case fhir.Delete:
			want.Number = 2
		case fhir.Purge:
			want.Number = 0
		}
		f.equal(fmt.Sprintf("version %d of the call", i), v, want)
		if v.Method != fhir.Purge {
			f.holds(v)
		}
	}
	f.absent("gone")
	log := f.changes(0)
	f.equal("end of the change log", versions(log[len(log)-len(made):]), made)
	f.counts(map[fhir.Type]int64{patient: 1, observation: 1, encounter: 1})
}

func refusesTwice(f *fixture) {
	kept := f.put("a")
	_, err := f.store.Write(f.Context(), []store.Write{put("b"), put("a"), put("b")})
	if err == nil {
		f.Fatal("the same key was written twice in one call")
	}
	f.holds(kept)
	f.absent("b")
	f.write(put("Patient/b"), put("Encounter/b"), put("b")) // ids of different types are different keys
}

func updatedPrecision(f *fixture) {
	f.clock.at = time.Date(2026, 2, 3, 4, 5, 6, 789_999_999, time.FixedZone("", 3600))
	v, err := f.store.Write(context.Background(), []store.Write{put("a")})
	if err != nil {
		f.Fatalf("write: %v", err)
	}
	f.equal("lastUpdated", v[0].Updated, time.Date(2026, 2, 3, 3, 5, 6, 789e6, time.UTC))
	f.reopen()
	f.holds(v[0])
}

func updatedMonotonic(f *fixture) {
	first := f.put("a")
	f.clock.advance(-time.Hour)
	second := f.put("b")
	f.equal("lastUpdated after the clock went back", second.Updated, first.Updated)
	f.reopen() // what was written is remembered, not only what this process has seen
	f.equal("lastUpdated after reopening", f.put("a").Updated, first.Updated)
	f.purge("b")
	f.clock.advance(2 * time.Hour)
	f.equal("lastUpdated after the clock went on", f.put("c").Updated, f.clock.now())
	f.changes(0)
}

func countsFollow(f *fixture) {
	f.counts(map[fhir.Type]int64{})
	f.write(put("a"), put("b"), put("Patient/a"))
	f.put("a")
	f.counts(map[fhir.Type]int64{observation: 2, patient: 1})
	f.delete("a")
	f.delete("Patient/a")
	f.delete("a") // of a deletion
	f.counts(map[fhir.Type]int64{observation: 1})
	f.put("a")
	f.purge("b")
	f.counts(map[fhir.Type]int64{observation: 1})
	f.reopen()
	f.counts(map[fhir.Type]int64{observation: 1})
	f.purge("a")
	f.counts(map[fhir.Type]int64{})
}

func bytesAreReusable(f *fixture) {
	w := put("a", token("x"))
	mine := bytes.Clone(w.Body.JSON)
	f.write(w)
	clear(w.Body.JSON)
	v, err := f.store.Read(f.Context(), key("a"))
	if err != nil {
		f.Fatalf("read: %v", err)
	}
	f.equal("body after the writer reused its bytes", string(v.Body.JSON), string(mine))
}
