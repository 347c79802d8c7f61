package serve

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// How long after its deadline a request may still read and write: reading ends
// later than the context, which would otherwise end as if the client had left,
// and writing later than that, to answer that it took too long.
const (
	readSlack  = time.Second
	writeSlack = 5 * time.Second
)

// Deadline ends the context of a request of next after limit. A handler that is
// still reading the body is stopped then, too, and one that is writing to a slow
// client is cut off, both by deadlines of the connection. The answer, if it has
// not begun, is made by Adapt: a fault of kind Timeout.
func Deadline(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		end := time.Now().Add(limit) // the connection knows no other clock
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(end.Add(readSlack)), c.SetWriteDeadline(end.Add(writeSlack))); err != nil && !errors.Is(err, http.ErrNotSupported) {
			panic(http.ErrAbortHandler) // the connection is closed already
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
