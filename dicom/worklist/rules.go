package worklist

import (
	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// need is what a rule demands of an attribute.
type need uint8

const (
	there  need = iota // it is there and may be empty (type 2)
	filled             // it has a value (type 1)
)

// rule is what must hold of an attribute, and of those in its items when it has any.
type rule struct {
	tag   dicom.Tag
	need  need
	items []rule
}

// creation is what a workitem has from its creation on (PS3.4 table CC.2.5-3, as far as the reference service checks it).
var creation = []rule{
	{tag: tag.SOPClassUID, need: filled}, {tag: tag.SOPInstanceUID, need: filled},
	{tag: tag.ScheduledProcedureStepPriority, need: filled}, {tag: tag.ProcedureStepLabel, need: filled},
	{tag: tag.ScheduledProcedureStepStartDateTime, need: filled}, {tag: tag.InputReadinessState, need: filled},
	{tag: tag.ProcedureStepState, need: filled},
	{tag: tag.WorklistLabel}, {tag: tag.ScheduledProcessingParametersSequence}, {tag: tag.ScheduledStationNameCodeSequence},
	{tag: tag.ScheduledStationClassCodeSequence}, {tag: tag.ScheduledStationGeographicLocationCodeSequence}, {tag: tag.ScheduledWorkitemCodeSequence},
	{tag: tag.CommentsOnTheScheduledProcedureStep}, {tag: tag.InputInformationSequence}, {tag: tag.PatientName}, {tag: tag.OtherPatientIDsSequence},
	{tag: tag.PatientBirthDate}, {tag: tag.PatientSex}, {tag: tag.AdmissionID}, {tag: tag.IssuerOfAdmissionIDSequence},
	{tag: tag.AdmittingDiagnosesDescription}, {tag: tag.AdmittingDiagnosesCodeSequence},
	{tag: tag.ReferencedRequestSequence, items: []rule{
		{tag: tag.StudyInstanceUID, need: filled}, {tag: tag.AccessionNumber}, {tag: tag.IssuerOfAccessionNumberSequence},
		{tag: tag.OrderPlacerIdentifierSequence}, {tag: tag.OrderFillerIdentifierSequence}, {tag: tag.RequestedProcedureID},
		{tag: tag.RequestedProcedureDescription}, {tag: tag.RequestedProcedureCodeSequence},
	}},
}

// final is what every workitem has that has come to its end (PS3.4 table CC.2.5-3, final state).
var final = []rule{
	{tag: tag.SOPClassUID, need: filled}, {tag: tag.SOPInstanceUID, need: filled}, {tag: tag.ScheduledProcedureStepPriority, need: filled},
	{tag: tag.ScheduledProcedureStepModificationDateTime, need: filled}, {tag: tag.ScheduledProcedureStepStartDateTime, need: filled},
	{tag: tag.InputReadinessState, need: filled}, {tag: tag.ProcedureStepState, need: filled},
}

// completion and cancellation are what must be there besides, in at least one item.
var (
	completion = append(final[:len(final):len(final)], rule{tag: tag.UnifiedProcedureStepPerformedProcedureSequence, need: filled, items: []rule{
		{tag: tag.PerformedStationNameCodeSequence, need: filled}, {tag: tag.PerformedProcedureStepStartDateTime, need: filled},
		{tag: tag.PerformedProcedureStepEndDateTime, need: filled}, {tag: tag.PerformedWorkitemCodeSequence, need: filled},
		{tag: tag.OutputInformationSequence},
	}})
	cancellation = append(final[:len(final):len(final)], rule{tag: tag.ProcedureStepProgressInformationSequence, need: filled, items: []rule{
		{tag: tag.ProcedureStepCancellationDateTime, need: filled}, {tag: tag.ProcedureStepDiscontinuationReasonCodeSequence, need: filled},
	}})
)

// check holds a data set against rules.
func check(d *dicom.Dataset, rules []rule) error { return checkAt(d, rules, "") }

func checkAt(d *dicom.Dataset, rules []rule, path string) error {
	for _, r := range rules {
		name := path + r.tag.Keyword()
		e := d.Get(r.tag)
		switch {
		case e == nil:
			return fault.New(fault.Invalid, "%s is missing (PS3.4 table CC.2.5-3)", name)
		case r.need == filled && e.VR != dicom.SQ && e.Empty(), r.need == filled && e.VR == dicom.SQ && len(e.Items) == 0:
			return fault.New(fault.Invalid, "%s has no value (PS3.4 table CC.2.5-3)", name)
		}
		for _, item := range e.Items {
			if err := checkAt(item, r.items, name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

// fixed are the attributes that no update changes (PS3.4 table CC.2.5-3, column N-SET).
var fixed = set(
	tag.SOPClassUID, tag.SOPInstanceUID, tag.ProcedureStepState, tag.TransactionUID, tag.ScheduledProcedureStepModificationDateTime,
	tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.IssuerOfPatientIDQualifiersSequence, tag.OtherPatientIDsSequence, tag.PatientBirthDate,
	tag.PatientSex, tag.AdmissionID, tag.IssuerOfAdmissionIDSequence, tag.AdmittingDiagnosesDescription, tag.AdmittingDiagnosesCodeSequence,
	tag.ReferencedRequestSequence, tag.StudyInstanceUID, tag.MedicalAlerts, tag.PregnancyStatus, tag.SpecialNeeds,
)

func set(tags ...dicom.Tag) map[dicom.Tag]bool {
	all := map[dicom.Tag]bool{}
	for _, t := range tags {
		all[t] = true
	}
	return all
}
