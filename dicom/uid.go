package dicom

import (
	"cmp"
	"slices"
	"strings"
)

// UID is what PS3.6 annex A says of a unique identifier.
type UID struct {
	Value string
	Name  string
	Kind  string // SOP Class, Transfer Syntax …
}

// LookupUID returns what the standard calls a UID.
func LookupUID(value string) (UID, bool) {
	i, found := slices.BinarySearchFunc(uids[:], value, func(u UID, v string) int { return cmp.Compare(u.Value, v) })
	if !found {
		return UID{}, false
	}
	return uids[i], true
}

// ValidUID reports whether s can be a UID: at most 64 digits and dots, that begins and ends with a digit and has no empty component
// (PS3.5 §9.1). A leading zero in a component is against the standard, but so common that it is let through.
func ValidUID(s string) bool {
	if s == "" || len(s) > 64 || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return s[0] != '.' && s[len(s)-1] != '.'
}
