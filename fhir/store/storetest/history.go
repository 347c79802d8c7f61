package storetest

import (
	"fmt"
	"slices"
	"time"

	"salus/fhir"
	"salus/fhir/store"
)

var historyTests = []test{
	{"one resource, one type and everything, newest first", historyLevels},
	{"since is inclusive and before is exclusive", historyWindows},
	{"pages of a history are steady under writes", historyPages},
	{"totals are exact when asked for", historyTotals},
	{"a purge leaves no history", historyPurge},
	{"versions of one call keep their order", historyOfCall},
}

// past reads a whole history in pages of one size.
func (f *fixture) past(q store.HistoryQuery, size int, between func()) []fhir.Version {
	f.Helper()
	var all []fhir.Version
	for q.Count = size; ; {
		page, err := f.store.History(f.Context(), q)
		if err != nil {
			f.Fatalf("history: %v", err)
		}
		if len(page.Versions) > size || page.Next != nil && len(page.Versions) != size {
			f.Fatalf("page of %d versions, want %d, more: %t", len(page.Versions), size, page.Next != nil)
		}
		all = append(all, page.Versions...)
		if page.Next == nil {
			return all
		}
		if q.After = page.Next; between != nil {
			between()
		}
	}
}

// tells checks a history in pages of several sizes and in both directions.
// want is oldest first.
func (f *fixture) tells(q store.HistoryQuery, want []fhir.Version) {
	f.Helper()
	newest := slices.Clone(want)
	slices.Reverse(newest)
	for _, size := range []int{1, 2, 3, max(len(want), 1), len(want) + 1} {
		q.OldestFirst = true
		f.equal(fmt.Sprintf("oldest first in pages of %d", size), f.past(q, size, nil), want)
		q.OldestFirst = false
		f.equal(fmt.Sprintf("newest first in pages of %d", size), f.past(q, size, nil), nilIfEmpty(newest))
	}
}

func nilIfEmpty(versions []fhir.Version) []fhir.Version {
	if len(versions) == 0 {
		return nil
	}
	return versions
}

// story writes versions of three types and returns them, oldest first.
func story(f *fixture) []fhir.Version {
	all := []fhir.Version{f.put("a"), f.put("Patient/a"), f.put("a")}
	all = append(all, f.write(put("b"), put("Encounter/a"))...)
	all = append(all, f.delete("a"), f.put("b"), f.delete("Patient/a"), f.put("a"))
	return all
}

func only(all []fhir.Version, keep func(fhir.Version) bool) []fhir.Version {
	var kept []fhir.Version
	for _, v := range all {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func historyLevels(f *fixture) {
	all := story(f)
	check := func() {
		f.Helper()
		f.tells(store.HistoryQuery{}, all)
		for _, t := range []fhir.Type{patient, observation, encounter, "Basic"} {
			f.tells(store.HistoryQuery{Type: t}, only(all, func(v fhir.Version) bool { return v.Type == t }))
			for _, id := range []fhir.ID{"a", "b", "zz"} {
				k := fhir.Key{Type: t, ID: id}
				f.tells(store.HistoryQuery{Type: t, ID: id}, only(all, func(v fhir.Version) bool { return v.Key == k }))
			}
		}
	}
	check()
	f.reopen()
	check()
}

func historyWindows(f *fixture) {
	all := story(f)
	for _, since := range []int{0, 2, 4, len(all) - 1} {
		for _, before := range []int{0, 3, 5, len(all) - 1} {
			for _, shift := range []time.Duration{0, time.Millisecond, -time.Millisecond, time.Microsecond} {
				q := store.HistoryQuery{Since: all[since].Updated.Add(shift), Before: all[before].Updated.Add(shift)}
				inside := func(v fhir.Version) bool { return !v.Updated.Before(q.Since) && v.Updated.Before(q.Before) }
				f.tells(q, only(all, inside))
				q.Type = observation
				f.tells(q, only(all, func(v fhir.Version) bool { return inside(v) && v.Type == observation }))
				q.ID = "a"
				f.tells(q, only(all, func(v fhir.Version) bool { return inside(v) && v.Key == key("a") }))
				q = store.HistoryQuery{Since: q.Since}
				f.tells(q, only(all, func(v fhir.Version) bool { return !v.Updated.Before(q.Since) }))
			}
		}
	}
}

func historyPages(f *fixture) {
	all := story(f)
	n := 0
	write := func() {
		n++
		f.put("a")
		f.put(fmt.Sprint("Patient/new", n))
	}
	for _, q := range []store.HistoryQuery{{}, {Type: observation}, {Type: observation, ID: "a"}} {
		before := f.past(q, 100, nil)
		f.equal("versions that came between pages", f.past(q, 2, write), before)
		q.OldestFirst = true
		before = f.past(q, 100, nil)
		// Oldest first, versions that come between pages come at the end; as long as
		// each page is longer than what comes between, the end is reached.
		after := f.past(q, 5, write)
		f.equal("oldest versions", after[:len(before)], before)
	}
	if len(f.past(store.HistoryQuery{}, 1000, nil)) <= len(all) {
		f.Error("nothing was written between pages")
	}
}

func historyTotals(f *fixture) {
	all := story(f)
	since := all[3].Updated
	for _, c := range []struct {
		q     store.HistoryQuery
		page  int
		total int64
	}{
		{store.HistoryQuery{Count: 2}, 2, -1},
		{store.HistoryQuery{Count: 2, Total: true}, 2, 9},
		{store.HistoryQuery{Total: true}, 0, 9},
		{store.HistoryQuery{}, 0, 9}, // no page asks for the total only
		{store.HistoryQuery{Since: since, Count: 100, Total: true}, 6, 6},
		{store.HistoryQuery{Before: since, Count: 1, Total: true}, 1, 3},
		{store.HistoryQuery{Type: observation, Count: 1, Total: true}, 1, 6},
		{store.HistoryQuery{Type: observation, Since: since}, 0, 4},
		{store.HistoryQuery{Type: observation, ID: "a", Count: 9, Total: true}, 4, 4},
		{store.HistoryQuery{Type: observation, ID: "a", Before: since}, 0, 2},
		{store.HistoryQuery{Type: observation, ID: "zz", Count: 9, Total: true}, 0, 0},
	} {
		page, err := f.store.History(f.Context(), c.q)
		if err != nil {
			f.Fatalf("history: %v", err)
		}
		if len(page.Versions) != c.page || page.Total != c.total {
			f.Errorf("%+v: %d versions of %d, want %d of %d", c.q, len(page.Versions), page.Total, c.page, c.total)
		}
		if c.q.Count == 0 && page.Next != nil {
			f.Errorf("%+v: a total only has a next page", c.q)
		}
		if c.q.Count > 0 && page.Next != nil {
			c.q.After = page.Next
			page, err := f.store.History(f.Context(), c.q)
			if err != nil || page.Total != c.total {
				f.Errorf("%+v: total on the second page: %v %v", c.q, page, err)
			}
		}
	}
}

func historyPurge(f *fixture) {
	all := story(f)
	f.purge("a")
	all = only(all, func(v fhir.Version) bool { return v.Key != key("a") })
	f.tells(store.HistoryQuery{}, all)
	f.tells(store.HistoryQuery{Type: observation}, only(all, func(v fhir.Version) bool { return v.Type == observation }))
	f.tells(store.HistoryQuery{Type: observation, ID: "a"}, nil)
	again := f.put("a")
	f.equal("number", again.Number, int64(1))
	f.tells(store.HistoryQuery{Type: observation, ID: "a"}, []fhir.Version{again})
	f.tells(store.HistoryQuery{}, append(all, again))
	page, err := f.store.History(f.Context(), store.HistoryQuery{})
	if err != nil || page.Total != int64(len(all))+1 {
		f.Errorf("total after a purge: %+v %v", page, err)
	}
}

func historyOfCall(f *fixture) {
	var writes []store.Write
	for i := range 10 {
		writes = append(writes, put(fmt.Sprint("o", 9-i)))
	}
	made := f.write(writes...)
	slices.Reverse(writes)
	made = append(made, f.write(writes...)...)
	f.tells(store.HistoryQuery{}, made)
	f.tells(store.HistoryQuery{Type: observation, Since: made[10].Updated}, made[10:])
}
