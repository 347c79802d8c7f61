// Package web is DICOMweb: an archive over HTTP (PS3.18), with the resources, versions and statuses of the reference service, and with what viewers
// ask of others besides.
//
// It promises that requests are decoded, one use case is called, and its answer is encoded; rules about instances live in archive. Bodies of
// any size pass through in memory of constant size.
package web

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"salus/dicom"
	"salus/dicom/archive"
	"salus/dicom/index"
	"salus/dicom/worklist"
	"salus/fault"
	"salus/internal/serve"
)

// Options are what the service needs.
type Options struct {
	Archive  *archive.Archive
	Worklist *worklist.Worklist
	// Base returns the URL of the service for a request, without slash at the end and without version.
	Base func(*http.Request) string
	// Partitions says that resources are below partitions, as the reference service's data partitions are.
	Partitions bool
	Now        func() time.Time
	// Ended is closed when the server stops, so that open event channels end.
	Ended <-chan struct{}
}

// DefaultPartition is where instances are when there are no partitions.
const DefaultPartition = "Microsoft.Default"

// server answers requests.
type server struct {
	Options
	pictures *otter.Cache[string, []byte] // by picture.key
}

// call is a request with what its path says.
type call struct {
	*http.Request
	version   archive.Version
	partition string
	index.UIDs
	root string // URL of the service with the version
	base string // and with the partition
}

// handler answers a call, or returns an error before it has written anything.
type handler func(http.ResponseWriter, *call) error

// New makes the handler of a service, mounted at its root.
func New(o Options) http.Handler {
	s := &server{o, newPictures()}
	mux := http.NewServeMux()
	for _, route := range s.routes() {
		for path, version := range map[string]archive.Version{"/v1": archive.V1, "/v2": archive.V2} {
			if route.only != 0 && route.only != version {
				continue
			}
			s.register(mux, route, path, version)
		}
	}
	mux.Handle("/", serve.Adapt(nowhere, writeError))
	return mux
}

func nowhere(_ http.ResponseWriter, r *http.Request) error {
	return fault.New(fault.NotFound, "there is no such resource; those of this service are below /v1 and /v2")
}

// register puts a route in its place, and below partitions too.
func (s *server) register(mux *http.ServeMux, route route, path string, version archive.Version) {
	places := []string{path}
	if route.divided {
		places = append(places, path+"/partitions/{partition}")
	}
	for _, place := range places {
		methods := map[string]handler{}
		for _, o := range route.methods {
			methods[o.method] = o.handle
		}
		mux.Handle(place+route.path, serve.Adapt(s.adapt(methods, version, place != path, route.divided), writeError))
	}
}

// adapt makes a handler of those for each method.
func (s *server) adapt(methods map[string]handler, version archive.Version, within, divided bool) serve.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		h, ok := methods[method]
		if !ok {
			w.Header().Set("Allow", allowed(methods))
			return fault.New(fault.MethodNotAllowed, "%s is not allowed here", r.Method)
		}
		root := s.Base(r) + [...]string{archive.V1: "/v1", archive.V2: "/v2"}[version]
		c := &call{Request: r, version: version, partition: DefaultPartition, root: root, base: root}
		if divided {
			if err := s.divide(c, within); err != nil {
				return err
			}
		}
		if err := c.readUIDs(); err != nil {
			return err
		}
		w.Header().Set("api-supported-versions", "1.0, 2.0")
		return h(w, c)
	}
}

func allowed(methods map[string]handler) string {
	var all []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if methods[m] == nil {
			continue
		}
		if all = append(all, m); m == http.MethodGet {
			all = append(all, http.MethodHead)
		}
	}
	return strings.Join(all, ", ")
}

// divide reads the partition of a call. A path must have one when the service has partitions, and must not when it has none.
func (s *server) divide(c *call, within bool) error {
	switch {
	case within && !s.Partitions:
		return fault.New(fault.Invalid, "this service has no data partitions")
	case !within && s.Partitions:
		return fault.New(fault.Invalid, "the path must name a data partition: /partitions/{name}/…")
	case !within:
		return nil
	}
	c.partition = c.PathValue("partition")
	if !validPartition(c.partition) {
		return fault.New(fault.Invalid, "the name of a data partition has at most 64 letters, digits, dots, hyphens and underscores")
	}
	c.base += "/partitions/" + c.partition
	return nil
}

func validPartition(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

// readUIDs reads the UIDs in the path.
func (c *call) readUIDs() error {
	for name, to := range map[string]*string{"study": &c.Study, "series": &c.Series, "instance": &c.Instance} {
		v := strings.TrimSpace(c.PathValue(name))
		if v == "" && c.PathValue(name) == "" {
			continue
		}
		if !dicom.ValidUID(v) {
			return fault.New(fault.Invalid, "the %s in the path is no UID (PS3.5 §9.1)", name)
		}
		*to = v
	}
	return nil
}

// instanceURL is where an instance is retrieved.
func (c *call) instanceURL(u index.UIDs) string {
	return c.base + "/studies/" + u.Study + "/series/" + u.Series + "/instances/" + u.Instance
}

// statuses are what faults become on the wire; it is the only place where they do. Compat: as in the reference service.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.Unprocessable: http.StatusBadRequest, fault.Refused: http.StatusForbidden,
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.Gone: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.Busy: http.StatusConflict,
	fault.Precondition: http.StatusPreconditionFailed, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.NotAcceptable: http.StatusNotAcceptable, fault.MediaType: http.StatusUnsupportedMediaType,
	fault.MethodNotAllowed: http.StatusMethodNotAllowed, fault.NotSupported: http.StatusNotImplemented,
	fault.Throttled: http.StatusTooManyRequests, fault.Timeout: http.StatusRequestTimeout, fault.Canceled: http.StatusBadRequest,
	fault.Unavailable: http.StatusServiceUnavailable, fault.OutOfSpace: http.StatusServiceUnavailable,
	fault.URITooLong: http.StatusRequestURITooLong, fault.HeadersTooLarge: http.StatusRequestHeaderFieldsTooLarge,
	fault.Overdue: http.StatusGatewayTimeout,
}

// writeError answers with a plain text, as the reference service does.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.As(err)
	status, ok := statuses[f.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	if f.RetryAfter > 0 || status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		if _, err := io.WriteString(w, f.Message+"\n"); err != nil {
			return // the client has left
		}
	}
}
