package storetest

import (
	"fmt"
	"time"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

var filterTests = []test{
	{"and, or and not nest", combine},
	{"missing and present are complements", missingness},
	{"ids select by logical id", selectIDs},
	{"lastUpdated is compared like a date", selectUpdated},
	{"an update changes what finds a resource", updateChangesIndex},
	{"deleted and purged resources never match", deletedNeverMatch},
	{"each type has an index of its own", typesAreApart},
	{"parameters are the same by type and code", parametersByName},
}

func combine(f *fixture) {
	indexed{
		{"a", values{token("s|x"), text("Anna"), num("1")}},
		{"b", values{token("s|x"), text("Berta"), num("2")}},
		{"c", values{token("s|y"), text("Anna"), num("3")}},
		{"d", values{token("s|y"), token("s|x"), num("4")}},
	}.write(f)
	x, y := hasCode(observation, "x"), hasCode(observation, "y")
	anna := match(name, search.Text{Text: "anna"})
	big := match(number, numberIs(search.Gt, "2"))
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{search.And{x, anna}, "a"},
		{search.And{x, y}, "d"}, // by two values
		{search.Or{x, anna}, "a b c d"},
		{search.Or{anna, big}, "a c d"},
		{search.And{x, search.Not{Filter: anna}}, "b d"},
		{search.And{search.Not{Filter: x}, search.Not{Filter: y}}, "none"},
		{search.Or{search.And{x, big}, search.And{y, anna}}, "c d"},
		{search.Not{Filter: search.Or{x, big}}, "none"},
		{search.And{x, search.Or{anna, search.Not{Filter: search.Or{big, y}}}}, "a b"},
		{search.And{}, "a b c d none"},
		{search.Or{}, ""},
		{search.And{search.Not{Filter: big}}, "a b none"},
		{search.Not{Filter: search.Not{Filter: y}}, "c d"},
	} {
		f.finds(c.filter, c.want)
	}
}

func missingness(f *fixture) {
	all := values{
		token("s|x"), text("Anna"), when("2020"), num("0"), qty("0 u|mg"), ref("Patient/1"), uri("urn:x"),
		pair(reading, token("s|x"), qty("0 u|mg")),
	}
	f.put("all", all...)
	for _, e := range all {
		f.put("only-"+e.Param.Code, e)
	}
	f.put("none")
	for _, e := range all {
		p := e.Param
		f.finds(search.Missing{Param: p}, "all only-"+p.Code)
		f.put("was-"+p.Code, e)
		f.put("was-" + p.Code) // the update takes the value away
		f.finds(search.Missing{Param: p}, "all only-"+p.Code)
		f.purge("was-" + p.Code)
	}
	f.equal("missing of a parameter that no resource has", f.find(observation, missing(observation, timing)), f.find(observation, nil))
	f.equal("present of a parameter that no resource has", f.find(observation, present(observation, timing)), "")
}

func selectIDs(f *fixture) {
	indexed{{"a", values{token("x")}}, {"b", values{token("x")}}, {"A", values{token("y")}}}.write(f)
	f.put("Patient/p", token("x"))
	f.delete("b")
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{search.IDs{"a"}, "a"},
		{search.IDs{"a", "b", "zz", "a"}, "a"},
		{search.IDs{"A", "none"}, "A none"},
		{search.IDs{"p"}, ""},
		{search.IDs{}, ""},
		{search.And{search.IDs{"a", "A"}, hasCode(observation, "x")}, "a"},
	} {
		f.finds(c.filter, c.want)
	}
}

func selectUpdated(f *fixture) {
	var at []searchparam.Ticks
	for i := range 6 {
		f.clock.advance(time.Hour)
		at = append(at, searchparam.TicksOf(f.put(fmt.Sprint(i)).Updated))
	}
	f.put("1") // now the newest
	updated := func(p search.Prefix, start, end searchparam.Ticks) search.Filter {
		return search.Updated{Date: search.Date{Prefix: p, Start: start, End: end}}
	}
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{updated(search.Eq, at[2], at[4]), "2 3 4"},
		{updated(search.Eq, at[2]+1, at[4]-1), "3"},
		{updated(search.Ne, at[2], at[4]), "0 1 5"},
		{updated(search.Gt, at[3], at[3]), "1 4 5"},
		{updated(search.Ge, at[3], at[3]), "1 3 4 5"},
		{updated(search.Lt, at[3], at[3]), "0 2"},
		{updated(search.Le, at[3], at[3]), "0 2 3"},
		{updated(search.Sa, at[3], at[4]), "1 5"},
		{updated(search.Eb, at[3], at[4]), "0 2"},
		{updated(search.Ap, at[0], at[1]), "0"},
		{updated(search.Ge, searchparam.MinTicks, searchparam.MinTicks), "0 1 2 3 4 5"},
		{updated(search.Gt, searchparam.MaxTicks, searchparam.MaxTicks), ""},
	} {
		f.finds(c.filter, c.want)
	}
}

// change is a pair of values, and conditions that hold for one each.
type change struct {
	before, after         searchparam.Entry
	wasMatched, isMatched search.Filter
}

func changesOfEachKind() []change {
	milligrams := func(n string) search.Operand {
		return search.Quantity{Number: numberIs(search.Eq, n), System: "u", Code: "mg"}
	}
	grams := search.Quantity{Number: numberIs(search.Eq, "1"), System: "u", Code: "g"}
	pairOf := func(n string) search.Filter {
		return match(reading, search.Composite{Parts: []search.Operand{search.Token{Code: "x"}, milligrams(n)}})
	}
	return []change{
		{token("s|x"), token("s|y"), hasCode(observation, "x"), hasCode(observation, "y")},
		{text("Anna"), text("Berta"), match(name, search.Text{Text: "a"}), match(name, search.Text{Mode: search.Exact, Text: "Berta"})},
		{when("2020-01-15"), when("2021..2023"), match(date, dateIs(search.Eb, "2021")), match(date, dateIs(search.Eq, "2022"))},
		{num("1"), num("5..6"), match(number, numberIs(search.Le, "1")), match(number, numberIs(search.Ge, "5"))},
		{qty("1 u|mg"), qty("1 u|g"), match(quantity, milligrams("1")), match(quantity, grams)},
		{
			ref("Patient/1"), ref("Patient/2"),
			match(subject, search.Ref{Type: patient, ID: "1"}), match(subject, search.Ref{Type: patient, ID: "2"}),
		},
		{
			uri("http://x"), uri("http://y"),
			match(url, search.URI{Text: "http://x"}), match(url, search.URI{Mode: search.Below, Text: "http://y"}),
		},
		{pair(reading, token("x"), qty("1 u|mg")), pair(reading, token("x"), qty("2 u|mg")), pairOf("1"), pairOf("2")},
	}
}

func updateChangesIndex(f *fixture) {
	for i, c := range changesOfEachKind() {
		id := fmt.Sprint("r", i)
		f.put(id, c.before)
		f.finds(c.wasMatched, id)
		f.finds(c.isMatched, "")
		f.put(id, c.before, c.after)
		f.finds(search.And{c.wasMatched, c.isMatched}, id)
		f.put(id, c.after)
		f.finds(c.wasMatched, "")
		f.finds(c.isMatched, id)
		f.put(id, c.before) // and back: an old entry counts again
		f.finds(c.wasMatched, id)
		f.finds(c.isMatched, "")
		f.reopen()
		f.finds(c.wasMatched, id)
		f.finds(c.isMatched, "")
		f.delete(id)
	}
}

func deletedNeverMatch(f *fixture) {
	f.put("kept")
	for i, c := range changesOfEachKind() {
		deleted, purged := fmt.Sprint("d", i), fmt.Sprint("p", i)
		f.put(deleted, c.before)
		f.put(purged, c.before)
		f.finds(c.wasMatched, deleted+" "+purged)
		f.delete(deleted)
		f.purge(purged)
		f.finds(c.wasMatched, "")
		f.equal("Not", f.find(observation, search.Not{Filter: c.wasMatched}), "kept")
		f.equal("Missing", f.find(observation, search.Missing{Param: c.before.Param, Missing: true}), "kept")
		f.equal("Present", f.find(observation, search.Missing{Param: c.before.Param}), "")
		f.equal("IDs", f.find(observation, search.IDs{fhir.ID(deleted), fhir.ID(purged)}), "")
		f.equal("whole type", f.find(observation, nil), "kept")
		f.equal("total", f.search(&search.Plan{Branches: everything(observation).Branches}).Total, int64(1))
		f.put(deleted, c.after) // recreated with other values
		f.finds(c.isMatched, deleted)
		f.finds(c.wasMatched, "")
		f.delete(deleted)
	}
	f.equal("lastUpdated", f.find(observation, search.Updated{Date: search.Date{Prefix: search.Ge}}), "kept")
}

func typesAreApart(f *fixture) {
	f.put("a", token("s|x"), text("Anna"))
	f.put("Patient/a", token("s|y"), text("Anna"))
	f.put("Patient/b", token("s|x"))
	f.equal("observations", f.find(observation, hasCode(observation, "x")), "a")
	f.equal("patients", f.find(patient, hasCode(patient, "x")), "b")
	f.equal("patients", f.find(patient, matchOn(patient, name, search.Text{Text: "anna"})), "a")
	f.equal("encounters", f.find(encounter, hasCode(encounter, "x")), "")
	f.equal("patients that lack it", f.find(patient, missing(patient, name)), "b")
	f.equal("a type that does not occur", f.find("Basic", nil), "")
}

func parametersByName(f *fixture) {
	f.put("a", token("s|x"))
	f.put("b", token("s|y"))
	for range 2 {
		again := newRegistry()[observation][code] // as after a restart of the service
		f.finds(search.Match{Param: again, Operand: search.Token{System: "s", Code: "x"}}, "a")
		w := put("c")
		w.Values = values{{Param: again, Value: tokenValue("s|x")}}
		f.write(w)
		f.finds(hasCode(observation, "x"), "a c")
		f.write(store.Write{Key: key("c"), Method: fhir.Delete, Expect: store.AnyVersion})
		f.reopen()
	}
}
