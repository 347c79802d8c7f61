package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestSearchParameter_IsIndexedInTheBackground defines a parameter on a service
// with data, kills the server while it indexes, and finds by the parameter after
// the next start. Writes go on meanwhile.
func TestSearchParameter_IsIndexedInTheBackground(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, "--demo", "--demo-patients", "30", "--data", data)
	parameter := func(code, base, expression string) []byte {
		return fmt.Appendf(nil, `{"resourceType":"SearchParameter","url":"http://example.org/sp/%[1]s","name":"Invented","status":"active",
		 "description":"Invented.","code":%[1]q,"base":[%[2]q],"type":"token","expression":%[3]q}`, code, base, expression)
	}
	status := func(code string) string {
		r := request(t, "GET", s.FHIR+"/SearchParameter/$status?code="+code, nil).want(t, http.StatusOK)
		_, after, _ := strings.Cut(string(r.body), `"name":"status","valueString":"`)
		word, _, _ := strings.Cut(after, `"`)
		return word
	}
	total := func(query string) string {
		r := request(t, "GET", s.FHIR+"/"+query+"&_summary=count", nil, "Prefer", "handling=strict").want(t, http.StatusOK)
		_, after, _ := strings.Cut(string(r.body), `"total":`)
		number, _, _ := strings.Cut(after, ",")
		return number
	}
	request(t, "POST", s.FHIR+"/SearchParameter", parameter("sex", "Patient", "Patient.gender")).want(t, http.StatusCreated)
	waitFor(t, func() bool { return status("sex") == "Enabled" })
	if got, want := total("Patient?sex=female"), total("Patient?gender=female"); got != want || got == "0" {
		t.Errorf("%s by the new parameter, %s by the old one", got, want)
	}

	request(t, "POST", s.FHIR+"/SearchParameter", parameter("state-of-it", "Observation", "Observation.status")).want(t, http.StatusCreated)
	request(t, "PUT", s.FHIR+"/Patient/meanwhile", []byte(`{"resourceType":"Patient","id":"meanwhile","gender":"female"}`)).want(t, http.StatusCreated)
	if got := status("state-of-it"); got != "Supported" {
		t.Errorf("thousands of observations are %s in no time", got)
	}
	s.signal(syscall.SIGKILL)
	s.wait()
	s = start(t, "--open", "--data", data)
	waitFor(t, func() bool { return status("state-of-it") == "Enabled" })
	if got, want := total("Observation?state-of-it=final"), total("Observation?status=final"); got != want || got == "0" {
		t.Errorf("%s by the new parameter, %s by the old one", got, want)
	}
	if got, want := total("Patient?sex=female"), total("Patient?gender=female"); got != want {
		t.Errorf("%s by the new parameter, %s by the old one", got, want)
	}
}
