package client_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/client"
)

// serve starts a service and returns a client of it that waits without time
// passing; the waits are written to slept.
func serve(t *testing.T, o client.Options, h http.HandlerFunc) (c *client.Client, slept *[]time.Duration) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	slept = new([]time.Duration)
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		*slept = append(*slept, d)
		return ctx.Err()
	}
	c, err := client.New(s.URL+"/default/fhir/", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, slept
}

func TestNew_RefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "127.0.0.1:8080", "ftp://host/fhir", "http://", "/default/fhir", "http://a b"} {
		if _, err := client.New(base, client.Options{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("New(%q): %v, want Invalid", base, err)
		}
	}
}

func TestDo_SendsWhereAndWhatItWasTold(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, client.Options{Header: http.Header{"Authorization": {"Bearer x"}}}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("ETag", `W/"7"`)
		w.Header().Set("Location", "http://"+r.Host+"/default/fhir/Patient/a/_history/7")
		fmt.Fprintf(w, "%s %s %s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Accept"), r.Header.Get("Content-Type"),
			r.Header.Get("Authorization"), body)
	})
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		do   func() (*client.Response, error)
		want string
	}{
		{"read", func() (*client.Response, error) { return c.Read(ctx, fhir.Key{Type: "Patient", ID: "a"}) },
			"GET /default/fhir/Patient/a application/fhir+json  Bearer x "},
		{"create", func() (*client.Response, error) { return c.Create(ctx, "Patient", []byte(`{}`)) },
			"POST /default/fhir/Patient application/fhir+json application/fhir+json Bearer x {}"},
		{"update", func() (*client.Response, error) {
			return c.Update(ctx, fhir.Key{Type: "Patient", ID: "a"}, []byte(`{}`))
		}, "PUT /default/fhir/Patient/a application/fhir+json application/fhir+json Bearer x {}"},
		{"own header", func() (*client.Response, error) {
			return c.Do(ctx, client.Request{Method: "GET", Path: "metadata", Header: http.Header{"accept": {"*/*"}}})
		}, "GET /default/fhir/metadata */*  Bearer x "},
		{"base", func() (*client.Response, error) {
			return c.Do(ctx, client.Request{Method: "POST", Body: []byte(`{}`)})
		}, "POST /default/fhir application/fhir+json application/fhir+json Bearer x {}"},
	} {
		r, err := tt.do()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if string(r.Body) != tt.want {
			t.Errorf("%s: sent %q, want %q", tt.name, r.Body, tt.want)
		}
		if r.Version() != 7 || r.Location() != (fhir.Key{Type: "Patient", ID: "a"}) {
			t.Errorf("%s: version %d of %v", tt.name, r.Version(), r.Location())
		}
	}
}

func TestDo_TriesAgainWhenTheServiceIsBusy(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	answers := []func(http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(503) },
		func(w http.ResponseWriter) { w.WriteHeader(429) },
		func(w http.ResponseWriter) { w.Header().Set("Retry-After", "3"); w.WriteHeader(429) },
		func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", now.Add(4*time.Second).Format(http.TimeFormat))
			w.WriteHeader(503)
		},
		func(w http.ResponseWriter) { w.Header().Set("x-ms-retry-after-ms", "2500"); w.WriteHeader(429) },
		func(w http.ResponseWriter) { w.Header().Set("Retry-After", "3600"); w.WriteHeader(503) },
	}
	var bodies []string
	o := client.Options{MaxDelay: 10 * time.Second, Now: func() time.Time { return now }, Jitter: func() float64 { return 0.5 }}
	c, slept := serve(t, o, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
		if n := len(bodies); n <= len(answers) {
			answers[n-1](w)
		}
	})
	if _, err := c.Create(t.Context(), "Patient", []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{75 * time.Millisecond, 150 * time.Millisecond, 3 * time.Second, 4 * time.Second, 2500 * time.Millisecond, 10 * time.Second}
	if !slices.Equal(*slept, want) {
		t.Errorf("waited %v, want %v", *slept, want)
	}
	for i, b := range bodies {
		if b != `{"a":1}` {
			t.Errorf("try %d sent %q", i, b)
		}
	}
}

func TestDo_GivesUpAfterItsTries(t *testing.T) {
	t.Parallel()
	tries := 0
	c, _ := serve(t, client.Options{Retries: 2}, func(w http.ResponseWriter, _ *http.Request) {
		tries++
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(429)
	})
	_, err := c.Read(t.Context(), fhir.Key{Type: "Patient", ID: "a"})
	if f := fault.As(err); f.Kind != fault.Throttled || f.RetryAfter != time.Second || tries != 3 {
		t.Errorf("%v after %d tries, want Throttled after 3", err, tries)
	}
}

func TestDo_DoesNotRepeatWhatMayHaveHappened(t *testing.T) {
	t.Parallel()
	for _, status := range []int{500, 502, 504, 409, 412} {
		tries := 0
		c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) { tries++; w.WriteHeader(status) })
		_, err := c.Create(t.Context(), "Patient", []byte(`{}`))
		if !fault.Is(err, client.KindOf(status)) || tries != 1 {
			t.Errorf("%d: %v after %d tries", status, err, tries)
		}
	}
}

func TestDo_MakesFaultsOfOutcomes(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `W/"4"`)
		w.WriteHeader(410)
		io.WriteString(w, `{"resourceType":"OperationOutcome","issue":[
			{"severity":"error","code":"deleted","diagnostics":"gone","expression":["Patient"]},
			{"severity":"warning","code":"value","details":{"text":"also"},"location":["line 1"]}]}`)
	})
	_, err := c.Read(t.Context(), fhir.Key{Type: "Patient", ID: "a"})
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		t.Fatalf("%v is no fault", err)
	}
	want := []fault.Issue{
		{Severity: fault.Error, Code: "deleted", Text: "gone", Expression: "Patient"},
		{Severity: fault.Warning, Code: "value", Text: "also", Location: "line 1"},
	}
	if f.Kind != fault.Gone || f.Version != 4 || f.Message != "gone" || !slices.Equal(f.Issues, want) {
		t.Errorf("%+v", f)
	}
}

func TestDo_FaultWithoutOutcomeTellsTheStatus(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", `{"resourceType":"Patient"}`, `{"resourceType":"OperationOutcome"}`} {
		c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(422); io.WriteString(w, body) })
		_, err := c.Read(t.Context(), fhir.Key{Type: "Patient", ID: "a"})
		if f := fault.As(err); f.Kind != fault.Unprocessable || !strings.Contains(f.Message, "422") {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestDo_SaysWhyNoAnswerCame(t *testing.T) {
	t.Parallel()
	gone, err := client.New("http://127.0.0.1:1/fhir", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Do(t.Context(), client.Request{Method: "GET"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v, want Unavailable", err)
	}
	c, _ := serve(t, client.Options{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Do(ctx, client.Request{Method: "GET"}); !fault.Is(err, fault.Canceled) {
		t.Errorf("given up: %v, want Canceled", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, client.Request{Method: "GET"}); !fault.Is(err, fault.Timeout) {
		t.Errorf("too slow: %v, want Timeout", err)
	}
}

func TestDo_CompressesLargeBodiesWhenAsked(t *testing.T) {
	t.Parallel()
	large := `{"text":"` + strings.Repeat("long ", 1000) + `"}`
	for _, tt := range []struct{ body, encoding string }{{large, "gzip"}, {`{}`, ""}} {
		c, _ := serve(t, client.Options{Gzip: true}, func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Content-Encoding"); got != tt.encoding {
				t.Errorf("Content-Encoding %q, want %q", got, tt.encoding)
			}
			var body io.Reader = r.Body
			if tt.encoding == "gzip" {
				z, err := gzip.NewReader(r.Body)
				if err != nil {
					t.Error(err)
					return
				}
				body = z
			}
			if b, err := io.ReadAll(body); err != nil || string(b) != tt.body {
				t.Errorf("received %d bytes (%v), want %d", len(b), err, len(tt.body))
			}
		})
		for range 2 { // the second with a writer that was used before
			if _, err := c.Create(t.Context(), "Basic", []byte(tt.body)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestBundle_TellsWhatBecameOfEachEntry(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"resourceType":"Bundle","type":"batch-response","entry":[
			{"response":{"status":"201 Created","location":"Patient/a/_history/1"}},
			{"response":{"status":"400","outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","diagnostics":"bad"}]}}},
			{"response":{}}]}`)
	})
	entries, err := c.Bundle(t.Context(), []byte(`{}`))
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v, %v", entries, err)
	}
	if e := entries[0]; e.Status != 201 || e.Location != (fhir.Key{Type: "Patient", ID: "a"}) || e.Fault != nil {
		t.Errorf("first: %+v", e)
	}
	if e := entries[1]; e.Status != 400 || e.Fault == nil || e.Fault.Kind != fault.Invalid || e.Fault.Message != "bad" {
		t.Errorf("second: %+v", e)
	}
	if e := entries[2]; e.Status != 0 || e.Fault != nil {
		t.Errorf("third: %+v", e)
	}
}

func TestBundle_RefusesAnAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "ok", `{"resourceType":"Patient"}`} {
		c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
		if _, err := c.Bundle(t.Context(), []byte(`{}`)); !fault.Is(err, fault.Internal) {
			t.Errorf("%q: %v, want Internal", body, err)
		}
	}
}

func TestSearch_FollowsTheLinks(t *testing.T) {
	t.Parallel()
	requests := 0
	c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		requests++
		next := ""
		if r.URL.Query().Get("ct") != "2" {
			next = fmt.Sprintf(`{"relation":"next","url":"http://%s/default/fhir/Patient?ct=2"}`, r.Host)
		}
		fmt.Fprintf(w, `{"resourceType":"Bundle","type":"searchset","total":3,"link":[%s],"entry":[
			{"resource":{"resourceType":"Patient","id":"p%d"},"search":{"mode":"match"}},
			{"resource":{"resourceType":"Organization"},"search":{"mode":"include"}}]}`, next, requests)
	})
	var ids []string
	for p, err := range c.Search(t.Context(), "Patient?name=x") {
		if err != nil {
			t.Fatal(err)
		}
		if p.Total() != 3 || p.Size == 0 {
			t.Errorf("total %d, size %d", p.Total(), p.Size)
		}
		for r := range p.Matches {
			ids = append(ids, string(r.ID()))
		}
	}
	if !slices.Equal(ids, []string{"p1", "p2"}) {
		t.Errorf("found %v", ids)
	}
	for range c.Search(t.Context(), "Patient?name=x") {
		break
	}
	if requests != 3 {
		t.Errorf("%d requests: a page was fetched that nobody asked for", requests)
	}
}

func TestSearch_EndsAfterAnError(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) })
	errs := 0
	for _, err := range c.Search(t.Context(), "Patient?x=y") {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%v, want Invalid", err)
		}
		errs++
	}
	if errs != 1 {
		t.Errorf("%d errors", errs)
	}
}

func TestKeyOf_ReadsLocations(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"Patient/1": "Patient/1", "Patient/1/_history/2": "Patient/1", "https://h/b/Patient/1/_history/2": "Patient/1",
		"": "/", "1": "/", "Patient/": "/",
	} {
		if got := client.KeyOf(location).String(); got != want {
			t.Errorf("KeyOf(%q) = %q, want %q", location, got, want)
		}
	}
}
