package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"salus/convert"
	"salus/convert/engine"
	"salus/convert/liquid"
)

func load(t testing.TB, dir string) *engine.Converter {
	t.Helper()
	var files []liquid.File
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		files = append(files, liquid.File{Path: filepath.ToSlash(rel), Content: b})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c, err := engine.New(files, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range c.Check() {
		t.Errorf("%v", err)
	}
	t.Logf("%s: %d files compiled in %v", filepath.Base(dir), len(files), time.Since(start))
	return c
}

// corpus is the folder of the reference's converter, with its templates, samples and what they become; empty if it is not at hand.
func corpus(t testing.TB) string {
	dir := os.Getenv("SALUS_TEST_CONVERTER")
	if dir == "" {
		t.Skip("NOT COVERED: the reference's templates: SALUS_TEST_CONVERTER names no folder")
	}
	return dir
}

func TestReferenceCorpus(t *testing.T) {
	dir := corpus(t)
	for _, c := range []struct {
		templates, samples, expected string
		source                       convert.Source
	}{
		{"Hl7v2", "Hl7v2", "Hl7v2", convert.HL7v2},
		{"Ccda", "Ccda", "Ccda", convert.CCDA},
		{"Json", "Json", "Json", convert.JSON},
		{"Stu3ToR4", "Stu3", "Stu3ToR4", convert.FHIR},
	} {
		t.Run(c.templates, func(t *testing.T) {
			converter := load(t, filepath.Join(dir, "data/Templates", c.templates))
			passed, all := 0, 0
			root := filepath.Join(dir, "functional/TestData/Expected", c.expected)
			err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				if d.IsDir() || !strings.HasSuffix(p, ".json") {
					return nil
				}
				rel, err := filepath.Rel(root, p)
				if err != nil {
					return err
				}
				template := filepath.Dir(rel)
				base := strings.TrimSuffix(filepath.Base(p), "-expected.json")
				input := sample(filepath.Join(dir, "data/SampleData", c.samples), base)
				if template == "." {
					base = strings.TrimSuffix(filepath.Base(p), ".json")
					input, template = sample(filepath.Join(dir, "data/SampleData", c.samples), base), base
				}
				if input == "" {
					t.Logf("no sample for %s", rel)
					return nil
				}
				all++
				b, err := os.ReadFile(input)
				if err != nil {
					return err
				}
				got, err := converter.Convert(context.Background(), convert.Request{Source: c.source, Template: template, Input: b, DatesAsStrings: true})
				if err != nil {
					t.Errorf("%s: %v", rel, err)
					return nil
				}
				want, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				if diff := compare(t, want, got.Output, c.source); diff != "" {
					t.Errorf("%s: %s", rel, diff)
					return nil
				}
				passed++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d of %d", c.templates, passed, all)
		})
	}
}

func sample(dir, base string) string {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if name := e.Name(); strings.TrimSuffix(name, filepath.Ext(name)) == base {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// compare tells the first difference, without what depends on the clock: the text of a Provenance, and of documents the last entry.
func compare(t testing.TB, want, got []byte, source convert.Source) string {
	t.Helper()
	plain := func(b []byte) []byte {
		var v any
		if err := json.Unmarshal(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), &v); err != nil {
			t.Fatal(err)
		}
		m, _ := v.(map[string]any)
		entries, _ := m["entry"].([]any)
		if source == convert.CCDA && len(entries) > 0 {
			m["entry"] = entries[:len(entries)-1]
		}
		for _, e := range entries {
			if r, ok := e.(map[string]any)["resource"].(map[string]any); ok && r["resourceType"] == "Provenance" {
				if text, ok := r["text"].(map[string]any); ok {
					delete(text, "div")
				}
			}
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	return engine.Difference(plain(want), plain(got))
}
