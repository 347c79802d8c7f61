package scp

import (
	"bytes"
	"context"
	"io"
	"slices"

	"salus/dicom"
	"salus/dicom/dimse"
	"salus/dicom/index"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/transcode"
	"salus/dicom/uid"
	"salus/fault"
)

// progress counts the instances of a retrieval (PS3.7 §9.1.3).
type progress struct {
	remaining, completed, failed int
	missing                      []string // SOP instance UIDs that were not sent
}

func (p *progress) elements() []dicom.Element {
	count := func(t dicom.Tag, n int) dicom.Element { return dicom.Uint16(t, uint16(min(n, 0xFFFF))) }
	return []dicom.Element{
		count(tag.NumberOfRemainingSuboperations, p.remaining), count(tag.NumberOfCompletedSuboperations, p.completed),
		count(tag.NumberOfFailedSuboperations, p.failed), count(tag.NumberOfWarningSuboperations, 0),
	}
}

// finish sends the last answer.
func (p *progress) finish(a *dimse.Association, m *dimse.Message, canceled bool) error {
	status := dimse.Success
	switch {
	case canceled:
		status = dimse.Canceled
	case p.failed > 0 && p.completed == 0:
		status = 0xA702 // unable to perform sub-operations
	case p.failed > 0:
		status = dimse.SomeFailed
	}
	elements := p.elements()
	if !canceled {
		elements = elements[1:]
	}
	answer := m.Command.Respond(status, elements...)
	if len(p.missing) == 0 {
		return a.Send(m.Context, answer, nil)
	}
	return a.Send(m.Context, answer, func(w io.Writer) error {
		return part10.WriteDataset(w, dicom.New(dicom.Text(tag.FailedSOPInstanceUIDList, dicom.UI, p.missing...)), m.Context.Transfer(), nil)
	})
}

// wanted lists the instances that an identifier names (PS3.4 §C.4.2.2.1).
func (s *node) wanted(ctx context.Context, m *dimse.Message) ([]index.Stored, error) {
	d, err := readIdentifier(m)
	if err != nil {
		return nil, err
	}
	l, err := levelOf(d)
	if err != nil {
		return nil, err
	}
	if l.patient {
		return s.ofPatient(ctx, d.String(tag.PatientID))
	}
	studies, series, instances := d.Strings(tag.StudyInstanceUID), []string{""}, []string{""}
	if l.index >= index.Series {
		series = d.Strings(tag.SeriesInstanceUID)
	}
	if l.index == index.Instance {
		instances = d.Strings(tag.SOPInstanceUID)
	}
	if len(studies) == 0 || len(series) == 0 || len(instances) == 0 {
		return nil, fault.New(fault.Invalid, "a unique key of the level or one above has no value (PS3.4 §C.4.2.2.1)")
	}
	var all []index.Stored
	for _, st := range studies {
		for _, se := range series {
			for _, in := range instances {
				some, err := s.o.Archive.Instances(ctx, s.o.Partition, index.UIDs{Study: st, Series: se, Instance: in})
				if err != nil && !fault.Is(err, fault.NotFound) {
					return nil, err
				}
				all = append(all, some...)
			}
		}
	}
	return all, nil
}

// ofPatient lists the instances of all studies of a patient.
func (s *node) ofPatient(ctx context.Context, id string) ([]index.Stored, error) {
	if id == "" {
		return nil, fault.New(fault.Invalid, "the patient's ID has no value (PS3.4 §C.4.2.2.1)")
	}
	key, _ := index.KeyOf(tag.PatientID)
	var all []index.Stored
	for offset := 0; ; offset += page {
		studies, err := s.o.Archive.Find(ctx, index.Query{
			Partition: s.o.Partition, Level: index.Study, Limit: page, Offset: offset, Matches: []index.Match{{Key: key, OneOf: []string{id}}},
		})
		if err != nil {
			return nil, err
		}
		for _, u := range studies {
			some, err := s.o.Archive.Instances(ctx, s.o.Partition, u.UIDs)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return nil, err
			}
			all = append(all, some...)
		}
		if len(studies) < page {
			return all, nil
		}
	}
}

// get is C-GET: instances come back on the same association (PS3.4 §C.4.3).
func (s *node) get(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	all, err := s.wanted(ctx, m)
	if err != nil {
		return s.refuse(a, m, err)
	}
	return s.transfer(ctx, a, m, a, all, nil)
}

// move is C-MOVE: instances go to an application on the list (PS3.4 §C.4.2).
func (s *node) move(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	all, err := s.wanted(ctx, m)
	if err != nil {
		return s.refuse(a, m, err)
	}
	name := m.Command.String(tag.MoveDestination)
	address := s.o.Peers[name]
	if address == "" {
		return a.Send(m.Context, m.Command.Respond(dimse.DestinationUnknown).Comment("the destination is not known, or receives nothing"), nil)
	}
	if len(all) == 0 {
		return (&progress{}).finish(a, m, false)
	}
	to, err := s.peer(name, address).Associate(ctx, contextsOf(all))
	if err != nil {
		s.o.Logger.Warn("the destination of a move does not take it", "destination", name, "error", err)
		p := progress{failed: len(all)}
		for _, one := range all {
			p.missing = append(p.missing, one.Instance)
		}
		return p.finish(a, m, false)
	}
	origin := []dicom.Element{
		dicom.Text(tag.MoveOriginatorApplicationEntityTitle, dicom.AE, a.Calling), dicom.Uint16(tag.MoveOriginatorMessageID, m.Command.ID()),
	}
	if err := s.transfer(ctx, a, m, to, all, origin); err != nil {
		to.Abort()
		return err
	}
	if err := to.Release(); err != nil {
		s.o.Logger.Warn("the destination of a move went away at its end", "destination", name, "error", err)
	}
	return nil
}

func (s *node) peer(name, address string) dimse.Peer {
	return dimse.Peer{Address: address, Called: name, Calling: s.o.AETitle, Timeout: s.o.Timeout}
}

// contextsOf proposes for each class of instances each transfer syntax that they are in, and one that all can read.
func contextsOf(all []index.Stored) (contexts []dimse.Context) {
	have := map[[2]string]bool{}
	propose := func(class string, transfers ...string) {
		if k := [2]string{class, transfers[0]}; !have[k] && len(contexts) < 128 {
			have[k] = true
			contexts = append(contexts, dimse.Context{Abstract: class, Transfers: transfers})
		}
	}
	for _, one := range all {
		propose(one.SOPClass, one.TransferSyntax)
	}
	for _, one := range all {
		propose(one.SOPClass, uid.ExplicitVRLittleEndian)
		propose(one.SOPClass, uid.ImplicitVRLittleEndian)
	}
	return contexts
}

// transfer sends instances one by one and says now and then how far it is. What cannot be sent is passed over and told at the end.
func (s *node) transfer(ctx context.Context, a *dimse.Association, m *dimse.Message, to *dimse.Association, all []index.Stored, more []dicom.Element) error {
	p := progress{remaining: len(all)}
	lost := false
	for _, one := range all {
		sent := false
		if !lost {
			var err error
			sent, err = s.send(ctx, to, one, more)
			if err != nil && (to == a || ctx.Err() != nil) {
				return err // there is nobody to tell
			}
			if lost = err != nil; lost {
				s.o.Logger.Warn("the destination of a move went away", "destination", to.Called, "error", err)
			}
		}
		p.remaining--
		if sent {
			p.completed++
		} else {
			p.failed++
			p.missing = append(p.missing, one.Instance)
		}
		if err := a.Send(m.Context, m.Command.Respond(dimse.Pending, p.elements()...), nil); err != nil {
			return err
		}
		if (p.completed+p.failed)%16 != 0 {
			continue
		}
		if canceled, err := a.Canceled(); err != nil {
			return err
		} else if canceled {
			return p.finish(a, m, true)
		}
	}
	return p.finish(a, m, false)
}

// send sends one instance in the transfer syntax that it is in, or another that was accepted. An error says that the association is lost.
func (s *node) send(ctx context.Context, to *dimse.Association, one index.Stored, more []dicom.Element) (bool, error) {
	c, ok := to.Find(one.SOPClass, one.TransferSyntax)
	if !ok {
		c, ok = to.Find(one.SOPClass)
		ok = ok && transcode.Can(one.TransferSyntax, c.Transfer())
	}
	if !ok {
		return false, nil
	}
	o, err := s.o.Archive.Open(ctx, one)
	if err != nil {
		return false, nil // it was deleted meanwhile
	}
	defer o.Close()
	data := io.Reader(io.NewSectionReader(o, one.Start, o.Size()-one.Start))
	if c.Transfer() != one.TransferSyntax {
		r, w := io.Pipe()
		defer r.Close()
		go func() { w.CloseWithError(transcode.DatasetTo(w, o, o.Size(), c.Transfer())) }()
		data = r
		// What cannot be converted must not be begun.
		first := make([]byte, 1)
		if _, err := io.ReadFull(r, first); err != nil {
			return false, nil
		}
		data = io.MultiReader(bytes.NewReader(first), r)
	}
	status, err := to.Store(c, one.SOPClass, one.Instance, func(w io.Writer) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{data}, make([]byte, 64<<10))
		return err
	}, slices.Clone(more)...)
	return err == nil && (status == dimse.Success || status>>12 == 0xB), err
}
