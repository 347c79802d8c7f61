package terminology_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/terminology"
)

// definitions are a source: resources by canonical URL, also with |version.
type definitions map[string]string

func (d definitions) Find(_ context.Context, t fhir.Type, url, version string) (terminology.Definition, error) {
	if version != "" {
		url += "|" + version
	}
	text, ok := d[url]
	if !ok || !strings.Contains(text, `"`+string(t)+`"`) {
		return terminology.Definition{}, nil
	}
	is := terminology.Identity{Key: fhir.Key{Type: t, ID: fhir.ID(url)}, Number: int64(len(text))}
	return terminology.Definition{Identity: is, Read: func() (fhir.Node, error) {
		doc, err := fhir.Parse([]byte(text))
		if err != nil {
			return fhir.Node{}, err
		}
		return doc.Root(), nil
	}}, nil
}

func codeSystem(more string) string {
	return `{"resourceType":"CodeSystem","content":"complete",` + more + `}`
}

func valueSet(compose string) string {
	return `{"resourceType":"ValueSet","compose":{` + compose + `}}`
}

// animals is a hierarchy by nesting, with a second parent by property.
var animals = codeSystem(`"concept":[
	{"code":"animal","display":"Animal","concept":[
		{"code":"bird","concept":[{"code":"duck","property":[{"code":"legs","valueInteger":2}]}]},
		{"code":"fish","property":[{"code":"wet","valueBoolean":true}],"concept":[{"code":"eel"}]}]},
	{"code":"swimmer"},
	{"code":"penguin","property":[{"code":"parent","valueCode":"bird"},{"code":"subsumedBy","valueCode":"swimmer"},{"code":"kind","valueCoding":{"system":"k","code":"odd"}}]}]`)

var source = definitions{
	"sys":           animals,
	"part":          strings.Replace(animals, "complete", "fragment", 1),
	"grouped":       codeSystem(`"hierarchyMeaning":"grouped-by","concept":[{"code":"a","concept":[{"code":"b"}]}]`),
	"declared":      codeSystem(`"property":[{"code":"up","uri":"http://hl7.org/fhir/concept-properties#parent"}],"concept":[{"code":"a"},{"code":"b","property":[{"code":"up","valueCode":"a"}]}]`),
	"loop":          codeSystem(`"concept":[{"code":"a","property":[{"code":"parent","valueCode":"b"}]},{"code":"b","property":[{"code":"parent","valueCode":"a"}]}]`),
	"sys|2":         codeSystem(`"concept":[{"code":"new"}]`),
	"listed":        valueSet(`"include":[{"system":"s","concept":[{"code":"x"},{"code":"y"}]},{"system":"t","concept":[{"code":"x"}]}]`),
	"listed|2":      valueSet(`"include":[{"system":"s","concept":[{"code":"z"}]}]`),
	"whole":         valueSet(`"include":[{"system":"sys"}]`),
	"wholeVersion":  valueSet(`"include":[{"system":"sys","version":"2"}]`),
	"birds":         filtered("concept", "is-a", "bird"),
	"belowBird":     filtered("concept", "descendent-of", "bird"),
	"notBird":       filtered("concept", "is-not-a", "bird"),
	"aboveDuck":     filtered("concept", "generalizes", "duck"),
	"wet":           filtered("wet", "=", "true"),
	"legs":          filtered("legs", "in", "1, 2"),
	"kind":          filtered("kind", "=", "odd"),
	"hasLegs":       filtered("legs", "exists", "true"),
	"regex":         filtered("code", "regex", "[a-e].*"),
	"badRegex":      filtered("code", "regex", "(?=x)"),
	"childOf":       filtered("parent", "=", "animal"),
	"badFilter":     filtered("concept", "of", "x"),
	"filterUnknown": filtered("concept", "is-a", "dragon"),
	"both":          valueSet(`"include":[{"system":"sys","filter":[{"property":"concept","op":"is-a","value":"animal"},{"property":"concept","op":"is-a","value":"swimmer"}]}]`),
	"imports":       valueSet(`"include":[{"valueSet":["birds","kind"]},{"valueSet":["listed|2"]}]`),
	"systemAndSet":  valueSet(`"include":[{"system":"sys","valueSet":["birds"],"filter":[{"property":"concept","op":"is-a","value":"swimmer"}]}]`),
	"excludes":      valueSet(`"include":[{"system":"sys"}],"exclude":[{"valueSet":["birds"]},{"system":"sys","concept":[{"code":"eel"}]}]`),
	"self":          valueSet(`"include":[{"valueSet":["self"]}]`),
	"ofPart":        valueSet(`"include":[{"system":"part"}]`),
	"ofUnknown":     valueSet(`"include":[{"system":"nowhere"}]`),
	"ofGrouped":     valueSet(`"include":[{"system":"grouped","filter":[{"property":"concept","op":"is-a","value":"a"}]}]`),
	"nothing":       valueSet(``),
	"expanded":      `{"resourceType":"ValueSet","compose":{"include":[{"system":"nowhere"}]},"expansion":{"total":3,"contains":[{"system":"s","code":"g","abstract":true,"contains":[{"system":"s","code":"x"}]},{"system":"t","code":"y"}]}}`,
	"paged":         `{"resourceType":"ValueSet","expansion":{"total":30,"contains":[{"system":"s","code":"x"}]}}`,
	"huge":          valueSet(`"include":[{"system":"hugeSystem"}]`),
	"hugeSystem":    codeSystem(`"concept":[` + many(terminology.MaxCodes+1) + `]`),
}

func filtered(property, op, value string) string {
	return valueSet(fmt.Sprintf(`"include":[{"system":"sys","filter":[{"property":%q,"op":%q,"value":%q}]}]`, property, op, value))
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"code":"c%d"}`, i)
	}
	return b.String()
}

func show(codes []spec.Coding) string {
	var all []string
	for _, c := range codes {
		all = append(all, strings.TrimPrefix(c.System+"|"+c.Code, "sys|"))
	}
	return strings.Join(all, " ")
}

func TestExpand(t *testing.T) {
	t.Parallel()
	e := terminology.New(source, spec.R4())
	for _, c := range []struct{ valueSet, want string }{
		{"listed", "s|x s|y t|x"},
		{"listed|2", "s|z"},
		{"whole", "animal bird duck fish eel swimmer penguin"},
		{"wholeVersion", "new"},
		{"birds", "bird duck penguin"},
		{"belowBird", "duck penguin"},
		{"notBird", "animal fish eel swimmer"},
		{"aboveDuck", "animal bird duck"},
		{"wet", "fish"},
		{"legs", "duck"},
		{"kind", "penguin"},
		{"hasLegs", "duck"},
		{"regex", "animal bird duck eel"},
		{"childOf", "bird fish"},
		{"both", "penguin"},
		{"imports", "penguin s|z"},
		{"systemAndSet", "penguin"},
		{"excludes", "animal fish swimmer"},
		{"expanded", "s|x t|y"},
	} {
		codes, err := e.Expand(t.Context(), c.valueSet)
		if got := show(codes); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.valueSet, got, err, c.want)
		}
	}
	codes, err := e.Expand(t.Context(), "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1")
	if err != nil || len(codes) != 4 {
		t.Errorf("a value set of FHIR: %v, %v", codes, err)
	}
}

func TestExpandRefusesWhatItCannotAnswer(t *testing.T) {
	t.Parallel()
	e := terminology.New(source, spec.R4())
	for valueSet, want := range map[string]string{
		"nowhere": "not-found", "listed|3": "not-found", "ofUnknown": "not-found", "filterUnknown": "not-found",
		"self": "not-supported", "ofPart": "not-supported", "ofGrouped": "not-supported", "nothing": "not-supported",
		"paged": "not-supported", "badFilter": "not-supported", "badRegex": "not-supported", "huge": "too-costly",
	} {
		codes, err := e.Expand(t.Context(), valueSet)
		if !fault.Is(err, fault.Refused) || fault.As(err).Issues[0].Code != want || codes != nil {
			t.Errorf("%s: %v, %v; want %s", valueSet, codes, err, want)
		}
	}
}

func TestSubsumed(t *testing.T) {
	t.Parallel()
	e := terminology.New(source, spec.R4())
	for _, c := range []struct {
		system, code string
		up           bool
		want         string
	}{
		{"sys", "bird", false, "bird duck penguin"},
		{"sys", "penguin", true, "penguin bird swimmer animal"},
		{"sys", "animal", true, "animal"},
		{"declared", "a", false, "declared|a declared|b"},
		{"loop", "a", false, "loop|a loop|b"},
	} {
		codes, err := e.Subsumed(t.Context(), c.system, c.code, c.up)
		if got := show(codes); err != nil || got != c.want {
			t.Errorf("%s|%s up %t: %q, %v; want %q", c.system, c.code, c.up, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"sys", "dragon"}, {"nowhere", "x"}, {"grouped", "a"}, {"part", "bird"}} {
		if codes, err := e.Subsumed(t.Context(), c[0], c[1], false); !fault.Is(err, fault.Refused) {
			t.Errorf("%v: %v, %v", c, codes, err)
		}
	}
}
