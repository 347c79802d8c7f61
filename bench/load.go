package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"salus/demo"
	"salus/fhir"
	"salus/fhir/client"
	"salus/fhir/client/load"
)

// facts are what the other parts know about what was loaded, to ask for things
// that exist.
type facts struct {
	mu   sync.Mutex
	r    *rand.Rand
	seen map[fhir.Type]int
	known
}

// known are the facts that go with data that is kept.
type known struct {
	Resources int
	IDs       map[fhir.Type][]fhir.ID // a sample of all
	Patients  []patient               // a sample
	Loaded    time.Time               // halfway through the load
}

type patient struct {
	ID     fhir.ID
	Family string
	Given  string
	Number string // in demo.RecordNumbers
	Born   string
}

// keptIDs and keptPatients bound the samples. Patients are read from some
// bundles only, to spare the processor that the client shares with the server.
const (
	keptIDs      = 20_000
	keptPatients = 1_000
)

// keep takes an id into the sample, each with the same chance.
func (f *facts) keep(key fhir.Key) {
	f.seen[key.Type]++
	ids := f.IDs[key.Type]
	if len(ids) < keptIDs {
		f.IDs[key.Type] = append(ids, key.ID)
	} else if i := f.r.IntN(f.seen[key.Type]); i < keptIDs {
		ids[i] = key.ID
	}
}

// learn takes in what a bundle was answered with.
func (f *facts) learn(bundle []byte, entries []client.Entry, whole bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		f.keep(e.Location)
	}
	if !whole {
		return nil
	}
	d, err := fhir.Parse(bundle)
	if err != nil {
		return err
	}
	defer d.Release()
	i := 0
	for e := range d.Root().Get("entry").Children {
		if r := e.Get("resource"); r.Type() == "Patient" && i < len(entries) {
			f.Patients = append(f.Patients, patientOf(entries[i].Location.ID, r))
		}
		i++
	}
	return nil
}

func patientOf(id fhir.ID, r fhir.Node) patient {
	return patient{
		ID: id, Family: text(r.Get("name").First().Get("family")), Given: text(r.Get("name").First().Get("given").First()),
		Number: text(r.Get("identifier").First().Get("value")), Born: text(r.Get("birthDate")),
	}
}

// text copies a node's text, which would keep the whole bundle in memory.
func text(n fhir.Node) string { return string([]byte(n.Text())) }

func (b *bench) load(ctx context.Context) error {
	b.say("loading %d patients", b.patients)
	b.facts, b.there = newFacts(), b.patients
	before, err := b.server.counters(ctx)
	if err != nil {
		return err
	}
	s, total, err := b.post(ctx)
	if err != nil {
		return err
	}
	row := b.report.row("load", "transactions, one per patient", s)
	row.Rate = float64(total.resources) / s.took.Seconds()
	row.Note = fmt.Sprintf("%d resources, %.1f MB/s", total.resources, float64(total.bytes)/s.took.Seconds()/1e6)
	after, err := b.server.counters(ctx)
	if err != nil {
		return err
	}
	if n := after["salus_store_syncs_total"] - before["salus_store_syncs_total"]; n > 0 {
		row.Note += fmt.Sprintf(", %.1f bundles per sync", float64(len(s.each))/n)
	}
	b.report.figure("memory of the server after the load, at most", float64(b.server.memory("VmHWM"))/1e6, "MB")
	b.say("waiting until the files are quiet")
	disk, err := settle(ctx, b.served)
	if err != nil {
		return err
	}
	b.report.figure("JSON per resource", float64(total.bytes)/float64(total.resources), "bytes")
	b.report.figure("disk per resource", float64(disk)/float64(total.resources), "bytes")
	if b.synthea != "" {
		return b.loadFiles(ctx)
	}
	return nil
}

// totals are sums over a load.
type totals struct{ resources, bytes int }

// post sends the population. Bundles are made while others are sent.
func (b *bench) post(ctx context.Context) (*sample, totals, error) {
	var (
		s     sample
		total totals
		mu    sync.Mutex
	)
	g, ctx := errgroup.WithContext(ctx)
	bundles := b.population(ctx, g)
	every := max(1, b.patients/keptPatients)
	began := time.Now()
	for range b.clients {
		g.Go(func() error {
			for x := range bundles {
				start := time.Now()
				entries, err := b.server.service.Bundle(ctx, x.body)
				if err != nil {
					return err
				}
				took := time.Since(start)
				if err := b.facts.learn(x.body, entries, x.number%every == 0); err != nil {
					return err
				}
				mu.Lock()
				s.each = append(s.each, took)
				total.resources += len(entries)
				total.bytes += len(x.body)
				if x.number == b.patients/2 {
					b.facts.Loaded = time.Now()
				}
				mu.Unlock()
			}
			return nil
		})
	}
	err := g.Wait()
	s.took = time.Since(began)
	return &s, total, err
}

type bundle struct {
	number int
	body   []byte
}

// population makes the bundles in a goroutine of g, a few ahead.
func (b *bench) population(ctx context.Context, g *errgroup.Group) <-chan bundle {
	bundles := make(chan bundle, b.clients)
	g.Go(func() error {
		defer close(bundles)
		n := 0
		for body := range demo.Population(b.seed, b.patients) {
			select {
			case bundles <- bundle{n, body}:
				n++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return bundles
}

// loadFiles loads the folder of bundles besides.
func (b *bench) loadFiles(ctx context.Context) error {
	b.say("loading %s", b.synthea)
	began := time.Now()
	sum, err := load.Run(ctx, b.server.service, []string{b.synthea}, load.Options{Workers: b.clients})
	if err != nil {
		return err
	}
	s := &sample{took: time.Since(began)}
	row := b.report.row("load", "files", s)
	row.Count, row.Rate = int(sum.Bundles), float64(sum.Resources)/s.took.Seconds()
	row.Note = fmt.Sprintf("%d resources, %d failed, %.1f MB/s", sum.Resources, sum.Failed, float64(sum.Bytes)/s.took.Seconds()/1e6)
	return nil
}
