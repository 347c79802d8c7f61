package searchparam_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salus/fhir"
	"salus/fhir/searchparam"
)

// syntheaDir returns the directory of the sample data, or skips the test.
func syntheaDir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "data", "fhir", "synthea")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		t.Skip("NOT COVERED: extraction from the Synthea sample data, which is not here")
	}
	return dir
}

// synthea calls use with every resource of the sample data.
func synthea(t testing.TB, use func(fhir.Node)) {
	t.Helper()
	err := filepath.WalkDir(syntheaDir(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".gz") {
			return err
		}
		compressed, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		reader, err := gzip.NewReader(bytes.NewReader(compressed))
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".ndjson.gz") {
			text, err := io.ReadAll(reader)
			if err != nil {
				return err
			}
			return resources(text, use)
		}
		lines := bufio.NewScanner(reader)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			if err := resources(bytes.Clone(lines.Bytes()), use); err != nil {
				return err
			}
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// resources calls use with a resource and the resources in it, if it is a bundle.
func resources(text []byte, use func(fhir.Node)) error {
	d, err := fhir.Parse(text)
	if err != nil {
		return err
	}
	use(d.Root())
	for entry := range d.Root().Get("entry").Children {
		use(entry.Get("resource"))
	}
	return nil
}

// rendered lists all values. Evaluation knows no binding of an element and so
// no implied system of a code: withoutSystems leaves the systems of tokens out.
func rendered(entries []searchparam.Entry, withoutSystems bool) []string {
	var all []string
	for _, e := range entries {
		v := e.Value
		if withoutSystems {
			v = withoutSystem(e.Param, v)
		}
		all = append(all, e.Param.Name()+" = "+render(e.Param, v))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func withoutSystem(p *searchparam.Param, v searchparam.Value) searchparam.Value {
	if p.Kind == searchparam.Token {
		v.System = ""
	}
	v.Parts = slices.Clone(v.Parts)
	for i := range v.Parts {
		part := p
		if p.Kind == searchparam.Composite {
			part = p.Components[i]
		}
		v.Parts[i] = withoutSystem(part, v.Parts[i])
	}
	return v
}

// agrees holds the trie against evaluation. systems reports whether tokens that
// evaluation found with a system have the same in the trie.
func agrees(t *testing.T, r *searchparam.Registry, n fhir.Node) int {
	t.Helper()
	got, err := r.Extract(nil, n, searchparam.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.ExtractByEvaluation(n, searchparam.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rendered(want, true), rendered(got, true)); diff != "" {
		t.Fatalf("%s/%s, evaluation and trie:\n%s", n.Type(), n.ID(), diff)
	}
	values := map[*searchparam.Param]int{}
	for _, e := range got {
		if values[e.Param]++; e.Param.Single && values[e.Param] > 1 {
			t.Fatalf("%s/%s has several values of %s, which is single", n.Type(), n.ID(), e.Param.Name())
		}
	}
	withSystems := rendered(got, false)
	for _, e := range want {
		if e.Param.Kind != searchparam.Token || e.Value.System == "" {
			continue
		}
		if _, found := slices.BinarySearch(withSystems, e.Param.Name()+" = "+render(e.Param, e.Value)); !found {
			t.Fatalf("%s/%s: the trie loses a system of %s", n.Type(), n.ID(), e.Param.Name())
		}
	}
	return len(got)
}

func TestTrieAgreesWithEvaluationOnSynthea(t *testing.T) {
	r := newRegistry(t)
	n, values := 0, 0
	synthea(t, func(resource fhir.Node) {
		if testing.Short() && n%20 != 0 {
			n++
			return
		}
		n++
		values += agrees(t, r, resource)
	})
	t.Logf("%d resources, %d values", n, values)
}
