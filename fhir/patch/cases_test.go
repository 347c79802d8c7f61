package patch_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"salus/fhir"
	"salus/fhir/patch"
	"salus/fhir/spec"
	"salus/fhir/xmlformat"
)

// cases returns the text of a file with the official cases, or skips the test.
func cases(t testing.TB, name string) []byte {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	for dir := filepath.Dir(here); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		b, err := os.ReadFile(filepath.Join(dir, "..", "shared", "data", "fhir", "test-cases", "r4-patch", name))
		if err == nil {
			return b
		}
	}
	t.Skipf("%s is not there: the official cases of patch are not covered", name)
	return nil
}

func TestJSON_OfficialCases(t *testing.T) {
	var all []struct {
		Comment              string
		Doc, Patch, Expected json.RawMessage
		Error                string
	}
	if err := json.Unmarshal(cases(t, "json-patch-tests.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 16 {
		t.Errorf("%d cases only", len(all))
	}
	for _, c := range all {
		t.Run(c.Comment, func(t *testing.T) {
			got, err := outcome(parse(t, string(c.Doc)), parse(t, string(c.Patch)), fhir.Strict)
			if (err != nil) != (c.Error != "") {
				t.Fatalf("got %v, want %q", err, c.Error)
			}
			want := string(c.Expected)
			if other, ok := otherwise[c.Comment]; ok {
				want = other
			}
			if err == nil && c.Expected != nil {
				sameJSON(t, got, want)
			}
		})
	}
}

// otherwise are the outcomes of cases that FHIR does not allow: it has no empty
// objects (FHIR R4 json §2.6.2), and none is left by a patch.
var otherwise = map[string]string{"A.10.  Adding a nested Member Object": `{"foo": "bar"}`}

// sameJSON compares values; characters of a narrative may be written in more than one way.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	plain := strings.NewReplacer(`\u0026quot;`, `\"`, `&quot;`, `\"`)
	got, want = plain.Replace(got), plain.Replace(want)
	var a, b any
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFHIRPath_OfficialCases(t *testing.T) {
	type part struct {
		XML string `xml:",innerxml"`
	}
	var all struct {
		Cases []struct {
			Name   string `xml:"name,attr"`
			Input  part   `xml:"input"`
			Diff   part   `xml:"diff"`
			Output *part  `xml:"output"`
			Error  *struct {
				Msg string `xml:"msg,attr"`
			} `xml:"error"`
		} `xml:"case"`
	}
	if err := xml.Unmarshal(cases(t, "fhir-patch-tests.xml"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Cases) < 33 {
		t.Errorf("%d cases only", len(all.Cases))
	}
	format := xmlformat.New(spec.R4())
	read := func(t *testing.T, p part) fhir.Node {
		t.Helper()
		b, err := format.JSON(nil, bytes.TrimSpace([]byte(p.XML)))
		if err != nil {
			t.Fatal(err)
		}
		return parse(t, string(b))
	}
	for _, c := range all.Cases {
		t.Run(c.Name, func(t *testing.T) {
			p, err := patch.FHIRPath(read(t, c.Diff), spec.R4(), fhir.Strict)
			var d *fhir.Document
			if err == nil {
				d, err = p.Apply(read(t, c.Input))
			}
			switch {
			case c.Error != nil && err == nil:
				t.Errorf("no error, want %s", c.Error.Msg)
			case c.Error == nil && err != nil:
				t.Error(err)
			case c.Error == nil:
				sameJSON(t, string(d.Root().Raw()), string(read(t, *c.Output).Raw()))
			}
		})
	}
}
