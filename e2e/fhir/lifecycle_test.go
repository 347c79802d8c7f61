package fhir_test

import (
	"strings"
	"testing"
	"time"
)

// reindex starts a job and waits until it is done.
func reindex(t *testing.T, on target) reply {
	t.Helper()
	r, err := send("POST", on.base+"/$reindex", `{"resourceType":"Parameters","parameter":[]}`)
	if err != nil || r.status != 201 || r.header.Get("Content-Location") == "" {
		t.Fatalf("the job does not start: %v %v", err, r)
	}
	job := r.header.Get("Content-Location")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if r, err = send("GET", job, ""); err != nil || r.status != 200 {
			t.Fatalf("the job cannot be seen: %v %v", err, r)
		}
		switch status := parameter(r, "status"); {
		case status == "Completed":
			return r
		case status == "Failed" || status == "Canceled" || time.Now().After(deadline):
			t.Fatalf("the job is %s\n%v", status, r)
		}
	}
}

// parameter returns the value of a Parameters resource's parameter.
func parameter(r reply, name string) string {
	for _, p := range r.list("parameter") {
		if text(lookup(p, "name")) == name {
			for _, kind := range []string{"valueString", "valueCode", "valueDecimal", "valueInteger"} {
				if v := text(lookup(p, kind)); v != "" {
					return v
				}
			}
		}
	}
	return ""
}

// TestSearchParameter_Life makes a parameter, indexes with it and removes it.
// Jobs are the service's, so there is one test that runs them.
func TestSearchParameter_Life(t *testing.T) {
	t.Parallel()
	defining.Lock()
	defer defining.Unlock()
	w := build(t, first(), thing{"ann", `{"resourceType":"Patient","name":[{"family":"x","suffix":["Jr"]}]}`}, thing{"bob", `{"resourceType":"Patient","name":[{"family":"x","suffix":["Sr"]}]}`})
	v := values{"u": w.prefix, "base": w.on.base}
	must := func(steps ...step) {
		t.Helper()
		for _, s := range steps {
			if problems := s.run(w.on, v, false); len(problems) > 0 {
				t.Fatal(strings.Join(problems, "\n"))
			}
		}
	}
	url := "http://example.org/SearchParameter/" + w.prefix
	must(do("POST SearchParameter", 201, body(definition(onPatient)), keep("id", "id")))
	w.finds(t, []find{{"not before it is indexed", "Patient?{w}=Jr", "ann bob !not-supported"}})
	must(do("GET SearchParameter/$status?url="+url, 200, says("Supported")))
	reindex(t, w.on)
	must(do("GET SearchParameter/$status?url="+url, 200, says("Enabled")), do("GET metadata", 200, says(url)))
	w.finds(t, []find{
		{"once it is indexed", "Patient?{w}=Jr", "ann"},
		{"as its type is", "Patient?{w}:exact=sr", ""},
		{"missing", "Patient?{w}:missing=false", "ann bob"},
	})
	w.add(t, thing{"cy", `{"resourceType":"Patient","name":[{"suffix":["Jr"]}]}`})
	w.finds(t, []find{{"what is written later", "Patient?{w}=Jr", "ann cy"}})
	w.ordered(t, []find{{"sorted", "Patient?_sort=-{w}", "bob ann cy"}})
	must(do("PUT SearchParameter/$status", 200, body(`{"resourceType":"Parameters","parameter":[{"name":"searchParameterStatus","part":[{"name":"url","valueUrl":"`+url+`"},{"name":"status","valueString":"Disabled"}]}]}`)))
	reindex(t, w.on)
	w.finds(t, []find{{"not when it is off", "Patient?{w}=Jr", "ann bob cy !not-supported"}})
	must(do("DELETE SearchParameter/{id}", 204))
	reindex(t, w.on)
	must(do("GET metadata", 200, hides(url)))
}
