package transcode_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/phantom"
	"salus/dicom/pixel"
	"salus/dicom/tag"
	"salus/dicom/transcode"
	"salus/dicom/uid"
	"salus/fault"
)

func file(t *testing.T) []byte {
	t.Helper()
	s := phantom.Slice{PatientID: "P1", Name: "Nobody^Ada", Patient: 1, Slices: 3, Instance: 1, Size: 33, Date: time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)}
	b, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func convert(t *testing.T, data []byte, to string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := transcode.To(&b, bytes.NewReader(data), int64(len(data)), to); err != nil {
		t.Fatalf("to %s: %v", to, err)
	}
	return b.Bytes()
}

func samples(t *testing.T, data []byte) []byte {
	t.Helper()
	f, err := part10.Read(bytes.NewReader(data), part10.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := f.Dataset.Get(tag.PixelData)
	return data[e.Bulk.Offset : e.Bulk.Offset+e.Bulk.Length]
}

func TestLosslessWaysKeepEverySample(t *testing.T) {
	original := file(t)
	want := samples(t, original)
	for _, to := range []string{uid.ImplicitVRLittleEndian, uid.RLELossless, uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless} {
		there := convert(t, original, to)
		f, err := part10.Read(bytes.NewReader(there), part10.Options{})
		if err != nil || f.TransferSyntax != to {
			t.Fatalf("%s: %v", to, err)
		}
		if back := convert(t, there, uid.ExplicitVRLittleEndian); !bytes.Equal(samples(t, back), want) {
			t.Errorf("%s: the samples are others when they come back", to)
		}
	}
}

func TestBigEndianIsTurned(t *testing.T) {
	f, err := part10.Read(bytes.NewReader(file(t)), part10.Options{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	want := f.Dataset.Get(tag.PixelData).Value
	f.TransferSyntax = uid.ExplicitVRBigEndian
	f.Meta.Set(dicom.Text(tag.TransferSyntaxUID, dicom.UI, uid.ExplicitVRBigEndian))
	var b bytes.Buffer
	if err := part10.WriteFile(&b, f, nil); err != nil {
		t.Fatal(err)
	}
	if got := samples(t, convert(t, b.Bytes(), uid.ExplicitVRLittleEndian)); !bytes.Equal(got, want) {
		t.Error("the samples are others")
	}
}

func TestWhatCannotBeWrittenIsRefused(t *testing.T) {
	data := file(t)
	for _, to := range []string{uid.JPEG2000Lossless, uid.JPEGBaseline8Bit, "1.2.3"} {
		err := transcode.To(&bytes.Buffer{}, bytes.NewReader(data), int64(len(data)), to)
		if !fault.Is(err, fault.NotAcceptable) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if transcode.Can(uid.JPEG2000, uid.ExplicitVRLittleEndian) || !transcode.Can(uid.JPEG2000, uid.JPEG2000) {
		t.Error("JPEG 2000 passes only as it is")
	}
}

// Decompressed, public files have the samples that dcmtk finds.
func TestPublicFilesDecodeAsWithDCMTK(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/dicom/pydicom/*.dcm")
	if err != nil {
		t.Fatal(err)
	}
	tools := map[string]string{
		uid.RLELossless: "dcmdrle", uid.JPEGLosslessSV1: "dcmdjpeg", uid.JPEGLossless: "dcmdjpeg", uid.JPEGLSLossless: "dcmdjpls", uid.JPEGLSNearLossless: "dcmdjpls",
	}
	if _, err := exec.LookPath("dcmdjpeg"); err != nil || len(files) == 0 {
		t.Skip("NOT COVERED: comparison with dcmtk; dcmtk or ../shared/data/dicom is absent")
	}
	compared := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := part10.Read(bytes.NewReader(data), part10.Options{})
		if err != nil || tools[f.TransferSyntax] == "" || !pixel.Decodes(f.TransferSyntax) {
			continue
		}
		out := filepath.Join(t.TempDir(), "out.dcm")
		if msg, err := exec.Command(tools[f.TransferSyntax], name, out).CombinedOutput(); err != nil {
			t.Logf("%s: dcmtk refuses it: %s", filepath.Base(name), msg)
			continue
		}
		theirs, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := part10.Read(bytes.NewReader(theirs), part10.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := reference.Dataset.Int(tag.PlanarConfiguration); n == 1 || !reference.Dataset.Has(tag.PixelData) {
			continue // the same samples in another order, or none
		}
		compared++
		if !bytes.Equal(samples(t, convert(t, data, uid.ExplicitVRLittleEndian)), samples(t, theirs)) {
			t.Errorf("%s: the samples differ from dcmtk's", filepath.Base(name))
		}
	}
	if compared < 5 {
		t.Errorf("only %d files were compared", compared)
	}
}
