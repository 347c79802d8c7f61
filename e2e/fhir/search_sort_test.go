package fhir_test

import (
	"slices"
	"strings"
	"testing"
)

func TestSearch_Sort(t *testing.T) {
	t.Parallel()
	w := build(t, first(),
		thing{"a", `{"resourceType":"Patient","name":[{"family":"Robinson"},{"family":"Williams"}],"birthDate":"1940-01-13","gender":"male","address":[{"city":"Berlin"}]}`},
		thing{"b", `{"resourceType":"Patient","name":[{"family":"Shoe"}],"birthDate":"1950-01-13","gender":"female"}`},
		thing{"c", `{"resourceType":"Patient","name":[{"family":"adams"}],"birthDate":"1960-01-13"}`},
		thing{"d", `{"resourceType":"Patient","gender":"male"}`},
		thing{"e", `{"resourceType":"Patient","name":[{"family":"Zähringer"},{"family":"Bauer"}],"birthDate":"1930-06"}`},
		thing{"f", `{"resourceType":"Patient","name":[{"family":"Müller"}]}`},
		thing{"g", `{"resourceType":"Patient","name":[{"family":"Muller"}],"birthDate":"1950-01-13"}`},
		thing{"h", `{"resourceType":"Patient","birthDate":"1941"}`},
	)
	w.ordered(t, []find{
		{"date", "Patient?_sort=birthdate&birthdate:missing=false", "e a h b g c"},
		{"date descending", "Patient?_sort=-birthdate&birthdate:missing=false", "c b g h a e"},
		{"string takes the least value, whatever its case", "Patient?_sort=family&family:missing=false", "c e f g a b"},
		{"string descending takes the greatest", "Patient?_sort=-family&family:missing=false", "e a b f g c"},
		{"without a value comes first", "Patient?_sort=birthdate", "d f e a h b g c"},
		{"without a value comes last descending", "Patient?_sort=-birthdate", "c b g h a e d f"},
		{"those without alone", "Patient?_sort=birthdate&birthdate:missing=true", "d f"},
		{"with criteria", "Patient?_sort=birthdate&gender=male", "d a"},
		{"with criteria of the same parameter", "Patient?_sort=-birthdate&birthdate=gt1941-12-31", "c b g"},
		{"with an or", "Patient?_sort=birthdate&family=shoe,adams,muller", "f b g c"},
		{"with _id", "Patient?_sort=-birthdate&_id={a},{b},{d}", "b a d"},
	})
	w.finds(t, []find{
		{"by what cannot be sorted by", "Patient?_sort=gender&_id={a}", "a !not-supported"},
		{"by what there is not", "Patient?_sort=shoes&_id={a}", "a !not-supported"},
		{"by _lastUpdated", "Patient?_sort=_lastUpdated", "a b c d e f g h"},
		{"by _lastUpdated, descending", "Patient?_sort=-_lastUpdated", "a b c d e f g h"},
	})
	w.totals(t, []find{
		{"total", "Patient?_sort=birthdate&_total=accurate&_count=2", "8"},
		{"total of those with a value", "Patient?_sort=birthdate&birthdate:missing=false&_summary=count", "6"},
	})
	for _, sort := range []string{"birthdate", "-birthdate", "family", "-family", "_lastUpdated", "-_lastUpdated"} {
		t.Run("pages of "+sort, func(t *testing.T) {
			var whole []string
			for _, size := range []string{"100", "1", "2", "3", "5", "6", "8"} {
				pages := w.walk(t, w.on.base+"/"+w.within("Patient?_sort="+sort+"&_count="+size))
				all := slices.Concat(pages...)
				if whole == nil {
					whole = all
				}
				if len(all) != 8 || !slices.Equal(all, whole) {
					t.Errorf("_count=%s: %q, in one page %q", size, all, whole)
				}
				if last := pages[len(pages)-1]; len(last) == 0 {
					t.Errorf("_count=%s: the last page is empty", size)
				}
			}
		})
	}
	t.Run("a sort that is ignored is not in self", func(t *testing.T) {
		tell("", do(w.within("GET Patient?_sort=shoes"), 200, checks(func(r reply, _ values) string {
			if self := r.link("self"); strings.Contains(self, "_sort") {
				return "self is " + self
			}
			return ""
		}))).run(t, w.on, false)
	})
	t.Run("includes follow the page", func(t *testing.T) {
		w := build(t, first(), thing{"o1", `{"resourceType":"Organization","name":"x"}`}, thing{"o2", `{"resourceType":"Organization","name":"y"}`},
			thing{"p1", `{"resourceType":"Patient","birthDate":"1990","managingOrganization":{"reference":"Organization/{o1}"}}`},
			thing{"p2", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization/{o2}"}}`})
		address := w.on.base + "/" + w.within("Patient?_sort=birthdate&_include=Patient:organization&_count=1")
		for _, want := range []string{"p2 +o2", "p1 +o1"} {
			r := w.found(t, address, want, true)
			address = r.link("next")
		}
		if address != "" {
			t.Errorf("there is a third page: %s", address)
		}
	})
	t.Run("chain and sort", func(t *testing.T) {
		w := build(t, first(), thing{"ann", `{"resourceType":"Patient","gender":"female"}`},
			thing{"o1", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{ann}"},"effectiveDateTime":"2001"}`},
			thing{"o2", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{ann}"},"effectiveDateTime":"2003"}`},
			thing{"o3", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{ann}"},"effectiveDateTime":"2002"}`})
		w.ordered(t, []find{
			{"ascending", "Observation?patient.gender=female&_sort=date", "o1 o3 o2"},
			{"descending", "Observation?patient.gender=female&_sort=-date", "o2 o3 o1"},
		})
	})
}

func TestSearch_SystemSort(t *testing.T) {
	t.Parallel()
	w := build(t, first(), thing{"p1", `{"resourceType":"Patient","active":true}`}, thing{"o1", `{"resourceType":"Organization","name":"x"}`})
	w.add(t, thing{"p2", `{"resourceType":"Patient","active":true}`})
	w.ordered(t, []find{
		{"by type and time", "?_sort=_type,_lastUpdated", "o1 p1 p2"},
		{"by type and time, descending", "?_sort=-_type,-_lastUpdated", "p2 p1 o1"},
	})
}
