package storetest

import (
	"fmt"
	"strings"
	"time"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var orderTests = []test{
	{"without sort keys the order is that of creation", defaultOrder},
	{"several types come in one order", ordersTypes},
	{"dates sort by the least ascending and the greatest descending", sortsDates},
	{"strings sort without case and accents", sortsStrings},
	{"numbers sort by value", sortsNumbers},
	{"lastUpdated sorts in both directions", sortsUpdated},
	{"several keys sort one after the other", sortsByKeys},
	{"several types sort by the code of each", sortsTypes},
	{"ids and types sort by name", sortsNames},
	{"lastUpdated goes before other keys", sortsInstants},
}

// inOrder checks the order of all matches, in one page and in pages of each
// smaller size.
func (f *fixture) inOrder(plan *search.Plan, want string) {
	f.Helper()
	for size := 1; size <= len(strings.Fields(want))+1; size++ {
		p := *plan
		p.Count = size
		if got := ids(f.walk(p, nil)); got != want {
			f.Fatalf("in pages of %d: %q, want %q", size, got, want)
		}
	}
}

func sorted(keys ...search.SortKey) *search.Plan {
	plan := everything(observation)
	plan.Sort = keys
	return plan
}

func by(code string) search.SortKey { return search.SortKey{Param: params[observation][code]} }

func descending(k search.SortKey) search.SortKey {
	k.Descending = true
	return k
}

func defaultOrder(f *fixture) {
	f.write(put("d"), put("b"), put("e"))
	f.put("a")
	f.put("c")
	f.inOrder(sorted(), "d b e a c")
	f.put("d") // an update does not move it
	f.put("b")
	f.inOrder(sorted(), "d b e a c")
	f.delete("b")
	f.put("f")
	f.inOrder(sorted(), "d e a c f")
	f.put("b") // back where it was
	f.reopen()
	f.put("g")
	f.inOrder(sorted(), "d b e a c f g")
}

func ordersTypes(f *fixture) {
	f.put("Patient/1")
	f.put("2")
	f.write(put("Patient/3"), put("Encounter/4"), put("5"))
	f.put("Encounter/6")
	f.put("Patient/7")
	f.delete("5")
	f.inOrder(everything(observation, patient, encounter), "1 2 3 4 6 7")
	f.inOrder(everything(encounter, patient), "1 3 4 6 7")
	plan := everything(patient, observation)
	plan.Branches[0].Filter = search.IDs{"3", "2"}
	f.inOrder(plan, "2 3")
	plan.Count, plan.Total = 1, true
	f.equal("total over all types", f.search(plan).Total, int64(2))
}

func sortsDates(f *fixture) {
	indexed{
		{"a", values{when("2020-03-01")}},
		{"b", values{when("2020-02-01"), when("2020-09-01")}},
		{"c", values{when("1955-12-24")}},
	}.write(f) // then none
	f.put("d", when("2020-05-01T10:00:00Z"), when("2020-05-02"))
	f.put("e", when("2020-03-01"))
	f.put("none2", text("x"))
	f.inOrder(sorted(by(date)), "none none2 c b a e d")
	f.inOrder(sorted(descending(by(date))), "b d a e c none none2")
	f.put("b", when("1900"))
	f.inOrder(sorted(by(date)), "none none2 b c a e d")
	f.delete("c")
	f.put("none", when("2030"))
	f.inOrder(sorted(descending(by(date))), "none d a e b none2")
	f.reopen()
	f.inOrder(sorted(descending(by(date))), "none d a e b none2")
}

func sortsStrings(f *fixture) {
	indexed{
		{"a", values{text("berta")}},
		{"b", values{text("Anna")}},
		{"c", values{text("Ábel")}},
		{"d", values{text("Carl"), text("aaron")}},
		{"e", values{text("Ann")}},
		{"f", values{text("Émile")}},
	}.write(f)
	f.inOrder(sorted(by(name)), "none d c e b a f")
	f.inOrder(sorted(descending(by(name))), "f d a b e c none")
	plan := sorted(by(name))
	plan.Branches[0].Filter = present(observation, name)
	f.inOrder(plan, "d c e b a f")
	plan.Branches[0].Filter = missing(observation, name)
	f.inOrder(plan, "none")
	plan.Branches[0].Filter = match(name, search.Text{Mode: search.Contains, Text: "n"})
	f.inOrder(plan, "d e b")
}

func sortsNumbers(f *fixture) {
	indexed{
		{"a", values{num("10")}},
		{"b", values{num("9.5")}},
		{"c", values{num("-3")}},
		{"d", values{num("0.001"), num("100")}},
		{"e", values{num("9.50")}}, // ties with b
		{"f", values{num("-20")}},
	}.write(f)
	f.inOrder(sorted(by(number)), "none f c d b e a")
	f.inOrder(sorted(descending(by(number))), "d a b e c f none")
}

func sortsUpdated(f *fixture) {
	for _, id := range strings.Fields("a b c d e") {
		f.clock.advance(time.Minute)
		f.put(id)
	}
	f.put("b")
	f.put("a")
	f.delete("d")
	updated := search.SortKey{Updated: true}
	f.inOrder(sorted(updated), "c e b a")
	f.inOrder(sorted(descending(updated)), "a b e c")
	f.put("Patient/p")
	f.put("c")
	plan := everything(patient, observation)
	plan.Sort = []search.SortKey{descending(updated)}
	f.inOrder(plan, "c p a b e")
}

func sortsByKeys(f *fixture) {
	indexed{
		{"a", values{text("x"), num("2")}},
		{"b", values{text("y"), num("1")}},
		{"c", values{text("x"), num("1")}},
		{"d", values{text("x")}},
		{"e", values{num("1")}},
	}.write(f)
	f.inOrder(sorted(by(name), by(number)), "none e d c a b")
	f.inOrder(sorted(by(name), descending(by(number))), "e none a c d b")
	f.inOrder(sorted(descending(by(name)), by(number)), "b d c a none e")
	f.inOrder(sorted(by(number), descending(search.SortKey{Updated: true})), "none d e c b a")
}

func sortsTypes(f *fixture) {
	f.put("1", when("2020"))
	f.put("Patient/2", when("2018"))
	f.put("Encounter/3", when("2019"))
	f.put("4")
	f.put("Patient/5", when("2021"))
	f.put("Encounter/6")
	plan := everything(observation, patient, encounter)
	plan.Sort = []search.SortKey{by(date)}
	f.inOrder(plan, "4 6 2 3 1 5")
	plan.Sort = []search.SortKey{descending(by(date))}
	f.inOrder(plan, "5 1 3 2 4 6")
}

func sortsNames(f *fixture) {
	for _, name := range []string{"b", "Patient/b", "Encounter/c", "a", "Patient/a", "Encounter/a"} {
		f.clock.advance(time.Minute)
		f.put(name)
	}
	id, typ, updated := search.SortKey{ID: true}, search.SortKey{Type: true}, search.SortKey{Updated: true}
	f.inOrder(sorted(id), "a b")
	f.inOrder(sorted(descending(id)), "b a")
	f.inOrder(sorted(typ), "b a")
	f.inOrder(sorted(typ, id), "a b")
	plan := everything(observation, patient, encounter)
	for _, c := range []struct {
		keys []search.SortKey
		want string
	}{
		{[]search.SortKey{typ, id}, "a c a b a b"}, // Encounter, Observation, Patient
		{[]search.SortKey{typ, updated}, "c a b a b a"},
		{[]search.SortKey{descending(typ), descending(updated)}, "a b a b a c"},
		{[]search.SortKey{descending(typ)}, "b a b a c a"},
		{[]search.SortKey{descending(id), typ}, "c b b a a a"},
	} {
		plan.Sort = c.keys
		f.inOrder(plan, c.want)
	}
}

func sortsInstants(f *fixture) {
	f.write(put("a", num("3")), put("b", num("1")), put("c", num("2")))
	f.clock.advance(time.Minute)
	f.write(put("d", num("2")), put("e", num("1")))
	f.clock.advance(time.Minute)
	f.put("c", num("2"))
	updated := search.SortKey{Updated: true}
	f.inOrder(sorted(updated, by(number)), "b a e d c")
	f.inOrder(sorted(updated, descending(by(number))), "a b d e c")
	f.inOrder(sorted(descending(updated), by(number)), "c e d b a")
}

// many writes n observations in calls of up to 500, with values that let
// filters and sorts of different selectivity run.
func many(f *fixture, n int) {
	f.Helper()
	for i := 0; i < n; {
		f.clock.advance(time.Second)
		var writes []store.Write
		for ; i < n && len(writes) < 500; i++ {
			writes = append(writes, put(fmt.Sprintf("o%05d", i),
				token(fmt.Sprint("s|mod7-", i%7)), token(fmt.Sprint("s|each-", i)), token("s|all"),
				num(fmt.Sprint(i%100)), when(fmt.Sprintf("20%02d-01-%02d", i%50, 1+i%28)),
				ref(fmt.Sprint("Patient/p", i%10)), text(fmt.Sprint("Name ", i%13)),
			))
		}
		f.write(writes...)
	}
}

// inOrderOfID names the observations that many has written, by a condition.
func inOrderOfID(n int, keep func(i int) bool) []fhir.ID {
	var all []fhir.ID
	for i := range n {
		if keep(i) {
			all = append(all, fhir.ID(fmt.Sprintf("o%05d", i)))
		}
	}
	return all
}
