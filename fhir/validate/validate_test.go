package validate_test

import (
	"errors"
	"strings"
	"testing"

	"salus/fault"
	"salus/fhir"
)

// issues validates a resource and returns what is wrong with it.
func issues(t testing.TB, resource string) []fault.Issue {
	t.Helper()
	d, err := fhir.Parse([]byte(resource))
	if err != nil {
		t.Fatalf("%v in %.300s", err, resource)
	}
	return found(t, d.Root())
}

func found(t testing.TB, n fhir.Node) []fault.Issue {
	t.Helper()
	err := validator.Resource(n)
	if err == nil {
		return nil
	}
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.Kind != fault.Invalid || len(f.Issues) == 0 {
		t.Fatalf("not a fault of kind Invalid with issues: %v", err)
	}
	return f.Issues
}

func expectValid(t testing.TB, name string, n fhir.Node) {
	t.Helper()
	for _, i := range found(t, n) {
		t.Errorf("%s (%s/%s): %s (%s)", name, n.Type(), n.ID(), i.Text, i.Code)
	}
}

// places renders issues as "expression code", one a line.
func places(list []fault.Issue) string {
	var lines []string
	for _, i := range list {
		lines = append(lines, i.Expression+" "+i.Code)
	}
	return strings.Join(lines, "\n")
}
