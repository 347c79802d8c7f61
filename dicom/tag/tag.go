// Package tag names the attributes of the DICOM data dictionary (PS3.6), so that code says tag.PatientID.
// It has nothing but constants; what else is known of an attribute is in dicom.Lookup.
package tag
