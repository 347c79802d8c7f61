package scp

import (
	"context"
	"strings"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/dimse"
	"salus/dicom/index"
	"salus/dicom/tag"
	"salus/dicom/worklist"
)

// findWork is C-FIND on the modality worklist (PS3.4 annex K): the workitems that are scheduled, in the form in which modalities know them.
func (s *node) findWork(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	asked, err := readIdentifier(m)
	if err != nil {
		return s.refuse(a, m, err)
	}
	q, err := s.workQuery(asked)
	if err != nil {
		return s.refuse(a, m, err)
	}
	for ; ; q.Offset += page {
		found, err := s.o.Worklist.Search(ctx, q)
		if err != nil {
			return s.fail(a, m, err)
		}
		for _, d := range found {
			if err := send(a, m, dimse.Pending, pick(asked, procedure(asked, d))); err != nil {
				return err
			}
		}
		if stop, err := s.over(a, m, len(found) < page); stop || err != nil {
			return err
		}
	}
}

// workKeys are where the keys of a modality worklist are in a workitem. Those that are not here are not matched.
var workKeys = map[dicom.Tag]string{
	tag.PatientName: "PatientName", tag.PatientID: "PatientID", tag.PatientBirthDate: "PatientBirthDate", tag.AdmissionID: "AdmissionID",
	tag.AccessionNumber: "ReferencedRequestSequence.AccessionNumber", tag.RequestedProcedureID: "ReferencedRequestSequence.RequestedProcedureID",
	tag.StudyInstanceUID: "ReferencedRequestSequence.StudyInstanceUID",
}

// workQuery makes a search of an identifier.
func (s *node) workQuery(asked *dicom.Dataset) (worklist.Search, error) {
	q := worklist.Search{Partition: s.o.Partition, All: true, Limit: page}
	match := func(path, value string) error {
		key, err := worklist.ParseKey(path)
		if err != nil || value == "" {
			return err
		}
		m, all, err := archive.ParseMatch(key.Key, value, false)
		if err == nil && !all {
			q.Matches = append(q.Matches, index.WorkitemMatch{Path: key.Path, Match: m})
		}
		return err
	}
	if err := match("ProcedureStepState", worklist.Scheduled); err != nil {
		return q, err
	}
	for t, path := range workKeys {
		if err := match(path, strings.Join(asked.Strings(t), `\`)); err != nil {
			return q, err
		}
	}
	step := asked.Item(tag.ScheduledProcedureStepSequence)
	if err := match("ScheduledStationNameCodeSequence.CodeValue", step.String(tag.ScheduledStationAETitle)); err != nil {
		return q, err
	}
	return q, match("ScheduledProcedureStepStartDateTime", moments(step.String(tag.ScheduledProcedureStepStartDate)))
}

// moments makes a range of days one of moments.
func moments(days string) string {
	from, to, ranged := strings.Cut(days, "-")
	switch {
	case days == "":
		return ""
	case !ranged:
		return days // the beginning of all moments of the day
	case to == "":
		return from + "-"
	}
	return from + "-" + to + "235959.999999"
}

// procedure turns a workitem into an entry of a modality worklist (PS3.4 table K.6-1).
func procedure(asked, d *dicom.Dataset) *dicom.Dataset {
	request := d.Item(tag.ReferencedRequestSequence)
	for _, t := range []dicom.Tag{
		tag.AccessionNumber, tag.RequestedProcedureID, tag.RequestedProcedureDescription, tag.RequestedProcedureCodeSequence, tag.StudyInstanceUID,
		tag.RequestingPhysician, tag.ReferringPhysicianName,
	} {
		if e := request.Get(t); e != nil && !d.Has(t) {
			d.Set(*e)
		}
	}
	start := d.String(tag.ScheduledProcedureStepStartDateTime)
	day, clock := start[:min(8, len(start))], ""
	if len(start) > 8 {
		clock, _, _ = strings.Cut(strings.ReplaceAll(start[8:], "-", "+"), "+")
	}
	step := dicom.New(
		dicom.Text(tag.ScheduledStationAETitle, dicom.AE, d.Item(tag.ScheduledStationNameCodeSequence).String(tag.CodeValue)),
		dicom.Text(tag.ScheduledProcedureStepStartDate, dicom.DA, day), dicom.Text(tag.ScheduledProcedureStepStartTime, dicom.TM, clock),
		dicom.Text(tag.ScheduledProcedureStepDescription, dicom.LO, d.String(tag.ProcedureStepLabel)),
		dicom.Text(tag.ScheduledProcedureStepID, dicom.SH, request.String(tag.RequestedProcedureID)),
		dicom.Text(tag.Modality, dicom.CS, d.Item(tag.ScheduledStationClassCodeSequence).String(tag.CodeValue)),
	)
	d.Set(dicom.Sequence(tag.ScheduledProcedureStepSequence, pickStep(asked.Item(tag.ScheduledProcedureStepSequence), step)))
	return d
}

// pickStep takes what is asked for of a step, or all when nothing is.
func pickStep(asked, step *dicom.Dataset) *dicom.Dataset {
	if len(asked.Elements) == 0 {
		return step
	}
	d := pick(asked, step)
	d.Remove(func(e *dicom.Element) bool { return e.Tag == tag.SpecificCharacterSet })
	return d
}
