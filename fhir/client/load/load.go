// Package load brings the contents of files into a FHIR service: bundles and
// NDJSON, plain or compressed, from files and folders.
//
// It promises to hold only as many bundles in memory as are being sent, to load
// again at the end what was refused because it refers by condition to something
// that came later, to find the resource for which a bundle of many was refused,
// and to count honestly. Sending, and trying again when the service is busy, is
// left to a client.
package load

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/client"
)

// Service is where to load to. client.Client is one.
type Service interface {
	// Bundle posts a batch or transaction; see client.Client.
	Bundle(ctx context.Context, bundle []byte) ([]client.Entry, error)
}

// Defaults of Options, and how many failures a Summary keeps.
const (
	DefaultWorkers = 4
	DefaultBatch   = 200
	keptFailures   = 1000
)

// Options of Run. The zero value is ready to use.
type Options struct {
	Workers  int            // bundles sent at the same time; 0 for DefaultWorkers
	Batch    int            // resources in a transaction made of NDJSON and other bundles; 0 for DefaultBatch
	Grace    time.Duration  // that bundles already sent have to be answered once the context ended
	Progress func(Progress) // told after each bundle, by one goroutine at a time; may be nil
}

// Progress is how far a load has come.
type Progress struct {
	Read, Total int64 // bytes of the files on disk
	Resources   int64 // loaded so far
	Failed      int64
	Retrying    bool // all files were read; what was put off is tried again
}

// Summary is what became of everything.
type Summary struct {
	Files     int
	Bundles   int64 // accepted
	Resources int64 // loaded
	Bytes     int64 // of JSON in accepted bundles
	Types     map[fhir.Type]int64
	Failed    int64     // resources refused, and files or lines that could not be read
	Unknown   int64     // resources in bundles whose answer was not awaited: they may be loaded or not
	Failures  []Failure // the first of them
}

// Failure is why something was not loaded.
type Failure struct {
	File  string
	Place int       // of the entry or line, from 1; 0 for the whole file or bundle
	Type  fhir.Type // of the resource; "" when not known
	Count int64     // resources that were lost with it
	Err   *fault.Fault
}

// Run loads the files at paths into s and says what became of them, also when
// it ends with an error. Failures of single resources are no error. Errors are
// faults: NotFound and Invalid for paths, Canceled when ctx ended, Unavailable,
// Unauthenticated and Forbidden when the service takes nothing at all.
func Run(ctx context.Context, s Service, paths []string, o Options) (*Summary, error) {
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers
	}
	if o.Batch <= 0 {
		o.Batch = DefaultBatch
	}
	sources, err := find(paths)
	if err != nil {
		return &Summary{}, err
	}
	l := &loader{service: s, o: o, sum: Summary{Files: len(sources), Types: map[fhir.Type]int64{}}}
	for _, f := range sources {
		l.at.Total += f.size
	}
	sending, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	defer context.AfterFunc(ctx, func() { // ends with sending, at the latest after the grace
		t := time.NewTimer(o.Grace)
		defer t.Stop()
		select {
		case <-t.C:
			stop(context.Canceled)
		case <-sending.Done():
		}
	})()
	err = l.all(ctx, sending, sources)
	if err == nil && ctx.Err() != nil {
		err = fault.Wrap(fault.Canceled, ctx.Err(), "interrupted")
	}
	return &l.sum, err
}

type loader struct {
	service Service
	o       Options

	mu     sync.Mutex
	at     Progress
	sum    Summary
	putOff map[string]map[int]struct{} // units by file and index, to be tried again
}

// all loads rank by rank, and then what was put off as long as that helps.
func (l *loader) all(ctx, sending context.Context, sources []source) error {
	for from := 0; from < len(sources); {
		to := from + 1
		for to < len(sources) && sources[to].rank == sources[from].rank {
			to++
		}
		if err := l.pass(ctx, sending, sources[from:to], nil, false); err != nil {
			return err
		}
		from = to
	}
	for last := false; ; {
		again := l.putOff
		if len(again) == 0 || ctx.Err() != nil {
			return nil
		}
		l.putOff = nil
		l.progress(func(p *Progress) { p.Retrying = true })
		if err := l.pass(ctx, sending, sources, again, last); err != nil {
			return err
		}
		last = count(l.putOff) == count(again)
	}
}

func count(units map[string]map[int]struct{}) int {
	n := 0
	for indexes := range maps.Values(units) {
		n += len(indexes)
	}
	return n
}

// pass sends the units of sources, only those in again unless it is nil. The
// last pass puts nothing off.
func (l *loader) pass(ctx, sending context.Context, sources []source, again map[string]map[int]struct{}, last bool) error {
	g, sending := errgroup.WithContext(sending)
	work := make(chan *unit)
	for range l.o.Workers {
		g.Go(func() error {
			for u := range work {
				if ctx.Err() != nil {
					return nil // told to stop while it was handed over
				}
				if err := l.send(sending, u, u.items, last); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(work)
		for _, s := range sources {
			wanted := again[s.path]
			if again != nil && len(wanted) == 0 {
				continue
			}
			for u, err := range units(s, l.o.Batch, l.reader(again == nil)) {
				if err != nil {
					if again == nil { // already known otherwise
						l.flawed(s.path, err)
					}
					continue
				}
				if _, ok := wanted[u.index]; again != nil && !ok {
					continue
				}
				select {
				case work <- u:
				case <-ctx.Done():
					return nil
				case <-sending.Done():
					return nil
				}
			}
		}
		return nil
	})
	return g.Wait()
}

func (l *loader) reader(counts bool) func(int) {
	if !counts {
		return func(int) {}
	}
	return func(n int) { l.progress(func(p *Progress) { p.Read += int64(n) }) }
}

func (l *loader) progress(change func(*Progress)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.at)
	if l.o.Progress != nil {
		l.o.Progress(l.at)
	}
}

func (l *loader) flawed(file string, err error) {
	f, _ := errors.AsType[flaw](err)
	l.failed(Failure{File: file, Place: f.place, Type: f.typ, Count: 1, Err: fault.As(err)})
}

func (l *loader) failed(f Failure) {
	l.progress(func(p *Progress) {
		p.Failed += f.Count
		l.sum.Failed += f.Count
		if len(l.sum.Failures) < keptFailures {
			l.sum.Failures = append(l.sum.Failures, f)
		}
	})
}
