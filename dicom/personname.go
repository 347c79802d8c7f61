package dicom

import "strings"

// PersonName is a name of VR PN (PS3.5 §6.2.1).
type PersonName struct {
	Alphabetic  string // as the file has it, with ^ between components
	Ideographic string
	Phonetic    string
}

// ParsePersonName splits a name into its groups.
func ParsePersonName(s string) PersonName {
	groups := strings.SplitN(s, "=", 4)
	var n PersonName
	for i, to := range []*string{&n.Alphabetic, &n.Ideographic, &n.Phonetic} {
		if i < len(groups) {
			*to = strings.TrimRight(groups[i], " ")
		}
	}
	return n
}

// String joins the groups as a file has them.
func (n PersonName) String() string {
	return strings.TrimRight(n.Alphabetic+"="+n.Ideographic+"="+n.Phonetic, "=")
}

// Components of one group of a name (PS3.5 §6.2.1.1).
type Components struct{ Family, Given, Middle, Prefix, Suffix string }

// ParseComponents splits one group of a name.
func ParseComponents(group string) Components {
	parts := strings.Split(group, "^")
	var c Components
	for i, to := range []*string{&c.Family, &c.Given, &c.Middle, &c.Prefix, &c.Suffix} {
		if i < len(parts) {
			*to = strings.TrimSpace(parts[i])
		}
	}
	return c
}
