// Package workspace is the vocabulary of workspaces and their services, and
// reads the start-up file that lists them.
//
// It promises that a Workspace from here obeys every rule of naming, so that
// its names can be used as path segments, directories and host name labels
// without escaping. What a service does and how it is opened is left to platform.
package workspace

import (
	"slices"
	"strings"

	"salus/fault"
)

// Kind is what a service speaks.
type Kind string

// The kinds of services. Only those of Kinds can be served.
const (
	FHIR    Kind = "fhir"
	DICOM   Kind = "dicom"
	MedTech Kind = "medtech"
)

// Kinds returns the kinds that can be served.
func Kinds() []Kind { return []Kind{FHIR, DICOM} }

// planned are kinds that a start-up file may rightly name one day; they are
// refused as unsupported rather than as misspelt.
var planned = []Kind{MedTech}

// Service is one service of a workspace.
type Service struct {
	Name  string
	Kind  Kind
	FHIR  FHIRSettings  // of a service of kind FHIR
	DICOM DICOMSettings // of a service of kind DICOM
}

// Workspace is a set of services under one name.
type Workspace struct {
	Name     string
	Services []Service // at least one, in the order of the start-up file
}

// Default returns the workspace that is served when none is described.
func Default() Workspace {
	return Workspace{Name: "default", Services: []Service{{Name: "fhir", Kind: FHIR}, {Name: "dicom", Kind: DICOM}}}
}

// A name is at least minName and at most maxName characters long. Three and 24
// are the limits of the reference's control plane.
const (
	minName = 3
	maxName = 24
)

// Names that the server itself needs as first or second segment of a path.
var (
	reservedWorkspaces = []string{"health", "metrics", "subscriptions"}
	reservedServices   = []string{"auth", "health"}
)

// CheckName returns an Invalid fault unless name can name a workspace: 3 to 24
// lower-case letters and digits, a letter first. A hyphen is not among them,
// since it parts the workspace from the service in the host name
// {workspace}-{service}.{kind}.{domain}.
func CheckName(name string) error {
	switch {
	case len(name) < minName || len(name) > maxName || !isLetter(name[0]) || strings.ContainsFunc(name, notAlphanumeric):
		return fault.New(fault.Invalid, "a workspace name has %d to %d lower-case letters and digits and starts with a letter", minName, maxName)
	case slices.Contains(reservedWorkspaces, name):
		return fault.New(fault.Invalid, "the workspace name %q is reserved", name)
	}
	return nil
}

// CheckServiceName returns an Invalid fault unless name can name a service: as
// a workspace, and with hyphens between other characters.
func CheckServiceName(name string) error {
	switch {
	case len(name) < minName || len(name) > maxName || !isLetter(name[0]) || strings.HasSuffix(name, "-") ||
		strings.ContainsFunc(strings.ReplaceAll(name, "-", ""), notAlphanumeric):
		return fault.New(fault.Invalid,
			"a service name has %d to %d lower-case letters, digits and hyphens, starts with a letter and does not end with a hyphen", minName, maxName)
	case slices.Contains(reservedServices, name):
		return fault.New(fault.Invalid, "the service name %q is reserved", name)
	}
	return nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

func notAlphanumeric(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }
