// Package platform builds the whole server out of its parts: it opens the
// stores, puts the services on one HTTP server, and runs and stops it.
//
// It promises that New starts nothing and releases what it had opened when it
// fails; that Run returns only when every request it began has ended or was cut
// off, and that Close then leaves stores without a log to replay. It is the one
// package that knows every other; none but commands and end-to-end tests know it.
package platform

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"salus/fault"
	"salus/fhir/rest"
	"salus/internal/serve"
	"salus/workspace"
)

// Config is what New needs.
type Config struct {
	Listen    string // host:port
	Data      string // directory of all data, made with mode 0700 when missing
	Workspace workspace.Workspace
	Domain    string // services also answer as {workspace}-{service}.{kind}.Domain; empty: not

	CacheBytes    int64          // for the block caches of all services together
	MaxBody       int64          // largest request body in bytes
	MaxBundle     int64          // largest batch or transaction in bytes
	BundleEntries int            // most entries of a batch or transaction
	MaxRequests   int            // requests in work at a time; 0: as many as come
	MaxQueue      int            // requests that may wait to be admitted to work
	QueueWait     time.Duration  // longest time that a request waits for that
	MaxBodies     int64          // bytes of the bodies of requests in work; 0: as many as come
	Timeout       time.Duration  // longest time that a request may be in work; 0: any
	Proxies       []netip.Prefix // peers whose X-Forwarded headers are believed
	Grace         time.Duration  // for requests in work when Run is told to stop
	Traces        string         // URL of an OTLP/HTTP endpoint; empty: nothing is traced
	Blobs         string         // URL of the storage of DICOM files; empty: below Data
	DIMSE         DIMSE          // where DICOM associations are accepted
	DemoPatients  int            // made-up patients to load into empty FHIR services before requests are served

	Version string // of the program, for the CapabilityStatement and traces
	Logger  *slog.Logger
	Now     func() time.Time // clock; time.Now when nil
}

// Platform is a server with its services.
type Platform struct {
	cfg      Config
	log      *slog.Logger
	rules    *rules
	services []*service

	listening string // host:port, set before anything works in the background
	handler   http.Handler
	gate      *serve.Gate // nil: everything is admitted

	writeError serve.ErrorWriter // for the places that belong to no service
}

// Ready is where a platform answers.
type Ready struct {
	URL      string // of the server, without trailing slash
	DIMSE    string // host:port for associations; empty when there is none
	Services []ReadyService
}

// ReadyService is where a service answers.
type ReadyService struct {
	Name string
	Kind workspace.Kind
	URL  string
}

// New opens the stores and builds the handlers. Nothing is listened on before
// Run. Errors: Unavailable when another process has the data open,
// Unprocessable when a newer program has written it.
func New(cfg Config) (_ *Platform, err error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Platform{cfg: cfg, log: cfg.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the data directory cannot be made")
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics, err := serve.NewMetrics(reg)
	if err != nil {
		return nil, err
	}
	if p.rules, err = newRules(); err != nil {
		return nil, err
	}
	p.writeError = rest.ErrorWriter(rest.Options{Definitions: p.rules.definitions, Now: cfg.Now})
	for _, s := range cfg.Workspace.Services {
		if err := p.open(s); err != nil {
			return nil, err
		}
	}
	if err := p.link(); err != nil {
		return nil, err
	}
	reg.MustRegister(storeCollector{p.services})
	if cfg.MaxRequests > 0 {
		o := serve.GateOptions{Work: cfg.MaxRequests, Queue: cfg.MaxQueue, Wait: cfg.QueueWait, Bytes: cfg.MaxBodies}
		if p.gate, err = serve.NewGate(o, reg); err != nil {
			return nil, err
		}
	}
	edge := serve.Edge{
		Logger: cfg.Logger, Metrics: metrics, Now: cfg.Now,
		Limits: serve.Limits{URL: maxURL, Headers: maxHeaders}, Error: p.writeError,
	}
	p.handler = edge.Wrap(serve.Forwarded(cfg.Proxies, p.routes(reg)))
	return p, nil
}

// Handler returns the whole server's handler, for use without Run.
func (p *Platform) Handler() http.Handler { return p.handler }

// Close closes the stores. It may be called twice, and after a New that failed.
func (p *Platform) Close() error {
	var errs []error
	for i := len(p.services) - 1; i >= 0; i-- {
		if release := p.services[i].close; release != nil {
			errs = append(errs, release())
		}
	}
	return errors.Join(errs...)
}

// Limits of the server. A request may be large and a client slow, but neither
// may hold a connection for ever.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 5 * time.Minute
	writeTimeout  = 10 * time.Minute
	idleTimeout   = 2 * time.Minute
	maxURL        = 64 << 10 // search URLs grow long; longer ones belong in POST _search
	maxHeaders    = 64 << 10
	maxHead       = 2 * (maxURL + maxHeaders) // what is so far over these limits, net/http answers itself
)

// Run listens, calls ready once requests are answered, and serves until ctx
// ends. Then it accepts no more, lets requests in work finish for the time of
// grace, and returns nil; it returns a Canceled fault when some had to be cut
// off, or when ctx ended before it was ready.
func (p *Platform) Run(ctx context.Context, ready func(Ready)) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.Listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot listen on %s", p.cfg.Listen)
	}
	associations, err := p.listenDIMSE(ctx)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := p.loadDemo(ctx); err != nil { // clients that come early wait in the listener's queue
		if ctx.Err() != nil {
			err = fault.Wrap(fault.Canceled, err, "interrupted before the server was ready")
		}
		return errors.Join(err, l.Close(), associations.close())
	}
	traced, flush, err := trace(ctx, p.cfg, p.handler)
	if err != nil {
		return errors.Join(err, l.Close(), associations.close())
	}
	srv := &http.Server{
		Handler:           traced,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), // broken connections and the like; what matters is in the access log
	}
	p.listening = l.Addr().String()
	idle := p.startBackground(ctx, associations.serve)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	p.log.Info("listening", "address", l.Addr().String(), "data", p.cfg.Data)
	where := p.place(l.Addr())
	where.DIMSE = associations.address()
	ready(where)

	select {
	case err = <-served: // the listener broke; nobody asked for an end
		err = fault.Wrap(fault.Internal, err, "the server stopped")
	case <-ctx.Done():
		err = p.stop(srv, served)
	}
	idle()
	return errors.Join(err, flush())
}

// startBackground starts what services do besides answering requests, and more, until ctx ends or
// stop is called, which waits for it.
func (p *Platform) startBackground(ctx context.Context, more func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { more(ctx) })
	for _, s := range p.services {
		if s.background != nil {
			working.Go(func() { s.background(ctx) })
		}
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// stop ends srv gracefully and waits for served.
func (p *Platform) stop(srv *http.Server, served <-chan error) error {
	p.log.Info("stopping: requests in work may finish", "grace", p.cfg.Grace)
	grace, cancel := context.WithTimeout(context.Background(), p.cfg.Grace)
	defer cancel()
	err := srv.Shutdown(grace)
	if err == nil {
		<-served
		p.log.Info("stopped")
		return nil
	}
	cerr := srv.Close()
	<-served
	return errors.Join(fault.Wrap(fault.Canceled, err, "requests in work were cut off: they took longer than the grace of %v", p.cfg.Grace), cerr)
}

// place tells the URLs below the address that is listened on.
func (p *Platform) place(addr net.Addr) Ready {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	r := Ready{URL: "http://" + net.JoinHostPort(host, port)}
	for _, s := range p.services {
		r.Services = append(r.Services, ReadyService{Name: s.name, Kind: s.kind, URL: r.URL + s.path})
	}
	return r
}
