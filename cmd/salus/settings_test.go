package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"salus/fault"
)

// These tests are inside the package because a command has no importer.

func TestTable_EveryRowIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range table {
		if seen[r.name] {
			t.Errorf("%s: in the table twice", r.name)
		}
		seen[r.name] = true
		if !strings.HasSuffix(r.help, ".") || strings.Count(r.help, ". ") > 0 {
			t.Errorf("%s: the help is not one sentence: %q", r.name, r.help)
		}
		if r.since == "" || r.set == nil {
			t.Errorf("%s: lacks since or set", r.name)
		}
		if r.preset != "" {
			if err := r.set(new(settings), r.preset); err != nil {
				t.Errorf("%s: refuses its own default: %v", r.name, err)
			}
		}
	}
	if fields := reflect.TypeFor[settings]().NumField(); fields != len(table) {
		t.Errorf("%d fields in settings, %d rows", fields, len(table))
	}
}

func TestTable_EveryRowSetsAFieldOfItsOwn(t *testing.T) {
	values := map[string]string{
		"listen": "127.0.0.1:1", "data": "d", "config": "c", "workspace": "w", "open": "true", "demo": "true", "demo-patients": "7",
		"domain": "a.example", "cache-size": "9MB", "max-body": "5MB", "max-bundle": "6MB", "bundle-entries": "9", "shutdown-grace": "3s",
		"max-requests": "9", "max-queue": "9", "queue-wait": "9s", "max-bodies": "9MiB", "request-timeout": "9s", "trusted-proxies": "10.0.0.0/8, fd00::/8",
		"log-level": "error", "log-format": "json", "otlp-endpoint": "http://x:1", "blob-url": "s3://b", "dimse": "127.0.0.1:2", "dimse-cert": "c", "dimse-key": "k", "dimse-ca": "a",
	}
	owner := map[int]string{}
	for _, r := range table {
		var s settings
		if err := r.set(&s, values[r.name]); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		changed := 0
		for i := range reflect.ValueOf(s).NumField() {
			if reflect.ValueOf(s).Field(i).IsZero() {
				continue
			}
			changed++
			if other, ok := owner[i]; ok {
				t.Errorf("%s and %s set the same field", r.name, other)
			}
			owner[i] = r.name
		}
		if changed != 1 {
			t.Errorf("%s sets %d fields, want 1", r.name, changed)
		}
	}
}

func TestGather_FlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "salus.yaml")
	if err := os.WriteFile(file, []byte("log-level: error\nlog-format: json\ndemo-patients: 5\nopen: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := gather(map[string]string{"log-level": "debug"},
		[]string{"SALUS_CONFIG=" + file, "SALUS_LOG_LEVEL=warn", "SALUS_DEMO_PATIENTS=6", "SALUS_DOMAIN=", "OTHER=1"})
	if err != nil {
		t.Fatal(err)
	}
	if e.LogLevel != slog.LevelDebug || e.DemoPatients != 6 || e.LogFormat != "json" || e.MaxBody != 28<<20 || !e.Open {
		t.Errorf("got %+v", e.settings)
	}
	for name, want := range map[string]origin{"log-level": "--log-level", "demo-patients": "SALUS_DEMO_PATIENTS", "log-format": origin(file),
		"max-body": "default", "config": "SALUS_CONFIG", "domain": "default"} {
		if got := e.origins[name]; got != want {
			t.Errorf("%s comes from %q, want %q", name, got, want)
		}
	}
}

func TestGather_RefusesAllAtOnceWithPlaceAndRule(t *testing.T) {
	file := filepath.Join(t.TempDir(), "salus.yaml")
	text := "listen: nowhere\nconfig: other.yaml\nlog: {level: debug}\nmax-body: [1]\nshutdown-grace: 5\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := gather(map[string]string{"config": file, "domain": "UPPER"}, []string{"SALUS_CACHE_SIZE=lots"})
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	var out bytes.Buffer
	if code := report(&out, err); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	want := []string{
		file + ": config: belongs on the command line or in SALUS_CONFIG", file + ": log: unknown setting", file + ": max-body: must be a single value",
		file + ": listen: must be an address and a port", "--domain: must be a domain name", "SALUS_CACHE_SIZE: must be a size from 8MiB to 1TiB",
		file + ": shutdown-grace: must be a duration",
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d:\n%s", len(lines), len(want), &out)
	}
	for _, w := range want {
		if !strings.Contains(out.String(), "salus: "+w) {
			t.Errorf("lacks %q:\n%s", w, &out)
		}
	}
}

func TestGather_BrokenFiles(t *testing.T) {
	for name, text := range map[string]string{"no mapping": "- a\n", "no YAML": "a: [", "key twice": "open: true\nopen: false\n"} {
		file := filepath.Join(t.TempDir(), "salus.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := gather(map[string]string{"config": file}, nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestGather_WhatSettingsDemandOfEachOther(t *testing.T) {
	tests := []struct {
		name  string
		flags map[string]string
		rule  string // empty: fine
	}{
		{"nothing", nil, ""},
		{"open on loopback", map[string]string{"open": "true", "listen": "[::1]:80"}, ""},
		{"open on localhost", map[string]string{"open": "true", "listen": "localhost:80"}, ""},
		{"open on every address", map[string]string{"open": "true", "listen": ":80"}, "only loopback"},
		{"open on a name", map[string]string{"open": "true", "listen": "localhost.example:80"}, "only loopback"},
		{"demo on an address", map[string]string{"demo": "true", "listen": "192.0.2.1:80"}, "only loopback"},
		{"on an address", map[string]string{"listen": "192.0.2.1:80"}, "no authentication yet"},
		{"on a mapped address", map[string]string{"listen": "[::ffff:192.0.2.1]:80"}, "no authentication yet"},
		{"demo that is not open", map[string]string{"demo": "true", "open": "false"}, "cannot be combined"},
	}
	for _, tt := range tests {
		e, err := gather(tt.flags, nil)
		switch {
		case tt.rule == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.rule != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.rule)):
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.rule)
		case err == nil && e.Demo && !e.Open:
			t.Errorf("%s: demo is not open", tt.name)
		}
	}
}

func TestGather_NamesVariablesWithoutEffect(t *testing.T) {
	e, err := gather(nil, []string{"SALUS_TO=http://x", "SALUS_TEST_POSTGRES=x", "SALUS_LISTN=x", "SALUS_OPEN=true"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(e.unused, " ") != "SALUS_LISTN" {
		t.Errorf("got %q", e.unused)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{"8MiB": 8 << 20, "10MB": 1e7, "9000000": 9e6, "1TiB": 1 << 40, "2GiB": 2 << 30} {
		var got int64
		if err := size(&got, text, 8<<20, 1<<40); err != nil || got != want {
			t.Errorf("%s gives %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1MiB", "1MiB", "2TiB", "1.5GiB", "8 MiB", "8mib", "9999999999999999999", "9000000TiB"} {
		var got int64
		if err := size(&got, text, 8<<20, 1<<40); err == nil {
			t.Errorf("%q is accepted as %d", text, got)
		}
	}
}

func TestSecrets_AreNeverShown(t *testing.T) {
	e := &effective{texts: map[string]string{"key": "hunter2"}}
	if got := e.shown(setting{name: "key", secret: true}); strings.Contains(got, "hunter2") {
		t.Errorf("shown as %q", got)
	}
	if strings.Contains(string(configurationPage()), "hunter2") {
		t.Error("the page shows values")
	}
}

func TestExitCodes_CoverEveryKind(t *testing.T) {
	for _, k := range fault.Kinds() {
		if code, ok := exitCodes[k]; !ok || code == exitFine {
			t.Errorf("kind %v has exit code %d", k, code)
		}
	}
}

func TestConfigurationPage_IsFresh(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, configurationPage()) {
		t.Error("docs/configuration.md is not what the table says; run go generate ./cmd/salus")
	}
}
