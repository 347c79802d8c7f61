package validate_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"salus/fhir"
	"salus/fhir/spec"
	"salus/fhir/validate"
)

var validator = validate.New(spec.R4())

// sharedData returns the directory of the public test data beside the module, "" when it is not there.
func sharedData(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
	data := filepath.Join(dir, "..", "shared", "data", "fhir")
	if _, err := os.Stat(data); err != nil {
		return ""
	}
	return data
}

func gunzip(t testing.TB, file string) []byte {
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
	return b
}

func TestSyntheticPatientsAreValid(t *testing.T) {
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: no Synthea data here, so no real-world resources were validated")
	}
	check := func(file string, b []byte) {
		d, err := fhir.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		defer d.Release()
		expectValid(t, filepath.Base(file), d.Root())
	}
	bundles, err := filepath.Glob(filepath.Join(data, "synthea", "bundles", "*.json.gz"))
	if err != nil || len(bundles) == 0 {
		t.Fatalf("no bundles: %v", err)
	}
	for _, file := range bundles {
		check(file, gunzip(t, file))
	}
	lists, err := filepath.Glob(filepath.Join(data, "synthea", "bulk-10-patients", "*.ndjson.gz"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no NDJSON: %v", err)
	}
	resources := 0
	for _, file := range lists {
		lines := bufio.NewScanner(strings.NewReader(string(gunzip(t, file))))
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			check(file, lines.Bytes())
			resources++
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if resources != 7160 {
		t.Errorf("%d resources in NDJSON, want 7160", resources)
	}
}
