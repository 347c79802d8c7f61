package dimse

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// Peer is an application to associate with.
type Peer struct {
	Address string // host:port
	Called  string // its AE title
	Calling string // ours
	TLS     *tls.Config
	Timeout time.Duration
}

// Associate proposes an association. Numbers of contexts are given here. Errors are Unavailable when the peer cannot be reached, and Forbidden when
// it refuses.
func (p Peer) Associate(ctx context.Context, contexts []Context, roles ...Role) (*Association, error) {
	if len(contexts) > 128 {
		return nil, fault.New(fault.Invalid, "an association has at most 128 presentation contexts")
	}
	dialer := net.Dialer{Timeout: p.Timeout}
	conn, err := dialer.DialContext(ctx, "tcp", p.Address)
	if err == nil && p.TLS != nil {
		secure := tls.Client(conn, p.TLS)
		if err = secure.HandshakeContext(ctx); err != nil {
			conn.Close()
		}
		conn = secure
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s cannot be reached", p.Called)
	}
	a, err := p.associate(conn, contexts, roles)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return a, nil
}

func (p Peer) associate(conn net.Conn, contexts []Context, roles []Role) (*Association, error) {
	proposal := Proposal{
		Called: p.Called, Calling: p.Calling, Contexts: contexts, Roles: roles, MaxLength: offeredLength,
		Implementation: part10.ImplementationClassUID, Version: part10.ImplementationVersionName,
	}
	for i := range contexts {
		contexts[i].ID = byte(2*i + 1)
	}
	a := newAssociation(conn, bufio.NewReaderSize(conn, 64<<10), p.Timeout)
	a.Called, a.Calling = p.Called, p.Calling
	if err := conn.SetDeadline(time.Now().Add(p.Timeout)); err != nil {
		return nil, err
	}
	if err := a.write(proposal.encode(associateRequest)); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s went away", p.Called)
	}
	h, err := readHead(a.r)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s went away", p.Called)
	}
	body := make([]byte, h.length)
	if _, err := io.ReadFull(a.r, body); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "%s went away", p.Called)
	}
	switch {
	case h.kind == associateReject && len(body) == 4:
		no := &Reject{body[1] == 1, body[2], body[3]}
		return nil, fault.Wrap(fault.Forbidden, no, "%s refuses the association: %v", p.Called, no)
	case h.kind != associateAccept:
		return nil, fault.New(fault.Forbidden, "%s aborts the association", p.Called)
	}
	answer, err := decode(associateAccept, body)
	if err != nil {
		return nil, err
	}
	for i := range answer.Contexts {
		c := &answer.Contexts[i]
		if n := int(c.ID) / 2; n < len(contexts) {
			c.Abstract = contexts[n].Abstract
		}
	}
	a.Roles = answer.Roles
	a.take(answer.Contexts)
	a.use(answer.MaxLength)
	return a, nil
}

// Ask sends a request and receives its answer, which must come without a data set.
func (a *Association) Ask(c Context, cmd Command, data func(io.Writer) error) (Command, error) {
	cmd.Set(dicom.Uint16(tag.MessageID, a.NextID()))
	if err := a.Send(c, cmd, data); err != nil {
		return Command{}, err
	}
	m, err := a.Receive()
	for err == nil && m.Command.Field() == CCancel { // of what this request is a part of
		a.canceled = true
		m, err = a.Receive()
	}
	if err != nil {
		return Command{}, unexpected(err)
	}
	if !m.Command.IsResponse() || m.Command.number(tag.MessageIDBeingRespondedTo) != cmd.ID() {
		return Command{}, broken("the answer is to another request (PS3.7 §9.1)")
	}
	return m.Command, a.Drain()
}

// Echo asks whether the other side is there (C-ECHO, PS3.7 §9.1.5).
func (a *Association) Echo() error {
	c, ok := a.Find(uid.Verification)
	if !ok {
		return fault.New(fault.NotSupported, "%s does not accept verification", a.Called)
	}
	answer, err := a.Ask(c, NewCommand(CEcho, dicom.Text(tag.AffectedSOPClassUID, dicom.UI, uid.Verification)), nil)
	if err == nil && answer.Status() != Success {
		err = fault.New(fault.Internal, "%s answers with status %04X", a.Called, uint16(answer.Status()))
	}
	return err
}

// Store sends an instance (C-STORE, PS3.7 §9.1.1). Data writes its data set in the transfer syntax of the context.
func (a *Association) Store(c Context, class, instance string, data func(io.Writer) error, more ...dicom.Element) (Status, error) {
	cmd := NewCommand(CStore, append(more,
		dicom.Text(tag.AffectedSOPClassUID, dicom.UI, class), dicom.Text(tag.AffectedSOPInstanceUID, dicom.UI, instance), dicom.Uint16(tag.Priority, 0))...)
	answer, err := a.Ask(c, cmd, data)
	if err != nil {
		return ProcessingFailure, err
	}
	return answer.Status(), nil
}

// Query sends a request that has several answers and calls f with each pending one and its data set, until the last, whose status it returns (C-FIND,
// C-MOVE, C-GET; PS3.7 §9.1.2).
func (a *Association) Query(c Context, cmd Command, identifier *dicom.Dataset, f func(*Message) error) (Command, error) {
	cmd.Set(dicom.Uint16(tag.MessageID, a.NextID()))
	cmd.Set(dicom.Uint16(tag.Priority, 0))
	cmd.Set(dicom.Text(tag.AffectedSOPClassUID, dicom.UI, c.Abstract))
	err := a.Send(c, cmd, func(w io.Writer) error { return part10.WriteDataset(w, identifier, c.Transfer(), nil) })
	for err == nil {
		m, e := a.Receive()
		if e != nil {
			return Command{}, unexpected(e)
		}
		if s := m.Command.Status(); m.Command.IsResponse() && s != Pending && s != PendingUnsupported {
			return m.Command, a.Drain()
		}
		err = f(m)
	}
	return Command{}, err
}
