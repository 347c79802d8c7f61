package scp

import (
	"context"
	"io"

	"salus/dicom"
	"salus/dicom/dimse"
	"salus/dicom/index"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// commit is the request for storage commitment (PS3.4 §J.3.2). Instances here are on the disk when they are visible, so that the result is known at
// once. It is reported to the application's address, or where there is none on the same association.
func (s *node) commit(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	d, err := readIdentifier(m)
	if err == nil && !dicom.ValidUID(d.String(tag.TransactionUID)) {
		err = fault.New(fault.Invalid, "the Transaction UID is missing (PS3.4 §J.3.2.1.1)")
	}
	if err != nil {
		return s.refuse(a, m, err)
	}
	report, failed, err := s.check(ctx, d)
	if err != nil {
		return s.fail(a, m, err)
	}
	if err := a.Send(m.Context, m.Command.Respond(dimse.Success), nil); err != nil {
		return err
	}
	event := uint16(1)
	if failed {
		event = 2
	}
	if address := s.o.Peers[a.Calling]; address != "" {
		if err := s.reportTo(ctx, a.Calling, address, event, report); err == nil {
			return nil
		}
		s.o.Logger.Warn("the result of a storage commitment is reported on its own association, since the application does not take another",
			"application", a.Calling)
	}
	return reportOn(a, m.Context, event, report)
}

// check looks for the instances of a request.
func (s *node) check(ctx context.Context, d *dicom.Dataset) (report *dicom.Dataset, failed bool, err error) {
	key, _ := index.KeyOf(tag.SOPInstanceUID)
	var there, missing []*dicom.Dataset
	for _, item := range d.Items(tag.ReferencedSOPSequence) {
		class, instance := item.String(tag.ReferencedSOPClassUID), item.String(tag.ReferencedSOPInstanceUID)
		one := dicom.New(dicom.Text(tag.ReferencedSOPClassUID, dicom.UI, class), dicom.Text(tag.ReferencedSOPInstanceUID, dicom.UI, instance))
		stored, err := s.o.Archive.Find(ctx, index.Query{
			Partition: s.o.Partition, Level: index.Instance, Limit: 1, Matches: []index.Match{{Key: key, OneOf: []string{instance}}},
		})
		switch {
		case err != nil:
			return nil, false, err
		case len(stored) == 0:
			one.Set(dicom.Uint16(tag.FailureReason, 0x0112)) // no such object instance
			missing = append(missing, one)
		case stored[0].Object.SOPClass != class:
			one.Set(dicom.Uint16(tag.FailureReason, 0x0119)) // class and instance conflict
			missing = append(missing, one)
		default:
			there = append(there, one)
		}
	}
	report = dicom.New(dicom.Text(tag.TransactionUID, dicom.UI, d.String(tag.TransactionUID)), dicom.Text(tag.RetrieveAETitle, dicom.AE, s.o.AETitle))
	if len(there) > 0 {
		report.Set(dicom.Sequence(tag.ReferencedSOPSequence, there...))
	}
	if len(missing) > 0 {
		report.Set(dicom.Sequence(tag.FailedSOPSequence, missing...))
	}
	return report, len(missing) > 0, nil
}

// reportTo reports on an association of its own, in the role of the provider.
func (s *node) reportTo(ctx context.Context, name, address string, event uint16, report *dicom.Dataset) error {
	contexts := []dimse.Context{{Abstract: uid.StorageCommitmentPushModel, Transfers: []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}}}
	to, err := s.peer(name, address).Associate(ctx, contexts, dimse.Role{Class: uid.StorageCommitmentPushModel, SCP: true})
	if err != nil {
		return err
	}
	c, ok := to.Find(uid.StorageCommitmentPushModel)
	if !ok {
		to.Abort()
		return fault.New(fault.NotSupported, "%s does not take reports of storage commitment", name)
	}
	if err := reportOn(to, c, event, report); err != nil {
		to.Abort()
		return err
	}
	return to.Release()
}

func reportOn(a *dimse.Association, c dimse.Context, event uint16, report *dicom.Dataset) error {
	cmd := dimse.NewCommand(dimse.NEventReport,
		dicom.Text(tag.AffectedSOPClassUID, dicom.UI, uid.StorageCommitmentPushModel),
		dicom.Text(tag.AffectedSOPInstanceUID, dicom.UI, uid.StorageCommitmentPushModelInstance),
		dicom.Uint16(tag.EventTypeID, event),
	)
	_, err := a.Ask(c, cmd, func(w io.Writer) error { return part10.WriteDataset(w, report, c.Transfer(), nil) })
	return err
}
