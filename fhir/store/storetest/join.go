package storetest

import (
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var joinTests = []test{
	{"a chain follows references to current resources", chains},
	{"a chain reaches through several types", chainsNest},
	{"Has finds what is referred to", has},
	{"Has and chains nest in each other", joinsMix},
	{"a dangling reference comes alive with its target", dangling},
	{"a deleted target is not reached until it is back", targetDeleted},
	{"a deleted source refers to nothing", sourceDeleted},
	{"a resource may refer to itself", refersToItself},
}

func chain(from fhir.Type, to fhir.Type, filter search.Filter) search.Filter {
	return search.Chain{Param: params[from][subject], Target: to, Filter: filter}
}

func hasOf(from fhir.Type, filter search.Filter) search.Filter {
	return search.Has{Param: params[from][subject], Filter: filter}
}

// family writes two patients, encounters of them and observations of both.
func family(f *fixture) {
	f.write(
		put("Patient/p", token("s|red"), text("Anna")), put("Patient/q", token("s|blue")),
		put("Encounter/e", token("s|home"), ref("Patient/p")), put("Encounter/g", ref("Patient/q")),
	)
	indexed{
		{"a", values{ref("Patient/p"), token("s|x")}},
		{"b", values{ref("Patient/q"), token("s|x")}},
		{"c", values{ref("Patient/p"), ref("Patient/q")}},
		{"d", values{ref("Encounter/e"), token("s|y")}},
		{"e", values{ref("Encounter/g")}},
		{"f", values{ref("http://other/fhir/Patient/p")}},
		{"g", values{ref("Patient/p/_history/1"), token("s|y")}},
	}.write(f)
}

func chains(f *fixture) {
	family(f)
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{chain(observation, patient, hasCode(patient, "red")), "a c g"},
		{chain(observation, patient, hasCode(patient, "blue")), "b c"},
		{chain(observation, patient, hasCode(patient, "green")), ""},
		{chain(observation, patient, nil), "a b c g"},
		{chain(observation, encounter, nil), "d e"},
		{chain(observation, encounter, hasCode(encounter, "home")), "d"},
		{chain(observation, patient, search.Not{Filter: hasCode(patient, "red")}), "b c"},
		{chain(observation, patient, missing(patient, name)), "b c"},
		{chain(observation, patient, present(patient, name)), "a c g"},
		{chain(observation, patient, search.IDs{"q"}), "b c"},
		{search.And{chain(observation, patient, hasCode(patient, "red")), hasCode(observation, "x")}, "a"},
		{search.And{
			chain(observation, patient, hasCode(patient, "red")), chain(observation, patient, hasCode(patient, "blue")),
		}, "c"},
		{chain(observation, patient, search.And{hasCode(patient, "red"), hasCode(patient, "blue")}), ""},
	} {
		f.finds(c.filter, c.want)
	}
}

func chainsNest(f *fixture) {
	family(f)
	f.put("deep", ref("Observation/d"))
	red := chain(encounter, patient, hasCode(patient, "red"))
	f.finds(chain(observation, encounter, red), "d")
	f.finds(chain(observation, observation, chain(observation, encounter, red)), "deep")
	f.finds(chain(observation, encounter, search.Not{Filter: red}), "e")
}

func has(f *fixture) {
	family(f)
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{hasOf(observation, nil), "p q"},
		{hasOf(observation, hasCode(observation, "x")), "p q"},
		{hasOf(observation, hasCode(observation, "y")), "p"}, // g refers to a version of p
		{hasOf(encounter, nil), "p q"},
		{hasOf(encounter, hasCode(encounter, "home")), "p"},
		{hasOf(encounter, missing(encounter, code)), "q"},
		{search.Not{Filter: hasOf(encounter, hasCode(encounter, "home"))}, "q"},
		{hasOf(patient, nil), ""},
		{hasOf(observation, search.IDs{"a"}), "p"},
		{search.And{hasOf(observation, search.IDs{"c"}), hasCode(patient, "blue")}, "q"},
	} {
		if got := f.find(patient, c.filter); got != c.want {
			f.Errorf("%s\n  matches %q, want %q", describe(c.filter), got, c.want)
		}
	}
	f.equal("encounters", f.find(encounter, hasOf(observation, hasCode(observation, "y"))), "e")
}

func joinsMix(f *fixture) {
	family(f)
	// Patients with an encounter that has an observation with code y.
	f.equal("nested Has", f.find(patient, hasOf(encounter, hasOf(observation, hasCode(observation, "y")))), "p")
	// Observations of patients that have an encounter at home.
	f.finds(chain(observation, patient, hasOf(encounter, hasCode(encounter, "home"))), "a c g")
	// Patients that have observations which also refer to a blue patient.
	blue := chain(observation, patient, hasCode(patient, "blue"))
	f.equal("chain in Has", f.find(patient, hasOf(observation, blue)), "p q")
	f.equal("chain in Has", f.find(patient, search.And{hasOf(observation, blue), hasCode(patient, "red")}), "p")
}

func dangling(f *fixture) {
	f.put("a", ref("Patient/p"), token("s|x"))
	red, any := chain(observation, patient, hasCode(patient, "red")), chain(observation, patient, nil)
	f.finds(red, "")
	f.finds(any, "")
	f.finds(match(subject, search.Ref{Type: patient, ID: "p"}), "a")
	f.absent("Patient/p")
	f.counts(map[fhir.Type]int64{observation: 1})
	f.equal("patients", f.find(patient, nil), "")
	f.equal("patients", f.find(patient, search.Not{Filter: hasCode(patient, "red")}), "")
	f.equal("patients", f.find(patient, hasOf(observation, nil)), "")
	f.reopen()
	w := put("Patient/p", token("s|red"))
	w.Expect = 0
	f.equal("number", f.write(w)[0].Number, int64(1))
	f.finds(red, "a")
	f.finds(any, "a")
	f.equal("patients", f.find(patient, hasOf(observation, hasCode(observation, "x"))), "p")
	// Forward and backward within one call.
	f.write(put("b", ref("Patient/r")), put("Patient/r", token("s|red")), put("c", ref("Patient/r")))
	f.finds(red, "a b c")
}

func targetDeleted(f *fixture) {
	family(f)
	red, any := chain(observation, patient, hasCode(patient, "red")), chain(observation, patient, nil)
	negated := chain(observation, patient, search.Not{Filter: hasCode(patient, "red")})
	byRef := match(subject, search.Ref{Type: patient, ID: "p", Here: true})
	for _, remove := range []func(string) fhir.Version{f.delete, f.purge} {
		f.finds(red, "a c g")
		remove("Patient/p")
		f.finds(red, "")
		f.finds(any, "b c")
		f.finds(negated, "b c") // a deleted target satisfies nothing, not even a negation
		f.finds(byRef, "a c g") // the reference itself is still there
		f.equal("patients", f.find(patient, hasOf(observation, nil)), "q")
		f.put("Patient/p", token("s|green"))
		f.finds(red, "")
		f.finds(negated, "a b c g")
		f.put("Patient/p", token("s|red"))
	}
	f.finds(red, "a c g")
}

func sourceDeleted(f *fixture) {
	family(f)
	y := hasOf(observation, hasCode(observation, "y"))
	for _, remove := range []func(string) fhir.Version{f.delete, f.purge} {
		f.equal("before", f.find(patient, y), "p")
		remove("g")
		f.equal("after", f.find(patient, y), "")
		f.equal("negated", f.find(patient, search.Not{Filter: y}), "p q")
		f.put("g", token("s|y")) // back without the reference
		f.equal("back without the reference", f.find(patient, y), "")
		f.put("g", token("s|y"), ref("Patient/p"))
	}
	f.equal("back", f.find(patient, y), "p")
}

func refersToItself(f *fixture) {
	f.put("a", ref("Observation/a"), token("x"))
	f.put("b", ref("Observation/a"))
	f.finds(chain(observation, observation, hasCode(observation, "x")), "a b")
	f.finds(hasOf(observation, hasCode(observation, "x")), "a")
	f.write(store.Write{Key: key("a"), Method: fhir.Delete, Expect: 1})
	f.finds(chain(observation, observation, nil), "")
	f.finds(hasOf(observation, nil), "")
}
