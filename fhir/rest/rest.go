// Package rest is the FHIR service's HTTP surface: the RESTful API of FHIR R4
// (http §3.1.0) over the use cases of packages interaction and bundle.
//
// It promises that every answer with a body is FHIR JSON or FHIR XML, errors included; that
// stored resources reach the wire byte for byte in JSON; that the CapabilityStatement
// names what is registered and nothing else; and that no error or log text made
// here holds a value from a resource, a query or an id of a patient. Rules about
// resources are left to package interaction, ids, logs, compression and panics
// to package serve, the place below which the service is mounted to the caller.
package rest

import (
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/bundle"
	"salus/fhir/interaction"
	"salus/fhir/reindex"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/xmlformat"
	"salus/internal/serve"
)

// The limits of request bodies when Options has none. A bundle is a vehicle
// for many resources and may be larger than any of them.
//
// Compat: the reference takes 28 MB for every body; here a batch or transaction may
// have more.
const (
	DefaultMaxBody   = 28 << 20
	DefaultMaxBundle = 128 << 20
)

// minTokenKey is the least length of a key that cannot be guessed.
const minTokenKey = 16

// Options are the parts of the HTTP surface. Service, Bundles, Definitions,
// Params and TokenKey are needed.
type Options struct {
	Service     *interaction.Service
	Bundles     *bundle.Processor
	Definitions *spec.Definitions
	Params      searchparam.Source
	Reindex     *reindex.Indexer           // of the search parameters that clients define; nil: none, and no operations on them
	Converter   Converter                  // does $convert-data; nil: no such operation
	Compat      fhir.Compat                // whose rules hold where the reference and FHIR differ; the same as the service's
	Base        func(*http.Request) string // public base URL without trailing slash; Base("") when nil
	Name        string                     // of the software, for the CapabilityStatement; "Salus" when empty
	Version     string                     // of the software
	Now         func() time.Time           // time.Now when nil
	NewID       func() string              // ids of bundles and outcomes; random UUIDs when nil
	MaxBody     int64                      // bytes of a request body, inflated; DefaultMaxBody when 0
	MaxBundle   int64                      // bytes of a batch or transaction, inflated; DefaultMaxBundle when 0
	TokenKey    []byte                     // of the HMAC of continuation tokens, at least 16 bytes, the same on every node
}

// server is the service's surface. It is immutable, but for the statement that it keeps.
type server struct {
	service   *interaction.Service
	bundles   *bundle.Processor
	defs      *spec.Definitions
	params    searchparam.Source
	reindex   *reindex.Indexer
	converter Converter
	compat    fhir.Compat
	xml       *xmlformat.Format
	base      func(*http.Request) string
	now       func() time.Time
	newID     func() string
	maxBody   int64
	maxBundle int64
	tokens    signer

	operations []operation
	statement  func() statement
	mux        http.Handler // answers over HTTP
	inner      http.Handler // answers GET entries of bundles
}

// New returns the service's handler. It expects paths relative to the service's
// base, such as /Patient/1. It panics when Options lack a part or the key is too
// short.
func New(o Options) http.Handler {
	if o.Service == nil || o.Bundles == nil || o.Definitions == nil || o.Params == nil {
		panic("rest.New: Options lack Service, Bundles, Definitions or Params")
	}
	if len(o.TokenKey) < minTokenKey {
		panic("rest.New: Options.TokenKey is shorter than 16 bytes")
	}
	s := &server{
		service: o.Service, bundles: o.Bundles, defs: o.Definitions, params: o.Params, reindex: o.Reindex, converter: o.Converter, compat: o.Compat,
		xml:  xmlformat.New(o.Definitions),
		base: o.Base, now: o.Now, newID: o.NewID, maxBody: o.MaxBody, maxBundle: o.MaxBundle, tokens: signer{key: o.TokenKey},
	}
	if s.base == nil {
		s.base = Base("")
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.newID == nil {
		s.newID = uuid.NewString
	}
	if s.maxBody == 0 {
		s.maxBody = DefaultMaxBody
	}
	if s.maxBundle == 0 {
		s.maxBundle = DefaultMaxBundle
	}
	if o.Name == "" {
		o.Name = "Salus"
	}
	s.operations = slices.Clone(operations)
	if s.reindex != nil {
		s.operations = append(s.operations, indexing...)
	}
	if s.converter != nil {
		s.operations = append(s.operations, converting...)
	}
	s.statement = s.latestStatement(o.Name, o.Version)
	s.statement() // so that the first client need not wait
	s.mux = s.newMux(func(h serve.Handler) http.Handler { return serve.Adapt(h, s.writeError) })
	s.inner = s.newMux(record)
	return s
}

// ServeHTTP answers a request. A slash at the end of a path makes no difference.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { serveBy(s.mux, w, r) }

// nowhere is a path that has no route.
const nowhere = "/-/-/-/-"

// serveBy routes a request. ServeMux would redirect a path with empty or dotted
// segments to one that lacks the prefix under which the service is mounted, so
// such a path goes where there is nothing.
func serveBy(mux http.Handler, w http.ResponseWriter, r *http.Request) {
	p := "/" + strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if path.Clean(p) != p {
		p = nowhere
	}
	if p != r.URL.Path {
		there := *r.URL
		there.Path, there.RawPath = p, ""
		same := *r
		same.URL = &there
		r = &same
	}
	mux.ServeHTTP(w, r)
}

// jobs is the path below which the jobs of operations are.
const jobs = "/_operations/"

// newMux makes the router of all places; adapt says what becomes of errors. Jobs
// have one of their own: as paths, theirs could be a resource's too, which a
// ServeMux does not take.
func (s *server) newMux(adapt func(serve.Handler) http.Handler) http.Handler {
	mux, jobMux := http.NewServeMux(), http.NewServeMux()
	byPath := map[string]map[string]handler{}
	for _, rt := range places() {
		if byPath[rt.path] == nil {
			byPath[rt.path] = map[string]handler{}
		}
		byPath[rt.path][rt.method] = rt.handle
	}
	for place, methods := range byPath {
		to := mux
		if strings.HasPrefix(place, jobs) {
			to = jobMux
		}
		to.Handle(place, adapt(s.dispatch(methods)))
	}
	mux.Handle("/", adapt(s.elsewhere))
	jobMux.Handle("/", adapt(s.elsewhere))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, jobs) {
			jobMux.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// dispatch chooses the handler of a place by method. It does so itself, and not
// by patterns with methods, because ServeMux answers 404 and 405 in plain text.
//
// Compat: the reference has no HEAD. Under FHIR's rules it is answered as GET,
// whose body net/http then leaves out (FHIR R4 http §3.1.0.2; RFC 9110 §9.3.2).
func (s *server) dispatch(methods map[string]handler) serve.Handler {
	if read := methods[http.MethodGet]; read != nil && s.compat == fhir.Strict {
		methods = maps.Clone(methods)
		methods[http.MethodHead] = read
	}
	allow := allowed(methods)
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.known(r); err != nil {
			return err
		}
		// Compat: the query of a create is not looked at, so that anything may stand in it; elsewhere a broken escape is 400.
		if r.Method != http.MethodPost && !escaped(r.URL.RawQuery) {
			return fault.New(fault.Invalid, "the query of the URL has a %% without two hexadecimal digits")
		}
		if h := methods[r.Method]; h != nil {
			err := h(s, w, r)
			if fault.Is(err, fault.MethodNotAllowed) {
				w.Header().Set("Allow", allow)
			}
			return err
		}
		w.Header().Set("Allow", allow)
		switch r.Method {
		case http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
			return nil
		case http.MethodPatch, http.MethodDelete:
			return fault.New(fault.NotSupported, "this service does not support %s here", r.Method)
		}
		return fault.New(fault.MethodNotAllowed, "the method is not allowed here; allowed are %s", allow)
	}
}

// escaped reports whether every percent sign of a query begins an escape, so
// that no parameter is dropped without a word.
func escaped(rawQuery string) bool {
	for rest := rawQuery; ; {
		_, after, found := strings.Cut(rest, "%")
		if !found {
			return true
		}
		if len(after) < 2 || !isHex(after[0]) || !isHex(after[1]) {
			return false
		}
		rest = after[2:]
	}
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// known refuses paths with a type or an operation that the service lacks. What
// stands in the path is not repeated: it could be anything.
func (s *server) known(r *http.Request) error {
	t := r.PathValue("type")
	switch {
	case t == "":
		return nil
	case strings.HasPrefix(t, "$") || strings.HasPrefix(r.PathValue("id"), "$"):
		return noOperation(r)
	case !s.defs.IsResource(t):
		return fault.New(fault.NotFound, "there is no resource type with the name in the URL (names are case-sensitive)")
	}
	switch m := r.PathValue("member"); {
	case m == "" || m == everyMember:
	case strings.HasPrefix(m, "$"):
		return noOperation(r)
	case !s.defs.IsResource(m):
		return fault.New(fault.NotFound, "there is no resource type with the name at the end of the URL (names are case-sensitive)")
	}
	if last := r.PathValue("search"); last != "" && last != "_search" {
		return s.elsewhere(nil, r)
	}
	return nil
}

// elsewhere answers for every path without a route.
func (s *server) elsewhere(_ http.ResponseWriter, r *http.Request) error {
	if i := strings.LastIndexByte(r.URL.Path, '/'); strings.HasPrefix(r.URL.Path[i+1:], "$") {
		return noOperation(r)
	}
	return fault.New(fault.NotFound, "there is nothing at this URL")
}

// lacking are the operations of the reference that this service has not.
var lacking = []string{
	"$bulk-delete", "$bulk-delete-soft-deleted", "$bulk-update", "$convert-data", "$docref", "$everything", "$expand", "$export", "$import",
	"$member-match", "$purge-history", "$reindex", "$status", "$validate",
}

// noOperation refuses a path that ends with an operation.
//
// Compat: operations that the reference has, and that are not there yet, are
// answered with 405 and not-supported as if they were switched off; any other name
// behind a $ with 404.
func noOperation(r *http.Request) error {
	if slices.Contains(lacking, path.Base(r.URL.Path)) {
		return fault.New(fault.NotSupported, "this service does not support the operation in the URL")
	}
	return fault.New(fault.NotFound, "there is no operation with the name in the URL")
}
