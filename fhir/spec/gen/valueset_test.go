package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Value sets are kept only when all their codes are known.
func TestEnumerate(t *testing.T) {
	p := &hl7Package{valueSets: map[string]*valueSet{}, systems: map[string]*codeSystem{}}
	for _, text := range []string{
		`{"url":"whole","content":"complete","concept":[{"code":"a","concept":[{"code":"b"},{"code":"c"}]},{"code":"d"}]}`,
		`{"url":"part","content":"fragment","concept":[{"code":"a"}]}`,
	} {
		s := new(codeSystem)
		if err := json.Unmarshal([]byte(text), s); err != nil {
			t.Fatal(err)
		}
		p.systems[s.URL] = s
	}
	holder := &typeDesc{}
	for url, include := range map[string]string{
		"vs-system":    `[{"system":"whole"}]`,
		"vs-listed":    `[{"system":"part","concept":[{"code":"x"},{"code":"x"}]}]`,
		"vs-both":      `[{"valueSet":["vs-system|1"]},{"valueSet":["vs-listed"]}]`,
		"vs-fragment":  `[{"system":"part"}]`,
		"vs-unknown":   `[{"system":"nowhere"}]`,
		"vs-filter":    `[{"system":"whole","filter":[{"property":"concept","op":"is-a","value":"a"}]}]`,
		"vs-intersect": `[{"valueSet":["vs-system","vs-listed"]}]`,
		"vs-loop":      `[{"valueSet":["vs-loop"]}]`,
		"vs-empty":     `[]`,
	} {
		v := &valueSet{URL: url}
		if err := json.Unmarshal([]byte(include), &v.Compose.Include); err != nil {
			t.Fatal(err)
		}
		p.valueSets[url] = v
		e := &elementDef{}
		if err := json.Unmarshal([]byte(`{"binding":{"strength":"required","valueSet":"`+url+`|4"}}`), e); err != nil {
			t.Fatal(err)
		}
		holder.elements = append(holder.elements, e)
	}
	got := map[string][]systemCodes{}
	for _, s := range p.enumerate([]*typeDesc{holder}) {
		got[s.url] = s.systems
	}
	whole, listed := systemCodes{"whole", []string{"a", "b", "c", "d"}}, systemCodes{"part", []string{"x"}}
	want := map[string][]systemCodes{"vs-system": {whole}, "vs-listed": {listed}, "vs-both": {whole, listed}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(systemCodes{})); diff != "" {
		t.Error(diff)
	}
}
