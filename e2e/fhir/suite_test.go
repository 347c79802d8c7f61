// Package fhir holds a FHIR R4 service to its REST API as clients know it: what
// is answered to a request, by the specification and, where that leaves a
// choice or differs, by Azure Health Data Services, the reference.
//
// It promises to know nothing of the server but its base URL, to find only what
// it made itself, so that it runs on a server in use, and to remove nothing else.
// What one engine does inside is left to that engine's tests.
package fhir_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"salus/e2e/program"
)

// The environment points the suite at a server that runs already.
const (
	urlVariable    = "SALUS_E2E_URL"    // base URL of a FHIR service
	compatVariable = "SALUS_E2E_COMPAT" // azure (default) or strict: whose rules it follows
)

// mode is whose rules a service follows where the reference and FHIR R4 differ.
type mode string

const (
	everywhere mode = ""
	azure      mode = "azure"
	strict     mode = "strict"
)

// target is a service under test.
type target struct {
	base string // without a slash at the end
	mode mode
}

// services are what TestMain found or started. policies has versioning policies
// and exists only when the suite started the server itself.
var services struct {
	all      []target
	policies *target
}

// workspace describes the services of the suite's own server.
const workspace = `workspace: suite
services:
  - name: fhir
    kind: fhir
    settings:
      cors: {origins: ["https://localhost:6001"], methods: [GET, POST, PUT, PATCH, DELETE], headers: [authorization, content-type], maxAge: 1440}
  - name: strict
    kind: fhir
    settings: {compat: strict}
  - name: policies
    kind: fhir
    settings: {versioning: {default: versioned, types: {Basic: no-version, Patient: versioned-update}}}
`

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if base := os.Getenv(urlVariable); base != "" {
		rules := mode(os.Getenv(compatVariable))
		if rules != strict {
			rules = azure
		}
		services.all = []target{{strings.TrimSuffix(base, "/"), rules}}
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "salus-e2e-fhir-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	server, err := serve(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	services.all = []target{{server.URL + "/suite/fhir", azure}, {server.URL + "/suite/strict", strict}}
	services.policies = &target{server.URL + "/suite/policies", azure}
	code := m.Run()
	if ended, err := server.Stop(); err != nil || ended != 0 {
		fmt.Fprintf(os.Stderr, "salus ended with code %d: %v\n%s", ended, err, server.Log)
		return 1
	}
	return code
}

func serve(dir string) (*program.Server, error) {
	path, err := program.Build("../../cmd/salus", dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "workspace.yaml")
	if err := os.WriteFile(file, []byte(workspace), 0o600); err != nil {
		return nil, err
	}
	return program.Start(context.Background(), path, dir, "--open", "--data", filepath.Join(dir, "data"), "--workspace", file, "--bundle-entries", "500", "--log-level", "warn")
}

// first is the service that the suite is mainly about.
func first() target { return services.all[0] }

// on runs f once for each service, with what differs between them in mind.
func on(t *testing.T, f func(*testing.T, target)) {
	for _, s := range services.all {
		t.Run(string(s.mode), func(t *testing.T) {
			t.Parallel()
			f(t, s)
		})
	}
}

// unique returns a word that nothing else on the server holds.
func unique() string { return "e2e" + strings.ToLower(rand.Text()[:12]) }
