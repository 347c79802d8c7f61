package scp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"testing"
	"time"

	"salus/dicom/dimse"
	"salus/dicom/scp"
	"salus/dicom/uid"
)

// authority signs certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Invented authority"}, NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, cert}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) issue(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "invented"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestCallersAreVerified(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := scp.New(scp.Options{
		Nodes:  []scp.Node{{AETitle: "SALUS", Partition: partition, Peers: map[string]string{"SCU": ""}}},
		TLS:    &tls.Config{Certificates: []tls.Certificate{ours.issue(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool()},
		Logger: slog.New(slog.DiscardHandler), Timeout: 5 * time.Second,
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for _, c := range []struct {
		name, calling string
		tls           *tls.Config
		good          bool
	}{
		{"a certificate of the authority", "SCU", &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{ours.issue(t)}}, true},
		{"a title that is not on the list", "OTHER", &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{ours.issue(t)}}, false},
		{"no certificate", "SCU", &tls.Config{RootCAs: ours.pool()}, false},
		{"a certificate of another authority", "SCU", &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{theirs.issue(t)}}, false},
		{"a server of another authority", "SCU", &tls.Config{RootCAs: theirs.pool(), Certificates: []tls.Certificate{ours.issue(t)}}, false},
		{"no TLS", "SCU", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.tls != nil {
				c.tls.ServerName = "127.0.0.1"
			}
			peer := dimse.Peer{Address: l.Addr().String(), Called: "SALUS", Calling: c.calling, TLS: c.tls, Timeout: 5 * time.Second}
			a, err := peer.Associate(t.Context(), []dimse.Context{{Abstract: uid.Verification, Transfers: []string{uid.ImplicitVRLittleEndian}}})
			if err == nil {
				err = a.Echo()
				a.Abort()
			}
			if (err == nil) != c.good {
				t.Errorf("%v", err)
			}
		})
	}
}
