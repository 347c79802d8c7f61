// Package scp serves an archive to applications that speak DICOM over TCP: verification, storage, query, retrieval, storage commitment and
// the modality worklist (PS3.4 annexes A, B, C, J and K).
//
// It promises that only applications on its list get in, that an instance is answered when it is on the disk, and that what comes in and goes out is
// the same as by DICOMweb. The protocol is in package dimse.
package scp

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/dimse"
	"salus/dicom/uid"
	"salus/dicom/worklist"
)

// Node is an application that others call: an archive under an AE title.
type Node struct {
	AETitle  string
	Archive  *archive.Archive
	Worklist *worklist.Worklist // nil for no worklist
	// Partition is where instances are stored and looked for.
	Partition string
	// Peers are the applications that may associate, by their AE titles, with the host:port at which they receive; empty for those that do not.
	Peers map[string]string
}

// Options are what the service needs.
type Options struct {
	Nodes []Node
	// TLS is nil for none. Unless it verifies who calls, a peer must call from the host of its address, for a title is easily taken; from this machine any
	// peer may call.
	TLS     *tls.Config
	Logger  *slog.Logger
	Timeout time.Duration // without a byte, after which an association is given up; 0 for DefaultTimeout
	Limit   int           // of associations at a time; 0 for DefaultLimit
}

// What holds when Options do not say otherwise.
const (
	DefaultTimeout = time.Minute
	DefaultLimit   = 64
)

// Service serves nodes.
type Service struct {
	o     Options
	nodes map[string]*node
}

// node is a node with what it has from the service.
type node struct {
	o struct {
		Node
		Logger  *slog.Logger
		Timeout time.Duration
	}
}

// New makes a service.
func New(o Options) *Service {
	o.Timeout, o.Limit = cmp.Or(o.Timeout, DefaultTimeout), cmp.Or(o.Limit, DefaultLimit)
	s := &Service{o, map[string]*node{}}
	for _, n := range o.Nodes {
		made := &node{}
		made.o.Node, made.o.Logger, made.o.Timeout = n, o.Logger, o.Timeout
		s.nodes[n.AETitle] = made
	}
	return s
}

// Serve accepts associations on a listener, which it closes, until ctx ends.
func (s *Service) Serve(ctx context.Context, l net.Listener) error {
	server := dimse.Server{Negotiate: s.negotiate, Handle: s.handle, TLS: s.o.TLS, Limit: s.o.Limit, Timeout: s.o.Timeout, Logger: s.o.Logger}
	return server.Serve(ctx, l)
}

// negotiate lets those in who are on the list of the node that they call.
func (s *Service) negotiate(from net.Addr, p *dimse.Proposal) error {
	n := s.nodes[p.Called]
	if n == nil {
		return dimse.CalledUnknown
	}
	address, ok := n.o.Peers[p.Calling]
	verified := s.o.TLS != nil && s.o.TLS.ClientAuth == tls.RequireAndVerifyClientCert
	if !ok || !verified && !at(from, address) {
		return dimse.CallingUnknown
	}
	return n.negotiate(p)
}

// at reports whether a connection comes from the host of an address, or from this machine.
func at(from net.Addr, address string) bool {
	ap, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return false
	}
	ip := ap.Addr().Unmap()
	if ip.IsLoopback() {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return err == nil && slices.ContainsFunc(all, func(a netip.Addr) bool { return a.Unmap() == ip })
}

// negotiate chooses how each context is written.
func (s *node) negotiate(p *dimse.Proposal) error {
	for i := range p.Contexts {
		c := &p.Contexts[i]
		transfer := ""
		switch {
		case s.served(c.Abstract):
			transfer = preferred(c.Transfers)
		case storage(c.Abstract):
			transfer = known(c.Transfers)
		default:
			c.Result, c.Transfers = dimse.AbstractNotSupported, c.Transfers[:min(1, len(c.Transfers))]
			continue
		}
		if transfer == "" {
			c.Result, c.Transfers = dimse.TransfersNotSupported, c.Transfers[:min(1, len(c.Transfers))]
			continue
		}
		c.Result, c.Transfers = dimse.Accepted, []string{transfer}
	}
	// Requestors receive instances as SCP of storage for C-GET; nothing else is turned around.
	roles := p.Roles[:0]
	for _, r := range p.Roles {
		if storage(r.Class) {
			roles = append(roles, r)
		}
	}
	p.Roles = roles
	return nil
}

// served reports whether a SOP class is one that messages other than instances are of.
func (s *node) served(class string) bool {
	switch class {
	case uid.Verification, uid.StorageCommitmentPushModel,
		uid.StudyRootQueryRetrieveInformationModelFind, uid.StudyRootQueryRetrieveInformationModelMove, uid.StudyRootQueryRetrieveInformationModelGet,
		uid.PatientRootQueryRetrieveInformationModelFind, uid.PatientRootQueryRetrieveInformationModelMove, uid.PatientRootQueryRetrieveInformationModelGet:
		return true
	case uid.ModalityWorklistInformationModelFind:
		return s.o.Worklist != nil
	}
	return false
}

// storage reports whether a SOP class is of instances: those of PS3.4 annex B and annex GG, and all that are private.
func storage(class string) bool {
	return strings.HasPrefix(class, "1.2.840.10008.5.1.4.1.1.") || class == "1.2.840.10008.5.1.4.34.7" || strings.HasPrefix(class, "1.2.840.10008.5.1.4.4") ||
		!strings.HasPrefix(class, "1.2.840.10008.") && dicom.ValidUID(class)
}

// preferred chooses a transfer syntax for what is no instance.
func preferred(proposed []string) string {
	for _, want := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
		for _, t := range proposed {
			if t == want {
				return t
			}
		}
	}
	return ""
}

// known chooses the first transfer syntax that the standard lists: instances are stored as they come.
func known(proposed []string) string {
	for _, t := range proposed {
		if u, ok := dicom.LookupUID(t); ok && u.Kind == "Transfer Syntax" {
			return t
		}
	}
	return ""
}

// handle answers a message to the node that was called.
func (s *Service) handle(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	return s.nodes[a.Called].handle(ctx, a, m)
}

func (s *node) handle(ctx context.Context, a *dimse.Association, m *dimse.Message) error {
	switch m.Command.Field() {
	case dimse.CEcho:
		return a.Send(m.Context, m.Command.Respond(dimse.Success), nil)
	case dimse.CStore:
		return s.store(ctx, a, m)
	case dimse.CFind:
		if m.Context.Abstract == uid.ModalityWorklistInformationModelFind {
			return s.findWork(ctx, a, m)
		}
		return s.find(ctx, a, m)
	case dimse.CMove:
		return s.move(ctx, a, m)
	case dimse.CGet:
		return s.get(ctx, a, m)
	case dimse.NAction:
		return s.commit(ctx, a, m)
	case dimse.CCancel:
		return nil // what it cancels has been answered
	}
	if m.Command.IsResponse() {
		return nil
	}
	if err := a.Drain(); err != nil {
		return err
	}
	return a.Send(m.Context, m.Command.Respond(dimse.UnrecognizedOperation), nil)
}
