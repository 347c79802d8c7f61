package main

import (
	"bytes"
	"os"
	"testing"
)

func TestPageIsFresh(t *testing.T) {
	want, err := page("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/conformance.md is not what the service and the sources say; run go generate ./docs/gen")
	}
}
