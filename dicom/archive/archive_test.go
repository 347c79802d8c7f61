package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/blob"
	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/archive/archivetest"
	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

const place = "Microsoft.Default"

var rules = archive.Rules{Partition: place}

// open opens an archive in a directory.
func open(t testing.TB, dir string) (*archive.Archive, blob.Store) {
	t.Helper()
	a := archivetest.Open(t, dir)
	return a.Archive, a.Objects
}

// image is a data set of an instance with 2 by 2 pixels.
func image(study, series, instance string, change ...dicom.Element) *dicom.Dataset {
	d := dicom.New(
		dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 100"),
		dicom.Text(tag.SOPClassUID, dicom.UI, uid.CTImageStorage), dicom.Text(tag.SOPInstanceUID, dicom.UI, instance),
		dicom.Text(tag.StudyInstanceUID, dicom.UI, study), dicom.Text(tag.SeriesInstanceUID, dicom.UI, series),
		dicom.Text(tag.PatientID, dicom.LO, "P1"), dicom.Text(tag.PatientName, dicom.PN, "M\xfcller^A"), dicom.Text(tag.StudyDate, dicom.DA, "20240105"),
		dicom.Text(tag.Modality, dicom.CS, "CT"), dicom.Text(tag.SeriesDescription, dicom.LO, "thin"), dicom.Text(tag.InstanceNumber, dicom.IS, "7"),
		dicom.Text(tag.KVP, dicom.DS, "120.0"),
		dicom.Uint16(tag.Rows, 2), dicom.Uint16(tag.Columns, 2), dicom.Uint16(tag.BitsAllocated, 16), dicom.Uint16(tag.SamplesPerPixel, 1),
		dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: []byte{1, 0, 2, 0, 3, 0, 4, 0}},
	)
	for _, e := range change {
		if e.VR == 0 {
			d.Remove(func(have *dicom.Element) bool { return have.Tag == e.Tag })
			continue
		}
		d.Set(e)
	}
	return d
}

func encode(t testing.TB, d *dicom.Dataset, syntax string) []byte {
	t.Helper()
	meta := dicom.New(dicom.Text(tag.TransferSyntaxUID, dicom.UI, syntax))
	part10.SetGroupLength(meta)
	var b bytes.Buffer
	preamble := bytes.Repeat([]byte("secret! "), 16)
	if err := part10.WriteFile(&b, &part10.File{Preamble: preamble, Meta: meta, TransferSyntax: syntax, Dataset: d}, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func store(t testing.TB, a *archive.Archive, d *dicom.Dataset) archive.Outcome {
	t.Helper()
	o, err := a.Store(context.Background(), bytes.NewReader(encode(t, d, uid.ExplicitVRLittleEndian)), rules)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func count(t *testing.T, s blob.Store) (n int) {
	t.Helper()
	for _, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestWhatIsStoredComesBackByteForByte(t *testing.T) {
	a, _ := open(t, t.TempDir())
	defer a.Close()
	data := encode(t, image("1.1", "1.2", "1.3"), uid.ExplicitVRLittleEndian)
	o, err := a.Store(t.Context(), bytes.NewReader(data), rules)
	if err != nil || o.Failure != 0 || o.Warning != 0 {
		t.Fatalf("%+v %v", o, err)
	}
	one, err := a.Instance(t.Context(), place, o.UIDs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.Open(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(blob.NewReader(f, 0, f.Size()))
	if err != nil {
		t.Fatal(err)
	}
	clear(data[:128]) // the preamble can hold anything, and is not kept
	if !bytes.Equal(got, data) {
		t.Errorf("%d bytes came back, %d were sent", len(got), len(data))
	}
	if bytes.Contains(got, []byte("secret!")) {
		t.Error("the preamble was kept")
	}

	frames, err := a.Frames(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	defer frames.Close()
	r, err := frames.Frame(0)
	if err != nil {
		t.Fatal(err)
	}
	if pixels, err := io.ReadAll(r); err != nil || !bytes.Equal(pixels, []byte{1, 0, 2, 0, 3, 0, 4, 0}) || frames.Count() != 1 {
		t.Errorf("frame %v, %v", pixels, err)
	}
	bulk, err := a.BulkData(t.Context(), one, "7FE00010")
	if err != nil {
		t.Fatal(err)
	}
	defer bulk.Close()
	if b, err := io.ReadAll(bulk); err != nil || len(b) != 8 {
		t.Errorf("bulk data %v, %v", b, err)
	}
	for _, path := range []string{"7FE00011", "x", "00081140/1/00081150", "00100020/1"} {
		if _, err := a.BulkData(t.Context(), one, path); !fault.Is(err, fault.NotFound) {
			t.Errorf("bulk data %s: %v", path, err)
		}
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name    string
		d       *dicom.Dataset
		rules   archive.Rules
		failure uint16
		warning uint16
		comment string
	}{
		{"no study", image("", "1.2", "1.3"), rules, archive.ValidationFailure, 0, "(0020,000d)"},
		{"a UID that is none", image("1.1", "1.2", "1.x"), rules, archive.ValidationFailure, 0, "(0008,0018)"},
		{"another study than the request's", image("1.1", "1.2", "1.3"), archive.Rules{Partition: place, Study: "1.9"}, archive.ValidationFailure, 0, "(0020,000d)"},
		{"no patient id", image("1.1", "1.2", "1.3", dicom.Element{Tag: tag.PatientID}), rules, archive.ValidationFailure, 0, "(0010,0020)"},
		{"an empty patient id", image("1.1", "1.2", "1.3", dicom.Text(tag.PatientID, dicom.LO)), rules, 0, archive.CoercionOfElements, "(0010,0020)"},
		{"an empty patient id, strictly", image("1.1", "1.2", "1.3", dicom.Text(tag.PatientID, dicom.LO)), archive.Rules{Partition: place, Strict: true}, archive.ValidationFailure, 0, ""},
		{"a patient id with controls", image("1.1", "1.2", "1.3", dicom.Text(tag.PatientID, dicom.LO, "a\x01")), rules, archive.ValidationFailure, 0, "(0010,0020)"},
		{"a date that is none", image("1.1", "1.2", "1.3", dicom.Text(tag.StudyDate, dicom.DA, "NOTADATE")), rules, 0, archive.CoercionOfElements, "DICOM100: (0008,0020)"},
		{"a date that is none, strictly", image("1.1", "1.2", "1.3", dicom.Text(tag.StudyDate, dicom.DA, "20241301")), archive.Rules{Partition: place, Strict: true},
			archive.ValidationFailure, 0, "(0008,0020)"},
		{"a number that is none and nobody searches", image("1.1", "1.2", "1.3", dicom.Text(tag.KVP, dicom.DS, "high")), archive.Rules{Partition: place, Strict: true}, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, objects := open(t, t.TempDir())
			defer a.Close()
			o, err := a.Store(t.Context(), bytes.NewReader(encode(t, c.d, uid.ExplicitVRLittleEndian)), c.rules)
			if err != nil {
				t.Fatal(err)
			}
			if o.Failure != c.failure || o.Warning != c.warning || !strings.Contains(strings.Join(o.Comments, "\n"), c.comment) {
				t.Errorf("%+v", o)
			}
			if strings.Contains(strings.Join(o.Comments, ""), "NOTADATE") {
				t.Error("a comment has the value")
			}
			want := 1
			if c.failure != 0 {
				want = 0
			}
			if n := count(t, objects); n != want {
				t.Errorf("%d objects, want %d", n, want)
			}
		})
	}
}

func TestWhatIsNoDICOMIsRefused(t *testing.T) {
	a, objects := open(t, t.TempDir())
	defer a.Close()
	good := encode(t, image("1.1", "1.2", "1.3"), uid.ExplicitVRLittleEndian)
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte(strings.Repeat("no DICOM ", 50)), "short": good[:100], "cut off": good[:len(good)-3]} {
		o, err := a.Store(t.Context(), bytes.NewReader(data), rules)
		if err != nil || o.Failure != archive.ProcessingFailure {
			t.Errorf("%s: %+v %v", name, o, err)
		}
	}
	big := encode(t, image("1.1", "1.2", "1.4", dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: make([]byte, 2<<20)}), uid.ExplicitVRLittleEndian)
	if _, err := a.Store(t.Context(), bytes.NewReader(big), rules); !fault.Is(err, fault.TooLarge) {
		t.Errorf("too large: %v", err)
	}
	broke := errors.New("the line broke")
	if _, err := a.Store(t.Context(), io.MultiReader(bytes.NewReader(good[:400]), broken{broke}), rules); !errors.Is(err, broke) {
		t.Errorf("a broken line: %v", err)
	}
	if n := count(t, objects); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestOneOfManyStoresTheSameInstance(t *testing.T) {
	a, objects := open(t, t.TempDir())
	defer a.Close()
	data := encode(t, image("1.1", "1.2", "1.3"), uid.ExplicitVRLittleEndian)
	var group sync.WaitGroup
	outcomes := make([]archive.Outcome, 16)
	for i := range outcomes {
		group.Go(func() {
			var err error
			if outcomes[i], err = a.Store(context.Background(), bytes.NewReader(data), rules); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	stored := 0
	for _, o := range outcomes {
		switch o.Failure {
		case 0:
			stored++
		case archive.AlreadyExists:
		default:
			t.Errorf("%+v", o)
		}
	}
	if n := count(t, objects); stored != 1 || n != 1 {
		t.Errorf("%d were stored, with %d objects", stored, n)
	}
}

func search(t *testing.T, a *archive.Archive, s archive.Search) []map[string]any {
	t.Helper()
	s.Partition, s.Limit, s.Join = place, 100, true
	found, err := a.Search(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]map[string]any, len(found))
	for i, f := range found {
		if err := json.Unmarshal(f, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func keys(m map[string]any) string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return fmt.Sprint(len(all))
}

func TestSearchesReturnWhatTheVersionSays(t *testing.T) {
	a, _ := open(t, t.TempDir())
	defer a.Close()
	store(t, a, image("1.1", "1.2", "1.3"))
	value := func(m map[string]any, key string) string { return fmt.Sprint(m[key]) }

	two := search(t, a, archive.Search{Version: archive.V2})[0]
	if value(two, "00100010") != "map[Value:[map[Alphabetic:Müller^A]] vr:PN]" || two["00080005"] != nil || two["0020000D"] == nil {
		t.Errorf("version 2: %v", two)
	}
	one := search(t, a, archive.Search{Version: archive.V1, Query: index.Query{Level: index.Instance}})[0]
	for _, key := range []string{"00080005", "00080016", "00080018", "00080060", "0020000D", "0020000E", "00080056", "00280010"} {
		if one[key] == nil {
			t.Errorf("version 1 of an instance lacks %s: %s attributes", key, keys(one))
		}
	}
	more := search(t, a, archive.Search{Version: archive.V2, Include: []dicom.Tag{tag.KVP, tag.ModalitiesInStudy, tag.NumberOfStudyRelatedInstances,
		tag.NumberOfStudyRelatedSeries, tag.PatientWeight}})[0]
	if value(more, "00180060") != "map[Value:[120] vr:DS]" || value(more, "00080061") != "map[Value:[CT] vr:CS]" ||
		value(more, "00201208") != "map[Value:[1] vr:IS]" || value(more, "00201206") != "map[Value:[1] vr:IS]" || more["00101030"] != nil {
		t.Errorf("with includefield: %v", more)
	}
	all := search(t, a, archive.Search{Version: archive.V2, All: true, Query: index.Query{Level: index.Series}})[0]
	if value(all, "0008103E") != "map[Value:[thin] vr:LO]" || value(all, "00201209") != "map[Value:[1] vr:IS]" {
		t.Errorf("with all: %v", all)
	}
}

func TestInvalidValuesAreNotTold(t *testing.T) {
	a, _ := open(t, t.TempDir())
	defer a.Close()
	o := store(t, a, image("1.1", "1.2", "1.3", dicom.Text(tag.StudyDate, dicom.DA, "NOTADATE")))
	var text []byte
	if err := a.Metadata(t.Context(), place, o.UIDs, false, func(p index.Part) (err error) {
		text, err = gzipped.Piece(p).Inflate(nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("00080020")) || !bytes.Contains(text, []byte(`"BulkDataURI":"/default/dicom/v2/studies/1.1/series/1.2/instances/1.3/bulkdata/7FE00010"`)) {
		t.Errorf("%s", text)
	}
}

func TestObjectsOfDeletedInstancesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	a, objects := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { a.Run(ctx); close(ended) }()
	o := store(t, a, image("1.1", "1.2", "1.3"))
	store(t, a, image("1.1", "1.2", "1.4"))
	one, err := a.Instance(t.Context(), place, o.UIDs)
	if err != nil {
		t.Fatal(err)
	}
	reading, err := a.Open(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Delete(t.Context(), place, o.UIDs); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); count(t, objects) != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the object is still there")
		}
	}
	if b, err := io.ReadAll(blob.NewReader(reading, 0, reading.Size())); err != nil || len(b) == 0 {
		t.Errorf("who was reading it reads %d bytes, %v", len(b), err)
	}
	if err := reading.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	<-ended
	// A process that died after it had written an object leaves it.
	if _, err := blob.Put(t.Context(), objects, "run1/0/99.dcm", strings.NewReader("left")); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a, objects = open(t, dir)
	ctx, cancel = context.WithCancel(t.Context())
	ended = make(chan struct{})
	go func() { a.Run(ctx); close(ended) }()
	for deadline := time.Now().Add(10 * time.Second); count(t, objects) != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what was left is still there")
		}
	}
	if all, err := a.Instances(t.Context(), place, index.UIDs{Study: "1.1"}); err != nil || len(all) != 1 {
		t.Errorf("%d instances, %v", len(all), err)
	} else if f, err := a.Open(t.Context(), all[0]); err != nil {
		t.Error(err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	<-ended
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSegmentationsOfOneBitASampleComeFrameByFrame(t *testing.T) {
	a, _ := open(t, t.TempDir())
	defer a.Close()
	// Three frames of 3 by 3 bits: all set, none set, all set; 27 bits in all.
	o := store(t, a, image("1.1", "1.2", "1.3", dicom.Text(tag.NumberOfFrames, dicom.IS, "3"), dicom.Uint16(tag.Rows, 3), dicom.Uint16(tag.Columns, 3),
		dicom.Uint16(tag.BitsAllocated, 1), dicom.Element{Tag: tag.PixelData, VR: dicom.OB, Value: []byte{0xFF, 0x01, 0xFC, 0x07}}))
	one, err := a.Instance(t.Context(), place, o.UIDs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.Frames(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, want := range [][]byte{{0xFF, 0x01}, {0, 0}, {0xFF, 0x01}} {
		r, err := f.Frame(i)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("frame %d is %x, want %x (%v)", i, got, want, err)
		}
	}
}

// What goes away while a study is updated must not let the update pass over the study as if there were none.
func TestUpdatesThatCannotReadAnInstanceFail(t *testing.T) {
	a, objects := open(t, t.TempDir())
	if o, err := a.Store(t.Context(), bytes.NewReader(encode(t, image("1.1", "1.1.1", "1.1.1.1"), uid.ExplicitVRLittleEndian)), rules); err != nil || o.Failure != 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	all, err := a.Instances(t.Context(), place, index.UIDs{Study: "1.1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := objects.Delete(t.Context(), all[0].Object); err != nil {
		t.Fatal(err)
	}
	id, comments, err := a.Update(t.Context(), place, []string{"1.1"}, dicom.New(dicom.Text(tag.PatientID, dicom.LO, "NEW")))
	if err != nil || comments != nil {
		t.Fatal(comments, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { a.Run(ctx); close(ended) }()
	var o index.Operation
	for range 1000 {
		if o, err = a.Operation(t.Context(), id); err != nil || o.Status >= index.Succeeded {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-ended
	if err != nil || o.Status != index.Failed || !bytes.Contains(o.Results, []byte(`"studyFailed":1`)) {
		t.Errorf("status %d, results %s, %v", o.Status, o.Results, err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkStore(b *testing.B) {
	a, _ := open(b, b.TempDir())
	defer a.Close()
	var data [][]byte
	for i := range b.N {
		data = append(data, encode(b, image("1.1", "1.2", fmt.Sprintf("1.3.%d", i), dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: make([]byte, 512<<10)}),
			uid.ExplicitVRLittleEndian))
	}
	b.ResetTimer()
	b.SetBytes(512 << 10)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := w; i < b.N; i += 4 {
				if o, err := a.Store(context.Background(), bytes.NewReader(data[i]), rules); err != nil || o.Failure != 0 {
					b.Error(o, err)
				}
			}
		})
	}
	group.Wait()
}
