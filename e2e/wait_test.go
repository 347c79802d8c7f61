package e2e_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// hang sends half a request and returns once the server waits for the rest. The
// returned function gives the connection up.
func hang(t *testing.T, s *server) func() {
	t.Helper()
	host := strings.TrimPrefix(s.URL, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST /default/fhir/Patient HTTP/1.1\r\nHost: %s\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{", host)
	waitFor(t, func() bool {
		return strings.Contains(string(request(t, "GET", s.URL+"/metrics", nil).body), "salus_http_requests_in_flight 2")
	})
	return func() { c.Close() }
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what was waited for did not happen")
		}
	}
}

func contains(b *buffer, s string) bool { return strings.Contains(b.String(), s) }

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
