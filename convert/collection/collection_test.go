package collection_test

import (
	"archive/tar"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"salus/convert/collection"
	"salus/convert/liquid"
	"salus/fault"
)

var some = map[string]string{"ADT_A01.liquid": "{}", "Resource/_Patient.liquid": "x", "metadata.json": "{\"type\":\"hl7v2\"}"}

func check(t *testing.T, files []liquid.File, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if some[f.Path] != string(f.Content) {
			t.Errorf("%s has %q", f.Path, f.Content)
		}
	}
	if len(files) != len(some) || collection.Type(files) != "hl7v2" {
		t.Errorf("there are %d files of type %q", len(files), collection.Type(files))
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range some {
		p := filepath.Join(dir, "folder", name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := collection.Open(filepath.Join(dir, "folder"))
	check(t, files, err)

	pack := func(name string, texts map[string]string) string {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		zw := gzip.NewWriter(f)
		tw := tar.NewWriter(zw)
		for name, text := range texts {
			if err := tw.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o600, Size: int64(len(text))}); err != nil {
				t.Fatal(err)
			}
			if _, err := tw.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []interface{ Close() error }{tw, zw, f} {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return f.Name()
	}
	files, err = collection.Open(pack("some.tar.gz", some))
	check(t, files, err)

	if _, err := collection.Open(pack("large.tar.gz", map[string]string{"a.liquid": string(make([]byte, collection.MaxSize+1))})); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a large one: %v", err)
	}
	if _, err := collection.Open(filepath.Join(dir, "folder", "metadata.json")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a file of another kind: %v", err)
	}
	if _, err := collection.Open(filepath.Join(dir, "none")); !fault.Is(err, fault.NotFound) {
		t.Errorf("none: %v", err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "folder", "out")); err != nil {
		t.Fatal(err)
	}
	if files, err := collection.Open(filepath.Join(dir, "folder")); err == nil && len(files) != len(some) {
		t.Errorf("a link led out of the folder: %d files", len(files))
	}
}
