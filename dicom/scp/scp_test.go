package scp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/archive/archivetest"
	"salus/dicom/dimse"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/part10"
	"salus/dicom/phantom"
	"salus/dicom/scp"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/dicom/worklist"
	"salus/fault"
)

const partition = "Microsoft.Default"

// service is one under test.
type service struct {
	t       testing.TB
	address string
	archive *archive.Archive
	list    *worklist.Worklist
}

// start starts one that SCU may call, and others with the addresses at which they receive.
func start(t testing.TB, others ...string) *service {
	t.Helper()
	log, a := slog.New(slog.DiscardHandler), archivetest.Open(t, t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, address: l.Addr().String(), archive: a.Archive, list: worklist.New(a.Index, time.Now)}
	peers := map[string]string{"SCU": ""}
	for _, o := range others {
		name, address, _ := strings.Cut(o, "=")
		peers[name] = address
	}
	node := scp.Node{AETitle: "SALUS", Archive: a.Archive, Worklist: s.list, Partition: partition, Peers: peers}
	served := scp.New(scp.Options{Nodes: []scp.Node{node}, Logger: log, Timeout: 20 * time.Second})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- served.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *service) peer() dimse.Peer {
	return dimse.Peer{Address: s.address, Called: "SALUS", Calling: "SCU", Timeout: 20 * time.Second}
}

func slice(study, series, n int) phantom.Slice {
	return phantom.Slice{PatientID: fmt.Sprintf("MRN-%d", study), Name: "Invented^Ada", Patient: 1, Study: study, Series: series, Instance: n, Slices: 10, Size: 64,
		Date: time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)}
}

func data(t testing.TB, s phantom.Slice) []byte {
	t.Helper()
	b, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fill stores two studies of one patient's, with two series of three in the first.
func (s *service) fill() {
	s.t.Helper()
	for n := range 6 {
		s.store(data(s.t, slice(1, n/3, n%3)))
	}
	s.store(data(s.t, slice(2, 0, 0)))
}

func (s *service) store(file []byte) {
	s.t.Helper()
	out, err := s.archive.Store(s.t.Context(), bytes.NewReader(file), archive.Rules{Partition: partition})
	if err != nil || out.Failure != 0 {
		s.t.Fatalf("%+v, %v", out, err)
	}
}

// tool runs a program of DCMTK against the service, whose output it returns.
func (s *service) tool(name string, args ...string) (string, error) {
	s.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		s.t.Skip("NOT COVERED: DCMTK as the other side; " + name + " is not installed")
	}
	host, port, _ := net.SplitHostPort(s.address)
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, append([]string{"-aet", "SCU", "-aec", "SALUS", host, port}, args...)...).CombinedOutput()
	return string(out), err
}

func TestWhoIsNotOnTheListStaysOut(t *testing.T) {
	s := start(t)
	verify := []dimse.Context{{Abstract: uid.Verification, Transfers: []string{uid.ImplicitVRLittleEndian}}}
	for _, c := range []struct{ called, calling, says string }{
		{"SALUS", "STRANGER", "calling AE title"}, {"OTHER", "SCU", "called AE title"}, {"SALUS", "", "calling AE title"}, {"SALUS", "scu", "calling AE title"},
	} {
		p := s.peer()
		p.Called, p.Calling = c.called, c.calling
		if _, err := p.Associate(t.Context(), verify); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s calls %s: %v", c.calling, c.called, err)
		}
	}
	a, err := s.peer().Associate(t.Context(), verify)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Echo(); err != nil {
		t.Error(err)
	}
	if err := a.Release(); err != nil {
		t.Error(err)
	}
}

func TestContextsAreNegotiated(t *testing.T) {
	s := start(t)
	a, err := s.peer().Associate(t.Context(), []dimse.Context{
		{Abstract: uid.CTImageStorage, Transfers: []string{"1.2.3.4", uid.JPEG2000, uid.ImplicitVRLittleEndian}},
		{Abstract: "1.3.6.1.4.1.5962.301.1", Transfers: []string{uid.ImplicitVRLittleEndian}},
		{Abstract: "1.2.840.10008.1.40", Transfers: []string{uid.ImplicitVRLittleEndian}},
		{Abstract: uid.Verification, Transfers: []string{uid.JPEG2000}},
		{Abstract: uid.StudyRootQueryRetrieveInformationModelFind, Transfers: []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	got := ""
	for id := byte(1); id < 10; id += 2 {
		got += a.Accepted[id].Transfer() + " "
	}
	if want := uid.JPEG2000 + " " + uid.ImplicitVRLittleEndian + "   " + uid.ExplicitVRLittleEndian + " "; got != want {
		t.Errorf("accepted %q, want %q", got, want)
	}
}

func TestInstancesAreStored(t *testing.T) {
	s := start(t)
	a, err := s.peer().Associate(t.Context(), []dimse.Context{{Abstract: uid.CTImageStorage, Transfers: []string{uid.ExplicitVRLittleEndian}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	c := a.Accepted[1]
	send := func(d *dicom.Dataset, instance string) dimse.Status {
		t.Helper()
		status, err := a.Store(c, uid.CTImageStorage, instance, func(w io.Writer) error { return part10.WriteDataset(w, d, c.Transfer(), nil) })
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	d := slice(1, 0, 0).Dataset()
	instance := d.String(tag.SOPInstanceUID)
	if status := send(d, instance); status != dimse.Success {
		t.Errorf("status %04X", status)
	}
	if status := send(d, instance); status != dimse.Success {
		t.Errorf("again: status %04X", status)
	}
	other := slice(1, 0, 1).Dataset()
	other.Set(dicom.Text(tag.StudyInstanceUID, dicom.UI))
	if status := send(other, other.String(tag.SOPInstanceUID)); status != dimse.DataSetMismatch {
		t.Errorf("without a study: status %04X", status)
	}
	if status, err := a.Store(c, uid.CTImageStorage, "1.2.3", func(w io.Writer) error { _, err := w.Write([]byte("no data set")); return err }); err != nil || status != dimse.CannotUnderstand {
		t.Errorf("no data set: status %04X, %v", status, err)
	}
	if err := a.Release(); err != nil {
		t.Error(err)
	}
	// It is the file that DICOMweb would have made of it.
	found, err := s.archive.Instances(t.Context(), partition, uidsOf(d))
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.archive.Open(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	f, err := part10.Read(io.NewSectionReader(o, 0, o.Size()), part10.Options{Whole: true})
	if err != nil || f.TransferSyntax != uid.ExplicitVRLittleEndian || f.Meta.String(tag.MediaStorageSOPInstanceUID) != instance ||
		!bytes.Equal(f.Dataset.Get(tag.PixelData).Value, d.Get(tag.PixelData).Value) {
		t.Errorf("stored otherwise: %v", err)
	}
}

func TestBrokenPeersLeaveNothing(t *testing.T) {
	s := start(t)
	a, err := s.peer().Associate(t.Context(), []dimse.Context{{Abstract: uid.CTImageStorage, Transfers: []string{uid.ExplicitVRLittleEndian}}})
	if err != nil {
		t.Fatal(err)
	}
	d := slice(1, 0, 0).Dataset()
	var whole bytes.Buffer
	if err := part10.WriteDataset(&whole, d, uid.ExplicitVRLittleEndian, nil); err != nil {
		t.Fatal(err)
	}
	cut := fault.New(fault.Internal, "the power failed")
	if _, err := a.Store(a.Accepted[1], uid.CTImageStorage, d.String(tag.SOPInstanceUID), func(w io.Writer) error {
		if _, err := w.Write(whole.Bytes()[:whole.Len()/2]); err != nil {
			return err
		}
		return cut
	}); err == nil {
		t.Fatal("the data set was sent")
	}
	a.Abort()
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x01\x00\xff\xff\xff\xff", "\x04\x00\x00\x00\x00\x02xx", "\x01\x00\x00\x00\x00\x04abcd"} {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, garbage); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%q keeps its connection: %v", garbage, err)
		}
		c.Close()
	}
	if _, err := s.archive.Instances(t.Context(), partition, uidsOf(d)); !fault.Is(err, fault.NotFound) {
		t.Errorf("half an instance is there: %v", err)
	}
}

func TestStudiesAreFound(t *testing.T) {
	s := start(t)
	s.fill()
	a, err := s.peer().Associate(t.Context(), []dimse.Context{
		{Abstract: uid.StudyRootQueryRetrieveInformationModelFind, Transfers: []string{uid.ImplicitVRLittleEndian}},
		{Abstract: uid.PatientRootQueryRetrieveInformationModelFind, Transfers: []string{uid.ExplicitVRLittleEndian}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	study := phantom.StudyUID(1, 1)
	text := func(t dicom.Tag, values ...string) dicom.Element {
		k, _ := dicom.Lookup(t)
		return dicom.Text(t, k.VR, values...)
	}
	for _, c := range []struct {
		name, level string
		keys        []dicom.Element
		show        dicom.Tag
		want        string
	}{
		{"all studies", "STUDY", []dicom.Element{text(tag.StudyInstanceUID)}, tag.StudyInstanceUID, phantom.StudyUID(1, 2) + " " + study + " 0000"},
		{"by name", "STUDY", []dicom.Element{text(tag.PatientName, "INVENTED*"), text(tag.NumberOfStudyRelatedInstances)}, tag.NumberOfStudyRelatedInstances, "1 6 0000"},
		{"by id", "STUDY", []dicom.Element{text(tag.PatientID, "MRN-2"), text(tag.PatientName)}, tag.PatientName, "Invented^Ada 0000"},
		{"by a range that is over", "STUDY", []dicom.Element{text(tag.StudyDate, "-20240101")}, tag.StudyDate, "0000"},
		{"a list of UIDs", "STUDY", []dicom.Element{text(tag.StudyInstanceUID, study, "1.2.3")}, tag.StudyInstanceUID, study + " 0000"},
		{"everything matches a star", "STUDY", []dicom.Element{text(tag.PatientID, "*")}, tag.PatientID, "MRN-2 MRN-1 0000"},
		{"series", "SERIES", []dicom.Element{text(tag.StudyInstanceUID, study), text(tag.SeriesInstanceUID), text(tag.Modality, "CT")}, tag.SeriesInstanceUID, study + ".1 " + study + ".0 0000"},
		{"images", "IMAGE", []dicom.Element{text(tag.StudyInstanceUID, study), text(tag.SeriesInstanceUID, study+".0"), text(tag.SOPInstanceUID), text(tag.InstanceNumber)}, tag.InstanceNumber, "3 2 1 0000"},
		{"patients", "PATIENT", []dicom.Element{text(tag.PatientID)}, tag.PatientID, "MRN-2 MRN-1 0000"},
		{"a key that is not compared", "STUDY", []dicom.Element{text(tag.PatientID, "MRN-1"), text(tag.Manufacturer, "nobody")}, tag.PatientID, "MRN-1 0000"},
		{"no level", "ROOM", nil, tag.PatientID, "A900"},
		{"a date that is none", "STUDY", []dicom.Element{text(tag.StudyDate, "yesterday")}, tag.StudyDate, "A900"},
	} {
		t.Run(c.name, func(t *testing.T) {
			context := a.Accepted[1]
			if c.level == "PATIENT" {
				context = a.Accepted[3]
			}
			identifier := dicom.New(append(c.keys, dicom.Text(tag.QueryRetrieveLevel, dicom.CS, c.level))...)
			got := ""
			last, err := a.Query(context, dimse.NewCommand(dimse.CFind), identifier, func(m *dimse.Message) error {
				d, err := part10.ReadDataset(m.Data, context.Transfer(), part10.Options{Whole: true})
				if err != nil {
					return err
				}
				if d.String(tag.QueryRetrieveLevel) != c.level || d.String(tag.RetrieveAETitle) != "SALUS" {
					t.Errorf("an answer without its level or title: %v", d)
				}
				got += d.String(c.show) + " "
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got += fmt.Sprintf("%04X", uint16(last.Status())); got != c.want {
				t.Errorf("found %s, want %s", got, c.want)
			}
		})
	}
}

func TestWorkIsFound(t *testing.T) {
	s := start(t)
	for n, station := range []string{"CT1", "MR1"} {
		item := fmt.Sprintf(`{"00741200":{"vr":"CS","Value":["HIGH"]},"00741204":{"vr":"LO","Value":["Scan"]},"00404005":{"vr":"DT","Value":["2024010%d101500"]},
			"00404041":{"vr":"CS","Value":["READY"]},"00741202":{"vr":"LO"},"00741210":{"vr":"SQ"},
			"00404025":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":[%q]}}]},"00404026":{"vr":"SQ"},"00404027":{"vr":"SQ"},"00404018":{"vr":"SQ"},
			"00400400":{"vr":"LT"},"00404021":{"vr":"SQ"},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Invented^Ada"}]},"00100020":{"vr":"LO","Value":["P%d"]},
			"00101002":{"vr":"SQ"},"00100030":{"vr":"DA"},"00100040":{"vr":"CS"},"00380010":{"vr":"LO"},"00380014":{"vr":"SQ"},"00081080":{"vr":"LO"},"00081084":{"vr":"SQ"},
			"0040A370":{"vr":"SQ","Value":[{"0020000D":{"vr":"UI","Value":["1.2.%d"]},"00080050":{"vr":"SH","Value":["A%d"]},"00080051":{"vr":"SQ"},
			"00400026":{"vr":"SQ"},"00400027":{"vr":"SQ"},"00401001":{"vr":"SH","Value":["RP1"]},"00321060":{"vr":"LO"},"00321064":{"vr":"SQ"}}]}}`, n+1, station, n, n, n)
		d, _, err := jsonmodel.Decode([]byte(item))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.list.Create(t.Context(), partition, fmt.Sprintf("1.9.%d", n), d); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.tool("findscu", "-W", "-k", "PatientName", "-k", "AccessionNumber", "-k", "StudyInstanceUID", "-k", "ScheduledProcedureStepSequence[0].ScheduledStationAETitle=CT1",
		"-k", "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=20240101-20240131", "-k", "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime")
	if err != nil || !strings.Contains(out, "[A0]") || strings.Contains(out, "[A1]") || !strings.Contains(out, "[101500]") || !strings.Contains(out, "[1.2.0") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDCMTK(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	s := start(t, "DEST=127.0.0.1:"+port)
	if out, err := s.tool("echoscu"); err != nil {
		t.Fatalf("echoscu: %v\n%s", err, out)
	}
	dir := t.TempDir()
	for n := range 5 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), data(t, slice(1, 0, n)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := s.tool("storescu", "+sd", dir); err != nil {
		t.Fatalf("storescu: %v\n%s", err, out)
	}
	out, err := s.tool("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=inv*", "-k", "StudyInstanceUID", "-k", "NumberOfStudyRelatedInstances")
	if err != nil || !strings.Contains(out, "[5 ]") {
		t.Errorf("findscu: %v\n%s", err, out)
	}
	study := "StudyInstanceUID=" + phantom.StudyUID(1, 1)
	got := t.TempDir()
	if out, err := s.tool("getscu", "-S", "-od", got, "-k", "QueryRetrieveLevel=STUDY", "-k", study); err != nil {
		t.Errorf("getscu: %v\n%s", err, out)
	}
	same(t, got, "getscu")

	moved := t.TempDir()
	receiver := exec.CommandContext(t.Context(), "storescp", "-aet", "DEST", "-od", moved, "+uf", port)
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		receiver.Process.Kill() //nolint:errcheck // it may have ended
		receiver.Wait()         //nolint:errcheck // it was killed
	}()
	for range 100 {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if out, err := s.tool("movescu", "-S", "-aem", "DEST", "-k", "QueryRetrieveLevel=SERIES", "-k", study, "-k", "SeriesInstanceUID="+phantom.StudyUID(1, 1)+".0"); err != nil {
		t.Errorf("movescu: %v\n%s", err, out)
	}
	same(t, moved, "movescu")
	if out, err := s.tool("movescu", "-d", "-S", "-aem", "NOWHERE", "-k", "QueryRetrieveLevel=STUDY", "-k", study); !strings.Contains(strings.ToLower(out), "a801") {
		t.Errorf("a move to nowhere: %v\n%s", err, out)
	}
}

// same compares the pixels of what DCMTK received with those of the slices.
func same(t *testing.T, dir, how string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Errorf("%s received %d files, %v", how, len(files), err)
		return
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		read, err := part10.Read(bytes.NewReader(b), part10.Options{Whole: true})
		if err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		n, _ := read.Dataset.Int(tag.InstanceNumber)
		if want := slice(1, 0, int(n)-1).Dataset(); !bytes.Equal(read.Dataset.Get(tag.PixelData).Value, want.Get(tag.PixelData).Value) {
			t.Errorf("%s: slice %d has other pixels", how, n)
		}
	}
}

func uidsOf(d *dicom.Dataset) index.UIDs {
	return index.UIDs{Study: d.String(tag.StudyInstanceUID), Series: d.String(tag.SeriesInstanceUID), Instance: d.String(tag.SOPInstanceUID)}
}

func TestStorageCommitment(t *testing.T) {
	s := start(t)
	s.fill()
	one := slice(1, 0, 0).Dataset()
	reference := func(class, instance string) *dicom.Dataset {
		return dicom.New(dicom.Text(tag.ReferencedSOPClassUID, dicom.UI, class), dicom.Text(tag.ReferencedSOPInstanceUID, dicom.UI, instance))
	}
	a, err := s.peer().Associate(t.Context(), []dimse.Context{{Abstract: uid.StorageCommitmentPushModel, Transfers: []string{uid.ImplicitVRLittleEndian}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	c := a.Accepted[1]
	ask := func(items ...*dicom.Dataset) (dimse.Command, *dicom.Dataset) {
		t.Helper()
		d := dicom.New(dicom.Text(tag.TransactionUID, dicom.UI, "1.2.99"), dicom.Sequence(tag.ReferencedSOPSequence, items...))
		answer, err := a.Ask(c, dimse.NewCommand(dimse.NAction, dicom.Text(tag.RequestedSOPClassUID, dicom.UI, uid.StorageCommitmentPushModel),
			dicom.Text(tag.RequestedSOPInstanceUID, dicom.UI, uid.StorageCommitmentPushModelInstance), dicom.Uint16(tag.ActionTypeID, 1)),
			func(w io.Writer) error { return part10.WriteDataset(w, d, c.Transfer(), nil) })
		if err != nil || answer.Status() != dimse.Success {
			t.Fatalf("status %04X, %v", answer.Status(), err)
		}
		m, err := a.Receive()
		if err != nil {
			t.Fatal(err)
		}
		report, err := part10.ReadDataset(m.Data, c.Transfer(), part10.Options{Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Drain(); err != nil {
			t.Fatal(err)
		}
		if err := a.Send(c, m.Command.Respond(dimse.Success), nil); err != nil {
			t.Fatal(err)
		}
		return m.Command, report
	}
	m, report := ask(reference(uid.CTImageStorage, one.String(tag.SOPInstanceUID)))
	if event, _ := m.Int(tag.EventTypeID); event != 1 || len(report.Items(tag.ReferencedSOPSequence)) != 1 || report.String(tag.TransactionUID) != "1.2.99" {
		t.Errorf("event %d: %v", event, report)
	}
	m, report = ask(reference(uid.CTImageStorage, one.String(tag.SOPInstanceUID)), reference(uid.CTImageStorage, "1.2.3"), reference(uid.MRImageStorage, one.String(tag.SOPInstanceUID)))
	failed := report.Items(tag.FailedSOPSequence)
	if event, _ := m.Int(tag.EventTypeID); event != 2 || len(failed) != 2 {
		t.Fatalf("event %d: %v", event, report)
	}
	for i, want := range []int64{0x0112, 0x0119} {
		if reason, _ := failed[i].Int(tag.FailureReason); reason != want {
			t.Errorf("reason %04X, want %04X", reason, want)
		}
	}
}

// A retrieval is canceled while its instances come.
func TestRetrievalsAreCanceled(t *testing.T) {
	s := start(t)
	for n := range 40 {
		s.store(data(t, slice(1, 0, n)))
	}
	a, err := s.peer().Associate(t.Context(), []dimse.Context{
		{Abstract: uid.StudyRootQueryRetrieveInformationModelGet, Transfers: []string{uid.ExplicitVRLittleEndian}},
		{Abstract: uid.CTImageStorage, Transfers: []string{uid.ExplicitVRLittleEndian}},
	}, dimse.Role{Class: uid.CTImageStorage, SCP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	get := a.Accepted[1]
	came := 0
	identifier := dicom.New(dicom.Text(tag.QueryRetrieveLevel, dicom.CS, "STUDY"), dicom.Text(tag.StudyInstanceUID, dicom.UI, phantom.StudyUID(1, 1)))
	last, err := a.Query(get, dimse.NewCommand(dimse.CGet), identifier, func(m *dimse.Message) error {
		if m.Command.Field() != dimse.CStore {
			return nil
		}
		if err := a.Drain(); err != nil {
			return err
		}
		if came++; came == 3 {
			if err := a.Send(get, dimse.NewCommand(dimse.CCancel, dicom.Uint16(tag.MessageIDBeingRespondedTo, 1)), nil); err != nil {
				return err
			}
		}
		return a.Send(m.Context, m.Command.Respond(dimse.Success), nil)
	})
	if err != nil || last.Status() != dimse.Canceled {
		t.Errorf("status %04X, %v", uint16(last.Status()), err)
	}
	if remaining, _ := last.Int(tag.NumberOfRemainingSuboperations); came >= 40 || int(remaining)+came != 40 {
		t.Errorf("%d came and %d remain", came, remaining)
	}
	// The association is as good as before.
	if last, err := a.Query(get, dimse.NewCommand(dimse.CGet), dicom.New(dicom.Text(tag.QueryRetrieveLevel, dicom.CS, "STUDY"), dicom.Text(tag.StudyInstanceUID, dicom.UI, "1.2.3")),
		func(*dimse.Message) error { return nil }); err != nil || last.Status() != dimse.Success {
		t.Errorf("status %04X, %v", uint16(last.Status()), err)
	}
}

// The destination of a move goes away after one instance.
func TestMovesSayWhatDidNotArrive(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	destination := dimse.Server{
		Negotiate: func(_ net.Addr, p *dimse.Proposal) error {
			for i := range p.Contexts {
				p.Contexts[i].Transfers = p.Contexts[i].Transfers[:1]
			}
			return nil
		},
		Handle: func(_ context.Context, a *dimse.Association, m *dimse.Message) error {
			if taken++; taken > 1 {
				return fault.New(fault.Internal, "the destination breaks")
			}
			if err := a.Drain(); err != nil {
				return err
			}
			return a.Send(m.Context, m.Command.Respond(dimse.Success), nil)
		},
		Limit: 1, Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- destination.Serve(ctx, l) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	s := start(t, "DEST="+l.Addr().String())
	s.fill()
	a, err := s.peer().Associate(t.Context(), []dimse.Context{{Abstract: uid.PatientRootQueryRetrieveInformationModelMove, Transfers: []string{uid.ImplicitVRLittleEndian}}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	identifier := dicom.New(dicom.Text(tag.QueryRetrieveLevel, dicom.CS, "PATIENT"), dicom.Text(tag.PatientID, dicom.LO, "MRN-1"))
	answers := 0
	last, err := a.Query(a.Accepted[1], dimse.NewCommand(dimse.CMove, dicom.Text(tag.MoveDestination, dicom.AE, "DEST")), identifier, func(m *dimse.Message) error {
		answers++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	completed, _ := last.Int(tag.NumberOfCompletedSuboperations)
	failed, _ := last.Int(tag.NumberOfFailedSuboperations)
	if last.Status() != dimse.SomeFailed || completed != 1 || failed != 5 || answers != 6 {
		t.Errorf("status %04X, %d arrived, %d failed, %d answers", uint16(last.Status()), completed, failed, answers)
	}
}
