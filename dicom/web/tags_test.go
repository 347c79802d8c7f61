package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/dicom/uid"
)

// addTags adds query tags and waits until what is there is indexed.
func (s *service) addTags(body string) {
	s.t.Helper()
	a := s.do("POST", "/v2/extendedquerytags", []byte(body), "Content-Type", "application/json").want(s.t, 202)
	where := a.json(s.t).(map[string]any)["href"].(string)
	if a.Header.Get("Location") != where {
		s.t.Errorf("location %s, href %s", a.Header.Get("Location"), where)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		o := s.do("GET", strings.TrimPrefix(where, s.url), nil)
		if o.StatusCode == 200 {
			if got := o.json(s.t).(map[string]any); got["status"] != "succeeded" || got["percentComplete"] != 100.0 {
				s.t.Errorf("%v", got)
			}
			return
		}
		o.want(s.t, 202)
		if time.Now().After(deadline) {
			s.t.Fatal("the operation does not end")
		}
	}
}

func (s *service) found(query string) int {
	s.t.Helper()
	a := s.do("GET", query, nil, "Accept", dicomJSON)
	if a.StatusCode == 204 {
		return 0
	}
	return len(a.want(s.t, 200).json(s.t).([]any))
}

func (s *service) storeOne(status int, d *dicom.Dataset) {
	s.t.Helper()
	s.do("POST", "/v2/studies", encode(s.t, d, uid.ExplicitVRLittleEndian), "Accept", dicomJSON, "Content-Type", "application/dicom").want(s.t, status)
}

func TestQueryTagsFindWhatWasStoredBeforeAndAfter(t *testing.T) {
	s := start(t, false)
	private := []dicom.Element{dicom.Text(0x00290010, dicom.LO, "MAKER"), dicom.Text(0x00291001, dicom.LO, "Älpha")}
	s.storeOne(200, image("1.1", "1.1.1", "1.1.1.1", append(private, dicom.Text(tag.KVP, dicom.DS, "120.0"), dicom.Text(tag.BodyPartExamined, dicom.CS, "HEAD"))...))
	s.storeOne(200, image("1.2", "1.2.1", "1.2.1.1", dicom.Text(tag.KVP, dicom.DS, "80")))
	if a := s.do("GET", "/v2/instances?KVP=120", nil, "Accept", dicomJSON); a.StatusCode != 400 {
		t.Errorf("before there is a tag: %d", a.StatusCode)
	}
	s.addTags(`[{"path":"00180060","level":"Instance"},{"path":"BodyPartExamined","vr":"CS","level":"series"},
		{"path":"00291001","vr":"LO","privateCreator":"MAKER","level":"Study"}]`)
	s.storeOne(200, image("1.3", "1.3.1", "1.3.1.1", dicom.Text(tag.KVP, dicom.DS, "120"), dicom.Text(tag.BodyPartExamined, dicom.CS, "HAND")))
	for query, want := range map[string]int{
		"/v2/instances?KVP=120": 2, "/v2/instances?00180060=1.2e2": 2, "/v2/instances?KVP=100": 0, "/v2/series?BodyPartExamined=HEAD": 1,
		"/v2/series?BodyPartExamined=H*": 2, "/v2/studies?00291001=alpha": 1, "/v2/studies?00291001=beta": 0, "/v2/instances?BodyPartExamined=HAND&KVP=120": 1,
	} {
		if got := s.found(query); got != want {
			t.Errorf("%s found %d, want %d", query, got, want)
		}
	}
	s.do("GET", "/v2/studies?KVP=120", nil, "Accept", dicomJSON).want(t, 400) // of another level
	list := s.do("GET", "/v2/extendedquerytags", nil).want(t, 200).json(t).([]any)
	if got := fmt.Sprint(list[1]); len(list) != 3 || got != "map[level:Instance path:00180060 queryStatus:enabled status:ready vr:DS]" {
		t.Errorf("%d: %s", len(list), got)
	}
	s.do("PATCH", "/v2/extendedquerytags/KVP", []byte(`{"queryStatus":"disabled"}`)).want(t, 200)
	s.do("GET", "/v2/instances?KVP=120", nil, "Accept", dicomJSON).want(t, 400)
	s.do("PATCH", "/v2/extendedquerytags/KVP", []byte(`{"queryStatus":"enabled"}`)).want(t, 200)
	s.do("DELETE", "/v2/studies/1.3", nil).want(t, 204)
	if got := s.found("/v2/instances?KVP=120"); got != 1 {
		t.Errorf("after one is deleted: %d", got)
	}
	s.do("DELETE", "/v2/extendedquerytags/KVP", nil).want(t, 204)
	s.do("GET", "/v2/extendedquerytags/KVP", nil).want(t, 404)
	s.storeOne(200, image("1.4", "1.4.1", "1.4.1.1"))
}

func TestQueryTagsWithInvalidValues(t *testing.T) {
	s := start(t, false)
	s.addTags(`[{"path":"KVP","level":"Instance"}]`)
	s.storeOne(202, image("1.1", "1.1.1", "1.1.1.1", dicom.Text(tag.KVP, dicom.DS, "high")))
	s.storeOne(200, image("1.2", "1.2.1", "1.2.1.1", dicom.Text(tag.KVP, dicom.DS, "120")))
	s.do("GET", "/v2/instances?KVP=120", nil, "Accept", dicomJSON).want(t, 400) // the first error takes it out of searches
	one := s.do("GET", "/v2/extendedquerytags/KVP", nil).want(t, 200).json(t).(map[string]any)
	if one["queryStatus"] != "disabled" || fmt.Sprint(one["errors"].(map[string]any)["count"]) != "1" {
		t.Errorf("%v", one)
	}
	errs := s.do("GET", "/v2/extendedquerytags/KVP/errors", nil).want(t, 200)
	if !strings.Contains(string(errs.body), `"sopInstanceUid":"1.1.1.1"`) || strings.Contains(string(errs.body), "high") {
		t.Errorf("%s", errs.body)
	}
	s.do("PATCH", "/v2/extendedquerytags/KVP", []byte(`{"queryStatus":"enabled"}`)).want(t, 200)
	a := s.do("GET", "/v2/instances?KVP=120", nil, "Accept", dicomJSON).want(t, 200)
	if a.Header.Get("erroneous-dicom-attributes") != "KVP" {
		t.Errorf("headers %v", a.Header)
	}
	v1 := encode(t, image("1.3", "1.3.1", "1.3.1.1", dicom.Text(tag.KVP, dicom.DS, "low")), uid.ExplicitVRLittleEndian)
	s.do("POST", "/v1/studies", v1, "Accept", dicomJSON, "Content-Type", "application/dicom").want(t, 409)
}

func TestQueryTagsThatAreRefused(t *testing.T) {
	s := start(t, false)
	for _, body := range []string{
		`x`, `[]`, `[{"path":"KVP"}]`, `[{"path":"KVP","level":"Patient"}]`, `[{"path":"nothing","level":"Study"}]`, `[{"path":"KVP","vr":"LO","level":"Study"}]`,
		`[{"path":"PatientID","level":"Study"}]`, `[{"path":"00291001","level":"Study"}]`, `[{"path":"00291001","vr":"LO","level":"Study"}]`,
		`[{"path":"ProcedureCodeSequence","level":"Study"}]`, `[{"path":"PixelData","level":"Study"}]`, `[{"path":"KVP","level":"Study"},{"path":"00180060","level":"Study"}]`,
	} {
		s.do("POST", "/v2/extendedquerytags", []byte(body)).want(t, 400)
	}
	s.addTags(`[{"path":"KVP","level":"Instance"}]`)
	s.do("POST", "/v2/extendedquerytags", []byte(`[{"path":"KVP","level":"Instance"}]`)).want(t, 409)
	s.do("GET", "/v2/extendedquerytags/PatientWeight/errors", nil).want(t, 404)
	s.do("GET", "/v2/operations/00000000000000000000000000000000", nil).want(t, 404)
	s.do("PATCH", "/v2/extendedquerytags/KVP", []byte(`{"queryStatus":"perhaps"}`)).want(t, 400)
}
