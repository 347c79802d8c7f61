package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"salus/fault"
)

// The exit codes of every command.
const (
	exitFine        = 0
	exitInternal    = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitNotAllowed  = 4
	exitConflict    = 5
	exitUnavailable = 6
	exitInterrupted = 130
)

// exitCodes maps the kinds of faults to exit codes; it has every kind.
var exitCodes = map[fault.Kind]int{
	fault.Internal:         exitInternal,
	fault.Invalid:          exitUsage,
	fault.Unprocessable:    exitUsage,
	fault.Refused:          exitNotAllowed,
	fault.Unauthenticated:  exitNotAllowed,
	fault.Forbidden:        exitNotAllowed,
	fault.NotFound:         exitNotFound,
	fault.Gone:             exitNotFound,
	fault.Conflict:         exitConflict,
	fault.Busy:             exitConflict,
	fault.Precondition:     exitConflict,
	fault.TooLarge:         exitUsage,
	fault.NotAcceptable:    exitUsage,
	fault.MediaType:        exitUsage,
	fault.MethodNotAllowed: exitUsage,
	fault.NotSupported:     exitUsage,
	fault.Throttled:        exitUnavailable,
	fault.Timeout:          exitUnavailable,
	fault.Unavailable:      exitUnavailable,
	fault.OutOfSpace:       exitUnavailable,
	fault.Canceled:         exitInterrupted,
	fault.URITooLong:       exitUsage,
	fault.HeadersTooLarge:  exitUsage,
	fault.Overdue:          exitUnavailable,
}

// report says on w why a command ended and returns its exit code. The one at
// the terminal runs the machine, so causes are shown too.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitFine
	}
	if errors.Is(err, context.Canceled) && fault.KindOf(err) == fault.Internal {
		err = fault.New(fault.Canceled, "interrupted")
	}
	f := fault.As(err)
	if len(f.Issues) == 0 {
		fmt.Fprintf(w, "salus: %s\n", strings.TrimPrefix(err.Error(), f.Kind.String()+": "))
	}
	for _, i := range f.Issues {
		if i.Location != "" {
			i.Text = i.Location + ": " + i.Text
		}
		fmt.Fprintf(w, "salus: %s\n", i.Text)
	}
	return exitCodes[f.Kind]
}
