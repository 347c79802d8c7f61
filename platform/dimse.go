package platform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"

	"salus/dicom/scp"
	"salus/fault"
)

// DIMSE is where and how DICOM associations are accepted.
type DIMSE struct {
	Listen    string // host:port; empty: nowhere
	Cert, Key string // PEM files; empty: associations are not encrypted
	CA        string // PEM file of those who sign callers' certificates; empty: callers have none
}

// associations is the listener of DICOM associations.
type associations struct {
	p *Platform
	l net.Listener // nil when there is none
	s *scp.Service
}

// listenDIMSE listens for associations with the services whose settings have an AE title.
func (p *Platform) listenDIMSE(ctx context.Context) (associations, error) {
	a := associations{p: p}
	if p.cfg.DIMSE.Listen == "" {
		return a, nil
	}
	o := scp.Options{Logger: p.log}
	for _, s := range p.services {
		if d := s.images.DIMSE; d.AETitle != "" {
			o.Nodes = append(o.Nodes, scp.Node{AETitle: d.AETitle, Archive: s.archive, Worklist: s.worklist, Partition: d.Partition, Peers: d.Peers})
		}
	}
	if len(o.Nodes) == 0 {
		return a, fault.New(fault.Invalid, "dimse: no DICOM service of the workspace has settings for it: an aeTitle and the peers that may call")
	}
	var err error
	if o.TLS, err = p.cfg.DIMSE.tls(); err != nil {
		return a, err
	}
	if a.l, err = new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.DIMSE.Listen); err != nil {
		return a, fault.Wrap(fault.Unavailable, err, "cannot listen on %s", p.cfg.DIMSE.Listen)
	}
	a.s = scp.New(o)
	p.log.Info("accepting associations", "address", a.address())
	return a, nil
}

// tls reads the certificates; nil without.
func (d DIMSE) tls() (*tls.Config, error) {
	if d.Cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(d.Cert, d.Key)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "dimse-cert and dimse-key are no certificate and its key")
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if d.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "dimse-ca cannot be read")
	}
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "dimse-ca has no certificate")
	}
	return c, nil
}

// serve accepts associations until ctx ends.
func (a associations) serve(ctx context.Context) {
	if a.l == nil {
		return
	}
	if err := a.s.Serve(ctx, a.l); err != nil {
		a.p.log.Error("associations are not accepted any more", "error", err)
	}
}

// address is where associations are accepted; empty when they are not.
func (a associations) address() string {
	if a.l == nil {
		return ""
	}
	return a.l.Addr().String()
}

func (a associations) close() error {
	if a.l == nil {
		return nil
	}
	return a.l.Close()
}
