package platform

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"salus/fault"
	"salus/fhir/rest"
	"salus/internal/serve"
	"salus/workspace"
)

// routes puts everything in its place. A service is reached below its path and,
// with a domain, below its own host name.
func (p *Platform) routes(reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	own := func(pattern string, h serve.Handler) {
		mux.Handle(pattern, serve.Adapt(getOnly(h), p.writeError))
	}
	metrics := promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	own("/health/check", func(w http.ResponseWriter, r *http.Request) error {
		return writeHealth(w, r, p.services)
	})
	own("/metrics", func(w http.ResponseWriter, r *http.Request) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
	own("/{$}", p.writeIndex)
	own("/", nothingHere)
	for _, s := range p.services {
		health := serve.Adapt(getOnly(func(w http.ResponseWriter, r *http.Request) error {
			return writeHealth(w, r, []*service{s})
		}), p.writeError)
		mount := func(place, at string) {
			handle := func(path string, h http.Handler) {
				mux.Handle(place+path, serve.Service(s.name, crossOrigin(s.cors, h)))
			}
			h := below(at, p.admitted(s.kind, serve.Compress(s.handler(at))))
			handle(at+"/health/check", health)
			handle(at+"/", h)
			if at != "" {
				handle(at, h) // a bundle is posted to the base itself
			}
		}
		mount("", s.path)
		if p.cfg.Domain != "" {
			mount(s.host(p.cfg.Domain), "")
		}
	}
	return p.plain(lowerHost(mux))
}

// admitted lets requests of a service into work as the settings allow. Studies may take longer than any limit that is right for the rest.
func (p *Platform) admitted(kind workspace.Kind, next http.Handler) http.Handler {
	if p.cfg.Timeout > 0 && kind != workspace.DICOM {
		next = serve.Deadline(p.cfg.Timeout, next)
	}
	if p.gate != nil {
		next = p.gate.Admit(next, func(r *http.Request) bool { return isProbe(r) || kind == workspace.DICOM && isChannel(r) }, p.writeError)
	}
	return next
}

// isProbe reports whether a request asks what a service can do, which a service
// tells however busy it is.
func isProbe(r *http.Request) bool {
	at := strings.TrimSuffix(r.URL.Path, "/")
	return at == "/metadata" || at == "/$versions"
}

// isChannel reports whether a request opens an event channel, which is no work while it waits, and of which the service has a limit of its own.
func isChannel(r *http.Request) bool {
	rest, found := strings.CutPrefix(path.Dir(r.URL.Path), "/v")
	return found && r.Method == http.MethodGet && strings.HasSuffix(rest, "/subscribers") && !strings.Contains(rest, "/workitems")
}

func nothingHere(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.NotFound, "there is no such workspace or service here; GET / lists the services")
}

// plain keeps paths with empty or dotted segments from next, which would
// redirect them, and answers that there is nothing.
func (p *Platform) plain(next http.Handler) http.Handler {
	nothing := serve.Adapt(nothingHere, p.writeError)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := "/" + strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if !strings.HasPrefix(r.URL.Path, "/") || path.Clean(at) != at {
			nothing.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// below takes prefix off the path of requests, which ServeMux has found there.
// As opposed to http.StripPrefix it does so too where the prefix is written with
// escapes, and so has nothing to answer itself.
func below(prefix string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there := *r.URL
		there.Path, there.RawPath = strings.TrimPrefix(r.URL.Path, prefix), ""
		if raw, ok := strings.CutPrefix(r.URL.RawPath, prefix); ok {
			there.RawPath = raw
		}
		same := *r
		same.URL = &there
		next.ServeHTTP(w, &same)
	})
}

// getOnly refuses every method but GET and HEAD.
func getOnly(h serve.Handler) serve.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			return fault.New(fault.MethodNotAllowed, "only GET and HEAD are allowed here")
		}
		return h(w, r)
	}
}

// lowerHost lets host names match whatever their case (RFC 9110 §4.2.3).
func lowerHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lower := strings.ToLower(r.Host); lower != r.Host {
			r2 := *r
			r2.Host = lower
			r = &r2
		}
		next.ServeHTTP(w, r)
	})
}

// indexEntry is a service in the list at /.
type indexEntry struct {
	Workspace string `json:"workspace"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	URL       string `json:"url"`
	Health    string `json:"health"`
}

// writeIndex lists the services.
func (p *Platform) writeIndex(w http.ResponseWriter, r *http.Request) error {
	list := struct {
		Product  string       `json:"product"`
		Version  string       `json:"version"`
		Services []indexEntry `json:"services"`
	}{Product: "Salus", Version: p.cfg.Version, Services: []indexEntry{}}
	for _, s := range p.services {
		url := rest.Base(s.path)(r)
		list.Services = append(list.Services, indexEntry{s.workspace, s.name, string(s.kind), url, url + "/health/check"})
	}
	return writeJSON(w, http.StatusOK, list)
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(encode(v))
	return err
}

// encode renders one of this package's own answers, which always can be.
func encode(v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("platform: an answer is not JSON: " + err.Error())
	}
	return append(b, '\n')
}
