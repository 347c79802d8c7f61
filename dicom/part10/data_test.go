package part10_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"salus/dicom/part10"
	"salus/dicom/tag"
)

const samples = "../../../shared/data/dicom"

// oddities are the files that do not come out as they were, and why.
var oddities = map[string]string{
	"pydicom/image_dfl.dcm": "deflated by another program",
}

func TestPublicFiles(t *testing.T) {
	list, err := os.ReadFile("testdata/elements.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(samples); err != nil {
		t.Skip("NOT COVERED: files of pydicom and Microsoft; ../shared/data/dicom is absent")
	}
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n")[1:] {
		name, count, _ := strings.Cut(line, "\t")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(samples, name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := part10.Read(bytes.NewReader(data), part10.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := strconv.Atoi(count); f.Dataset.Count() != want {
				t.Errorf("%d elements, want %d", f.Dataset.Count(), want)
			}
			if _, err := part10.LayoutOf(f); err != nil && f.Dataset.Has(tag.Rows) {
				t.Errorf("frames: %v", err)
			}
			if part10.SyntaxOf(f.TransferSyntax).Deflated { // places are in what was inflated
				if f, err = part10.Read(bytes.NewReader(data), part10.Options{Whole: true}); err != nil {
					t.Fatal(err)
				}
			}
			var again bytes.Buffer
			if err := part10.WriteFile(&again, f, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			if same := bytes.Equal(again.Bytes(), data); same != (oddities[name] == "") {
				t.Errorf("written again it differs at byte %d of %d (%d written)", difference(again.Bytes(), data), len(data), again.Len())
			}
		})
	}
}

func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
