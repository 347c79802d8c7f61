package client

import (
	"net/http"
	"strconv"
	"time"

	"salus/fault"
	"salus/fhir"
)

// kinds says what a status stands for. The service's own table is finer: some
// kinds share a status, and the first meaning counts here.
var kinds = map[int]fault.Kind{
	http.StatusBadRequest:            fault.Invalid,
	http.StatusUnauthorized:          fault.Unauthenticated,
	http.StatusForbidden:             fault.Forbidden,
	http.StatusNotFound:              fault.NotFound,
	http.StatusMethodNotAllowed:      fault.MethodNotAllowed,
	http.StatusNotAcceptable:         fault.NotAcceptable,
	http.StatusRequestTimeout:        fault.Timeout,
	http.StatusConflict:              fault.Conflict,
	http.StatusGone:                  fault.Gone,
	http.StatusPreconditionFailed:    fault.Precondition,
	http.StatusRequestEntityTooLarge: fault.TooLarge,
	http.StatusUnsupportedMediaType:  fault.MediaType,
	http.StatusUnprocessableEntity:   fault.Unprocessable,
	http.StatusTooManyRequests:       fault.Throttled,
	http.StatusInternalServerError:   fault.Internal,
	http.StatusNotImplemented:        fault.NotSupported,
	http.StatusBadGateway:            fault.Unavailable,
	http.StatusServiceUnavailable:    fault.Unavailable,
	http.StatusGatewayTimeout:        fault.Timeout,
	http.StatusInsufficientStorage:   fault.OutOfSpace,
}

// KindOf returns the kind of fault that an HTTP status from 400 on stands for.
func KindOf(status int) fault.Kind {
	if k, ok := kinds[status]; ok {
		return k
	}
	if status < 500 {
		return fault.Invalid
	}
	return fault.Internal
}

func (c *Client) faultOf(r *Response) *fault.Fault {
	var outcome fhir.Node
	if d, err := fhir.Parse(r.Body); err == nil {
		outcome = d.Root()
	}
	f := Outcome(r.Status, outcome)
	f.Version = r.Version()
	f.RetryAfter = c.retryAfter(r.Header)
	return f
}

// Outcome makes a fault from a status and an OperationOutcome, as they stand in
// an answer or in an entry of a batch-response. A node that is no
// OperationOutcome gives a fault that tells the status only.
func Outcome(status int, outcome fhir.Node) *fault.Fault {
	var issues []fault.Issue
	if outcome.Type() == "OperationOutcome" {
		for n := range outcome.Get("issue").Children {
			issues = append(issues, issueOf(n))
		}
	}
	if len(issues) == 0 {
		return fault.New(KindOf(status), "the FHIR service answered with status %d", status)
	}
	f := fault.With(KindOf(status), issues...)
	if f.Message == "" {
		f.Message = "the FHIR service answered with status " + strconv.Itoa(status)
	}
	return f
}

func issueOf(n fhir.Node) fault.Issue {
	text := n.Get("diagnostics").Text()
	if text == "" {
		text = n.Path("details", "text").Text()
	}
	return fault.Issue{
		Severity:   fault.Severity(n.Get("severity").Text()),
		Code:       n.Get("code").Text(),
		Text:       text,
		Expression: n.Get("expression").Index(0).Text(),
		Location:   n.Get("location").Index(0).Text(),
	}
}

// retryAfter reads how long to wait: milliseconds, or seconds, or until a date.
func (c *Client) retryAfter(h http.Header) time.Duration {
	// Azure's services are more precise in a header of their own.
	if ms, err := strconv.Atoi(h.Get("x-ms-retry-after-ms")); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(c.o.Now()))
	}
	return 0
}
