package platform

import (
	"net/http"

	"salus/fault"
	"salus/internal/serve"
)

// outcome is the part of an OperationOutcome that says one thing.
type outcome struct {
	ResourceType string         `json:"resourceType"`
	ID           string         `json:"id,omitempty"`
	Issue        []outcomeIssue `json:"issue"`
}

type outcomeIssue struct {
	Severity    string `json:"severity"`
	Code        string `json:"code"`
	Diagnostics string `json:"diagnostics"`
}

// writeError answers for the places that belong to no service, where only
// these kinds of faults come up. What a service says is its own affair.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.As(err)
	status, code := http.StatusInternalServerError, "exception"
	switch f.Kind {
	case fault.NotFound:
		status, code = http.StatusNotFound, "not-found"
	case fault.MethodNotAllowed:
		status, code = http.StatusMethodNotAllowed, "not-supported"
	}
	b := encode(outcome{"OperationOutcome", serve.RequestID(r.Context()), []outcomeIssue{{"error", code, f.Message}}})
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // fails only when the client is gone, and then there is no one to tell
}
