package web_test

import (
	"fmt"
	"testing"

	"salus/dicom/phantom"
)

func BenchmarkRendered(b *testing.B) {
	s := start(b, false)
	file, err := phantom.Slice{PatientID: "1", Slices: 10, Size: 512}.File()
	if err != nil {
		b.Fatal(err)
	}
	s.do("POST", "/v2/studies", file, "Accept", dicomJSON, "Content-Type", "application/dicom").want(b, 200)
	path := "/v2/studies/" + phantom.StudyUID(0, 0) + "/series/" + phantom.StudyUID(0, 0) + ".0/instances/" + phantom.StudyUID(0, 0) + ".0.0/rendered?quality=90"
	n := 0
	for b.Loop() {
		n++ // another window each time, or the picture would be there already
		s.do("GET", fmt.Sprintf("%s&window=%d,400,linear", path, n), nil, "Accept", "image/jpeg").want(b, 200)
	}
}
