package dimse

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"salus/dicom/part10"
	"salus/fault"
)

// Server accepts associations.
type Server struct {
	// Negotiate decides on a proposal: it sets the result of each context, leaves one transfer syntax in those that are accepted, and only the
	// roles that are. A *Reject as error refuses the association.
	Negotiate func(peer net.Addr, p *Proposal) error
	// Handle answers a message. An error aborts the association.
	Handle func(context.Context, *Association, *Message) error
	TLS    *tls.Config // nil for none
	Limit  int         // of associations at a time
	// Timeout is how long the other side may be silent.
	Timeout time.Duration
	Logger  *slog.Logger
}

// Serve accepts associations until ctx ends, then closes the listener and waits for those that are under way, whose connections it closes.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.TLS != nil {
		l = tls.NewListener(l, s.TLS)
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	slots := make(chan struct{}, s.Limit)
	var working sync.WaitGroup
	defer working.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fault.Wrap(fault.Unavailable, err, "associations cannot be accepted any more")
		case err != nil: // such as too many open files, which passes
			s.Logger.Warn("an association was not accepted", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		full := false
		select {
		case slots <- struct{}{}:
		default:
			full = true
		}
		working.Go(func() {
			if !full {
				defer func() { <-slots }()
			}
			s.serve(ctx, conn, full)
		})
	}
}

// acceptPause is how long a server waits after a connection that it could not accept.
const acceptPause = 100 * time.Millisecond

// serve is one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn, full bool) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	a, err := s.accept(conn, full)
	if err != nil {
		s.report(ctx, conn, "an association was not made", err)
		return
	}
	for {
		m, err := a.Receive()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = s.handle(ctx, a, m)
		}
		if err != nil {
			s.report(ctx, conn, "an association was aborted", err)
			a.Abort()
			return
		}
	}
}

// handle answers a message; a panic ends only its association.
func (s *Server) handle(ctx context.Context, a *Association, m *Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fault.New(fault.Internal, "panic with a %T", v)
		}
	}()
	return s.Handle(ctx, a, m)
}

func (s *Server) report(ctx context.Context, conn net.Conn, what string, err error) {
	if ctx.Err() == nil {
		s.Logger.Warn(what, "peer", conn.RemoteAddr().String(), "error", err)
	}
}

// accept answers the proposal that comes first on a connection.
func (s *Server) accept(conn net.Conn, full bool) (*Association, error) {
	if err := conn.SetDeadline(time.Now().Add(s.Timeout)); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(conn, 64<<10)
	h, err := readHead(r)
	if err == nil && h.kind != associateRequest {
		err = broken("the first unit is no association request (PS3.8 §9.2)")
	}
	if err != nil {
		return nil, err
	}
	body := make([]byte, h.length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, unexpected(err)
	}
	p, err := decode(associateRequest, body)
	if err == nil && full {
		err = NotNow
	}
	if err == nil {
		err = s.Negotiate(conn.RemoteAddr(), p)
	}
	if err != nil {
		return nil, refuse(conn, err)
	}
	a := newAssociation(conn, r, s.Timeout)
	a.Called, a.Calling, a.Roles = p.Called, p.Calling, p.Roles
	a.take(p.Contexts)
	a.use(p.MaxLength)
	p.MaxLength, p.Implementation, p.Version = offeredLength, part10.ImplementationClassUID, part10.ImplementationVersionName
	return a, a.write(p.encode(associateAccept))
}

// refuse answers a proposal that is not accepted.
func refuse(conn net.Conn, err error) error {
	var no *Reject
	if !errors.As(err, &no) {
		_, e := conn.Write(unit(abort, []byte{0, 0, 2, 0})) // by the service provider
		return errors.Join(err, e)
	}
	result := byte(2)
	if no.Permanent {
		result = 1
	}
	_, e := conn.Write(unit(associateReject, []byte{0, result, no.Source, no.Reason}))
	return errors.Join(err, e)
}

func (a *Association) take(contexts []Context) {
	for _, c := range contexts {
		if c.Result == Accepted && len(c.Transfers) == 1 {
			a.Accepted[c.ID] = c
		}
	}
}
