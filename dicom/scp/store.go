package scp

import (
	"bytes"
	"context"
	"io"
	"strings"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/dimse"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/fault"
)

// store is C-STORE: the data set becomes a file by what the message says of it, and goes the way of all that are stored (PS3.4 §B.2).
func (s *node) store(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	if m.Data == nil {
		return a.Send(m.Context, m.Command.Respond(dimse.CannotUnderstand).Comment("there is no data set"), nil)
	}
	head, err := fileHead(m)
	if err != nil {
		if err := a.Drain(); err != nil {
			return err
		}
		return a.Send(m.Context, m.Command.Respond(dimse.CannotUnderstand).Comment(fault.As(err).Message), nil)
	}
	body := &watched{r: m.Data}
	out, err := s.o.Archive.Store(ctx, io.MultiReader(bytes.NewReader(head), body), archive.Rules{Partition: s.o.Partition})
	if body.err != nil {
		return body.err // the association is broken, and nothing was stored
	}
	if err := a.Drain(); err != nil {
		return err
	}
	status, comment := statusOf(out, err)
	if status == dimse.ProcessingFailure && err != nil {
		s.o.Logger.Error("an instance was not stored", "error", err)
	}
	answer := m.Command.Respond(status)
	if comment != "" {
		answer.Comment(comment)
	}
	return a.Send(m.Context, answer, nil)
}

// watched notes what went wrong with reading a message, which is not the instance's fault.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// fileHead makes what stands before the data set in a file (PS3.10 §7.1).
func fileHead(m *dimse.Message) ([]byte, error) {
	meta, err := part10.NewMeta(dicom.New(
		dicom.Text(tag.SOPClassUID, dicom.UI, m.Command.String(tag.AffectedSOPClassUID)),
		dicom.Text(tag.SOPInstanceUID, dicom.UI, m.Command.String(tag.AffectedSOPInstanceUID)),
	), m.Context.Transfer())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	// The data set is written by the other side, in the transfer syntax that the meta information names.
	err = part10.WriteFile(&b, &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: preferredSyntax, Dataset: dicom.New()}, nil)
	return b.Bytes(), err
}

// statusOf maps what became of an instance (PS3.4 table B.2-1). Compat: an instance that is there already is a success, since a modality that sends it
// again only wants to know that it is stored.
func statusOf(out archive.Outcome, err error) (dimse.Status, string) {
	comment := strings.Join(out.Comments, "; ")
	switch {
	case fault.Is(err, fault.OutOfSpace), fault.Is(err, fault.TooLarge):
		return dimse.OutOfResources, fault.As(err).Message
	case err != nil:
		return dimse.ProcessingFailure, ""
	}
	switch out.Failure {
	case 0:
		if out.Warning != 0 && len(out.Comments) > 0 {
			return dimse.CoercedElements, comment
		}
		return dimse.Success, ""
	case archive.AlreadyExists:
		return dimse.Success, ""
	case archive.ValidationFailure:
		return dimse.DataSetMismatch, comment
	}
	return dimse.CannotUnderstand, comment
}
