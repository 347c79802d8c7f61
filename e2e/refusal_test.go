package e2e_test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServe_RefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	settings := write("salus.yaml", "listen: 127.0.0.1:0\nlog_level: debug\ndemo-patients: many\n")
	workspaceFile := write("devices.yaml", "workspace: clinic\nservices:\n  - {name: devices, kind: medtech}\n")
	plain := write("file", "")
	tests := []struct {
		name  string
		args  []string
		code  int
		wants []string // on standard error
	}{
		{"open beyond loopback", []string{"--open", "--listen", "0.0.0.0:0"}, 2, []string{"--listen: without authentication only loopback"}},
		{"demo beyond loopback", []string{"--demo", "--listen", ":0"}, 2, []string{"only loopback"}},
		{"beyond loopback", []string{"--listen", "[::]:0"}, 2, []string{"no authentication yet"}},
		{"unknown flag", []string{"--mqtt", "127.0.0.1:1883"}, 2, []string{"unknown flag --mqtt"}},
		{"bad value", []string{"--log-level", "loud"}, 2, []string{"--log-level: must be one of debug, info, warn, error"}},
		{"unknown key and bad value in the file", []string{"--config", settings}, 2, []string{
			settings + ": log_level: unknown setting; did you mean log-level?", settings + ": demo-patients: must be a whole number"}},
		{"missing file", []string{"--config", filepath.Join(dir, "none.yaml")}, 2, []string{"no such file"}},
		{"kind that is not there", []string{"--workspace", workspaceFile}, 2, []string{workspaceFile + " line 3: kind: medtech services are not in this build"}},
		{"port taken", []string{"--listen", taken.Addr().String()}, 6, []string{"cannot listen on " + taken.Addr().String()}},
		{"data below a file", []string{"--listen", "127.0.0.1:0", "--data", filepath.Join(plain, "data")}, 6, []string{"the data directory cannot be made"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := run(t, append([]string{"serve"}, tt.args...)...)
			if code != tt.code || stdout != "" {
				t.Errorf("exit code %d and output %q, want %d and none", code, stdout, tt.code)
			}
			for _, want := range tt.wants {
				if !strings.Contains(stderr, want) {
					t.Errorf("standard error lacks %q:\n%s", want, stderr)
				}
			}
		})
	}
}

func TestTwoServers_CannotShareData(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := start(t, "--open", "--data", data)
	_, stderr, code := run(t, "serve", "--open", "--listen", "127.0.0.1:0", "--data", data)
	if code != 6 || !strings.Contains(stderr, "in use by another process") {
		t.Errorf("the second server ends with code %d:\n%s", code, stderr)
	}
	request(t, "POST", first.FHIR+"/Patient", []byte(patient)).want(t, 201)
}

func TestNewerData_IsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start(t, "--open", "--data", data).stop()
	format := filepath.Join(data, "default", "fhir", "FORMAT")
	before, err := os.ReadFile(format)
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Replace(before, []byte(" 1"), []byte(" 99"), 1)
	if err := os.WriteFile(format, newer, 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := run(t, "serve", "--open", "--listen", "127.0.0.1:0", "--data", data)
	if code != 2 || !strings.Contains(stderr, "format 99") || !strings.Contains(stderr, "use a newer Salus") {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
	if after, err := os.ReadFile(format); err != nil || !bytes.Equal(after, newer) {
		t.Errorf("the format file was changed to %q (%v)", after, err)
	}
	if err := os.WriteFile(format, before, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "--open", "--data", data)
}

func TestBodies_LargeBrokenAndStrange(t *testing.T) {
	t.Parallel()
	s := start(t, "--open", "--max-body", "40MB")
	binary := func(size int) []byte {
		return []byte(`{"resourceType":"Binary","contentType":"image/png","data":"` + strings.Repeat("AAAA", size/4) + `"}`)
	}
	big := binary(30_000_000)
	at := request(t, "POST", s.FHIR+"/Binary", big).want(t, 201).json(t).text("id")
	if got := request(t, "GET", s.FHIR+"/Binary/"+at, nil, "Accept", "application/fhir+json").want(t, 200); len(got.body) < len(big) {
		t.Errorf("the binary came back with %d bytes of %d", len(got.body), len(big))
	}
	request(t, "POST", s.FHIR+"/Binary", binary(41_000_000)).outcome(t, 413)

	bundle := `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Repeat(`{"resource":`+string(binary(10_000_000))+`,"request":{"method":"POST","url":"Binary"}},`, 4)
	if r := request(t, "POST", s.FHIR, []byte(strings.TrimSuffix(bundle, ",")+"]}")).want(t, 200).json(t); len(r["entry"].([]any)) != 4 {
		t.Error("the large transaction has not all its entries")
	}

	for name, body := range map[string]string{
		"empty":           "",
		"no JSON":         "<Patient/>",
		"cut short":       `{"resourceType":"Patient"`,
		"invalid UTF-8":   "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"\xff\xfe\"}]}",
		"NUL byte":        "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"a\x00b\"}]}",
		"only NUL bytes":  strings.Repeat("\x00", 100),
		"an array":        "[1,2]",
		"unknown element": `{"resourceType":"Patient","surname":"x"}`,
		"deep":            strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			request(t, "POST", s.FHIR+"/Patient", []byte(body), "Content-Type", "application/fhir+json").outcome(t, 400)
		})
	}
	for _, path := range []string{"/Patient/%00", "/Patient/%ff", "/Patient/a%2fb", "/Patient/" + strings.Repeat("a", 65), "/Nobody", "/patient"} {
		if r := request(t, "GET", s.FHIR+path, nil); r.status < 400 || r.status >= 500 {
			t.Errorf("GET %s is answered with %d", path, r.status)
		}
	}
	request(t, "GET", s.FHIR+"/Patient", nil).want(t, 200) // still there
}

func TestUnknownPlaces_AreNotFound(t *testing.T) {
	t.Parallel()
	s := start(t, "--open")
	for _, path := range []string{"/nowhere", "/default", "/default/", "/default/none/Patient", "/default/fhirx", "/other/fhir/Patient", "/health"} {
		request(t, "GET", s.URL+path, nil).outcome(t, 404)
	}
	for _, path := range []string{"/", "/health/check", "/metrics", "/default/fhir/health/check"} {
		request(t, "POST", s.URL+path, []byte("{}")).outcome(t, 405)
		request(t, "GET", s.URL+path, nil).want(t, 200)
	}
	request(t, "GET", s.URL+"/nowhere", nil).outcome(t, 404)
	if r := request(t, "GET", s.URL+"/health/check", nil).json(t); r.text("overallStatus") != "Healthy" {
		t.Errorf("health is %v", r)
	}
	if r := request(t, http.MethodHead, s.URL+"/health/check", nil).want(t, 200); len(r.body) > 0 {
		t.Error("HEAD has a body")
	}
}

// TestNoPatientData_InLogsMetricsOrErrors writes, searches and breaks resources
// that hold a marker, and looks for it where no patient data may be.
func TestNoPatientData_InLogsMetricsOrErrors(t *testing.T) {
	t.Parallel()
	const marker = "Zyxwv8841"
	s := start(t, "--open", "--log-level", "debug")
	with := func(template string) []byte { return []byte(strings.ReplaceAll(template, "@", marker)) }
	good := with(`{"resourceType":"Patient","identifier":[{"system":"http://x/@","value":"@"}],"name":[{"family":"@"}]}`)
	request(t, "POST", s.FHIR+"/Patient", good).want(t, 201)
	for _, query := range []string{"family=@", "identifier=http://x/%7C@", "_id=@", "birthdate=@", "@=1", "family:@=1", "general-practitioner.name=@", "_sort=@"} {
		r := request(t, "GET", s.FHIR+"/Patient?"+string(with(query)), nil)
		if r.status >= 500 {
			t.Errorf("%s is answered with %d", query, r.status)
		}
	}
	for _, bad := range []string{
		`{"resourceType":"Patient","birthDate":"@"}`, `{"resourceType":"Patient","gender":"@"}`, `{"resourceType":"Patient","name":"@"}`,
		`{"resourceType":"Patient","name":[{"family":"@"`, `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","birthDate":"@"},"request":{"method":"POST","url":"Patient"}}]}`,
		`{"resourceType":"@"}`,
	} {
		place := "/Patient"
		if strings.Contains(bad, "Bundle") {
			place = ""
		}
		r := request(t, "POST", s.FHIR+place, with(bad))
		if r.status < 400 || r.status >= 500 {
			t.Errorf("%s is answered with %d", bad, r.status)
		}
		if strings.Contains(string(r.body), marker) {
			t.Errorf("the error repeats a value: %.400s", r.body)
		}
	}
	if m := request(t, "GET", s.URL+"/metrics", nil).want(t, 200); strings.Contains(string(m.body), marker) {
		t.Error("metrics hold a value")
	}
	s.stop()
	if log := s.Log.String(); strings.Contains(log, marker) {
		t.Errorf("the log holds a value:\n%s", log)
	} else if !strings.Contains(log, "route=/{type}") {
		t.Errorf("the log has no requests; the test proves nothing:\n%s", log)
	}
}
