package fhir_test

import (
	"strings"
	"testing"

	"salus/fhir"
)

const sample = ` {"resourceType":"Patient", "id":"a1", "active":true,
	"n\u0061me":[{"family":"O\u0027Neil\n","given":["A","B"]},{}], "x":null, "q":{"value":1.50,"sign":-0}, "empty":[], "e2":{} } `

func TestNodeNavigation(t *testing.T) {
	n := parse(t, sample)
	if n.Type() != "Patient" || n.ID() != "a1" || n.Kind() != fhir.Object || n.Len() != 8 {
		t.Fatalf("root: %s/%s, %s of %d", n.Type(), n.ID(), n.Kind(), n.Len())
	}
	for _, c := range []struct {
		node fhir.Node
		kind fhir.Kind
		text string
		raw  string
		name string
		len  int
	}{
		{n.Get("active"), fhir.Bool, "true", "true", "active", 0},
		{n.Get("name"), fhir.Array, "", `[{"family":"O\u0027Neil\n","given":["A","B"]},{}]`, "name", 2},
		{n.Get("name").Index(0), fhir.Object, "", `{"family":"O\u0027Neil\n","given":["A","B"]}`, "", 2},
		{n.Get("name").Index(0).Get("family"), fhir.String, "O'Neil\n", `"O\u0027Neil\n"`, "family", 0},
		{n.Get("name").Index(0).Get("given").Index(1), fhir.String, "B", `"B"`, "", 0},
		{n.Get("name").Index(1), fhir.Object, "", `{}`, "", 0},
		{n.Get("x"), fhir.Null, "", "null", "x", 0},
		{n.Path("q", "value"), fhir.Number, "1.50", "1.50", "value", 0},
		{n.Path("q", "sign"), fhir.Number, "-0", "-0", "sign", 0},
		{n.Get("empty"), fhir.Array, "", "[]", "empty", 0},
		{n.Get("empty").Next(), fhir.Object, "", "{}", "e2", 0},
	} {
		if !c.node.Exists() || c.node.Kind() != c.kind || c.node.Text() != c.text || string(c.node.Raw()) != c.raw || c.node.Name() != c.name || c.node.Len() != c.len {
			t.Errorf("%s: %s %q %s of %d", c.node.Name(), c.node.Kind(), c.node.Text(), c.node.Raw(), c.node.Len())
		}
		if at := c.node.Offset(); !strings.HasPrefix(sample[at:], c.raw) {
			t.Errorf("%s: offset %d", c.node.Name(), at)
		}
	}
	if !n.Get("active").True() || n.Get("x").True() || n.Get("name").True() {
		t.Error("True is wrong")
	}
	var names []string
	for c := range n.Children {
		if names = append(names, c.Name()); c.Name() == "e2" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "resourceType id active name x q empty e2" {
		t.Errorf("children: %s", got)
	}
	if a := n.Get("q"); !a.Same(n.Path("q")) || a.Same(n) {
		t.Error("Same is wrong")
	}
}

func TestAbsentNodesAnswerWithNothing(t *testing.T) {
	n := parse(t, sample)
	for name, x := range map[string]fhir.Node{
		"zero": {}, "unknown": n.Get("nothing"), "of a string": n.Get("id").Get("a"), "of an array": n.Get("name").Get("family"), "behind the end": n.Get("name").Index(2),
		"before the start": n.Get("name").Index(-1), "after the last": n.Get("e2").Next(), "after the root": n.Next(), "in an empty array": n.Get("empty").First(),
		"path": n.Path("q", "value", "x"), "of an empty object": n.Get("e2").Get(""),
	} {
		if x.Exists() || x.Kind() != fhir.Absent || x.Text() != "" || x.Raw() != nil || x.Name() != "" || x.Len() != 0 || x.Offset() != 0 ||
			x.First().Exists() || x.Next().Exists() || x.Get("a").Exists() || x.Index(0).Exists() || x.True() || x.Type() != "" || x.ID() != "" {
			t.Errorf("%s: answers with something", name)
		}
		for range x.Children {
			t.Errorf("%s: has children", name)
		}
	}
}

func TestTextOutlivesItsDocument(t *testing.T) {
	d, err := fhir.Parse([]byte(`{"a":"plain","b":"esc\u0061ped"}`))
	if err != nil {
		t.Fatal(err)
	}
	a, b := d.Root().Get("a").Text(), d.Root().Get("b").Text()
	d.Release()
	for range 10 {
		parse(t, `{"a":"XXXXX","b":"YYYYYYYYYYYYY","c":[1,2,3]}`)
	}
	if a != "plain" || b != "escaped" {
		t.Errorf("%q %q", a, b)
	}
}
