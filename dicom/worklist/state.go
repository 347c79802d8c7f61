package worklist

import (
	"context"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// ChangeState brings a workitem into another state: IN PROGRESS by claiming it with a new transaction UID, COMPLETED or CANCELED by who has
// claimed it (PS3.18 §11.7, PS3.4 table CC.1.1-2). The warning is empty unless it is in that state already.
func (w *Worklist) ChangeState(ctx context.Context, partition, id string, d *dicom.Dataset) (warning string, err error) {
	transaction, want := d.String(tag.TransactionUID), d.String(tag.ProcedureStepState)
	s, err := w.read(ctx, partition, id)
	if err != nil {
		return "", err
	}
	if !dicom.ValidUID(transaction) {
		return "", fault.New(fault.Invalid, "the Transaction UID is missing, or is no UID (C301)")
	}
	now := s.state()
	switch want {
	case InProgress:
		switch now {
		case Scheduled:
			s.Set(dicom.Text(tag.TransactionUID, dicom.UI, transaction))
		case InProgress:
			return "", inconsistent("C302")
		default:
			return "", inconsistent("C300")
		}
	case Completed, Canceled:
		if warning, err = s.end(want, transaction); warning != "" || err != nil {
			return warning, err
		}
	case Scheduled:
		return "", inconsistent("C303")
	default:
		return "", fault.New(fault.Invalid, "ProcedureStepState must be %s, %s or %s", InProgress, Completed, Canceled)
	}
	s.Set(dicom.Text(tag.ProcedureStepState, dicom.CS, want))
	w.stamp(s.Dataset)
	return "", w.write(ctx, partition, s, stateReport)
}

// end checks whether a workitem can come to an end.
func (s *step) end(want, transaction string) (warning string, err error) {
	now := s.state()
	if now == Scheduled {
		return "", inconsistent("C310")
	}
	if err := s.claimed(transaction); err != nil {
		return "", err
	}
	switch {
	case now == want && want == Completed:
		return "The UPS is already in the requested state of COMPLETED. (B306)", nil
	case now == want:
		return "The UPS is already in the requested state of CANCELED. (B304)", nil
	case now != InProgress:
		return "", inconsistent("C300")
	case want == Completed:
		return "", check(s.Dataset, completion)
	}
	return "", check(s.Dataset, cancellation)
}

// RequestCancel asks that a workitem be canceled. One that nobody has claimed is at once; the performer of one in progress is told, when it listens
// (PS3.18 §11.8). The reason may be nil.
func (w *Worklist) RequestCancel(ctx context.Context, partition, id string, reason *dicom.Dataset) error {
	s, err := w.read(ctx, partition, id)
	if err != nil {
		return err
	}
	switch s.state() {
	case Completed:
		return inconsistent("C311")
	case Canceled:
		// Compat: the reference service answers 409 here, and PS3.18 a success with a warning.
		return fault.New(fault.Conflict, "The UPS is already in the requested state of CANCELED. (B304)")
	case InProgress:
		heard, err := w.heard(ctx, partition, s, reason)
		if err == nil && !heard {
			err = fault.New(fault.Conflict, "The performer of the UPS Instance cannot be contacted. (C312)")
		}
		return err
	}
	progress := dicom.New(dicom.Text(tag.ProcedureStepCancellationDateTime, dicom.DT, w.now().UTC().Format("20060102150405.000000-0700")))
	if reason != nil {
		for _, t := range []dicom.Tag{tag.ReasonForCancellation, tag.ProcedureStepDiscontinuationReasonCodeSequence} {
			if e := reason.Get(t); e != nil {
				progress.Set(*e)
			}
		}
		contact := dicom.New()
		for _, t := range []dicom.Tag{tag.ContactURI, tag.ContactDisplayName} {
			if e := reason.Get(t); e != nil {
				contact.Set(*e)
			}
		}
		if len(contact.Elements) > 0 {
			progress.Set(dicom.Sequence(tag.ProcedureStepCommunicationsURISequence, contact))
		}
	}
	s.Set(dicom.Sequence(tag.ProcedureStepProgressInformationSequence, progress))
	s.Set(dicom.Text(tag.ProcedureStepState, dicom.CS, Canceled))
	w.stamp(s.Dataset)
	return w.write(ctx, partition, s, stateReport)
}
