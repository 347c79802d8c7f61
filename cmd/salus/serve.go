package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"salus/fault"
	"salus/platform"
)

type serveCmd struct {
	kong.Plugins
	flags flagSet
}

// Run serves until ctx ends. It prints a line per service and "ready URL" on
// standard output once requests are answered.
func (c *serveCmd) Run(ctx context.Context, t *terminal) (err error) {
	e, err := c.flags.gather()
	if err != nil {
		return err
	}
	w, err := e.workspace()
	if err != nil {
		return err
	}
	log := e.logger(t.err)
	e.remarks(log)
	tuneMemory(e.CacheSize)

	if e.Data == "" {
		dir, err := os.MkdirTemp("", "salus-demo-")
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "there is no place for temporary data")
		}
		defer func() {
			if err := os.RemoveAll(dir); err != nil {
				log.Warn("temporary data was not removed", "dir", dir, "error", err)
			}
		}()
		e.Data = dir
	}
	cfg := platform.Config{
		Listen: e.Listen, Data: e.Data, Workspace: w, Domain: e.Domain,
		CacheBytes: e.CacheSize, MaxBody: e.MaxBody, MaxBundle: e.MaxBundle, BundleEntries: e.BundleEntries,
		MaxRequests: e.MaxRequests, MaxQueue: e.MaxQueue, QueueWait: e.QueueWait, MaxBodies: e.MaxBodies, Timeout: e.RequestTimeout, Proxies: e.Proxies,
		Grace: e.ShutdownGrace, Traces: e.OTLPEndpoint, Blobs: e.BlobURL,
		DIMSE:   platform.DIMSE{Listen: e.DIMSE, Cert: e.DIMSECert, Key: e.DIMSEKey, CA: e.DIMSECA},
		Version: version, Logger: log,
	}
	if e.Demo {
		cfg.DemoPatients = e.DemoPatients
	}
	p, err := platform.New(cfg)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := p.Close(); err == nil {
			err = cerr
		}
	}()
	return p.Run(ctx, func(r platform.Ready) { announce(t.out, r) })
}

// announce tells scripts that the server answers, and where.
func announce(w io.Writer, r platform.Ready) {
	for _, s := range r.Services {
		fmt.Fprintf(w, "service %s %s %s\n", s.Name, s.Kind, s.URL)
	}
	if r.DIMSE != "" {
		fmt.Fprintf(w, "dimse %s\n", r.DIMSE)
	}
	fmt.Fprintf(w, "ready %s\n", r.URL)
}

// remarks logs what an operator should know about the settings.
func (e *effective) remarks(log *slog.Logger) {
	if !e.Open {
		log.Warn("requests are not authenticated: this build has no authentication yet, so only loopback addresses are listened on")
	}
	for _, name := range e.unused {
		log.Warn("environment variable has no effect: there is no such setting", "variable", name)
	}
}

func (e *effective) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: e.LogLevel}
	if e.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
