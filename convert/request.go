package convert

import "strings"

// Source is what kind of data is converted, and by that into what.
type Source uint8

// The sources. All become FHIR R4, but for FHIRBundle, which becomes HL7v2.
const (
	HL7v2      Source = iota + 1
	CCDA              // an XML document
	JSON              // of any shape
	FHIR              // a resource of STU3
	FHIRBundle        // of R4
)

// sourceNames are the reference service's names of data types; that for HL7v2 output is Salus's.
var sourceNames = [...]string{HL7v2: "Hl7v2", CCDA: "Ccda", JSON: "Json", FHIR: "Fhir", FHIRBundle: "FhirToHl7v2"}

// String returns the name of the source.
func (s Source) String() string {
	if s == 0 || int(s) >= len(sourceNames) {
		return "none"
	}
	return sourceNames[s]
}

// ParseSource reads the name of a source, in which case does not count.
func ParseSource(name string) (Source, bool) {
	for s, known := range sourceNames {
		if s > 0 && strings.EqualFold(known, name) {
			return Source(s), true
		}
	}
	return 0, false
}

// Request is one conversion.
type Request struct {
	Source   Source
	Template string // root template: folder and name without extension
	Input    []byte
	// DatesAsStrings keeps texts of JSON that look like instants what they are. Without it templates get instants, as the reference service has it.
	DatesAsStrings bool
}

// Result is what came of a conversion.
type Result struct {
	Output []byte // JSON of a bundle or resource, indented; of FHIRBundle a message
	Unused []Unused
}

// Unused is a segment of a message of which the template did not look at some components.
type Unused struct {
	Type       string // of the segment, such as PID
	Line       int    // of the message, from 1
	Components []Place
}

// Place is where a component stands in its line: bytes from Start up to but without End.
type Place struct{ Start, End int }
