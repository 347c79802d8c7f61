// Package fault is the one error type of Salus. A fault has a kind from a closed
// list, a message that is safe to show to a client, the issues that explain it
// (many at once for validation) and a cause that is never shown.
//
// It promises that nothing in Message or Issues is patient data: types, ids,
// paths, parameter names and rules are fine, values of elements are not. The
// mapping of kinds to a wire protocol lives with that protocol, in one table.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong, independent of any protocol.
type Kind uint8

// The kinds. Anything that is not a fault is Internal.
const (
	Internal         Kind = iota // a defect or an unexpected failure of the machine
	Invalid                      // the request breaks a rule of format or content
	Unprocessable                // well-formed, but against a business rule
	Refused                      // an operation the service does not allow in this form
	Unauthenticated              // no or bad credentials
	Forbidden                    // known caller without the right
	NotFound                     // no such thing
	Gone                         // deleted
	Conflict                     // lost a race; read again and retry
	Busy                         // what is under way does not allow it now; retry when that is over
	Precondition                 // If-Match, If-None-Exist and their like did not hold
	TooLarge                     // over a size limit
	NotAcceptable                // cannot answer in the wanted format
	MediaType                    // cannot read the sent format
	MethodNotAllowed             // the place exists, not with this verb
	NotSupported                 // the feature does not exist here
	Throttled                    // too many requests; retry later
	Timeout                      // took too long
	Unavailable                  // cannot serve now; retry later
	OutOfSpace                   // the disk is full; nothing was written
	Canceled                     // the caller went away
	URITooLong                   // the request's URL is over a limit
	HeadersTooLarge              // header fields are over a limit of size or number
	Overdue                      // a step of the work took longer than it may; the request itself is fine
	kindCount
)

var kindNames = [kindCount]string{
	"internal", "invalid", "unprocessable", "refused", "unauthenticated", "forbidden", "not found", "gone", "conflict", "busy",
	"precondition", "too large", "not acceptable", "media type", "method not allowed", "not supported",
	"throttled", "timeout", "unavailable", "out of space", "canceled", "URI too long", "headers too large", "overdue",
}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if k < kindCount {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Kinds returns every kind, for tables that must cover all of them.
func Kinds() []Kind {
	all := make([]Kind, kindCount)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Severity of an issue, as in FHIR's issue-severity.
type Severity string

// The severities that Salus uses.
const (
	Fatal       Severity = "fatal"
	Error       Severity = "error"
	Warning     Severity = "warning"
	Information Severity = "information"
)

// Issue is one finding: what is wrong, where, and by which rule.
type Issue struct {
	Severity   Severity // Error when empty
	Code       string   // FHIR issue-type: invalid, structure, required, value, not-found …; from the kind when empty
	Text       string   // for people; no patient data
	Expression string   // FHIRPath of the place, such as Patient.name[0].given; may be empty
	Location   string   // other place, such as "line 3, column 7"; may be empty
}

// Fault is an error with a kind.
type Fault struct {
	Kind       Kind
	Message    string        // safe to show
	Issues     []Issue       // explain Message; may be empty
	Version    int64         // of a Gone resource, for its ETag; 0 when unknown
	RetryAfter time.Duration // hint for Throttled and Unavailable
	cause      error
}

// New makes a fault with a message that is safe to show.
func New(k Kind, format string, args ...any) *Fault {
	return &Fault{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes a fault that hides its cause from clients but keeps it for the log.
func Wrap(k Kind, cause error, format string, args ...any) *Fault {
	f := New(k, format, args...)
	f.cause = cause
	return f
}

// With makes a fault from issues; its message is the first issue's text.
func With(k Kind, issues ...Issue) *Fault {
	f := &Fault{Kind: k, Issues: issues}
	if len(issues) > 0 {
		f.Message = issues[0].Text
	}
	return f
}

// Error returns kind, message and cause; it is for logs, not for clients.
func (f *Fault) Error() string {
	s := f.Kind.String() + ": " + f.Message
	if n := len(f.Issues); n > 1 {
		s += fmt.Sprintf(" (and %d more)", n-1)
	}
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error { return f.cause }

// As returns the fault in err's chain, or an Internal fault around err. It
// returns nil for nil.
func As(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{Kind: Internal, Message: "internal error", cause: err}
}

// KindOf returns the kind of err: Internal when it is no fault. Call it only
// with a non-nil error.
func KindOf(err error) Kind { return As(err).Kind }

// Is reports whether err is a fault of kind k. It is false for nil.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
