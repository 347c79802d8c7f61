package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// reply is an HTTP response read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

var web = &http.Client{Timeout: time.Minute}

// request sends a request with alternating header names and values.
func request(t testing.TB, method, url string, body []byte, header ...string) reply {
	t.Helper()
	r, err := send(web, method, url, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func send(c *http.Client, method, url string, body []byte, header ...string) (reply, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, b}, err
}

// want fails the test unless the status is status.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d; body: %.500s", r.status, status, r.body)
	}
	return r
}

// json returns the body as a JSON object.
func (r reply) json(t testing.TB) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(r.body, &o); err != nil {
		t.Fatalf("body is not a JSON object: %v: %.500s", err, r.body)
	}
	return o
}

// outcome fails the test unless the reply is an OperationOutcome with status.
func (r reply) outcome(t testing.TB, status int) {
	t.Helper()
	if typ := r.want(t, status).json(t).text("resourceType"); typ != "OperationOutcome" {
		t.Errorf("body is %q, want an OperationOutcome: %.300s", typ, r.body)
	}
	if ct := r.header.Get("Content-Type"); !strings.HasPrefix(ct, "application/fhir+json") {
		t.Errorf("Content-Type is %q", ct)
	}
}

// object is a JSON object.
type object map[string]any

// text returns the string at a path of names, "" when there is none.
func (o object) text(path ...string) string {
	var v any = map[string]any(o)
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
	}
	s, _ := v.(string)
	return s
}

// entries returns the resources of a Bundle.
func (o object) entries() []object {
	list, _ := o["entry"].([]any)
	var all []object
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			r, _ := m["resource"].(map[string]any)
			all = append(all, r)
		}
	}
	return all
}

// link returns the URL of a Bundle's link with the relation.
func (o object) link(relation string) string {
	list, _ := o["link"].([]any)
	for _, l := range list {
		if m, ok := l.(map[string]any); ok && m["relation"] == relation {
			s, _ := m["url"].(string)
			return s
		}
	}
	return ""
}
