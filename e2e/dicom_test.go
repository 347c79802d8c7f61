package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"salus/dicom/client"
	"salus/dicom/index"
	"salus/dicom/phantom"
)

const dicomJSON = "application/dicom+json"

func slice(t testing.TB, study, series, instance int) []byte {
	t.Helper()
	s := phantom.Slice{PatientID: fmt.Sprintf("MRN-%d", study), Name: "Invented^Ada", Patient: 1, Study: study, Series: series, Instance: instance, Slices: 20,
		Size: 64, Date: time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)}
	b, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The way of a study: from files on a disk into the service, found, looked at, and back to files.
func TestLifeOfAStudy(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--data", t.TempDir())
	base := s.URL + "/default/dicom/v2"
	in, out := t.TempDir(), t.TempDir()
	want := map[string][]byte{}
	for n := range 6 {
		data := slice(t, 1, n/3, n%3)
		want[fmt.Sprintf("%s/%s.%d/%s.%d.%d.dcm", phantom.StudyUID(1, 1), phantom.StudyUID(1, 1), n/3, phantom.StudyUID(1, 1), n/3, n%3)] = data
		if err := os.WriteFile(filepath.Join(in, fmt.Sprintf("IM%d", n)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := run(t, "dicom", "send", "--to", base, in)
	if code != 0 || !strings.HasPrefix(stdout, "6 instances") {
		t.Fatalf("send: %d %s%s", code, stdout, stderr)
	}
	if _, stderr, code := run(t, "dicom", "send", "--to", base, in); code != 2 || !strings.Contains(stderr, "45070") {
		t.Errorf("send again: %d %s", code, stderr)
	}

	row := request(t, "GET", base+"/studies?PatientName=invented*&includefield=NumberOfStudyRelatedInstances", nil, "Accept", dicomJSON).want(t, 200)
	if !strings.Contains(string(row.body), `"00201208":{"vr":"IS","Value":[6]}`) {
		t.Errorf("found %s", row.body)
	}
	series := base + "/studies/" + phantom.StudyUID(1, 1) + "/series/" + phantom.StudyUID(1, 1) + ".0"
	if m := request(t, "GET", series+"/metadata", nil, "Accept", dicomJSON).want(t, 200); strings.Count(string(m.body), `"7FE00010"`) != 3 {
		t.Errorf("metadata %.300s", m.body)
	}
	frame := request(t, "GET", series+"/instances/"+phantom.StudyUID(1, 1)+".0.1/frames/1", nil, "Accept", "application/octet-stream; transfer-syntax=*").want(t, 200)
	if one := slice(t, 1, 0, 1); !bytes.Equal(frame.body, one[len(one)-64*64*2:]) {
		t.Errorf("a frame of %d bytes", len(frame.body))
	}

	if stdout, stderr, code := run(t, "dicom", "get", "--to", base, "-o", out, phantom.StudyUID(1, 1)); code != 0 {
		t.Fatalf("get: %d %s%s", code, stdout, stderr)
	}
	for name, data := range want {
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s came back otherwise: %v", name, err)
		}
	}
	if stdout, _, code := run(t, "dicom", "dump", filepath.Join(in, "IM0")); code != 0 || !strings.Contains(stdout, "(0010,0010) PN [Invented^Ada]") {
		t.Errorf("dump: %d %.300s", code, stdout)
	}
	if _, _, code := run(t, "dicom", "get", "--to", base, "-o", out, "1.2.3"); code != 3 {
		t.Errorf("get what is not there: %d", code)
	}
	request(t, "DELETE", series, nil).want(t, 204)
	request(t, "GET", series+"/metadata", nil, "Accept", dicomJSON).want(t, 404)
	if log := s.Log.String(); strings.Contains(log, "Invented") || strings.Contains(log, "MRN-") {
		t.Error("the log has a patient's data")
	}
}

// A server is killed while clients store. What was answered is there, whole and in the change feed; what was not is there wholly or not at all.
func TestKill_LosesNoInstanceThatWasAnswered(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for round := range 3 {
		s := start(t, "--open", "--data", data)
		base := s.URL + "/default/dicom/v2"
		var answered sync.Map
		var count atomic.Int64
		var group sync.WaitGroup
		for w := range 4 {
			group.Go(func() {
				for n := 0; ; n++ {
					reply, err := send(http.DefaultClient, "POST", base+"/studies", slice(t, 1+round, w, n), "Accept", dicomJSON, "Content-Type", "application/dicom")
					if err != nil {
						return // killed
					}
					if reply.status != 200 {
						t.Errorf("status %d: %s", reply.status, reply.body)
						return
					}
					answered.Store(fmt.Sprintf("%s.%d.%d", phantom.StudyUID(1, 1+round), w, n), slice(t, 1+round, w, n))
					count.Add(1)
				}
			})
		}
		waitFor(t, func() bool { return count.Load() > 40 })
		s.signal(syscall.SIGKILL)
		group.Wait()
		s.wait()

		s = start(t, "--open", "--data", data)
		c, err := client.New(s.URL+"/default/dicom/v2", nil)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string][]byte{}
		err = c.Retrieve(t.Context(), index.UIDs{Study: phantom.StudyUID(1, 1+round)}, func(r io.Reader) error {
			b, err := io.ReadAll(r)
			i := bytes.Index(b, []byte("1.2.840.10008.5.1.4.1.1.2\x00\x08\x00\x18\x00UI")) // SOP Instance UID follows the class
			size := int(b[i+32])
			found[strings.TrimRight(string(b[i+34:i+34+size]), "\x00")] = b
			return err
		})
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		answered.Range(func(uid, data any) bool {
			if !bytes.Equal(found[uid.(string)], data.([]byte)) {
				t.Errorf("%s was answered and is not there as it was sent", uid)
			}
			return true
		})
		if extra := len(found) - int(count.Load()); extra < 0 || extra > 4 {
			t.Errorf("%d instances are there, %d were answered", len(found), count.Load())
		}
		in := 0
		for offset := 0; ; offset += 200 {
			page := request(t, "GET", fmt.Sprintf("%s/default/dicom/v2/changefeed?limit=200&offset=%d&includemetadata=false", s.URL, offset), nil).want(t, 200)
			in += strings.Count(string(page.body), fmt.Sprintf(`"studyInstanceUid":"%s"`, phantom.StudyUID(1, 1+round)))
			if len(page.body) < 10 {
				break
			}
		}
		if in != len(found) {
			t.Errorf("the change feed has %d of %d instances", in, len(found))
		}
		waitFor(t, func() bool { // what was written and not answered is swept
			objects, err := filepath.Glob(filepath.Join(data, "default/dicom/objects/run*/*/*.dcm"))
			return err == nil && len(objects) == total(t, s)
		})
		s.stop()
	}
}

// total is how many instances there are in all studies.
func total(t *testing.T, s *server) int {
	t.Helper()
	reply := request(t, "GET", s.URL+"/default/dicom/v2/instances?limit=5000", nil, "Accept", dicomJSON).want(t, 200)
	return strings.Count(string(reply.body), `"00080018"`)
}
