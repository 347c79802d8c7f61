package web_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"salus/dicom/tag"
)

// dataSets makes a body of data sets and parts of bulk data, each of which is a Content-Location, a Content-Type and its bytes.
func dataSets(json string, parts ...[3]string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "--x\r\nContent-Type: application/dicom+json\r\n\r\n%s", json)
	for _, p := range parts {
		fmt.Fprintf(&b, "\r\n--x\r\nContent-Location: %s\r\nContent-Type: %s\r\n\r\n%s", p[0], p[1], p[2])
	}
	return []byte(b.String() + "\r\n--x--\r\n")
}

const (
	relatedJSON = `multipart/related; type="application/dicom+json"; boundary=x`
	pixels      = "\x01\x00\x02\x00\x03\x00\x04\x00"
	report      = `"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00080018":{"vr":"UI","Value":["1.1.1.1"]},` +
		`"0020000D":{"vr":"UI","Value":["1.1"]},"0020000E":{"vr":"UI","Value":["1.1.1"]},"00100020":{"vr":"LO","Value":["P1"]},` +
		`"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Änne"}]},"00280010":{"vr":"US","Value":[2]},"00280011":{"vr":"US","Value":[2]},` +
		`"00280100":{"vr":"US","Value":[16]},"00280101":{"vr":"US","Value":[16]},"00280102":{"vr":"US","Value":[15]},"00280103":{"vr":"US","Value":[0]},` +
		`"00280002":{"vr":"US","Value":[1]},"00280004":{"vr":"CS","Value":["MONOCHROME2"]}`
	withPixels = `[{` + report + `,"7FE00010":{"vr":"OW","BulkDataURI":"bulk/1"}}]`
)

func TestDataSetsAreStoredWithTheirBulkData(t *testing.T) {
	s := start(t, false)
	nested := `[{` + report + `,"7FE00010":{"vr":"OW","BulkDataURI":"bulk/1"},"00880200":{"vr":"SQ","Value":[{"7FE00010":{"vr":"OB","BulkDataURI":"icon"}}]}}]`
	body := dataSets(nested, [3]string{"bulk/1", "application/octet-stream", pixels}, [3]string{"icon", "application/octet-stream", "odd"})
	s.do("POST", "/v2/studies", body, "Accept", dicomJSON, "Content-Type", relatedJSON).want(t, 200)
	if a := s.do("GET", wide+"/frames/1", nil, "Accept", "application/octet-stream").want(t, 200); string(a.body) != pixels {
		t.Errorf("frame %q", a.body)
	}
	f := s.file(wide)
	if f.Dataset.String(tag.PatientName) != "Müller^Änne" || !bytes.Equal(f.Dataset.At("00880200/1/7FE00010").Value, []byte("odd\x00")) {
		t.Errorf("stored %v", f.Dataset)
	}
	if img, _ := s.do("GET", wide+"/rendered", nil, "Accept", "image/png").want(t, 200).picture(t); !bytes.Equal(greys(img), []byte{0, 85, 170, 255}) {
		t.Errorf("picture %v", greys(img))
	}
}

func TestCompressedBulkDataIsStored(t *testing.T) {
	s := start(t, false)
	body := dataSets(withPixels, [3]string{"bulk/1", "image/jp2; transfer-syntax=1.2.840.10008.1.2.4.90", "\xff\x4f\xff\x51 no image"})
	s.do("POST", "/v2/studies", body, "Accept", dicomJSON, "Content-Type", relatedJSON).want(t, 200)
	a := s.do("GET", wide+"/frames/1", nil, "Accept", "image/jp2").want(t, 200)
	if string(a.body) != "\xff\x4f\xff\x51 no image\x00" || !strings.HasPrefix(a.Header.Get("Content-Type"), "image/jp2") {
		t.Errorf("%s %q", a.Header.Get("Content-Type"), a.body)
	}
	s.do("GET", wide+"/rendered", nil, "Accept", "image/png").want(t, 406)
}

func TestDataSetsThatAreRefused(t *testing.T) {
	s := start(t, false)
	bulk := [3]string{"bulk/1", "application/octet-stream", pixels}
	for _, c := range []struct {
		name   string
		body   []byte
		status int
		says   string
	}{
		{"bulk data that is not there", dataSets(withPixels), 400, "7FE00010"},
		{"a part without a place", dataSets(withPixels, [3]string{"", "application/octet-stream", pixels}), 400, "Content-Location"},
		{"a place twice", dataSets(withPixels, bulk, bulk), 400, "Content-Location"},
		{"no array", dataSets(`"x"`), 400, "JSON array"},
		{"no transfer syntax", dataSets(withPixels, [3]string{"bulk/1", "image/jp2; transfer-syntax=1.2.3", pixels}), 400, "transfer-syntax"},
		{"without UIDs", dataSets(`[{"00100020":{"vr":"LO","Value":["P1"]}}]`), 409, "43264"},
		{"cut off", []byte("--x\r\nContent-Type: application/dicom+json\r\n\r\n[{"), 400, "ends before"},
		{"another type first", []byte("--x\r\nContent-Type: text/plain\r\n\r\n[]\r\n--x--\r\n"), 415, "first part"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("POST", "/v2/studies", c.body, "Accept", dicomJSON, "Content-Type", relatedJSON).want(t, c.status)
			if !strings.Contains(string(a.body), c.says) {
				t.Errorf("%s", a.body)
			}
		})
	}
	s.do("POST", "/v2/studies", []byte("--x--\r\n"), "Accept", dicomJSON, "Content-Type", relatedJSON).want(t, 204)
	s.do("GET", "/v2/studies", nil, "Accept", dicomJSON).want(t, 204)
}
