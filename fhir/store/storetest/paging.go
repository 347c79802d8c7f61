package storetest

import (
	"fmt"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var pagingTests = []test{
	{"totals are exact when asked for and -1 otherwise", totals},
	{"a full last page has no next", fullLastPage},
	{"what is no continuation is invalid", foreignContinuation},
	{"a continuation outlives the process", continuationOutlives},
	{"pages visit everything once while resources change", pagesWhileChanging},
	{"thousands of resources in pages of every kind of plan", pagesOfThousands},
}

func totals(f *fixture) {
	many(f, 20)
	f.put("Patient/p", token("s|all"))
	f.delete("o00003")
	all := search.Branch{Type: observation, Filter: hasCode(observation, "all")}
	none := search.Branch{Type: observation, Filter: hasCode(observation, "other")}
	both := []search.Branch{all, {Type: patient, Filter: hasCode(patient, "all")}}
	for _, c := range []struct {
		plan    search.Plan
		matches int
		total   int64
	}{
		{search.Plan{Branches: []search.Branch{all}, Count: 5}, 5, -1},
		{search.Plan{Branches: []search.Branch{all}, Count: 5, Total: true}, 5, 19},
		{search.Plan{Branches: []search.Branch{all}, Count: 0, Total: true}, 0, 19},
		{search.Plan{Branches: []search.Branch{all}}, 0, 19}, // no page asks for the total only
		{search.Plan{Branches: both, Count: 100, Total: true}, 20, 20},
		{search.Plan{Branches: both}, 0, 20},
		{search.Plan{Branches: []search.Branch{{Type: observation}}}, 0, 19},
		{search.Plan{Branches: []search.Branch{none}, Count: 5, Total: true}, 0, 0},
		{search.Plan{Branches: []search.Branch{none}}, 0, 0},
		{search.Plan{Branches: []search.Branch{all}, Count: 5, Total: true, Sort: []search.SortKey{by(number)}}, 5, 19},
		{search.Plan{Branches: []search.Branch{all}, Sort: []search.SortKey{by(number)}}, 0, 19},
	} {
		page := f.search(&c.plan)
		if len(page.Matches) != c.matches || page.Total != c.total {
			f.Errorf("count %d, total %t: %d matches of %d, want %d of %d",
				c.plan.Count, c.plan.Total, len(page.Matches), page.Total, c.matches, c.total)
		}
		if c.plan.Count == 0 && page.Next != nil {
			f.Errorf("a total only has a next page")
		}
	}
	plan := search.Plan{Branches: []search.Branch{all}, Count: 5, Total: true}
	plan.After = f.search(&plan).Next
	f.equal("total on the second page", f.search(&plan).Total, int64(19))
}

func fullLastPage(f *fixture) {
	many(f, 6)
	for _, keys := range [][]search.SortKey{nil, {by(number)}, {descending(by(date))}, {by(url)}} {
		plan := sorted(keys...)
		plan.Count = 3
		first := f.search(plan)
		if first.Next == nil {
			f.Fatal("the first of two pages has no next")
		}
		plan.After = first.Next
		if second := f.search(plan); len(second.Matches) != 3 || second.Next != nil {
			f.Errorf("the last page has %d matches, more: %t", len(second.Matches), second.Next != nil)
		}
	}
}

func foreignContinuation(f *fixture) {
	many(f, 6)
	for _, keys := range [][]search.SortKey{nil, {by(date)}} {
		plan := sorted(keys...)
		for _, after := range []string{"x", "not from here at all, and rather long: " + strings.Repeat("?", 200)} {
			plan.After = []byte(after)
			_, err := f.store.Search(f.Context(), plan)
			f.isFault(err, fault.Invalid)
		}
	}
	_, err := f.store.History(f.Context(), store.HistoryQuery{Count: 3, After: []byte("x")})
	f.isFault(err, fault.Invalid)
}

func continuationOutlives(f *fixture) {
	many(f, 8)
	for _, keys := range [][]search.SortKey{nil, {descending(by(number))}, {{Updated: true}}} {
		plan := sorted(keys...)
		want := ids(f.walk(*plan, nil))
		plan.Count = 3
		f.equal("with reopening between pages", ids(f.walk(*plan, f.reopen)), want)
	}
}

// pagesWhileChanging updates, creates and deletes between pages. What matched
// throughout, with sort values that did not change, must come exactly once.
func pagesWhileChanging(f *fixture) {
	const n = 60
	for i, keys := range [][]search.SortKey{
		nil, {by(number)}, {descending(by(number))}, {by(name), descending(by(date))}, {by(url)},
	} {
		many(f, n) // writes the same values again
		round := 0
		plan := sorted(keys...)
		plan.Branches[0].Filter = search.Not{Filter: hasCode(observation, "left")}
		steady := func(i int) bool { return i%10 != 3 && i%10 != 7 }
		plan.Count = 7
		got := f.walk(*plan, func() {
			round++
			again := put(fmt.Sprintf("o%05d", round*10), token("s|again"), text(fmt.Sprint("Name ", round*10%13)),
				num(fmt.Sprint(round*10%100)), when(fmt.Sprintf("20%02d-01-%02d", round*10%50, 1+round*10%28)))
			f.write(again,
				put(fmt.Sprintf("new-%d-%d", i, round), text("Name 4"), num("50")),
				put(fmt.Sprintf("o%05d", n-round*10+7), token("s|left")),
				store.Write{Key: key(fmt.Sprintf("o%05d", round*10-7)), Method: fhir.Delete, Expect: store.AnyVersion},
			)
			if round == 5 {
				round = 0
			}
		})
		seen := map[fhir.ID]int{}
		for _, v := range got {
			if seen[v.ID]++; seen[v.ID] > 1 {
				f.Errorf("plan %d: %s came twice", i, v.ID)
			}
		}
		for _, id := range inOrderOfID(n, steady) {
			if seen[id] != 1 {
				f.Errorf("plan %d: %s came %d times", i, id, seen[id])
			}
		}
		stay := func(v fhir.Version) bool { return seen[v.ID] == 1 && strings.HasPrefix(string(v.ID), "o") }
		order := slices.DeleteFunc(f.walk(*plan, nil), func(v fhir.Version) bool { return !stay(v) })
		at := map[fhir.ID]int{}
		for i, v := range order {
			at[v.ID] = i
		}
		last := -1
		for _, v := range got {
			if p, ok := at[v.ID]; ok && steady(numberOf(v.ID)) {
				if p < last {
					f.Errorf("plan %d: %s is out of order", i, v.ID)
				}
				last = p
			}
		}
	}
}

// numberOf returns the number in an id that many has given, or -1.
func numberOf(id fhir.ID) int {
	var i int
	if _, err := fmt.Sscanf(string(id), "o%d", &i); err != nil {
		return -1
	}
	return i
}

// pagesOfThousands is where an engine's internal boundaries show.
func pagesOfThousands(f *fixture) {
	const n = 3000
	many(f, n)
	for i := 0; i < n; i += 10 {
		f.delete(fmt.Sprintf("o%05d", i))
	}
	live := func(i int) bool { return i%10 != 0 }
	for _, c := range []struct {
		name   string
		filter search.Filter
		keep   func(i int) bool
	}{
		{"all", nil, live},
		{"dense token", hasCode(observation, "all"), live},
		{"seventh", hasCode(observation, "mod7-3"), func(i int) bool { return live(i) && i%7 == 3 }},
		{"all but a seventh", search.Not{Filter: hasCode(observation, "mod7-3")}, func(i int) bool { return live(i) && i%7 != 3 }},
		{"single", hasCode(observation, "each-2999"), func(i int) bool { return i == 2999 }},
		{"number range", match(number, numberIs(search.Ge, "97")), func(i int) bool { return live(i) && i%100 >= 97 }},
		{"date that matches nearly all", match(date, dateIs(search.Ge, "2001")), func(i int) bool { return live(i) && i%50 >= 1 }},
		{"reference", match(subject, search.Ref{Type: patient, ID: "p4"}), func(i int) bool { return i%10 == 4 }},
		{"string", match(name, search.Text{Text: "name 12"}), func(i int) bool { return live(i) && i%13 == 12 }},
		{"dense and sparse", search.And{hasCode(observation, "all"), hasCode(observation, "mod7-0"), match(number, numberIs(search.Lt, "2"))},
			func(i int) bool { return live(i) && i%7 == 0 && i%100 < 2 }},
	} {
		want := inOrderOfID(n, c.keep)
		for _, size := range []int{1000, 97} {
			plan := search.Plan{Branches: []search.Branch{{Type: observation, Filter: c.filter}}, Count: size, Total: true}
			f.equal(c.name+": total", f.search(&plan).Total, int64(len(want)))
			f.equal(c.name, ids(f.walk(plan, nil)), ids(asVersions(want)))
			for _, down := range []bool{false, true} {
				plan.Sort = []search.SortKey{{Param: params[observation][number], Descending: down}}
				byNumber := slices.Clone(want)
				slices.SortStableFunc(byNumber, func(a, b fhir.ID) int {
					if x, y := numberOf(a)%100, numberOf(b)%100; down {
						return y - x
					} else {
						return x - y
					}
				})
				f.equal(c.name+" by number", ids(f.walk(plan, nil)), ids(asVersions(byNumber)))
			}
		}
	}
}

func asVersions(all []fhir.ID) []fhir.Version {
	var versions []fhir.Version
	for _, id := range all {
		versions = append(versions, fhir.Version{Key: fhir.Key{ID: id}})
	}
	return versions
}
