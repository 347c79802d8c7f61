package serve

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"salus/fault"
)

// GateOptions say how much a Gate lets through.
type GateOptions struct {
	Work  int           // requests in work at a time, at least 1
	Queue int           // requests that may wait for that
	Wait  time.Duration // how long each of them may wait
	Bytes int64         // of the bodies of requests in work, as ReadBody reads them; 0: as many as come
}

// Gate admits a bounded number of requests to work. Others wait in the order in
// which they came; when too many do, or one has waited too long, it is refused
// with a fault of kind Throttled. A client that leaves while it waits frees its
// place, unless it has sent a body that is not read yet: then net/http cannot
// see that it left, and it waits in vain. In the same way the bodies of admitted
// requests wait for memory, small ones excepted.
type Gate struct {
	o       GateOptions
	slots   *semaphore.Weighted
	bodies  *semaphore.Weighted // of bytes
	bytes   atomic.Int64        // taken of bodies
	working atomic.Int64
	waiting atomic.Int64
	refused prometheus.Counter
}

// NewGate makes a gate and registers its metrics with reg.
func NewGate(o GateOptions, reg prometheus.Registerer) (*Gate, error) {
	g := &Gate{o: o, slots: semaphore.NewWeighted(int64(o.Work)), bodies: semaphore.NewWeighted(o.Bytes), refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "salus_http_requests_refused_total", Help: "HTTP requests refused because too many, or too large ones, were in work.",
	})}
	gauge := func(name, help string, n *atomic.Int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(n.Load()) })
	}
	for _, c := range []prometheus.Collector{
		g.refused,
		gauge("salus_http_requests_in_work", "HTTP requests admitted to work now.", &g.working),
		gauge("salus_http_requests_queued", "HTTP requests waiting to be admitted now.", &g.waiting),
		gauge("salus_http_body_bytes", "Bytes that the bodies of HTTP requests in work may take now, small ones excepted.", &g.bytes),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of admission: %w", err)
		}
	}
	return g, nil
}

// Admit lets requests through to next as the gate allows; refuse answers the
// others, of whose bodies nothing is read. Those of which exempt is true pass in
// any case.
func (g *Gate) Admit(next http.Handler, exempt func(*http.Request) bool, refuse ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if exempt(r) {
			next.ServeHTTP(w, r)
			return
		}
		if err := g.enter(r.Context()); err != nil {
			infoOf(r.Context()).err = err
			refuse(w, r, err)
			return
		}
		g.working.Add(1)
		defer func() {
			g.working.Add(-1)
			g.slots.Release(1)
		}()
		if g.o.Bytes > 0 {
			a := &account{gate: g}
			infoOf(r.Context()).body = a
			defer a.close()
		}
		next.ServeHTTP(w, r)
	})
}

// enter takes a slot. Errors are faults of kind Throttled and Canceled.
func (g *Gate) enter(ctx context.Context) error {
	if g.slots.TryAcquire(1) { // false while others wait, so that nobody is overtaken
		return nil
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.o.Queue) {
		return g.tooMany()
	}
	return g.wait(ctx, g.slots, 1)
}

// wait takes n of s, in turn. Errors are faults of kind Throttled and Canceled.
func (g *Gate) wait(ctx context.Context, s *semaphore.Weighted, n int64) error {
	wait, cancel := context.WithTimeout(ctx, g.o.Wait)
	defer cancel()
	if err := s.Acquire(wait, n); err == nil {
		return nil
	} else if ctx.Err() != nil {
		return settle(ctx, err)
	}
	return g.tooMany()
}

func (g *Gate) tooMany() error {
	g.refused.Inc()
	f := fault.New(fault.Throttled, "too many requests, or too large ones, are in work; try again later")
	f.RetryAfter = time.Second
	return f
}
