package fhirpath_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

type suite struct {
	Groups []struct {
		Name  string      `xml:"name,attr"`
		Tests []suiteTest `xml:"test"`
	} `xml:"group"`
}

type suiteTest struct {
	Name       string `xml:"name,attr"`
	Input      string `xml:"inputfile,attr"`
	Mode       string `xml:"mode,attr"`
	Predicate  bool   `xml:"predicate,attr"`
	Ordered    string `xml:"ordered,attr"`
	Expression struct {
		Text    string `xml:",chardata"`
		Invalid string `xml:"invalid,attr"`
	} `xml:"expression"`
	Outputs []struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"output"`
}

// sharedData returns a directory below the shared data, or skips the test.
func sharedData(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Fatal("no go.mod above the test")
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "data"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT COVERED: the official FHIRPath suite for R4; %s is not there", filepath.Join(elem...))
	}
	return path
}

func readLines(t testing.TB, path string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, "#")
		if name = strings.TrimSpace(name); name != "" {
			lines[name] = true
		}
	}
	return lines
}

func parseItem(t testing.TB, b []byte) fhirpath.Item {
	t.Helper()
	doc, err := fhir.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return fhirpath.NodeItem(spec.R4(), doc.Root())
}

// TestSuite_OfficialR4 runs the suite of HL7. Its failures are in a list that may only shrink.
func TestSuite_OfficialR4(t *testing.T) {
	dir := sharedData(t, "fhir", "test-cases", "r4-fhirpath")
	b, err := os.ReadFile(filepath.Join(dir, "tests-fhir-r4.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	known := readLines(t, filepath.Join("testdata", "known-failures.txt"))
	inputs := map[string]fhirpath.Item{}
	total, failed := 0, 0
	for _, g := range s.Groups {
		for _, test := range g.Tests {
			total++
			problem := runOfficial(t, dir, inputs, test)
			name := g.Name + "/" + test.Name
			switch {
			case problem != "" && !known[name]:
				t.Errorf("%s: %s: %s", name, test.Expression.Text, problem)
			case problem == "" && known[name]:
				t.Errorf("%s passes: take it off the list of known failures", name)
			}
			if problem != "" {
				failed++
			}
			delete(known, name)
		}
	}
	for name := range known {
		t.Errorf("known failure %s is no test", name)
	}
	t.Logf("%d of %d pass", total-failed, total)
	if total < 900 {
		t.Errorf("only %d tests found", total)
	}
}

func loadInput(t *testing.T, dir, name string) fhirpath.Item {
	b, err := os.ReadFile(filepath.Join(dir, "input", name))
	if os.IsNotExist(err) { // the suite names some inputs as XML that are there as JSON
		name = strings.TrimSuffix(name, ".xml") + ".json"
		b, err = os.ReadFile(filepath.Join(dir, "input", name))
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".xml") {
		if b, err = xmlToJSON(b, spec.R4()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return parseItem(t, b)
}

// runOfficial returns what went wrong, "" for nothing.
func runOfficial(t *testing.T, dir string, inputs map[string]fhirpath.Item, test suiteTest) string {
	input, ok := inputs[test.Input]
	if !ok && test.Input != "" {
		input = loadInput(t, dir, test.Input)
		inputs[test.Input] = input
	}
	var focus []fhirpath.Item
	if input.Exists() {
		focus = append(focus, input)
	}
	got, err := evaluate(test, focus)
	if test.Expression.Invalid != "" {
		if err == nil {
			return "an error is wanted: " + test.Expression.Invalid
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	return compareOutputs(test, got)
}

func evaluate(test suiteTest, focus []fhirpath.Item) ([]fhirpath.Item, error) {
	e, err := fhirpath.Compile(test.Expression.Text, spec.R4())
	if err != nil {
		return nil, err
	}
	if len(focus) == 1 { // every expression is checked: those that are valid must pass
		if err := e.Check(focus[0].Type()); err != nil {
			return nil, err
		}
	}
	return e.Eval(&fhirpath.Env{Now: time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)}, focus...)
}

func compareOutputs(test suiteTest, got []fhirpath.Item) string {
	if test.Predicate {
		got = []fhirpath.Item{fhirpath.Boolean(len(got) > 0)}
	}
	var have, want []string
	for i, it := range got {
		s, _ := it.Text()
		name := ""
		if i < len(test.Outputs) && test.Outputs[i].Type != "" {
			name = strings.ToLower(it.TypeName()) + ":"
		}
		have = append(have, name+s)
	}
	for _, o := range test.Outputs {
		name := ""
		if o.Type != "" {
			name = strings.ToLower(o.Type) + ":"
		}
		want = append(want, name+strings.TrimPrefix(strings.TrimPrefix(o.Text, "@"), "T"))
	}
	if test.Ordered == "false" {
		slices.Sort(have)
		slices.Sort(want)
	}
	if !slices.Equal(have, want) {
		return "have " + strings.Join(have, " | ") + ", want " + strings.Join(want, " | ")
	}
	return ""
}
