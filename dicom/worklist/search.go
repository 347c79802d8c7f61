package worklist

import (
	"context"
	"strings"

	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/tag"
	"salus/fault"
)

// Key is a value that searches compare: an attribute, or one in a sequence.
type Key struct {
	Path string
	index.Key
	tags []dicom.Tag
}

// keys are those of the reference service, and some that schedulers ask for besides.
var keys = []Key{
	key(tag.PatientName), key(tag.PatientID), key(tag.PatientBirthDate),
	key(tag.ReferencedRequestSequence, tag.AccessionNumber), key(tag.ReferencedRequestSequence, tag.RequestedProcedureID),
	key(tag.ReferencedRequestSequence, tag.StudyInstanceUID),
	key(tag.ScheduledProcedureStepStartDateTime), key(tag.ScheduledStationNameCodeSequence, tag.CodeValue),
	key(tag.ScheduledStationClassCodeSequence, tag.CodeValue), key(tag.ScheduledStationGeographicLocationCodeSequence, tag.CodeValue),
	key(tag.ScheduledWorkitemCodeSequence, tag.CodeValue), key(tag.ProcedureStepState), key(tag.StudyInstanceUID), key(tag.SOPInstanceUID),
	key(tag.WorklistLabel), key(tag.ProcedureStepLabel), key(tag.ScheduledProcedureStepPriority), key(tag.InputReadinessState), key(tag.AdmissionID),
}

func key(tags ...dicom.Tag) Key {
	last := tags[len(tags)-1]
	known, _ := dicom.Lookup(last)
	return Key{pathOf(tags), index.Key{Tag: last, VR: known.VR}, tags}
}

func pathOf(tags []dicom.Tag) string {
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.Hex()
	}
	return strings.Join(names, ".")
}

// ParseKey reads an attribute, or two with a dot between, as keywords or hexadecimal digits.
func ParseKey(s string) (Key, error) {
	tags, ok := parsePath(s)
	if !ok {
		return Key{}, fault.New(fault.Invalid, "a parameter is neither one of a search nor a path of attributes (PS3.18 §8.3.4)")
	}
	path := pathOf(tags)
	for _, k := range keys {
		if k.Path == path {
			return k, nil
		}
	}
	return Key{}, fault.New(fault.Invalid, "%s cannot be searched for", tags[len(tags)-1].Keyword())
}

func parsePath(s string) (tags []dicom.Tag, ok bool) {
	for name := range strings.SplitSeq(s, ".") {
		t, ok := dicom.ParseTag(name)
		if !ok {
			return nil, false
		}
		tags = append(tags, t)
	}
	return tags, true
}

// values are what searches compare of a workitem.
func values(d *dicom.Dataset) (all []index.WorkitemValue) {
	for _, k := range keys {
		for _, text := range texts(d, k.tags) {
			if index.Folds(k.VR) {
				text = index.Fold(text)
			}
			if text != "" {
				all = append(all, index.WorkitemValue{Path: k.Path, Text: text})
			}
		}
	}
	return all
}

func texts(d *dicom.Dataset, tags []dicom.Tag) []string {
	if len(tags) == 1 {
		return d.Strings(tags[0])
	}
	var all []string
	for _, item := range d.Items(tags[0]) {
		all = append(all, texts(item, tags[1:])...)
	}
	return all
}

// Search is a search for workitems (PS3.18 §11.9).
type Search struct {
	Partition     string
	Matches       []index.WorkitemMatch
	Include       []dicom.Tag
	All           bool // every attribute
	Limit, Offset int
}

// Search returns what matches, newest first.
func (w *Worklist) Search(ctx context.Context, s Search) ([]*dicom.Dataset, error) {
	items, err := w.items.FindWorkitems(ctx, s.Partition, s.Matches, s.Limit, s.Offset)
	if err != nil {
		return nil, err
	}
	wanted := set(s.Include...)
	for _, m := range s.Matches {
		t, _ := parsePath(m.Path)
		wanted[t[0]] = true
	}
	all := make([]*dicom.Dataset, len(items))
	for i, item := range items {
		d, _, err := jsonmodel.Decode(item.JSON)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "a stored workitem cannot be read")
		}
		all[i] = public(d)
		if !s.All {
			d.Remove(func(e *dicom.Element) bool { return !wanted[e.Tag] && !returned[e.Tag] })
		}
	}
	return all, nil
}

// returned are the attributes that a search returns unasked (the reference service's; PS3.4 table CC.2.5-3).
var returned = set(
	tag.SpecificCharacterSet, tag.SOPClassUID, tag.SOPInstanceUID, tag.ScheduledProcedureStepPriority, tag.ProcedureStepLabel, tag.WorklistLabel,
	tag.ScheduledProcessingParametersSequence, tag.ScheduledStationNameCodeSequence, tag.ScheduledStationClassCodeSequence,
	tag.ScheduledStationGeographicLocationCodeSequence, tag.ScheduledHumanPerformersSequence, tag.ScheduledProcedureStepStartDateTime,
	tag.ScheduledWorkitemCodeSequence, tag.InputReadinessState, tag.InputInformationSequence, tag.StudyInstanceUID, tag.PatientName, tag.PatientID,
	tag.IssuerOfPatientID, tag.IssuerOfPatientIDQualifiersSequence, tag.OtherPatientIDsSequence, tag.PatientBirthDate, tag.PatientSex, tag.AdmissionID,
	tag.IssuerOfAdmissionIDSequence, tag.AdmittingDiagnosesDescription, tag.AdmittingDiagnosesCodeSequence, tag.ReferencedRequestSequence,
	tag.MedicalAlerts, tag.PregnancyStatus, tag.SpecialNeeds, tag.ProcedureStepState, tag.ProcedureStepProgressInformationSequence,
)
