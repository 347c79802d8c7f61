package archive

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/tag"
)

// examine holds an instance against the rules. The UIDs must be good in any case (PS3.18 §10.5); what else is wrong is a warning, or with
// strict rules a failure when searches compare it.
func (a *Archive) examine(f *part10.File, rules Rules) Outcome {
	d := f.Dataset
	out := Outcome{UIDs: uidsOf(d), SOPClass: d.String(tag.SOPClassUID)}
	for _, t := range []dicom.Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID} {
		if _, err := part10.CheckUID(d, t); err != nil {
			out.refuse(t, "a UID is required (PS3.5 §9.1)")
		}
	}
	if rules.Study != "" && out.Study != rules.Study {
		// Compat: the documents of the reference service say 43265, the service itself 43264.
		out.refuse(tag.StudyInstanceUID, "it is not the study that the request is for")
	}
	switch id := d.Get(tag.PatientID); {
	case id == nil:
		out.refuse(tag.PatientID, "the attribute is required")
	case d.String(tag.PatientID) == "" && rules.Strict:
		out.refuse(tag.PatientID, "a value is required")
	case d.String(tag.PatientID) == "":
		out.warn(tag.PatientID, "the value is missing")
	case checkValue(dicom.LO, d.String(tag.PatientID)) != nil:
		out.refuse(tag.PatientID, checkValue(dicom.LO, d.String(tag.PatientID)).Error())
	}
	if out.Failure != 0 {
		return out
	}
	out.examineValues(d, rules, a.compared)
	if out.Failure == 0 && out.Warning == 0 && part10.SyntaxOf(f.TransferSyntax).Implicit {
		out.Warning = ClassMismatch // Compat: what the reference service says of implicit VR
	}
	return out
}

// examineValues checks every value against its VR.
func (o *Outcome) examineValues(d *dicom.Dataset, rules Rules, searched func(dicom.Tag) bool) {
	d.Walk(func(in *dicom.Dataset, e *dicom.Element) bool {
		top := in == d
		compared := top && searched(e.Tag)
		if e.Tag == tag.PatientID && top || rules.Strict && !compared {
			return true // seen already, or not looked at
		}
		values := in.Text(e)
		if compared && len(values) > 1 && e.Tag != tag.ModalitiesInStudy {
			o.Multiple = true
		}
		for _, v := range values {
			if v == "" {
				continue
			}
			err := checkValue(e.VR, v)
			if err == nil && compared && rules.Strict && e.VR != dicom.UI && e.Value[len(e.Value)-1] == 0 {
				err = errors.New("the value is padded with a zero (PS3.5 §6.2)")
			}
			if err == nil {
				continue
			}
			if compared && rules.Strict {
				o.refuse(e.Tag, err.Error())
				return false
			}
			o.warn(e.Tag, err.Error())
			o.leaveOut(e)
			break
		}
		return len(o.Comments) < maxComments
	})
}

// leaveOut takes an attribute out of the metadata that others get to read; the file keeps it.
func (o *Outcome) leaveOut(e *dicom.Element) {
	if o.invalid == nil {
		o.invalid = map[*dicom.Element]bool{}
	}
	o.invalid[e] = true
}

// maxComments bounds how much is said of one instance.
const maxComments = 20

func (o *Outcome) refuse(t dicom.Tag, text string) {
	o.Failure, o.Warning = ValidationFailure, 0
	o.comment(t, text)
}

func (o *Outcome) warn(t dicom.Tag, text string) {
	o.Warning = CoercionOfElements
	o.comment(t, text)
}

// comment names the attribute and what is wrong with it, and never its value. The form is the reference service's.
func (o *Outcome) comment(t dicom.Tag, text string) {
	o.Comments = append(o.Comments, "DICOM100: "+t.String()+" - "+text)
}

var (
	dates     = regexp.MustCompile(`^\d{8}$`)
	times     = regexp.MustCompile(`^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?$`)
	dateTimes = regexp.MustCompile(`^\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?$`)
	ages      = regexp.MustCompile(`^\d{3}[DWMY]$`)
)

// limits are the characters that values of a VR may have (PS3.5 table 6.2-1).
var limits = map[dicom.VR]int{dicom.AE: 16, dicom.CS: 16, dicom.DS: 16, dicom.IS: 12, dicom.LO: 64, dicom.SH: 16, dicom.ST: 1024, dicom.LT: 10240}

// checkValue holds one value against its VR (PS3.5 §6.2). The error says what is wrong without the value.
func checkValue(vr dicom.VR, v string) error {
	if most := limits[vr]; most > 0 && utf8.RuneCountInString(v) > most {
		return fmt.Errorf("the value has more than the %d characters of VR %s (PS3.5 §6.2)", most, vr)
	}
	ok := true
	switch vr {
	case dicom.UI:
		ok = dicom.ValidUID(v)
	case dicom.DA:
		ok = dates.MatchString(v) && validDate(v)
	case dicom.TM:
		ok = times.MatchString(v)
	case dicom.DT:
		ok = dateTimes.MatchString(v)
	case dicom.AS:
		ok = ages.MatchString(v)
	case dicom.IS:
		_, err := strconv.ParseInt(v, 10, 32)
		ok = err == nil
	case dicom.DS:
		_, err := strconv.ParseFloat(v, 64)
		ok = err == nil
	case dicom.PN:
		return checkName(v)
	case dicom.LO, dicom.SH, dicom.AE, dicom.CS:
		ok = !controls(v)
	}
	if !ok {
		return fmt.Errorf("the value is none that VR %s has (PS3.5 §6.2)", vr)
	}
	return nil
}

// ValidValue reports whether a value is one of a VR.
func ValidValue(vr dicom.VR, v string) bool { return checkValue(vr, v) == nil }

func validDate(v string) bool {
	month, _ := strconv.Atoi(v[4:6])
	day, _ := strconv.Atoi(v[6:])
	return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

func controls(v string) bool {
	return strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != 0x1B || r == 0x7F || r == utf8.RuneError })
}

func checkName(v string) error {
	groups := strings.Split(v, "=")
	if len(groups) > 3 {
		return errors.New("the name has more than three groups (PS3.5 §6.2.1)")
	}
	for _, g := range groups {
		switch {
		case utf8.RuneCountInString(g) > 64:
			return errors.New("a group of the name has more than 64 characters (PS3.5 §6.2.1)")
		case strings.Count(g, "^") > 4:
			return errors.New("a group of the name has more than five components (PS3.5 §6.2.1)")
		case controls(g):
			return errors.New("the name has a character that PS3.5 §6.1.2.1 forbids")
		}
	}
	return nil
}
