package validate_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"salus/fhir"
)

// untar calls each with every JSON file of an archive.
func untar(t *testing.T, file string, each func(name string, b []byte)) {
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
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if path.Ext(h.Name) != ".json" {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		each(h.Name, b)
	}
}

// faulty returns what is wrong with a file of the HL7 package, by its own standard:
// some search parameters of profiles name no type, and one has an id of 68 characters.
func faulty(name string) string {
	switch name = strings.TrimPrefix(name, "package/SearchParameter-"); {
	case strings.HasPrefix(name, "codesystem-extensions-"), strings.HasPrefix(name, "valueset-extensions-"):
		return "SearchParameter.base required"
	case strings.HasPrefix(name, "questionnaireresponse-extensions-"):
		return "SearchParameter.id value"
	}
	return ""
}

func TestDefinitionsOfTheStandardAreValid(t *testing.T) {
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: the HL7 package is not here, so its resources were not validated")
	}
	resources := 0
	untar(t, filepath.Join(data, "hl7.fhir.r4.core-4.0.1.tgz"), func(name string, b []byte) {
		if strings.HasSuffix(name, "package.json") {
			return
		}
		d, err := fhir.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		resources++
		if got, want := places(found(t, d.Root())), faulty(name); got != want {
			t.Errorf("%s: %s, want %q", name, got, want)
		}
		d.Release()
	})
	if resources != 4581 {
		t.Errorf("%d resources, want 4581", resources)
	}
}
