package index

import (
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"salus/dicom"
	"salus/dicom/tag"
)

// Key is an attribute that searches can compare.
type Key struct {
	Tag   dicom.Tag
	VR    dicom.VR
	Level Level
}

// Keys are the attributes that can be compared without further ado: those of the reference service, and those that the standard demands
// besides (PS3.18 tables 10.6.1-5).
var Keys = []Key{
	{tag.StudyInstanceUID, dicom.UI, Study},
	{tag.PatientName, dicom.PN, Study},
	{tag.PatientID, dicom.LO, Study},
	{tag.PatientBirthDate, dicom.DA, Study},
	{tag.AccessionNumber, dicom.SH, Study},
	{tag.ReferringPhysicianName, dicom.PN, Study},
	{tag.StudyDate, dicom.DA, Study},
	{tag.StudyTime, dicom.TM, Study},
	{tag.StudyID, dicom.SH, Study},
	{tag.StudyDescription, dicom.LO, Study},
	{tag.ModalitiesInStudy, dicom.CS, Study},
	{tag.SeriesInstanceUID, dicom.UI, Series},
	{tag.Modality, dicom.CS, Series},
	{tag.SeriesNumber, dicom.IS, Series},
	{tag.PerformedProcedureStepStartDate, dicom.DA, Series},
	{tag.ManufacturerModelName, dicom.LO, Series},
	{tag.SOPInstanceUID, dicom.UI, Instance},
	{tag.SOPClassUID, dicom.UI, Instance},
	{tag.InstanceNumber, dicom.IS, Instance},
}

// KeyOf returns the key of an attribute.
func KeyOf(t dicom.Tag) (Key, bool) {
	for _, k := range Keys {
		if k.Tag == t {
			return k, true
		}
	}
	return Key{}, false
}

// Match is one condition of a search (PS3.4 §C.2.2.2). Exactly one form is set.
type Match struct {
	Key
	OneOf   []string // equal to one of these
	Pattern string   // * stands for any characters and ? for one
	Words   []string // each the beginning of a word of the value
	// Range: from and to, both included; empty for no limit.
	Range    bool
	From, To string
}

// Query is a search.
type Query struct {
	Partition string
	Level     Level // of the results
	Within    UIDs  // the study, and perhaps series, to search in
	Matches   []Match
	// Levels above the result's whose attributes are returned too.
	Join          bool
	Limit, Offset int
}

// Result is a study, series or instance that was found.
type Result struct {
	UIDs
	Shown [Instance + 1]Attributes // of its level, and with Join of those above
	// Newest is the watermark of the instance that gave the study's or series' attributes.
	Newest      [Instance + 1]int64
	Instances   [Instance]int // in the study and in the series
	StudySeries int           // number of series in the study
	// Modalities are those of the study's series.
	Modalities []string
	Object     Stored // of an instance, without its layout
}

// Fold brings a text into the form in which texts are compared: without case, accents, and spaces too many (PS3.4 §C.2.2.2.1 leaves this to
// the service). Components of names are kept apart by ^, and groups by =.
func Fold(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			plain = false
			break
		}
	}
	if !plain {
		// The transformer has a state, so it is made anew.
		if t, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s); err == nil {
			s = t
		}
	}
	return strings.TrimRight(strings.Join(strings.Fields(strings.ToLower(s)), " "), "^= ")
}

// Words returns the words of a folded name.
func Words(folded string) []string {
	return strings.FieldsFunc(folded, func(r rune) bool { return r == ' ' || r == '^' || r == '=' || r == ',' })
}

// Folds reports whether values of a VR are compared in folded form.
func Folds(vr dicom.VR) bool {
	switch vr {
	case dicom.PN, dicom.LO, dicom.SH, dicom.LT, dicom.ST, dicom.UT, dicom.UC:
		return true
	}
	return false
}
