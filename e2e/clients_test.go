package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClients drives the server with FHIR clients of others, from npm: what they
// make of its answers is what applications see. The versions are pinned in
// clients/package-lock.json.
func TestClients(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("not covered: FHIR clients from npm: %v", err)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("clients")); err != nil {
		t.Fatal(err)
	}
	install(t, dir, "FHIR clients from npm")
	s := start(t, "--open")
	for _, script := range []string{"fhirkit.js", "medplum.js"} {
		t.Run(strings.TrimSuffix(script, ".js"), func(t *testing.T) { node(t, dir, script, s.FHIR) })
	}
}

// offline are the errors of npm that say that there is no registry to reach.
var offline = []string{"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT", "ENOTCACHED"}

// install installs what a folder asks for; what is not covered without it is said when the registry cannot be reached.
func install(t *testing.T, dir, what string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=20000")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	for _, code := range offline {
		if bytes.Contains(out, []byte(code)) {
			t.Skipf("NOT COVERED: %s: it cannot be fetched: %s", what, code)
		}
	}
	t.Fatalf("npm ci: %v\n%s", err, out)
}

// node runs a script, which prints a line for each of its checks.
func node(t *testing.T, dir, script, base string) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FHIR_URL="+base)
	out, err := cmd.CombinedOutput()
	checks := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "ok "); ok {
			checks++
			t.Run(name, func(*testing.T) {})
		}
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(script), err, out)
	}
	if checks < 10 {
		t.Errorf("only %d checks passed:\n%s", checks, out)
	}
}
