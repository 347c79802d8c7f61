package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"salus/dicom/phantom"
)

// A workspace whose images are mirrored into its FHIR service, which goes on after the server was killed.
func TestImagingMeetsFHIR(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exports := filepath.Join(dir, "exports")
	description := filepath.Join(dir, "workspace.yaml")
	if err := os.WriteFile(description, fmt.Appendf(nil, `workspace: clinic
services:
  - {name: records, kind: fhir}
  - name: images
    kind: dicom
    settings:
      fhirService: records
      patientSystem: http://hospital.example/mrn
      exports: {research: %s}
      inbox: %s
`, exports, filepath.Join(dir, "inbox")), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--open", "--data", filepath.Join(dir, "data"), "--workspace", description}
	s := start(t, flags...)
	images := func(path string) string { return s.URL + "/clinic/images/v2" + path }
	for n := range 4 {
		request(t, "POST", images("/studies"), slice(t, 1, n/2, n%2), "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 200)
	}
	s.signal(syscall.SIGKILL)
	s.wait()
	s = start(t, flags...)

	type bundle struct {
		Entry []struct {
			Resource struct {
				ID                string
				NumberOfInstances int
				Subject           struct{ Reference string }
				Name              []struct{ Family string }
			}
		}
	}
	find := func(query string) (b bundle) {
		reply := request(t, "GET", s.URL+"/clinic/records/"+query, nil).want(t, 200)
		if err := json.Unmarshal(reply.body, &b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	study := "ImagingStudy?identifier=urn:dicom:uid|urn:oid:" + phantom.StudyUID(1, 1)
	waitFor(t, func() bool { b := find(study); return len(b.Entry) == 1 && b.Entry[0].Resource.NumberOfInstances == 4 })
	patient := find("Patient?identifier=http://hospital.example/mrn|MRN-1")
	if len(patient.Entry) != 1 || find(study).Entry[0].Resource.Subject.Reference != "Patient/"+patient.Entry[0].Resource.ID {
		t.Errorf("the patient of the study is none of %v", patient)
	}

	// The patient was another: the study is corrected, and FHIR follows.
	change := fmt.Sprintf(`{"studyInstanceUids":[%q],"changeDataset":{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Erdacht^Bea"}]},`+
		`"00100020":{"vr":"LO","Value":["MRN-2"]}}}`, phantom.StudyUID(1, 1))
	job := request(t, "POST", images("/studies/$bulkUpdate"), []byte(change), "Content-Type", "application/json").want(t, 202)
	done := func(job reply) func() bool {
		return func() bool { return request(t, "GET", job.header.Get("Location"), nil).status == 200 }
	}
	waitFor(t, done(job))
	waitFor(t, func() bool {
		p := find("Patient?identifier=http://hospital.example/mrn|MRN-2")
		return len(p.Entry) == 1 && find(study).Entry[0].Resource.Subject.Reference == "Patient/"+p.Entry[0].Resource.ID
	})

	endpoint := request(t, "GET", s.URL+"/clinic/records/Endpoint", nil).want(t, 200)
	if !strings.Contains(string(endpoint.body), `"address":"`+images("")+`"`) {
		t.Errorf("the endpoint is not where the service is: %s", endpoint.body)
	}

	job = request(t, "POST", images("/export"), fmt.Appendf(nil, `{"source":{"type":"identifiers","settings":{"values":[%q]}},
		"destination":{"type":"folder","settings":{"blobContainerName":"research"}}}`, phantom.StudyUID(1, 1)), "Content-Type", "application/json").want(t, 202)
	waitFor(t, done(job))
	out, err := filepath.Glob(filepath.Join(exports, "*/results/*/*/*.dcm"))
	if err != nil || len(out) != 4 {
		t.Errorf("exported %v, %v", out, err)
	}
	if stdout, _, code := run(t, "dicom", "dump", out[0]); code != 0 || !strings.Contains(stdout, "Erdacht^Bea") {
		t.Errorf("exported %.500s", stdout)
	}

	if err := os.WriteFile(filepath.Join(dir, "inbox", "IM1"), slice(t, 2, 0, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { _, err := os.Stat(filepath.Join(dir, "inbox", ".stored", "IM1")); return err == nil })
	request(t, "GET", images("/studies/"+phantom.StudyUID(1, 2)+"/metadata"), nil, "Accept", dicomJSON).want(t, 200)

	picture := request(t, "GET", images("/studies/"+phantom.StudyUID(1, 1)+"/thumbnail?viewport=32,32"), nil, "Accept", "image/*").want(t, 200)
	if img, _, err := image.Decode(bytes.NewReader(picture.body)); err != nil || img.Bounds().Dx() != 32 {
		t.Errorf("the thumbnail: %v", err)
	}

	request(t, "DELETE", images("/studies/"+phantom.StudyUID(1, 1)), nil).want(t, 204)

	waitFor(t, func() bool { return len(find(study).Entry) == 0 })
	if log := s.Log.String(); strings.Contains(log, "Invented") || strings.Contains(log, "MRN-") || strings.Contains(log, "Erdacht") {
		t.Error("the log has a patient's data")
	}
}

// Modalities and viewers that speak DIMSE.
func TestAssociations(t *testing.T) {
	t.Parallel()
	dir, in := t.TempDir(), t.TempDir()
	description := filepath.Join(dir, "workspace.yaml")
	if err := os.WriteFile(description, []byte(`workspace: clinic
services:
  - name: images
    kind: dicom
    settings:
      dimse: {aeTitle: ARCHIVE, peers: {SALUS: ""}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--open", "--data", filepath.Join(dir, "data"), "--workspace", description, "--dimse", "127.0.0.1:0")
	for n := range 20 {
		if err := os.WriteFile(filepath.Join(in, fmt.Sprint(n)), slice(t, 1, 0, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := "dicom://ARCHIVE@" + s.DIMSE
	if stdout, stderr, code := run(t, "dicom", "send", "--to", to, in); code != 0 || !strings.HasPrefix(stdout, "20 instances") {
		t.Errorf("send: %d %s%s", code, stdout, stderr)
	}
	for name, args := range map[string][]string{
		"a stranger": {"--to", to, "--as", "NOBODY", in}, "another title": {"--to", "dicom://OTHER@" + s.DIMSE, in},
	} {
		if _, stderr, code := run(t, append([]string{"dicom", "send"}, args...)...); code != 4 || !strings.Contains(stderr, "AE title is not known") {
			t.Errorf("%s: %d %s", name, code, stderr)
		}
	}
	row := request(t, "GET", s.URL+"/clinic/images/v2/studies?includefield=NumberOfStudyRelatedInstances", nil, "Accept", dicomJSON).want(t, 200)
	if !strings.Contains(string(row.body), `"00201208":{"vr":"IS","Value":[20]}`) {
		t.Errorf("found %s", row.body)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	for name, flags := range map[string][]string{
		"no service has settings": {"--dimse", "127.0.0.1:0"}, "a certificate without its key": {"--dimse-cert", "x"},
		"other machines without certificates": {"--dimse", "0.0.0.0:0"},
	} {
		if _, stderr, code := run(t, append([]string{"serve", "--open", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, flags...)...); code != 2 || !strings.Contains(stderr, "dimse") {
			t.Errorf("%s: %d %s", name, code, stderr)
		}
	}
}

// The files of images in a bucket of a storage service, and their index beside it.
func TestImagesInABucket(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("images"); err != nil {
		t.Fatal(err)
	}
	storage := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer storage.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	data := t.TempDir()
	flags := []string{"--open", "--data", data, "--blob-url", "s3://images/salus?region=us-east-1&endpoint=" + storage.URL}
	s := start(t, flags...)
	base := "/default/dicom/v2/studies"
	for n := range 3 {
		request(t, "POST", s.URL+base, slice(t, 1, 0, n), "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 200)
	}
	s.signal(syscall.SIGKILL)
	s.wait()
	s = start(t, flags...)
	instance := s.URL + base + "/" + phantom.StudyUID(1, 1) + "/series/" + phantom.StudyUID(1, 1) + ".0/instances/" + phantom.StudyUID(1, 1) + ".0.2"
	if file := request(t, "GET", instance, nil, "Accept", "application/dicom; transfer-syntax=*").want(t, 200); !bytes.Equal(file.body, slice(t, 1, 0, 2)) {
		t.Error("the file came back otherwise")
	}
	objects := func() int {
		list, err := backend.ListBucket("images", nil, gofakes3.ListBucketPage{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Contents)
	}
	if n := objects(); n != 3 {
		t.Errorf("%d objects in the bucket", n)
	}
	request(t, "DELETE", s.URL+base+"/"+phantom.StudyUID(1, 1), nil).want(t, 204)
	waitFor(t, func() bool { return objects() == 0 })
	if left, err := filepath.Glob(filepath.Join(data, "default/dicom/objects/run*")); err != nil || len(left) > 0 {
		t.Errorf("files beside the index: %v, %v", left, err)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
	storage.Close()
	if _, stderr, code := run(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)...); code != 6 || !strings.Contains(stderr, "storage service") || strings.Contains(stderr, "secret") {
		t.Errorf("without its storage: %d %s", code, stderr)
	}
}

// Event channels that wait are no work: a server that takes two requests at a time answers others while many listen.
func TestEventChannelsAreNoWork(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--data", t.TempDir(), "--max-requests", "2", "--max-queue", "0")
	for n := range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		conn, _, err := websocket.Dial(ctx, strings.Replace(s.URL, "http", "ws", 1)+fmt.Sprintf("/default/dicom/v2/subscribers/STATION%d", n), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
	}
	request(t, "GET", s.URL+"/default/dicom/v2/changefeed", nil).want(t, 200)
	if metrics := request(t, "GET", s.URL+"/metrics", nil).want(t, 200); !strings.Contains(string(metrics.body), "salus_http_requests_in_work 0") {
		t.Error("channels are counted as work")
	}
	if code := s.stop(); code != 0 { // which ends the channels
		t.Errorf("the server ended with %d", code)
	}
}
