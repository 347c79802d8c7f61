package fhir_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// together runs f n times at once and returns what it returned.
func together[T any](n int, f func(i int) T) []T {
	all := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { all[i] = f(i) })
	}
	wg.Wait()
	return all
}

func must(t *testing.T, status int, r reply, err error) reply {
	t.Helper()
	if err != nil || r.status != status {
		t.Fatalf("want status %d: %v %v", status, err, r)
	}
	return r
}

// TestRace_BatchesOfTheSame writes the same patients from four batches at once:
// all succeed, one after another.
func TestRace_BatchesOfTheSame(t *testing.T) {
	t.Parallel()
	service, u := first(), unique()
	bundle := func(n int) string {
		var entries []string
		for i := range 5 {
			entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Patient","id":"%[1]s-%[2]d","name":[{"family":"v%[3]d"}]},"request":{"method":"PUT","url":"Patient/%[1]s-%[2]d"}}`, u, i, n))
		}
		return `{"resourceType":"Bundle","type":"batch","entry":[` + strings.Join(entries, ",") + `]}`
	}
	r, err := send("POST", service.base, bundle(0))
	must(t, 200, r, err)
	for n, mode := range []string{"sequential", "parallel"} {
		replies := together(4, func(i int) reply {
			r, err := send("POST", service.base, bundle(10*n+i+1), "x-bundle-processing-logic", mode)
			if err != nil {
				return reply{body: []byte(err.Error())}
			}
			return r
		})
		for _, r := range replies {
			for i, e := range r.list("entry") {
				if status := text(lookup(e, "response.status")); !strings.HasPrefix(status, "200") {
					t.Errorf("%s: entry %d is answered with %q\n%v", mode, i, status, r)
				}
			}
		}
	}
	for i := range 5 {
		r, err := send("GET", fmt.Sprintf("%s/Patient/%s-%d", service.base, u, i), "")
		if version := must(t, 200, r, err).text("meta.versionId"); version != "9" {
			t.Errorf("patient %d has version %s, want 9", i, version)
		}
	}
}

// TestRace_ConditionalCreates makes one resource of many requests.
func TestRace_ConditionalCreates(t *testing.T) {
	t.Parallel()
	service, u := first(), unique()
	body := strings.ReplaceAll(ann, "{u}", u)
	replies := together(12, func(int) reply {
		r, err := send("POST", service.base+"/Patient", body, "If-None-Exist", "identifier=urn:salus:e2e|"+u)
		if err != nil {
			return reply{body: []byte(err.Error())}
		}
		return r
	})
	created := 0
	for _, r := range replies {
		switch r.status {
		case 201:
			created++
		case 200, 409, 412:
		default:
			t.Errorf("answered with %v", r)
		}
	}
	if created != 1 {
		t.Errorf("%d requests created a patient, want 1", created)
	}
	r, err := send("GET", service.base+"/Patient?identifier="+u+"&_summary=count", "")
	if total := must(t, 200, r, err).text("total"); total != "1" {
		t.Errorf("there are %s patients, want 1", total)
	}
}

// TestRace_Updates lets one of many updates of the same version win.
func TestRace_Updates(t *testing.T) {
	t.Parallel()
	service, u := first(), unique()
	place := service.base + "/Patient/" + u
	r, err := send("PUT", place, `{"resourceType":"Patient","id":"`+u+`"}`)
	must(t, 201, r, err)
	replies := together(8, func(i int) reply {
		r, err := send("PUT", place, fmt.Sprintf(`{"resourceType":"Patient","id":"%s","name":[{"family":"n%d"}]}`, u, i), "If-Match", `W/"1"`)
		if err != nil {
			return reply{body: []byte(err.Error())}
		}
		return r
	})
	won := 0
	for _, r := range replies {
		if r.status == 200 {
			won++
		} else if r.status != 412 && r.status != 409 {
			t.Errorf("answered with %v", r)
		}
	}
	if won != 1 {
		t.Errorf("%d updates won, want 1", won)
	}
}

// TestRace_HistoryWindows reads the history in windows that share their bounds
// while others write: no version is missed, none is seen twice.
func TestRace_HistoryWindows(t *testing.T) {
	t.Parallel()
	service, u := first(), unique()
	const writers, each = 4, 12
	r, err := send("PUT", service.base+"/Basic/"+u, `{"resourceType":"Basic","id":"`+u+`","code":{"text":"x"}}`)
	since := must(t, 201, r, err).text("meta.lastUpdated")
	start := since
	var bounds []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(writers, func(w int) error {
			for i := range each {
				id := fmt.Sprintf("%s-%d-%d", u, w, i)
				r, err := send("PUT", service.base+"/Basic/"+id, `{"resourceType":"Basic","id":"`+id+`","code":{"text":"x"}}`)
				if err != nil || r.status != 201 {
					return fmt.Errorf("%w %v", err, r)
				}
			}
			return nil
		})
	}()
	seen := map[string]int{}
	window := func(from, before string) {
		address := service.base + "/Basic/_history?_count=20&_since=" + from
		if before != "" {
			address += "&_before=" + before
		}
		for address != "" {
			r, err := send("GET", address, "")
			must(t, 200, r, err)
			for _, e := range r.list("entry") {
				if id := text(lookup(e, "resource.id")); strings.HasPrefix(id, u+"-") {
					seen[id]++
				}
			}
			address = r.link("next")
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		// A bound that has passed, by the clock of the service.
		r, err := send("GET", service.base+"/Basic?_id="+u, "")
		bound := must(t, 200, r, err).text("meta.lastUpdated")
		if after(bound, since) {
			window(since, bound)
			bounds = append(bounds, bound)
			since = bound
		}
	}
	window(since, "")
	var missed []string
	for w := range writers {
		for i := range each {
			if n := seen[fmt.Sprintf("%s-%d-%d", u, w, i)]; n != 1 {
				missed = append(missed, fmt.Sprintf("%d-%d seen %d times", w, i, n))
			}
		}
	}
	if slices.Sort(missed); len(missed) > 0 {
		t.Errorf("from %s in windows up to %v: %v", start, bounds, missed)
	}
}

// after compares two instants.
func after(a, b string) bool {
	x, err := time.Parse(time.RFC3339Nano, a)
	y, err2 := time.Parse(time.RFC3339Nano, b)
	return err == nil && err2 == nil && x.After(y)
}
