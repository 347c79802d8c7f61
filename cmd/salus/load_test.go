package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"salus/fhir"
	"salus/fhir/client/load"
)

// loadFrom runs `salus load` on a folder with files against h.
func loadFrom(t *testing.T, ctx context.Context, h http.HandlerFunc, files map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var o, e bytes.Buffer
	code = run(ctx, append([]string{"load", "--to", s.URL + "/default/fhir", dir}, args...), &terminal{out: &o, err: &e})
	return code, o.String(), e.String()
}

func accept(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"resourceType":"Bundle","type":"transaction-response"}`)
}

const twoPatients = `{"resourceType":"Patient","id":"a"}
{"resourceType":"Patient","id":"b"}
`

func TestLoad_CountsWhatItLoaded(t *testing.T) {
	t.Parallel()
	var entries int
	code, out, errs := loadFrom(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.Path != "/default/fhir" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("%s %s, authorization %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		d, err := fhir.Parse(b)
		if err != nil {
			t.Error(err)
			return
		}
		entries += d.Root().Get("entry").Len()
		accept(w, r)
	}, map[string]string{"p.ndjson": twoPatients}, "-v", "--token", "secret")
	if code != exitFine || entries != 2 || errs != "" {
		t.Errorf("exit %d, %d entries sent, errors %q", code, entries, errs)
	}
	for _, want := range []string{"         2 Patient\n", "2 resources in 1 bundles", "0 failed"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
}

func TestLoad_ExitsByWhatFailed(t *testing.T) {
	t.Parallel()
	outcome := `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","diagnostics":"not like this","expression":["Patient.name"]}]}`
	for _, tt := range []struct {
		name   string
		status int
		text   string
		code   int
		says   string
	}{
		{"refused resource", 400, `{"resourceType":"Patient","id":"a"}`, exitUsage, "p.ndjson:1 (Patient): not like this at Patient.name"},
		{"no right", 403, twoPatients, exitNotAllowed, "not like this"},
		{"not known", 401, twoPatients, exitNotAllowed, "not like this"},
		{"broken service", 500, twoPatients, exitInternal, "p.ndjson (2 resources): not like this"},
		{"no space", 507, twoPatients, exitUnavailable, "not like this"},
		{"broken file", 200, "{", exitUsage, "p.ndjson:1: JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := loadFrom(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				io.WriteString(w, outcome)
			}, map[string]string{"p.ndjson": tt.text})
			if code != tt.code || !strings.Contains(errs, tt.says) {
				t.Errorf("exit %d, want %d; errors %q, want %q", code, tt.code, errs, tt.says)
			}
			if !strings.Contains(out, "0 resources in 0 bundles") {
				t.Errorf("summary %q", out)
			}
		})
	}
}

func TestLoad_ListsOnlyTheFirstFailuresUnlessAskedForAll(t *testing.T) {
	t.Parallel()
	files := map[string]string{"p.ndjson": strings.Repeat("broken\n", loadFailures+5)}
	_, _, errs := loadFrom(t, t.Context(), accept, files)
	if n := strings.Count(errs, "p.ndjson:"); n != loadFailures || !strings.Contains(errs, "… and 5 more\n") {
		t.Errorf("%d failures listed: %s", n, errs)
	}
	_, _, errs = loadFrom(t, t.Context(), accept, files, "-v")
	if n := strings.Count(errs, "p.ndjson:"); n != loadFailures+5 {
		t.Errorf("%d failures listed with -v", n)
	}
}

func TestLoad_RefusesAWrongAddressOrPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"load", "--to", "nowhere", t.TempDir()}, exitUsage},
		{[]string{"load"}, exitUsage},
		{[]string{"load", filepath.Join(t.TempDir(), "none")}, exitNotFound},
	} {
		if code := run(t.Context(), tt.args, &terminal{out: io.Discard, err: io.Discard}); code != tt.code {
			t.Errorf("%v: exit %d, want %d", tt.args, code, tt.code)
		}
	}
}

func TestLoad_InterruptedTellsWhatItDid(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	files := map[string]string{}
	for i := range 50 {
		files[fmt.Sprintf("%02d.json", i)] = fmt.Sprintf(`{"resourceType":"Patient","id":"p%d"}`, i)
	}
	code, out, _ := loadFrom(t, ctx, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		accept(w, r)
	}, files, "-j", "1")
	if code != exitInterrupted || !strings.Contains(out, "the load is not complete") || strings.Contains(out, "50 resources") {
		t.Errorf("exit %d, %q", code, out)
	}
	if !strings.HasPrefix(out, "1 resources in 1 bundles") && !strings.HasPrefix(out, "2 resources in 2 bundles") {
		t.Errorf("the bundle in flight was not awaited: %q", out)
	}
}

func TestLoad_DefaultsAreThoseOfThePackage(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	run(t.Context(), []string{"load", "--help"}, &terminal{out: &help, err: io.Discard})
	for _, want := range []string{fmt.Sprintf("--workers=%d", load.DefaultWorkers), fmt.Sprintf("--batch=%d", load.DefaultBatch)} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help lacks %q", want)
		}
	}
}
