package phantom_test

import (
	"bytes"
	"testing"
	"time"

	"salus/dicom/part10"
	"salus/dicom/phantom"
	"salus/dicom/tag"
)

func TestFilesAreTheSameEachTimeAndReadable(t *testing.T) {
	s := phantom.Slice{PatientID: "P1", Name: "Nobody^Ada", Patient: 3, Study: 1, Series: 2, Instance: 4, Slices: 10, Size: 64, Date: time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)}
	a, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.File()
	if err != nil || !bytes.Equal(a, b) {
		t.Fatalf("two files of the same numbers differ (%v)", err)
	}
	s.Instance++
	if c, err := s.File(); err != nil || bytes.Equal(a, c) {
		t.Errorf("two slices are the same (%v)", err)
	}
	f, err := part10.Read(bytes.NewReader(a), part10.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := part10.LayoutOf(f)
	if err != nil || l.Frames != 1 || f.Dataset.String(tag.StudyInstanceUID) != phantom.StudyUID(3, 1) {
		t.Errorf("%+v %v", l, err)
	}
	if n := f.Dataset.Get(tag.PixelData).Bulk.Length; n != 64*64*2 {
		t.Errorf("%d bytes of pixels", n)
	}
}
