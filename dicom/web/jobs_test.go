package web_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
)

// finished waits for an operation that was accepted, and returns what it says of itself.
func (s *service) finished(a answer) map[string]any {
	s.t.Helper()
	a.want(s.t, 202)
	path := strings.TrimPrefix(a.Header.Get("Location"), s.url)
	for range 2000 {
		a := s.do("GET", path, nil)
		if a.StatusCode == 200 {
			return a.json(s.t).(map[string]any)
		}
		a.want(s.t, 202)
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatal("the operation does not end")
	return nil
}

func update(studies, change string) []byte {
	return fmt.Appendf(nil, `{"studyInstanceUids":[%s],"changeDataset":{%s}}`, studies, change)
}

// file retrieves an instance as it is stored.
func (s *service) file(path string, headers ...string) *part10.File {
	s.t.Helper()
	a := s.do("GET", path, nil, append(headers, "Accept", "application/dicom; transfer-syntax=*")...).want(s.t, 200)
	f, err := part10.Read(bytes.NewReader(a.body), part10.Options{Whole: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

func TestStudiesAreUpdated(t *testing.T) {
	s := start(t, false)
	s.fill()
	latin := image("1.3", "1.3.1", "1.3.1.1", dicom.Text(tag.SpecificCharacterSet, dicom.CS, "ISO_IR 100"), dicom.Text(tag.StudyDescription, dicom.LO, "Sch\xe4del"))
	latin.Set(dicom.Text(tag.PatientName, dicom.PN, "M\xfcller"))
	s.do("POST", "/v2/studies", message(t, encode(t, latin, uid.ImplicitVRLittleEndian)), "Accept", dicomJSON, "Content-Type", related)
	before := s.do("GET", "/v2/changefeed/latest", nil).json(t).(map[string]any)["sequence"].(float64)
	metadata := s.do("GET", wide+"/metadata", nil, "Accept", dicomJSON).want(t, 200)

	o := s.finished(s.do("POST", "/v2/studies/$bulkUpdate", update(`"1.1","1.3","1.99"`,
		`"00100010":{"vr":"PN","Value":[{"Alphabetic":"Дурова^Надежда"}]},"00100020":{"vr":"LO","Value":["NEW"]}`), "Content-Type", "application/json"))
	results := o["results"].(map[string]any)
	if o["status"] != "succeeded" || o["type"] != "update" || results["studyProcessed"] != 3.0 || results["studyUpdated"] != 2.0 || results["instanceUpdated"] != 3.0 {
		t.Errorf("%v", o)
	}
	found := s.do("GET", "/v2/studies?PatientID=NEW&PatientName="+strings.ToLower("дурова*"), nil, "Accept", dicomJSON).want(t, 200)
	if n := len(found.json(t).([]any)); n != 2 {
		t.Errorf("%d studies have the new patient", n)
	}
	if last := s.do("GET", "/v2/changefeed/latest", nil).json(t).(map[string]any); last["sequence"].(float64) != before+3 || last["action"] != "Update" {
		t.Errorf("the change feed ends with %v", last)
	}

	f := s.file(wide)
	if f.Dataset.String(tag.PatientName) != "Дурова^Надежда" || f.Dataset.String(tag.PatientID) != "NEW" || f.Dataset.String(tag.StudyDate) != "20240105" ||
		f.Meta.String(tag.ImplementationClassUID) != part10.ImplementationClassUID || !bytes.Equal(f.Dataset.Get(tag.PixelData).Value[:4], []byte{1, 0, 2, 0}) {
		t.Errorf("the file is %v", f.Dataset)
	}
	// Text in another character set became UTF-8 with it.
	if d := s.file("/v2/studies/1.3/series/1.3.1/instances/1.3.1.1").Dataset; d.String(tag.StudyDescription) != "Schädel" ||
		d.String(tag.PatientName) != "Дурова^Надежда" || d.String(tag.SpecificCharacterSet) != "ISO_IR 192" {
		t.Errorf("%q %q", d.String(tag.StudyDescription), d.String(tag.PatientName))
	}
	if a := s.do("GET", wide+"/frames/2", nil, "Accept", "application/octet-stream").want(t, 200); !bytes.Equal(a.body, []byte{5, 0, 6, 0, 7, 0, 8, 0}) {
		t.Errorf("frame %v", a.body)
	}

	// A second update keeps the first original and the newest version.
	s.finished(s.do("POST", "/v2/studies/$bulkUpdate", update(`"1.1"`, `"00081030":{"vr":"LO","Value":["Again"]}`), "Content-Type", "application/json"))
	original := s.file(wide, "msdicom-request-original", "true").Dataset
	if original.String(tag.PatientName) != "Müller^Änne" || original.Has(tag.StudyDescription) {
		t.Errorf("the original has %q", original.String(tag.PatientName))
	}
	if d := s.file(wide).Dataset; d.String(tag.StudyDescription) != "Again" || d.String(tag.PatientID) != "NEW" {
		t.Errorf("the newest is %v", d)
	}
	old := s.do("GET", wide+"/metadata", nil, "Accept", dicomJSON, "msdicom-request-original", "true").want(t, 200)
	if !bytes.Equal(old.body, metadata.body) {
		t.Errorf("the original metadata is %s", old.body)
	}
	if n := len(s.do("GET", "/v2/studies/1.1/instances", nil, "Accept", dicomJSON).want(t, 200).json(t).([]any)); n != 2 {
		t.Errorf("%d instances", n)
	}
	s.do("DELETE", "/v2/studies/1.1", nil).want(t, 204)
	s.do("GET", wide, nil, "msdicom-request-original", "true", "Accept", "*/*").want(t, 404)
}

func TestUpdatesThatAreRefused(t *testing.T) {
	s := start(t, false)
	s.fill()
	const name = `"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"}]}`
	for _, c := range []struct{ name, path, studies, change, says string }{
		{"no study", "/v2/studies/$bulkUpdate", ``, name, "1 to 50"},
		{"no UID", "/v2/studies/$bulkUpdate", `"x"`, name, "UID"},
		{"nothing to change", "/v2/studies/$bulkUpdate", `"1.1"`, ``, "no attribute"},
		{"an attribute that cannot be updated", "/v2/studies/$bulkUpdate", `"1.1"`, `"0020000D":{"vr":"UI","Value":["1.5"]}`, "(0020,000d)"},
		{"a value taken away", "/v2/studies/$bulkUpdate", `"1.1"`, `"00100020":{"vr":"LO"}`, "taken away"},
		{"another VR", "/v2/studies/$bulkUpdate", `"1.1"`, `"00100020":{"vr":"SH","Value":["1"]}`, "VR must be LO"},
		{"a value against its VR", "/v2/studies/$bulkUpdate", `"1.1"`, `"00100030":{"vr":"DA","Value":["yesterday"]}`, "(0010,0030)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.do("POST", c.path, update(c.studies, c.change), "Content-Type", "application/json").want(t, 400)
			if !strings.Contains(strings.ToLower(string(a.body)), strings.ToLower(c.says)) {
				t.Errorf("%s", a.body)
			}
		})
	}
	s.do("POST", "/v1/studies/$bulkUpdate", update(`"1.1"`, name)).want(t, 404)
	s.do("GET", "/v2/operations/0123456789abcdef0123456789abcdef", nil).want(t, 404)
}

func TestExport(t *testing.T) {
	s := start(t, false)
	s.fill()
	export := func(values, container string) answer {
		return s.do("POST", "/v2/export", fmt.Appendf(nil,
			`{"source":{"type":"identifiers","settings":{"values":[%s]}},"destination":{"type":"azureblob","settings":{"blobContainerName":%q}}}`, values, container))
	}
	o := s.finished(export(`"1.1/1.1.1/1.1.1.2","1.2","1.77"`, "out"))
	results := o["results"].(map[string]any)
	if o["status"] != "succeeded" || results["exported"] != 2.0 || results["skipped"] != 1.0 {
		t.Errorf("%v", o)
	}
	id := o["operationId"].(string)
	read := func(name string) string {
		f, err := s.out.Open(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	stored := s.do("GET", "/v2/studies/1.2/series/1.2.1/instances/1.2.1.1", nil, "Accept", "application/dicom; transfer-syntax=*").want(t, 200)
	if read(id+"/results/1.2/1.2.1/1.2.1.1.dcm") != string(stored.body) {
		t.Error("the exported file is another")
	}
	read(id + "/results/1.1/1.1.1/1.1.1.2.dcm")
	if log := read(results["errorHref"].(string)); !strings.Contains(log, `"identifier":"1.77"`) {
		t.Errorf("errors.log: %s", log)
	}
	export(`"1.1"`, "elsewhere").want(t, 400)
	export(`"1.1/x"`, "out").want(t, 400)
	export(``, "out").want(t, 400)
}

func TestStudiesExpire(t *testing.T) {
	s := start(t, false)
	file := func(n int) []byte {
		return message(t, encode(t, image("1.1", "1.1.1", fmt.Sprintf("1.1.1.%d", n)), uid.ExplicitVRLittleEndian))
	}
	store := func(n, status int, headers ...string) {
		t.Helper()
		s.do("POST", "/v2/studies", file(n), append(headers, "Accept", dicomJSON, "Content-Type", related)...).want(t, status)
	}
	const after = "msdicom-expiry-time-milliseconds"
	store(1, 400, after, "0")
	store(1, 400, after, "soon")
	store(1, 400, after, "10", "msdicom-expiry-option", "Absolute")
	store(1, 400, after, "10", "msdicom-expiry-level", "Series")
	store(1, 200, after, "3600000", "msdicom-expiry-level", "Study")
	store(2, 200, after, "1", "msdicom-expiry-option", "RelativeToNow") // the last one decides
	for n := 0; s.do("GET", "/v2/studies", nil, "Accept", dicomJSON).StatusCode != 204; n++ {
		if n > 1000 {
			t.Fatal("the study is still there")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if last := s.do("GET", "/v2/changefeed/latest", nil).json(t).(map[string]any); last["action"] != "Delete" || last["sequence"] != 4.0 {
		t.Errorf("the change feed ends with %v", last)
	}
	store(3, 200, after, "200")
	store(4, 200)
	time.Sleep(300 * time.Millisecond)
	s.do("GET", "/v2/studies/1.1/instances", nil, "Accept", dicomJSON).want(t, 200)
}
