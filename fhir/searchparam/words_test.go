package searchparam_test

import (
	"strings"
	"testing"

	"salus/fhir"
	"salus/fhir/searchparam"
)

func TestWords(t *testing.T) {
	t.Parallel()
	d, err := fhir.Parse([]byte(`{"resourceType":"Observation","id":"o-1","text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>Kräftiger<b>Husten</b> &amp; <br/>Fieber &lt;39</div>"},
		"code":{"text":"Blood-Pressure"},"valueQuantity":{"value":5.4},"note":[{"text":"ÅNGSTRÖM x"},{"text":"` + strings.Repeat("QUJD", 400) + `"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	content, narrative := searchparam.Words(nil, nil, d.Root())
	if got := strings.Join(narrative, " "); got != "kraftiger husten fieber 39" {
		t.Errorf("narrative: %s", got)
	}
	if got := strings.Join(content, " "); got != "observation o 1 generated blood pressure angstrom x kraftiger husten fieber 39" {
		t.Errorf("content: %s", got)
	}
	if got := searchparam.SplitWords(nil, strings.Repeat("é", 200)); len(got) != 1 || len(got[0]) != searchparam.MaxWord {
		t.Errorf("a long word: %q", got)
	}
	if got := searchparam.SplitWords(nil, " …, "); len(got) != 0 {
		t.Errorf("no word: %q", got)
	}
}
