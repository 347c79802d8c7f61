package rest

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/xmlformat"
	"salus/internal/serve"
)

// answer is how a kind of fault looks over HTTP: its status and the FHIR
// issue-type of issues that have none of their own.
type answer struct {
	status int
	code   string
}

// answers is the only place where faults become HTTP.
//
// Compat: where the reference answers otherwise than one would expect from FHIR R4
// http §3.1.0.4, its answer stands: the code of a 412 is required, that of a wrong
// method forbidden; a missing feature is 405 and not 501, a search of a form that is
// not supported 403, a timeout and a client that left 408.
var answers = map[fault.Kind]answer{
	fault.Internal:         {http.StatusInternalServerError, "exception"},
	fault.Invalid:          {http.StatusBadRequest, "invalid"},
	fault.Unprocessable:    {http.StatusUnprocessableEntity, "business-rule"},
	fault.Refused:          {http.StatusForbidden, "invalid"},
	fault.Unauthenticated:  {http.StatusUnauthorized, "login"},
	fault.Forbidden:        {http.StatusForbidden, "forbidden"},
	fault.NotFound:         {http.StatusNotFound, "not-found"},
	fault.Gone:             {http.StatusGone, "deleted"},
	fault.Conflict:         {http.StatusConflict, "conflict"},
	fault.Busy:             {http.StatusConflict, "conflict"},
	fault.Precondition:     {http.StatusPreconditionFailed, "required"},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, "too-long"},
	fault.NotAcceptable:    {http.StatusNotAcceptable, "not-supported"},
	fault.MediaType:        {http.StatusUnsupportedMediaType, "not-supported"},
	fault.MethodNotAllowed: {http.StatusMethodNotAllowed, "forbidden"},
	fault.NotSupported:     {http.StatusMethodNotAllowed, "not-supported"},
	fault.Throttled:        {http.StatusTooManyRequests, "throttled"},
	fault.Timeout:          {http.StatusRequestTimeout, "timeout"},
	fault.Unavailable:      {http.StatusServiceUnavailable, "processing"},
	fault.OutOfSpace:       {http.StatusInsufficientStorage, "no-store"},
	fault.Canceled:         {http.StatusRequestTimeout, "timeout"},
	fault.URITooLong:       {http.StatusRequestURITooLong, "too-long"},
	fault.HeadersTooLarge:  {http.StatusRequestHeaderFieldsTooLarge, "invalid"},
	fault.Overdue:          {http.StatusGatewayTimeout, "timeout"},
}

// answerTo returns the status of a fault and its issues, each with severity and code.
func answerTo(f *fault.Fault) (int, []fault.Issue) {
	a, ok := answers[f.Kind]
	if !ok {
		a = answers[fault.Internal]
	}
	if len(f.Issues) == 0 {
		return a.status, []fault.Issue{{Severity: fault.Error, Code: a.code, Text: f.Message}}
	}
	issues := make([]fault.Issue, len(f.Issues))
	for i, issue := range f.Issues {
		if issue.Severity == "" {
			issue.Severity = fault.Error
		}
		if issue.Code == "" {
			issue.Code = a.code
		}
		issues[i] = issue
	}
	return a.status, issues
}

// writeError answers with an OperationOutcome and the headers that go with its status.
func (s *server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.As(err)
	status, issues := answerTo(f)
	h := w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Location", "Content-Location"} {
		h.Del(name) // what a handler had prepared for success
	}
	switch {
	case f.Kind == fault.Gone && f.Version > 0:
		h.Set("ETag", etag(f.Version))
	case f.Kind == fault.Unauthenticated:
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110 §11.6.1
	case f.RetryAfter > 0 || f.Kind == fault.Throttled || f.Kind == fault.Unavailable:
		wait := max(f.RetryAfter, time.Second)
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		h.Set("X-Ms-Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
	}
	if status == http.StatusMethodNotAllowed && h.Get("Allow") == "" {
		h.Set("Allow", "") // RFC 9110 §10.2.1: no method would do
	}
	wanted, _ := formatOf(r, r.URL.Query())
	if agreed := readable(h.Get("Content-Type")); agreed != "" { // with what the body of a search says
		wanted.contentType = agreed
	}
	if wanted.contentType == "" {
		wanted.contentType = fhirJSON
	}
	b := buffers.get()
	defer buffers.put(b)
	*b = appendOutcome(*b, s.outcomeID(r), s.now(), issues)
	s.send(w, status, wanted, b)
}

// ErrorWriter returns what answers errors as the service does, for places that
// are outside of it. Of o it takes Definitions, Now and NewID.
func ErrorWriter(o Options) serve.ErrorWriter {
	s := &server{defs: o.Definitions, xml: xmlformat.New(o.Definitions), now: o.Now, newID: o.NewID}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = uuid.NewString
	}
	return s.writeError
}

// outcomeID is the id of an OperationOutcome: the correlation id when it can be
// an id at all.
func (s *server) outcomeID(r *http.Request) string {
	for _, id := range []string{serve.CorrelationID(r.Context()), serve.RequestID(r.Context())} {
		if fhir.ValidID(id) {
			return id
		}
	}
	return s.newID()
}

// appendOutcome appends an OperationOutcome.
//
// Compat: the texts of errors stand in diagnostics, not in details, as in the reference.
func appendOutcome(dst []byte, id string, at time.Time, issues []fault.Issue) []byte {
	dst = append(dst, `{"resourceType":"OperationOutcome","id":`...)
	dst = fhir.AppendString(dst, id)
	dst = append(dst, `,"meta":{"lastUpdated":"`...)
	dst = at.UTC().AppendFormat(dst, fhir.InstantLayout)
	dst = append(dst, `"},"issue":[`...)
	for i, issue := range issues {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendIssue(dst, issue)
	}
	return append(dst, "]}"...)
}

func appendIssue(dst []byte, issue fault.Issue) []byte {
	dst = append(dst, `{"severity":`...)
	dst = fhir.AppendString(dst, string(issue.Severity))
	dst = append(dst, `,"code":`...)
	dst = fhir.AppendString(dst, issue.Code)
	if issue.Text != "" {
		dst = append(dst, `,"diagnostics":`...)
		dst = fhir.AppendString(dst, issue.Text)
	}
	if issue.Location != "" {
		dst = append(dst, `,"location":[`...)
		dst = fhir.AppendString(dst, issue.Location)
		dst = append(dst, ']')
	}
	if issue.Expression != "" {
		dst = append(dst, `,"expression":[`...)
		dst = fhir.AppendString(dst, issue.Expression)
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
