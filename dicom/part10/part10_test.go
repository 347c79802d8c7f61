package part10_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// sample is a data set with a sequence in both forms of length, private elements and an odd order of VRs.
func sample() *dicom.Dataset {
	inner := dicom.New(dicom.Text(tag.CodeValue, dicom.SH, "CT1"), dicom.Text(tag.CodingSchemeDesignator, dicom.SH, "99X"))
	delimited := dicom.New(dicom.Text(tag.CodeValue, dicom.SH, "CT2"))
	delimited.Undefined = true
	open := dicom.Sequence(tag.ProcedureCodeSequence, inner, delimited)
	open.Undefined = true
	return dicom.New(
		dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 192"),
		dicom.Text(tag.SOPClassUID, dicom.UI, uid.CTImageStorage),
		dicom.Text(tag.SOPInstanceUID, dicom.UI, "1.2.3.4"),
		dicom.Text(tag.PatientName, dicom.PN, "Müller^Änne", "Zweite^Name"),
		dicom.Sequence(tag.AnatomicRegionSequence, dicom.New(dicom.Text(tag.CodeValue, dicom.SH, "X"))),
		open,
		dicom.Uint16(tag.Rows, 2), dicom.Uint16(tag.Columns, 2), dicom.Uint16(tag.BitsAllocated, 16), dicom.Uint16(tag.SamplesPerPixel, 1),
		dicom.Uint16(tag.PixelRepresentation, 1),
		dicom.Element{Tag: tag.SmallestImagePixelValue, VR: dicom.SS, Value: []byte{0xFE, 0xFF}},
		dicom.Text(0x00110010, dicom.LO, "MAKER"),
		dicom.Element{Tag: 0x00111001, VR: dicom.UN, Value: []byte{1, 2, 3, 4}},
		dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: []byte{1, 0, 2, 0, 3, 0, 4, 0}},
	)
}

func encode(t *testing.T, d *dicom.Dataset, syntax string) []byte {
	t.Helper()
	meta, err := part10.NewMeta(d, syntax)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	f := &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: syntax, Dataset: d}
	if err := part10.WriteFile(&b, f, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadsWhatItWroteInEverySyntax(t *testing.T) {
	for _, syntax := range []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian} {
		t.Run(syntax, func(t *testing.T) {
			data := encode(t, sample(), syntax)
			f, err := part10.Read(bytes.NewReader(data), part10.Options{Whole: true})
			if err != nil {
				t.Fatal(err)
			}
			d := f.Dataset
			if got := d.Count(); got != sample().Count() {
				t.Errorf("%d elements, want %d", got, sample().Count())
			}
			if got := d.Strings(tag.PatientName); len(got) != 2 || got[0] != "Müller^Änne" {
				t.Errorf("names %q", got)
			}
			if n, _ := d.Int(tag.SmallestImagePixelValue); n != -2 {
				t.Errorf("a signed value is read as %d (VR %s)", n, d.Get(tag.SmallestImagePixelValue).VR)
			}
			if n, _ := d.Int(tag.Rows); n != 2 {
				t.Errorf("rows %d", n)
			}
			if got := d.Items(tag.ProcedureCodeSequence); len(got) != 2 || got[1].String(tag.CodeValue) != "CT2" {
				t.Errorf("items of a delimited sequence: %v", got)
			}
			var again bytes.Buffer
			if err := part10.WriteFile(&again, f, nil); err != nil || !bytes.Equal(again.Bytes(), data) {
				t.Errorf("written again it differs (%v)", err)
			}
		})
	}
}

func TestPixelDataStaysInTheFile(t *testing.T) {
	data := encode(t, sample(), uid.ExplicitVRLittleEndian)
	f, err := part10.Read(bytes.NewReader(data), part10.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := f.Dataset.Get(tag.PixelData).Bulk
	if b == nil || !bytes.Equal(data[b.Offset:b.Offset+b.Length], []byte{1, 0, 2, 0, 3, 0, 4, 0}) {
		t.Fatalf("place of the pixel data: %+v", b)
	}
	l, err := part10.LayoutOf(f)
	if err != nil || l.Frames != 1 {
		t.Fatalf("layout %+v, %v", l, err)
	}
	if parts, shift := l.Frame(0); shift != 0 || len(parts) != 1 || parts[0] != (part10.Range{Offset: b.Offset, Length: 8}) {
		t.Errorf("frame at %v, %d", parts, shift)
	}
}

// fragmented returns a file with fragments of the given contents and offset table.
func fragmented(t *testing.T, frames string, table []byte, fragments ...string) *part10.File {
	t.Helper()
	d := dicom.New(dicom.Text(tag.SOPClassUID, dicom.UI, uid.CTImageStorage), dicom.Text(tag.SOPInstanceUID, dicom.UI, "1.2"),
		dicom.Text(tag.NumberOfFrames, dicom.IS, frames))
	data := encode(t, d, uid.JPEGBaseline8Bit)
	data = append(data, 0xE0, 0x7F, 0x10, 0, 'O', 'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF)
	for _, f := range append([]string{string(table)}, fragments...) {
		data = append(data, 0xFE, 0xFF, 0, 0xE0, byte(len(f)), 0, 0, 0)
		data = append(data, f...)
	}
	data = append(data, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0)
	f, err := part10.Read(bytes.NewReader(data), part10.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFramesInFragments(t *testing.T) {
	for _, c := range []struct {
		name      string
		frames    string
		table     []byte
		fragments []string
		want      []int // fragments of each frame; nil when they cannot be told
	}{
		{"one frame has all fragments", "1", nil, []string{"abcd", "efgh"}, []int{2}},
		{"a fragment each", "3", nil, []string{"ab", "cd", "ef"}, []int{1, 1, 1}},
		{"by the offset table", "2", []byte{0, 0, 0, 0, 20, 0, 0, 0}, []string{"ab", "cd", "ef"}, []int{2, 1}},
		{"by the beginnings of code streams", "2", nil, []string{"\xFF\xD8\xFF\xE0", "ab", "\xFF\xD8\xFF\xE0"}, []int{2, 1}},
		{"an offset into the middle of a fragment is no guide", "2", []byte{0, 0, 0, 0, 19, 0, 0, 0}, []string{"ab", "cd", "ef"}, nil},
		{"more frames than fragments", "5", nil, []string{"ab", "cd"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := part10.LayoutOf(fragmented(t, c.frames, c.table, c.fragments...))
			if c.want == nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Fatalf("layout %+v, error %v", l, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range c.want {
				if parts, _ := l.Frame(i); len(parts) != n {
					t.Errorf("frame %d has %d parts, want %d", i, len(parts), n)
				}
			}
			again, err := part10.ParseLayout(l.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				got, _ := again.Frame(i)
				want, _ := l.Frame(i)
				if len(got) != len(want) || got[0] != want[0] {
					t.Errorf("frame %d is at %v after a round trip, was at %v", i, got, want)
				}
			}
		})
	}
}

func TestFramesOfOneBitASample(t *testing.T) {
	d := dicom.New(dicom.Text(tag.SOPClassUID, dicom.UI, uid.SegmentationStorage), dicom.Text(tag.SOPInstanceUID, dicom.UI, "1.2"),
		dicom.Text(tag.NumberOfFrames, dicom.IS, "3"), dicom.Uint16(tag.Rows, 3), dicom.Uint16(tag.Columns, 5), dicom.Uint16(tag.BitsAllocated, 1),
		dicom.Element{Tag: tag.PixelData, VR: dicom.OB, Value: make([]byte, 6)})
	f, err := part10.Read(bytes.NewReader(encode(t, d, uid.ExplicitVRLittleEndian)), part10.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := part10.LayoutOf(f)
	if err != nil {
		t.Fatal(err)
	}
	base := f.Dataset.Get(tag.PixelData).Bulk.Offset
	for i, want := range []struct {
		from, length int64
		shift        int
	}{{0, 2, 0}, {1, 3, 7}, {3, 3, 6}} {
		parts, shift := l.Frame(i)
		if parts[0].Offset-base != want.from || parts[0].Length != want.length || shift != want.shift {
			t.Errorf("frame %d is at %v, shift %d; want %+v", i, parts, shift, want)
		}
	}
}

func TestBrokenFilesNameThePlace(t *testing.T) {
	good := encode(t, sample(), uid.ExplicitVRLittleEndian)
	explicit := good[:len(good)-20]
	deep := &dicom.Dataset{}
	for range 70 {
		deep = dicom.New(dicom.Sequence(tag.ContentSequence, deep))
	}
	deep.Set(dicom.Text(tag.SOPClassUID, dicom.UI, "1.2"))
	deep.Set(dicom.Text(tag.SOPInstanceUID, dicom.UI, "1.2"))
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "empty", nil},
		{"no DICOM", "no DICOM file", []byte("GIF89a and something more that is not DICOM")},
		{"ends in a value", "ends within", good[:len(good)-3]},
		{"length beyond the file", "(0010,0010)", append(bytes.Clone(explicit[:500]), 0x10, 0, 0x10, 0, 'P', 'N', 0xFE, 0xFF, 'A')},
		{"nested too deep", "nested more than", encode(t, deep, uid.ExplicitVRLittleEndian)},
		{"a delimiter without a beginning", "where an element is due", append(bytes.Clone(good), 0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := part10.Read(bytes.NewReader(c.data), part10.Options{})
			if fault.KindOf(errOr(err)) != fault.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func errOr(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// A file may claim any length; memory follows what has come.
func TestAllocatesNoMoreThanHasArrived(t *testing.T) {
	head := append(make([]byte, 128), "DICM"...)
	head = append(head, 2, 0, 0x10, 0, 'U', 'I', 20, 0)
	head = append(head, "1.2.840.10008.1.2.1\x00"...)
	head = append(head, 0x11, 0, 0x10, 0x10, 'U', 'N', 0, 0, 0xF0, 0xFF, 0xFF, 0xFF)
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := part10.Read(bytes.NewReader(head), part10.Options{Whole: true, Memory: 8 << 30}); err == nil {
				b.Fatal("no error")
			}
		}
	})
	if got := r.AllocedBytesPerOp(); got > 4<<20 {
		t.Errorf("%d bytes allocated for a file of %d", got, len(head))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var b bytes.Buffer
	b.Write(append(make([]byte, 128), "DICM"...))
	for range 10000 {
		b.Write([]byte{0x11, 0, 0x10, 0x10, 'U', 'S', 0, 0})
	}
	_, err := part10.Read(&b, part10.Options{Memory: 100 << 10})
	if err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("error %v", err)
	}
}

func TestReadErrorsAreNotFaultsOfTheFile(t *testing.T) {
	broke := errors.New("the line broke")
	good := encode(t, sample(), uid.ExplicitVRLittleEndian)
	_, err := part10.Read(io.MultiReader(bytes.NewReader(good[:300]), failing{broke}), part10.Options{})
	if !errors.Is(err, broke) {
		t.Errorf("error %v, want the reader's", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzRead(f *testing.F) {
	f.Add(seed(uid.ExplicitVRLittleEndian))
	f.Add(seed(uid.ImplicitVRLittleEndian))
	f.Add(seed(uid.ExplicitVRBigEndian))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := part10.Read(bytes.NewReader(data), part10.Options{Memory: 1 << 20})
		if err != nil {
			return
		}
		if l, err := part10.LayoutOf(file); err == nil && l != nil {
			for i := range min(l.Frames, 100) {
				for parts, _ := l.Frame(i); len(parts) > 0; parts = parts[1:] {
					if p := parts[0]; p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > file.Size+1 {
						t.Fatalf("frame %d is outside the file: %v of %d", i, p, file.Size)
					}
				}
			}
		}
		file.Dataset.Walk(func(d *dicom.Dataset, e *dicom.Element) bool {
			d.Text(e)
			return true
		})
	})
}

func seed(syntax string) []byte {
	d := sample()
	meta, err := part10.NewMeta(d, syntax)
	if err != nil {
		panic(err)
	}
	var b bytes.Buffer
	if err := part10.WriteFile(&b, &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: syntax, Dataset: d}, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func BenchmarkReadCT(b *testing.B) {
	d := sample()
	for i := range 120 {
		d.Set(dicom.Text(dicom.Tag(0x00181000+i), dicom.LO, "some value of usual length"))
	}
	d.Set(dicom.Element{Tag: tag.PixelData, VR: dicom.OW, Value: make([]byte, 512<<10)})
	meta, _ := part10.NewMeta(d, uid.ExplicitVRLittleEndian)
	var buf bytes.Buffer
	if err := part10.WriteFile(&buf, &part10.File{Preamble: make([]byte, 128), Meta: meta, TransferSyntax: uid.ExplicitVRLittleEndian, Dataset: d}, nil); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := part10.Read(bytes.NewReader(buf.Bytes()), part10.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
