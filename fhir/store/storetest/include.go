package storetest

import (
	"fmt"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

var includeTests = []test{
	{"targets of the page's matches are included once", includesTargets},
	{"resources that refer to the page's matches are included", includesSources},
	{"a limit truncates and says so", truncates},
	{"only current resources are included", includesCurrent},
	{"pages include what belongs to their own matches", includesByPage},
	{"an iterating include follows what was included", iterates},
	{"an iterating include may be followed once", iteratesOnce},
	{"what did not fit is asked for after it", includesMore},
}

// includes checks what comes along with the matches of a plan, by name.
func (f *fixture) includes(plan *search.Plan, want string) {
	f.Helper()
	page := f.search(plan)
	if got := names(page.Included); got != want || page.Truncated {
		f.Errorf("included %q (truncated: %t), want %q", got, page.Truncated, want)
	}
	for _, v := range page.Included {
		f.holds(v)
	}
}

// names writes versions as "Type/id Type/id" by name.
func names(versions []fhir.Version) string {
	var all []string
	for _, v := range versions {
		all = append(all, v.Key.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// including is a plan for observations with ids and everything around them.
func including(includes, revIncludes []search.Include, matches ...fhir.ID) *search.Plan {
	return &search.Plan{
		Branches: []search.Branch{{Type: observation, Filter: search.IDs(matches)}}, Count: 100,
		Includes: includes, RevIncludes: revIncludes, MaxIncludes: 100,
	}
}

func along(from, target fhir.Type) []search.Include {
	return []search.Include{{Param: params[from][subject], Target: target}}
}

func includesTargets(f *fixture) {
	family(f)
	f.put("self", ref("Observation/self"), ref("Observation/a"))
	forward := along(observation, "")
	f.includes(including(forward, nil, "a"), "Patient/p")
	f.includes(including(forward, nil, "a", "b", "c", "d", "e", "f"), "Encounter/e Encounter/g Patient/p Patient/q")
	f.includes(including(along(observation, encounter), nil, "a", "d"), "Encounter/e")
	f.includes(including(along(observation, patient), nil, "d"), "")
	f.includes(including(forward, nil, "f"), "")          // on another server
	f.includes(including(forward, nil, "g"), "Patient/p") // by a version
	f.includes(including(forward, nil, "self"), "Observation/a")
	f.includes(including(forward, nil, "self", "a"), "Patient/p")  // a match is not included again
	f.includes(including(along(encounter, ""), nil, "a", "d"), "") // of another type than the matches
	f.includes(including(nil, nil, "a"), "")
	f.includes(including(append(along(observation, encounter), along(observation, patient)...), nil, "a", "d"), "Encounter/e Patient/p")
}

func includesSources(f *fixture) {
	family(f)
	f.put("h", ref("Observation/a"))
	f.put("Encounter/h", ref("Observation/a"))
	f.includes(including(nil, along(observation, ""), "a"), "Observation/h")
	f.includes(including(nil, along(encounter, ""), "a"), "Encounter/h")
	f.includes(including(nil, append(along(encounter, ""), along(observation, "")...), "a"), "Encounter/h Observation/h")
	f.includes(including(nil, along(observation, ""), "a", "h"), "")
	f.includes(including(nil, along(encounter, observation), "a"), "Encounter/h")
	f.includes(including(nil, along(encounter, patient), "a"), "") // a match is no patient
	f.includes(including(along(observation, ""), along(observation, ""), "a"), "Observation/h Patient/p")
	plan := &search.Plan{
		Branches: []search.Branch{{Type: patient}}, Count: 100, MaxIncludes: 100,
		RevIncludes: append(along(observation, ""), along(encounter, "")...),
	}
	f.includes(plan, "Encounter/e Encounter/g Observation/a Observation/b Observation/c Observation/g")
}

func truncates(f *fixture) {
	f.put("Patient/p")
	for i := range 10 {
		f.put(fmt.Sprint("o", i), ref("Patient/p"))
	}
	for _, limit := range []int{1, 9, 10, 11} {
		page := f.search(&search.Plan{
			Branches: everything(patient).Branches, Count: 5, RevIncludes: along(observation, ""), MaxIncludes: limit,
		})
		if len(page.Included) != min(limit, 10) || page.Truncated != (limit < 10) {
			f.Errorf("of 10 at most %d: %d included, truncated: %t", limit, len(page.Included), page.Truncated)
		}
		seen := map[fhir.Key]bool{}
		for _, v := range page.Included {
			if f.holds(v); seen[v.Key] {
				f.Errorf("%s is included twice", v.Key)
			}
			seen[v.Key] = true
		}
	}
}

func includesCurrent(f *fixture) {
	family(f)
	all := including(along(observation, ""), along(observation, ""), "a", "d")
	f.put("h", ref("Observation/a"))
	f.includes(all, "Encounter/e Observation/h Patient/p")
	f.put("Patient/p", token("s|newer"))
	f.put("h", ref("Observation/a"), token("s|newer"))
	f.includes(all, "Encounter/e Observation/h Patient/p")
	f.delete("Patient/p")
	f.put("h") // refers to nothing now
	f.purge("Encounter/e")
	f.includes(all, "")
	f.put("Patient/p")
	f.put("Encounter/e")
	f.includes(all, "Encounter/e Patient/p")
	f.put("a")
	f.includes(all, "Encounter/e")
	f.put("h", ref("Observation/a"))
	f.delete("h")
	f.includes(all, "Encounter/e")
}

func includesByPage(f *fixture) {
	for i := range 6 {
		f.put(fmt.Sprint("Patient/p", i))
		f.put(fmt.Sprint("o", i), ref(fmt.Sprint("Patient/p", i)), num(fmt.Sprint(9-i)))
	}
	for _, keys := range [][]search.SortKey{nil, {by(number)}} {
		plan := sorted(keys...)
		plan.Count, plan.Includes, plan.MaxIncludes, plan.Total = 2, along(observation, ""), 10, true
		for pages := 1; ; pages++ {
			page := f.search(plan)
			want := strings.ReplaceAll(names(page.Matches), "Observation/o", "Patient/p")
			f.equal("included", names(page.Included), want)
			f.equal("total", page.Total, int64(6))
			if plan.After = page.Next; plan.After == nil {
				f.equal("pages", pages, 3)
				break
			}
		}
	}
}

// iterating makes an include go on, or go on for one round.
func iterating(once bool, list ...search.Include) []search.Include {
	for i := range list {
		list[i].Iterate, list[i].Once = true, once
	}
	return list
}

// ladder puts observations o0 to o4, each of which refers to the next, and
// patients of o4 and o0.
func ladder(f *fixture) {
	f.put("Patient/p")
	f.put("o4", ref("Patient/p"))
	for i := 3; i >= 0; i-- {
		f.put(fmt.Sprint("o", i), ref(fmt.Sprint("Observation/o", i+1)))
	}
	f.put("Encounter/e", ref("Observation/o0"))
}

func iterates(f *fixture) {
	ladder(f)
	forward := func() []search.Include { return iterating(false, along(observation, "")...) }
	f.includes(including(along(observation, ""), nil, "o0"), "Observation/o1")
	f.includes(including(forward(), nil, "o0"), "Observation/o1 Observation/o2 Observation/o3 Observation/o4 Patient/p")
	f.includes(including(forward(), nil, "o0", "o2"), "Observation/o1 Observation/o3 Observation/o4 Patient/p")
	f.includes(including(iterating(false, along(observation, observation)...), nil, "o1"), "Observation/o2 Observation/o3 Observation/o4")
	back := iterating(false, along(observation, observation)...)
	f.includes(including(nil, back, "o4"), "Observation/o0 Observation/o1 Observation/o2 Observation/o3")
	f.includes(including(nil, append(back, iterating(false, along(encounter, "")...)...), "o1"), "Encounter/e Observation/o0")
	f.includes(including(nil, append(back, along(encounter, "")...), "o1"), "Observation/o0") // no match has an encounter
	f.put("o4", ref("Observation/o0"))                                                        // round and round
	f.includes(including(forward(), nil, "o0"), "Observation/o1 Observation/o2 Observation/o3 Observation/o4")
	plan := including(forward(), nil, "o0")
	plan.MaxIncludes = 2
	if page := f.search(plan); names(page.Included) != "Observation/o1 Observation/o2" || !page.Truncated || page.NextIncluded != nil {
		f.Errorf("included %q, truncated: %t, more: %x", names(page.Included), page.Truncated, page.NextIncluded)
	}
}

func iteratesOnce(f *fixture) {
	ladder(f)
	f.includes(including(iterating(true, along(observation, "")...), nil, "o0"), "Observation/o1")
	f.includes(including(nil, iterating(true, along(observation, observation)...), "o4"), "Observation/o3")
	plan := including(append(along(encounter, ""), iterating(true, along(observation, "")...)...), nil)
	plan.Branches = []search.Branch{{Type: encounter}}
	f.includes(plan, "Observation/o0 Observation/o1") // from the first round that has observations
}

func includesMore(f *fixture) {
	f.put("Patient/p")
	f.put("Patient/q")
	for i := range 10 {
		f.put(fmt.Sprint("o", i), ref(fmt.Sprint("Patient/", string("pq"[i%2]))))
	}
	plan := &search.Plan{
		Branches: everything(patient).Branches, Count: 1, Total: true, RevIncludes: along(observation, ""), MaxIncludes: 2,
	}
	var got []string
	for pages := 1; ; pages++ {
		page := f.search(plan)
		rest := *plan
		for more := page; ; {
			got = append(got, inGivenOrder(more.Included))
			if rest.AfterIncluded = more.NextIncluded; rest.AfterIncluded == nil {
				f.equal("truncated", more.Truncated, false)
				break
			}
			f.equal("truncated", more.Truncated, true)
			if more = f.search(&rest); len(more.Matches) > 0 || more.Next != nil || more.Total != -1 {
				f.Errorf("more included: %d matches, total %d", len(more.Matches), more.Total)
			}
		}
		if plan.After = page.Next; plan.After == nil {
			break
		}
	}
	f.equal("included", strings.Join(got, "; "), "Observation/o0 Observation/o2; Observation/o4 Observation/o6; Observation/o8; "+
		"Observation/o1 Observation/o3; Observation/o5 Observation/o7; Observation/o9")
	plan.After, plan.AfterIncluded = nil, []byte("nonsense of any length")
	if _, err := f.store.Search(f.Context(), plan); !fault.Is(err, fault.Invalid) {
		f.Errorf("a made-up continuation: %v", err)
	}
}

func sortByName(versions []fhir.Version) {
	slices.SortFunc(versions, func(a, b fhir.Version) int { return strings.Compare(a.Key.String(), b.Key.String()) })
}
