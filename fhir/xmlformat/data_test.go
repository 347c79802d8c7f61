package xmlformat_test

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"testing"

	"salus/fhir"
)

// sharedData returns the directory of the public test data beside the module, "" when it is not there.
func sharedData(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "..", "..", "..", "shared", "data", "fhir")
	if _, err := os.Stat(data); err != nil {
		return ""
	}
	return data
}

func gunzip(t testing.TB, file string, each func(io.Reader)) {
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
	each(z)
}

// untar calls each with every file of an archive that has the extension ext.
func untar(t testing.TB, file, ext string, each func(name string, b []byte)) {
	t.Helper()
	gunzip(t, file, func(z io.Reader) {
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if path.Ext(h.Name) != ext {
				continue
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			each(h.Name, b)
		}
	})
}

// checkAll makes the round trip of every valid resource and wants so many of them.
func (c *checker) checkAll(t *testing.T, file string) {
	t.Helper()
	untar(t, file, ".json", func(name string, b []byte) {
		d, err := fhir.Parse(b)
		if err != nil {
			return // meant to be wrong
		}
		defer d.Release()
		if valid.Resource(d.Root()) == nil {
			c.check(t, name, d.Root())
		}
	})
}

func TestDefinitionsOfTheStandardSurvive(t *testing.T) {
	t.Parallel()
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: the HL7 package is not here, so its resources were not turned into XML and back")
	}
	var c checker
	c.checkAll(t, filepath.Join(data, "hl7.fhir.r4.core-4.0.1.tgz"))
	if c.resources < 4500 {
		t.Errorf("only %d resources", c.resources)
	}
}

func TestExamplesOfGuidesSurvive(t *testing.T) {
	t.Parallel()
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: no implementation guides here, so their examples were not turned into XML and back")
	}
	packages, err := filepath.Glob(filepath.Join(data, "packages", "*.tgz"))
	if err != nil || len(packages) == 0 {
		t.Fatalf("no packages: %v", err)
	}
	var c checker
	for _, file := range append(packages, filepath.Join(data, "test-cases", "r4-validator.tgz")) {
		c.checkAll(t, file)
	}
	if c.resources < 1000 {
		t.Errorf("only %d resources", c.resources)
	}
}

func TestSyntheticPatientsSurvive(t *testing.T) {
	t.Parallel()
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: no Synthea data here, so no real-world resources were turned into XML and back")
	}
	var c checker
	check := func(file string, b []byte) {
		d, err := fhir.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		defer d.Release()
		c.check(t, filepath.Base(file), d.Root())
	}
	bundles, err := filepath.Glob(filepath.Join(data, "synthea", "bundles", "*.json.gz"))
	if err != nil || len(bundles) == 0 {
		t.Fatalf("no bundles: %v", err)
	}
	for _, file := range bundles {
		gunzip(t, file, func(z io.Reader) {
			b, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			check(file, b)
		})
	}
	lists, err := filepath.Glob(filepath.Join(data, "synthea", "bulk-10-patients", "*.ndjson.gz"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no NDJSON: %v", err)
	}
	for _, file := range lists {
		gunzip(t, file, func(z io.Reader) {
			lines := bufio.NewScanner(z)
			lines.Buffer(nil, 16<<20)
			for lines.Scan() {
				check(file, lines.Bytes())
			}
			if err := lines.Err(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if c.resources < 7000 {
		t.Errorf("only %d resources", c.resources)
	}
}

// TestFilesInXMLSurvive reads the XML of the public suites, and what is written of it again.
func TestFilesInXMLSurvive(t *testing.T) {
	data := sharedData(t)
	if data == "" {
		t.Skip("NOT COVERED: the HL7 test cases are not here, so no foreign XML was read")
	}
	var c checker
	check := func(name string, b []byte) {
		json, err := format.JSON(nil, b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		d, err := fhir.Parse(json)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		defer d.Release()
		c.check(t, name, d.Root())
	}
	files, err := filepath.Glob(filepath.Join(data, "test-cases", "r4-fhirpath", "input", "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(filepath.Base(file), b)
	}
	untar(t, filepath.Join(data, "test-cases", "r4-validator.tgz"), ".xml", func(name string, b []byte) { check(path.Base(name), b) })
	b, err := os.ReadFile(filepath.Join(data, "test-cases", "r4-patch", "fhir-patch-tests.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var patches struct {
		Cases []struct {
			Name  string `xml:"name,attr"`
			Input inner  `xml:"input"`
			Diff  inner  `xml:"diff"`
		} `xml:"case"`
	}
	if err := xml.Unmarshal(b, &patches); err != nil {
		t.Fatal(err)
	}
	for _, p := range patches.Cases {
		check(p.Name, []byte(p.Input.Text))
		check(p.Name, []byte(p.Diff.Text))
	}
	if c.resources < 60 {
		t.Errorf("only %d resources", c.resources)
	}
}

// inner is a piece of XML.
type inner struct {
	Text string `xml:",innerxml"`
}
