package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const patient = `{"resourceType":"Patient","name":[{"family":"Beispiel","given":["Ada"]}],"birthDate":"1815-12-10"}`

func TestDemo_ShowsPatientsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := startIn(t, home, "--demo", "--demo-patients", "3")
	if len(s.Services) != 2 || s.Services[1] != "service dicom dicom "+s.URL+"/default/dicom" || s.Services[0] != "service fhir fhir "+s.URL+"/default/fhir" {
		t.Errorf("announced services are %q", s.Services)
	}
	bundle := request(t, "GET", s.FHIR+"/Patient?_count=2&_total=accurate", nil).want(t, 200).json(t)
	if bundle["total"] != 3.0 || len(bundle.entries()) != 2 {
		t.Errorf("total %v and %d entries, want 3 and 2", bundle["total"], len(bundle.entries()))
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, s.Log)
	}
	left, err := filepath.Glob(filepath.Join(home, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestDemo_OnNamedDataIsKeptAndNotLoadedTwice(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	total := func(s *server) any {
		return request(t, "GET", s.FHIR+"/Patient?_summary=count", nil).want(t, 200).json(t)["total"]
	}
	s := start(t, "--demo", "--demo-patients", "2", "--data", data)
	first := total(s)
	s.stop()
	s = start(t, "--demo", "--demo-patients", "2", "--data", data)
	if again := total(s); first != 2.0 || again != first {
		t.Errorf("%v patients at first, %v after a restart; want 2 both times", first, again)
	}
}

func TestLifeOfAResource(t *testing.T) {
	t.Parallel()
	s := start(t, "--open")
	created := request(t, "POST", s.FHIR+"/Patient", []byte(patient)).want(t, 201)
	id := created.json(t).text("id")
	if loc := created.header.Get("Location"); loc != s.FHIR+"/Patient/"+id+"/_history/1" {
		t.Errorf("Location is %q", loc)
	}
	at := s.FHIR + "/Patient/" + id
	request(t, "GET", at, nil).want(t, 200)

	changed := strings.Replace(patient, `"Patient",`, `"Patient","id":"`+id+`","active":true,`, 1)
	second := request(t, "PUT", at, []byte(changed), "If-Match", `W/"1"`).want(t, 200)
	if v := second.json(t).text("meta", "versionId"); v != "2" {
		t.Errorf("versionId is %q, want 2", v)
	}
	request(t, "PUT", at, []byte(changed), "If-Match", `W/"1"`).outcome(t, 412)
	if one := request(t, "GET", at+"/_history/1", nil).want(t, 200).json(t); one["active"] != nil {
		t.Error("version 1 has what was written as version 2")
	}
	found := request(t, "GET", s.FHIR+"/Patient?family=beisp&birthdate=1815", nil).want(t, 200).json(t)
	if n := len(found.entries()); n != 1 {
		t.Errorf("search finds %d patients, want 1", n)
	}
	request(t, "DELETE", at, nil).want(t, 204)
	request(t, "GET", at, nil).outcome(t, 410)
	if n := len(request(t, "GET", at+"/_history", nil).want(t, 200).json(t)["entry"].([]any)); n != 3 {
		t.Errorf("history has %d entries, want 3", n)
	}
	if n := len(request(t, "GET", s.FHIR+"/Patient", nil).want(t, 200).json(t).entries()); n != 0 {
		t.Errorf("search finds %d deleted patients", n)
	}
}

func TestTransaction_LinksItsEntries(t *testing.T) {
	t.Parallel()
	s := start(t, "--open")
	bundle := `{"resourceType":"Bundle","type":"transaction","entry":[
	 {"fullUrl":"urn:uuid:8a7e4cbf-5a0c-4d36-8f2f-0d8a5a6b0001","resource":` + patient + `,"request":{"method":"POST","url":"Patient"}},
	 {"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},
	   "subject":{"reference":"urn:uuid:8a7e4cbf-5a0c-4d36-8f2f-0d8a5a6b0001"}},"request":{"method":"POST","url":"Observation"}}]}`
	for _, base := range []string{s.FHIR, s.FHIR + "/"} { // with and without the slash
		if typ := request(t, "POST", base, []byte(bundle)).want(t, 200).json(t).text("type"); typ != "transaction-response" {
			t.Errorf("the answer's type is %q", typ)
		}
	}
	found := request(t, "GET", s.FHIR+"/Observation?patient.family=Beispiel&_include=Observation:patient", nil).want(t, 200).json(t)
	if n := len(found.entries()); n != 4 {
		t.Errorf("found %d resources, want two observations and two patients", n)
	}
}

func TestRestart_KeepsDataAndLinksToFurtherPages(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, "--open", "--data", data)
	for range 3 {
		request(t, "POST", s.FHIR+"/Patient", []byte(patient)).want(t, 201)
	}
	next := request(t, "GET", s.FHIR+"/Patient?_count=2", nil).want(t, 200).json(t).link("next")
	if next == "" {
		t.Fatal("there is no link to the next page")
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v %v, want mode 0700", info.Mode(), err)
	}
	old := s.URL
	s.stop()
	s = start(t, "--open", "--data", data)
	page := request(t, "GET", strings.Replace(next, old, s.URL, 1), nil).want(t, 200).json(t)
	if n := len(page.entries()); n != 1 {
		t.Errorf("the second page has %d patients after a restart, want 1", n)
	}
}

func TestHostNames_ReachServicesBelowADomain(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--domain", "salus.example")
	r := request(t, "POST", s.URL+"/Patient", []byte(patient), "Host", "Default-fhir.FHIR.salus.example:8080").want(t, 201)
	if loc := r.header.Get("Location"); !strings.HasPrefix(strings.ToLower(loc), "http://default-fhir.fhir.salus.example:8080/patient/") {
		t.Errorf("Location is %q", loc)
	}
	request(t, "GET", s.URL+"/health/check", nil, "Host", "default-fhir.fhir.salus.example").want(t, 200)
	request(t, "GET", s.FHIR+"/Patient/"+r.json(t).text("id"), nil).want(t, 200)
	request(t, "GET", s.URL+"/Patient", nil, "Host", "other-fhir.fhir.salus.example").outcome(t, 404)
}

func TestWorkspaceFile_NamesTheServices(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "clinic.yaml")
	text := "workspace: clinic\nservices:\n  - {name: fhir, kind: fhir}\n  - {name: archive, kind: fhir}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--open", "--workspace", file)
	want := fmt.Sprintf("service fhir fhir %s/clinic/fhir|service archive fhir %s/clinic/archive", s.URL, s.URL)
	if got := strings.Join(s.Services, "|"); got != want {
		t.Errorf("announced %q, want %q", got, want)
	}
	request(t, "PUT", s.URL+"/clinic/fhir/Patient/a", []byte(strings.Replace(patient, `"Patient",`, `"Patient","id":"a",`, 1))).want(t, 201)
	request(t, "GET", s.URL+"/clinic/archive/Patient/a", nil).outcome(t, 404)
	request(t, "GET", s.URL+"/default/fhir/Patient/a", nil).outcome(t, 404)
}
