// Command gen turns the HL7 package of FHIR definitions into the compact table
// that package spec embeds.
//
//	go run ./gen -package hl7.fhir.r4.core-4.0.1.tgz -out r4.bin
//
// It promises that equal packages give equal bytes: everything is written in
// sorted order or in the order of the definitions, and no clock is read. It
// carries names, numbers, codes and expressions over, and no prose.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.String("package", "", "HL7 package `file` (.tgz) with the definitions")
	to := flag.String("out", "", "`file` to write")
	flag.Parse()
	table, err := generate(*from)
	if err == nil {
		err = os.WriteFile(*to, table, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// generate reads the package file and returns the table.
func generate(from string) ([]byte, error) {
	f, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := readPackage(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from, err)
	}
	t, err := p.table()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from, err)
	}
	return t.file()
}
