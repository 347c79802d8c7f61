package storetest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

var contentTests = []test{
	{"words of all strings and of the narrative", contentWords},
	{"words follow updates, deletions and purges", contentFollows},
	{"words of many resources, written before and after the first search", contentOfMany},
	{"a condition of a write may ask for words", contentCondition},
}

// told is a write of a resource with a note and a narrative.
func told(name, note, narrative string) store.Write {
	k := key(name)
	return store.Write{Key: k, Method: fhir.Put, Expect: store.AnyVersion, Body: body(k,
		fmt.Sprintf(`"n":%d,"note":%q,"text":{"div":%q}`, serial.Add(1), note, "<div><p>"+narrative+"</p></div>"))}
}

// words is the condition that all words occur; one that ends in * is a beginning.
func wordsAre(narrative bool, alternatives ...string) search.Filter {
	f := search.Content{Narrative: narrative}
	for _, a := range alternatives {
		var all []search.Word
		for _, w := range strings.Fields(a) {
			all = append(all, search.Word{Text: strings.TrimSuffix(w, "*"), Prefix: strings.HasSuffix(w, "*")})
		}
		f.Any = append(f.Any, all)
	}
	return f
}

func contentWords(f *fixture) {
	f.write(told("a", "Starker Husten", "Grippe"))
	f.write(told("b", "husten-reiz, kein FIEBER", "Erkältung &amp; mehr"))
	f.write(told("c", "Hüftschmerz", "Husten"))
	f.write(told("Patient/d", "Husten", "Husten"))
	f.put("none")
	for _, c := range []struct {
		filter search.Filter
		want   string
	}{
		{wordsAre(false, "husten"), "a b c"},
		{wordsAre(true, "husten"), "c"},
		{wordsAre(true, "grippe"), "a"},
		{wordsAre(false, "grippe"), "a"},
		{wordsAre(false, "husten fieber"), "b"},
		{wordsAre(false, "husten", "huftschmerz"), "a b c"},
		{wordsAre(false, "huft*"), "c"},
		{wordsAre(false, "hu*"), "a b c"},
		{wordsAre(false, "huste"), ""},
		{wordsAre(false, "hustenx*"), ""},
		{wordsAre(true, "erkaltung mehr"), "b"},
		{wordsAre(true, "p"), ""}, // a tag
		{wordsAre(false, "grippe fieber", "reiz starker", "erkaltung re*"), "b"},
	} {
		f.finds(c.filter, c.want)
	}
	f.equal("patients", f.find(patient, wordsAre(false, "husten")), "d")
}

func contentFollows(f *fixture) {
	husten, fieber := wordsAre(false, "husten"), wordsAre(false, "fieber")
	f.write(told("a", "husten", ""), told("b", "husten", ""))
	f.finds(husten, "a b")
	f.write(told("a", "fieber", ""))
	f.finds(husten, "b")
	f.finds(fieber, "a")
	f.delete("b")
	f.finds(husten, "")
	f.write(told("b", "husten fieber", ""))
	f.finds(husten, "b")
	dropping := told("b", "fieber", "")
	dropping.DropSuperseded = true
	f.write(dropping)
	f.finds(husten, "")
	f.finds(fieber, "a b")
	f.purge("a")
	f.finds(fieber, "b")
	f.reopen()
	f.finds(fieber, "b")
	f.write(told("a", "husten", ""))
	f.reopen()
	f.finds(husten, "a")
	f.finds(search.And{husten, search.Not{Filter: fieber}}, "a")
}

func contentOfMany(f *fixture) {
	many := func(from, to int, note string) {
		var writes []store.Write
		for i := from; i < to; i++ {
			writes = append(writes, told(fmt.Sprintf("m%d", i), fmt.Sprintf("%s wort%d", note, i), ""))
		}
		f.write(writes...)
	}
	many(0, 700, "alt")
	total := func(filter search.Filter, want int64) {
		f.Helper()
		f.equal("total", f.search(&search.Plan{Branches: []search.Branch{{Type: observation, Filter: filter}}}).Total, want)
	}
	total(wordsAre(false, "alt"), 700)
	total(wordsAre(false, "wort69*"), 11)
	many(300, 1500, "neu")
	total(wordsAre(false, "alt"), 300)
	total(wordsAre(false, "neu"), 1200)
	total(wordsAre(false, "neu wort1*"), 500)
	f.finds(wordsAre(false, "wort1400"), "m1400")
}

func contentCondition(f *fixture) {
	w := told("x", "husten", "")
	w.Unless = []search.Branch{{Type: observation, Filter: wordsAre(false, "husten")}}
	f.write(w)
	again := told("y", "husten", "")
	again.Unless = w.Unless
	if _, err := f.store.Write(f.Context(), []store.Write{again}); err == nil {
		f.Errorf("a resource with the word is there, and the write did not mind")
	}
}

func drawContent(r *rapid.T) search.Filter {
	f := search.Content{Narrative: chance(r, "narrative", 30)}
	for range rapid.IntRange(1, 2).Draw(r, "alternatives") {
		var all []search.Word
		for range rapid.IntRange(1, 2).Draw(r, "words") {
			all = append(all, search.Word{Text: pick(r, "word", []string{"husten", "hu", "fieber", "reiz", "hufte", "h"}), Prefix: chance(r, "prefix", 40)})
		}
		f.Any = append(f.Any, all)
	}
	return f
}
