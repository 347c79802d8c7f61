// Package uid names the unique identifiers that DICOM itself assigns (PS3.6 annex A): SOP classes, transfer syntaxes and
// well-known instances. It has nothing but constants; what a UID is called is in dicom.LookupUID.
package uid
