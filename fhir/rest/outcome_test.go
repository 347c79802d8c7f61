package rest_test

import (
	"slices"
	"testing"

	"salus/fault"
	"salus/fhir/rest"
)

func TestOutcome_EveryKindHasAnAnswer(t *testing.T) {
	t.Parallel()
	want := map[fault.Kind]struct {
		status int
		code   string
	}{
		fault.Internal: {500, "exception"}, fault.Invalid: {400, "invalid"}, fault.Unprocessable: {422, "business-rule"},
		fault.Refused: {403, "invalid"}, fault.Unauthenticated: {401, "login"}, fault.Forbidden: {403, "forbidden"},
		fault.NotFound: {404, "not-found"}, fault.Gone: {410, "deleted"}, fault.Conflict: {409, "conflict"}, fault.Busy: {409, "conflict"},
		fault.Precondition: {412, "required"}, fault.TooLarge: {413, "too-long"}, fault.NotAcceptable: {406, "not-supported"},
		fault.MediaType: {415, "not-supported"}, fault.MethodNotAllowed: {405, "forbidden"}, fault.NotSupported: {405, "not-supported"},
		fault.Throttled: {429, "throttled"}, fault.Timeout: {408, "timeout"}, fault.Unavailable: {503, "processing"},
		fault.OutOfSpace: {507, "no-store"}, fault.Canceled: {408, "timeout"},
		fault.URITooLong: {414, "too-long"}, fault.HeadersTooLarge: {431, "invalid"}, fault.Overdue: {504, "timeout"},
	}
	// FHIR R4 valueset-issue-type, as far as it is used.
	codes := []string{"invalid", "business-rule", "not-supported", "login", "forbidden", "not-found", "deleted", "conflict", "required",
		"too-long", "throttled", "timeout", "processing", "no-store", "exception"}
	for _, k := range fault.Kinds() {
		if !rest.Answered(k) {
			t.Errorf("%v has no line in the table", k)
			continue
		}
		status, issues := rest.AnswerTo(fault.New(k, "why"))
		if w := want[k]; status != w.status || len(issues) != 1 || issues[0] != (fault.Issue{Severity: fault.Error, Code: w.code, Text: "why"}) {
			t.Errorf("%v = %d %+v, want %d %s", k, status, issues, w.status, w.code)
		}
		if !slices.Contains(codes, issues[0].Code) {
			t.Errorf("%v: %q is no issue type", k, issues[0].Code)
		}
	}
}

func TestOutcome_KeepsWhatIssuesSayThemselves(t *testing.T) {
	t.Parallel()
	status, issues := rest.AnswerTo(fault.With(fault.Invalid,
		fault.Issue{Text: "a"}, fault.Issue{Severity: fault.Warning, Code: "structure", Text: "b", Expression: "Patient.name"}))
	want := []fault.Issue{
		{Severity: fault.Error, Code: "invalid", Text: "a"},
		{Severity: fault.Warning, Code: "structure", Text: "b", Expression: "Patient.name"},
	}
	if status != 400 || !slices.Equal(issues, want) {
		t.Errorf("got %d %+v", status, issues)
	}
}
