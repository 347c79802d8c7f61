package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const definitions = "../../../../shared/data/fhir/hl7.fhir.r4.core-4.0.1.tgz"

func TestEmbeddedTableIsFresh(t *testing.T) {
	if _, err := os.Stat(definitions); err != nil {
		t.Skip("NOT COVERED: the HL7 package is not here, so r4.bin was not compared with it")
	}
	fresh, err := generate(definitions)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := os.ReadFile(filepath.Join("..", "r4.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fresh, embedded) {
		t.Error("r4.bin is not what the generator makes: run go generate ./fhir/spec")
	}
	again, err := generate(definitions)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fresh, again) {
		t.Error("two runs of the generator differ")
	}
}
