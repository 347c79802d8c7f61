package dimse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/dicom/uid"
)

func TestProposalsComeBack(t *testing.T) {
	p := &Proposal{
		Called: "ARCHIVE", Calling: "MODALITY",
		Contexts: []Context{
			{ID: 1, Abstract: uid.Verification, Transfers: []string{uid.ImplicitVRLittleEndian}},
			{ID: 3, Abstract: uid.CTImageStorage, Transfers: []string{uid.ExplicitVRLittleEndian, uid.JPEG2000}},
		},
		Roles:     []Role{{Class: uid.CTImageStorage, SCP: true}},
		MaxLength: 16384, Implementation: "1.2.3", Version: "TEST",
	}
	b := p.encode(associateRequest)
	h, err := readHead(bytes.NewReader(b))
	if err != nil || h.kind != associateRequest || int(h.length) != len(b)-6 {
		t.Fatalf("%+v, %v", h, err)
	}
	got, err := decode(associateRequest, b[6:])
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%+v, %v", got, err)
	}
	p.Contexts[1].Result = TransfersNotSupported
	p.Contexts[1].Transfers = p.Contexts[1].Transfers[:1]
	p.Contexts[0].Abstract, p.Contexts[1].Abstract = "", ""
	if got, err := decode(associateAccept, p.encode(associateAccept)[6:]); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBrokenProposalsAreRefused(t *testing.T) {
	good := (&Proposal{Called: "A", Calling: "B", Contexts: []Context{{ID: 1, Abstract: "1.2", Transfers: []string{"1.2.3"}}}}).encode(associateRequest)[6:]
	change := func(at int, b byte) []byte { c := bytes.Clone(good); c[at] = b; return c }
	for _, c := range []struct {
		name string
		body []byte
		want error // nil for any
	}{
		{"short", good[:67], nil},
		{"another version", change(1, 2), WrongVersion},
		{"another context", change(72, '9'), WrongContext},
		{"an item beyond the end", change(70, 0xFF), nil},
		{"cut off in an item", good[:len(good)-3], nil},
		{"an even number", change(68+4+len(applicationContext)+4, 2), nil},
	} {
		if _, err := decode(associateRequest, c.body); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, head := range []string{"\x00\x00\x00\x00\x00\x00", "\x08\x00\x00\x00\x00\x00", "\x01\x00\x7f\x00\x00\x00", "\x04\x00\x7f\x00\x00\x00"} {
		if h, err := readHead(strings.NewReader(head)); err == nil {
			t.Errorf("%q is %+v", head, h)
		}
	}
}

func TestCommandsComeBack(t *testing.T) {
	c := NewCommand(CStore, dicom.Text(tag.AffectedSOPClassUID, dicom.UI, uid.CTImageStorage), dicom.Uint16(tag.MessageID, 7))
	b, err := c.encode(true)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeCommand(b)
	if err != nil || got.Field() != CStore || got.ID() != 7 || !got.hasData() || got.String(tag.AffectedSOPClassUID) != uid.CTImageStorage {
		t.Errorf("%+v, %v", got, err)
	}
	if n, _ := got.Int(tag.CommandGroupLength); int(n) != len(b)-12 {
		t.Errorf("group length %d of %d bytes", n, len(b))
	}
	answer := got.Respond(Success)
	if !answer.IsResponse() || answer.Field() != CStore|response || answer.number(tag.MessageIDBeingRespondedTo) != 7 {
		t.Errorf("%+v", answer)
	}
	if b, err = answer.encode(false); err != nil {
		t.Fatal(err)
	}
	if got, err := decodeCommand(b); err != nil || got.hasData() {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := decodeCommand(nil); err == nil {
		t.Error("nothing is a command")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add((&Proposal{Called: "A", Calling: "B", Contexts: []Context{{ID: 1, Abstract: "1.2", Transfers: []string{"1.2.3"}}}, Roles: []Role{{Class: "1.2"}}}).encode(associateRequest)[6:])
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range []byte{associateRequest, associateAccept} {
			p, err := decode(kind, body)
			if err != nil {
				continue
			}
			again, err := decode(kind, p.encode(kind)[6:])
			if err == nil && len(again.Contexts) != len(p.Contexts) {
				t.Errorf("%d contexts became %d", len(p.Contexts), len(again.Contexts))
			}
		}
		if c, err := decodeCommand(body); err == nil {
			c.Respond(Success)
		}
	})
}

// tape is a connection on which everything has been said already.
type tape struct {
	net.Conn
	r bytes.Reader
}

func (t *tape) Read(b []byte) (int, error)       { return t.r.Read(b) }
func (t *tape) Write(b []byte) (int, error)      { return len(b), nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }
func (t *tape) Close() error                     { return nil }

func playing(b []byte) *Association {
	conn := &tape{}
	conn.r.Reset(b)
	a := newAssociation(conn, bufio.NewReader(conn), time.Second)
	a.Accepted[1] = Context{ID: 1, Abstract: uid.CTImageStorage, Transfers: []string{uid.ImplicitVRLittleEndian}}
	a.use(0)
	return a
}

// recorder keeps what an association sends.
type recorder struct {
	tape
	said bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) { return r.said.Write(b) }

func TestMessagesComeBackInPieces(t *testing.T) {
	rec := &recorder{}
	a := newAssociation(rec, bufio.NewReader(rec), time.Second)
	a.use(1025) // so that everything is cut, into pieces of even lengths
	data := append(bytes.Repeat([]byte("0123456789"), 1000), 'x', 0)
	c := Context{ID: 1}
	for range 2 {
		if err := a.Send(c, NewCommand(CStore, dicom.Uint16(tag.MessageID, 7)), func(w io.Writer) error { _, err := w.Write(data[:len(data)-1]); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Send(c, NewCommand(CEcho), nil); err != nil {
		t.Fatal(err)
	}
	for b := rec.said.Bytes(); len(b) > 0; b = b[6+binary.BigEndian.Uint32(b[2:]):] {
		if n := binary.BigEndian.Uint32(b[2:]); n%2 == 1 || n+6 > 1024 {
			t.Fatalf("a unit of %d bytes", n)
		}
	}
	heard := playing(append(rec.said.Bytes(), unit(releaseRequest, make([]byte, 4))...))
	first, err := heard.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(first.Data); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes came, %v", len(got), err)
	}
	if _, err := heard.Receive(); err != nil { // whose data set nobody reads
		t.Fatal(err)
	}
	third, err := heard.Receive()
	if err != nil || third.Command.Field() != CEcho || third.Data != nil {
		t.Errorf("%+v, %v", third, err)
	}
	if _, err := heard.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("after the release: %v", err)
	}
}

func FuzzReceive(f *testing.F) {
	rec := &recorder{}
	a := newAssociation(rec, bufio.NewReader(rec), time.Second)
	a.use(0)
	if err := a.Send(Context{ID: 1}, NewCommand(CStore), func(w io.Writer) error { _, err := io.WriteString(w, "data"); return err }); err != nil {
		f.Fatal(err)
	}
	f.Add(rec.said.Bytes())
	f.Add(unit(releaseRequest, make([]byte, 4)))
	f.Add(unit(abort, make([]byte, 4)))
	f.Fuzz(func(t *testing.T, said []byte) {
		a := playing(said)
		for range len(said) + 1 {
			m, err := a.Receive()
			if err != nil {
				return
			}
			if m.Data != nil && len(said)%2 == 0 {
				if n, _ := io.Copy(io.Discard, m.Data); n > int64(len(said)) {
					t.Errorf("%d bytes of %d", n, len(said))
				}
			}
		}
		t.Error("messages without end")
	})
}

func TestPeersThatTakeLittleGetLittle(t *testing.T) {
	rec := &recorder{}
	a := newAssociation(rec, bufio.NewReader(rec), time.Second)
	a.use(100)
	if err := a.Send(Context{ID: 1}, NewCommand(CStore), func(w io.Writer) error { _, err := w.Write(make([]byte, 500)); return err }); err != nil {
		t.Fatal(err)
	}
	for b := rec.said.Bytes(); len(b) > 0; b = b[6+binary.BigEndian.Uint32(b[2:]):] {
		if n := binary.BigEndian.Uint32(b[2:]); n > 100 {
			t.Errorf("a unit of %d bytes", n)
		}
	}
}

// troubled is a listener that fails once before it accepts.
type troubled struct {
	net.Listener
	failed bool
}

func (l *troubled) Accept() (net.Conn, error) {
	if !l.failed {
		l.failed = true
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestServersGoOnAfterAFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server{
		Negotiate: func(net.Addr, *Proposal) error { return CalledUnknown }, Limit: 1, Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, &troubled{Listener: l}) }()
	peer := Peer{Address: l.Addr().String(), Called: "A", Calling: "B", Timeout: 5 * time.Second}
	if _, err := peer.Associate(t.Context(), []Context{{Abstract: uid.Verification, Transfers: []string{uid.ImplicitVRLittleEndian}}}); !errors.As(err, new(*Reject)) {
		t.Errorf("no answer after a failure: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
