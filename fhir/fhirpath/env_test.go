package fhirpath_test

import (
	"errors"
	"fmt"
	"testing"

	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

func TestEval_AsksItsEnvironment(t *testing.T) {
	t.Parallel()
	patient := resource(t, patientJSON)
	other := resource(t, observationJSON)
	var traced []string
	failure := errors.New("terminology is down")
	env := &fhirpath.Env{
		Resource: other,
		Resolve: func(ref string) (fhirpath.Item, bool) {
			return other, ref == "Practitioner/7"
		},
		MemberOf: func(valueSet, system, code string) (bool, error) {
			if valueSet == "down" {
				return false, failure
			}
			return valueSet == "vs" && code == "female", nil
		},
		Trace: func(name string, items []fhirpath.Item) { traced = append(traced, fmt.Sprint(name, len(items))) },
	}
	for src, wanted := range map[string]string{
		"%resource.id":                     "o1",
		"%rootResource.id":                 "o1",
		"%context.id":                      "p1",
		"generalPractitioner.resolve().id": "o1",
		"gender.memberOf('vs')":            "true",
		"name.trace('t', given).count()":   "2",
		"gender.memberOf('other')":         "false",
	} {
		e, err := fhirpath.Compile(src, spec.R4())
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Eval(env, patient)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", src, got, err)
			continue
		}
		if s, _ := got[0].Text(); s != wanted {
			t.Errorf("%s = %s, want %s", src, s, wanted)
		}
	}
	if len(traced) != 1 || traced[0] != "t4" {
		t.Errorf("traced %v", traced)
	}
	e, err := fhirpath.Compile("gender.memberOf('down')", spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(env, patient); !errors.Is(err, failure) {
		t.Errorf("the terminology's error is lost: %v", err)
	}
}

func TestEval_IsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	patient := resource(t, patientJSON)
	e, err := fhirpath.Compile("name.select(given | family).distinct().count()", spec.R4())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	for range 8 {
		go func() {
			for range 200 {
				got, err := e.Eval(nil, patient)
				if n, _ := got[0].AsInteger(); err != nil || n != 5 { // one given name has no value, only an extension
					done <- fmt.Sprint(got, err)
					return
				}
			}
			done <- ""
		}()
	}
	for range 8 {
		if problem := <-done; problem != "" {
			t.Error(problem)
		}
	}
}
