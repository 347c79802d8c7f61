package bundle_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"salus/fhir/bundle"
)

// syntheaBundles returns the files of the shared sample, or skips.
func syntheaBundles(t testing.TB) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, "../shared/data/fhir/synthea/bundles/*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("NOT COVERED: real-world transaction bundles; ../shared/data/fhir/synthea/bundles is absent")
	}
	return files
}

func unzip(t testing.TB, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decodeJSON(t testing.TB, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber() // decimals keep their digits
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTransaction_SyntheaReadsBackEqual holds what is stored against the
// request, with only the links replaced by the locations of the response.
func TestTransaction_SyntheaReadsBackEqual(t *testing.T) {
	total := 0
	for _, file := range syntheaBundles(t) {
		h := newHarness(t, nil, bundle.Options{})
		text := unzip(t, file)
		results := h.must(text)
		nodes := parse(t, text).Get("entry")
		var names []string
		for i, r := range results {
			if r.Status != 201 {
				t.Fatalf("%s: entry %d: status %d", filepath.Base(file), i, r.Status)
			}
			names = append(names, quote(nodes.Index(i).Get("fullUrl").Text()), quote(r.Version.Key.String()))
		}
		links := strings.NewReplacer(names...)
		for i, r := range results {
			want := decodeJSON(t, links.Replace(string(nodes.Index(i).Get("resource").Raw())))
			got := decodeJSON(t, h.stored(r.Version.Key.String()))
			for _, m := range []map[string]any{want, got} {
				delete(m, "id")
				if meta, ok := m["meta"].(map[string]any); ok && len(meta) == 0 {
					delete(m, "meta")
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: entry %d, %s, is not stored as sent", filepath.Base(file), i, r.Version.Type)
			}
			total++
		}
	}
	t.Logf("%d resources", total)
}
