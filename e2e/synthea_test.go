package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// synthea is the folder of Synthea's sample data beside the module.
const synthea = "../../shared/data/fhir/synthea"

func syntheaFiles(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(synthea, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("NOT COVERED: loading real-world data; %s is absent", synthea)
	}
	return files
}

func unzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
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

type tree = map[string]any

// decode reads JSON and keeps the digits of numbers.
func decode(t *testing.T, b []byte) tree {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v tree
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// same fails the test unless got is want but for id, meta.versionId and
// meta.lastUpdated, with references rewritten by links.
func same(t *testing.T, got, want tree, links map[string]string) {
	t.Helper()
	rewrite(want, links)
	for _, v := range []tree{got, want} {
		delete(v, "id")
		meta, _ := v["meta"].(tree)
		delete(meta, "versionId")
		delete(meta, "lastUpdated")
		if len(meta) == 0 {
			delete(v, "meta")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("a %s came back changed (-file +server):\n%s", want["resourceType"], diff)
	}
}

func rewrite(v any, links map[string]string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			rewrite(item, links)
		}
	case tree:
		for name, item := range v {
			if s, ok := item.(string); ok && name == "reference" && links[s] != "" {
				v[name] = links[s]
				continue
			}
			rewrite(item, links)
		}
	}
}

// Every bundle is posted, and every resource is read back.
func TestSynthea_BundlesReadBackEqual(t *testing.T) {
	files := syntheaFiles(t, "bundles/*.json.gz")
	s := start(t, "--open")
	counts := map[string]int{}
	for _, file := range files {
		body := unzip(t, file)
		answer := decode(t, request(t, "POST", s.FHIR, body).want(t, 200).body)
		sent, stored := decode(t, body)["entry"].([]any), answer["entry"].([]any)
		if len(sent) != len(stored) {
			t.Fatalf("%d entries answered for %d", len(stored), len(sent))
		}
		links := map[string]string{}
		keys := make([]string, len(sent))
		for i := range sent {
			location := stored[i].(tree)["response"].(tree)["location"].(string)
			path, _, _ := strings.Cut(strings.TrimPrefix(location, s.FHIR+"/"), "/_history/")
			keys[i] = path
			links[sent[i].(tree)["fullUrl"].(string)] = path
		}
		for i := range sent {
			want := sent[i].(tree)["resource"].(tree)
			counts[want["resourceType"].(string)]++
			same(t, decode(t, request(t, "GET", s.FHIR+"/"+keys[i], nil).want(t, 200).body), want, links)
		}
	}
	checkCounts(t, s, counts)
}

// Folders are loaded by `salus load`, and every resource of the NDJSON files,
// which have ids, is read back. Conditional references become literal ones.
func TestSynthea_NDJSONReadsBackEqual(t *testing.T) {
	files := syntheaFiles(t, "bulk-10-patients/*.ndjson.gz")
	s := start(t, "--open")
	out, errs, code := run(t, "load", "--to", s.FHIR, absolute(t, filepath.Dir(files[0])))
	if code != 0 || !strings.Contains(out+errs, "; 0 failed") {
		t.Fatalf("load ended with code %d:\n%s%s", code, out, errs)
	}
	counts := map[string]int{}
	for _, file := range files {
		lines := bufio.NewScanner(bytes.NewReader(unzip(t, file)))
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			want := decode(t, lines.Bytes())
			typ := want["resourceType"].(string)
			counts[typ]++
			got := decode(t, request(t, "GET", fmt.Sprintf("%s/%s/%s", s.FHIR, typ, want["id"]), nil).want(t, 200).body)
			resolved := map[string]string{}
			conditional(want, got, resolved)
			same(t, got, want, resolved)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	checkCounts(t, s, counts)
}

// conditional notes what each conditional reference of want has become in got,
// provided that it is a literal reference to the same type.
func conditional(want, got any, resolved map[string]string) {
	switch want := want.(type) {
	case []any:
		other, _ := got.([]any)
		for i := range min(len(want), len(other)) {
			conditional(want[i], other[i], resolved)
		}
	case tree:
		other, _ := got.(tree)
		for name, item := range want {
			text, isText := item.(string)
			if typ, _, isQuery := strings.Cut(text, "?"); isText && name == "reference" && isQuery {
				if literal, _ := other[name].(string); strings.HasPrefix(literal, typ+"/") && !strings.Contains(literal, "?") {
					resolved[text] = literal
				}
				continue
			}
			conditional(item, other[name], resolved)
		}
	}
}

func checkCounts(t *testing.T, s *server, counts map[string]int) {
	t.Helper()
	for typ, want := range counts {
		total := decode(t, request(t, "GET", s.FHIR+"/"+typ+"?_summary=count", nil).want(t, 200).body)["total"]
		if total != json.Number(strconv.Itoa(want)) {
			t.Errorf("the service has %v %s, the files %d", total, typ, want)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
