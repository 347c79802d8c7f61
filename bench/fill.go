package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"salus/demo"
	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store"
	"salus/fhir/store/lsm"
)

// ingested is how many resources go into the store at once.
const ingested = 20_000

// fill writes a population into an empty service's directory, without a server:
// what a search costs does not depend on how the data came in, and loading
// millions of resources by HTTP takes long.
func (b *bench) fill(ctx context.Context, patients int) (err error) {
	b.facts = newFacts()
	db, err := lsm.Open(filepath.Join(b.served, "default", "fhir"), lsm.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	params, err := searchparam.NewRegistry(spec.R4())
	if err != nil {
		return err
	}
	every := max(1, patients/keptPatients)
	n := 0
	g, ctx := errgroup.WithContext(ctx)
	lines, writes := make(chan [][]byte, 2), make(chan []store.Write, 2)
	g.Go(func() error {
		defer close(lines)
		for part := range chunks(demo.Resources(b.seed, patients), ingested/4) {
			select {
			case lines <- part:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	readers, readersCtx := errgroup.WithContext(ctx)
	for range runtime.NumCPU() {
		readers.Go(func() error {
			for part := range lines {
				made, err := b.read(params, part, every)
				if err != nil {
					return err
				}
				select {
				case writes <- made:
				case <-readersCtx.Done():
					return readersCtx.Err()
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(writes)
		return readers.Wait()
	})
	g.Go(func() error {
		var waiting []store.Write
		flush := func() error {
			_, err := db.Ingest(ctx, waiting)
			n += len(waiting)
			waiting = waiting[:0]
			if n%1_000_000 < ingested {
				b.say("filled %d resources", n)
			}
			return err
		}
		for made := range writes {
			if waiting = append(waiting, made...); len(waiting) >= ingested {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return flush()
	})
	began := time.Now()
	err = g.Wait()
	b.facts.Loaded, b.facts.Resources = began.Add(time.Since(began)/2), n
	return err
}

// chunks puts n elements of a sequence together.
func chunks(seq func(func([]byte) bool), n int) func(func([][]byte) bool) {
	return func(yield func([][]byte) bool) {
		part := make([][]byte, 0, n)
		for line := range seq {
			if part = append(part, line); len(part) == n {
				if !yield(part) {
					return
				}
				part = make([][]byte, 0, n)
			}
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

// read makes writes of resources and takes a sample of them into the facts.
func (b *bench) read(params *searchparam.Registry, lines [][]byte, every int) ([]store.Write, error) {
	writes := make([]store.Write, 0, len(lines))
	var values []searchparam.Entry
	for _, line := range lines {
		d, err := fhir.Parse(line)
		if err != nil {
			return nil, err
		}
		n := d.Root()
		if values, err = params.Extract(values[:0], n, searchparam.Options{}); err != nil {
			return nil, err
		}
		writes = append(writes, store.Write{
			Key: fhir.Key{Type: n.Type(), ID: n.ID()}, Method: fhir.Put, Expect: 0,
			Body: fhir.NewBody(n, n.ID(), nil), Values: slices.Clone(values),
		})
		b.facts.mu.Lock()
		b.facts.keep(fhir.Key{Type: n.Type(), ID: fhir.ID(string([]byte(n.ID())))})
		if n.Type() == "Patient" && b.facts.seen["Patient"]%every == 0 {
			b.facts.Patients = append(b.facts.Patients, patientOf(fhir.ID(string([]byte(n.ID()))), n))
		}
		b.facts.mu.Unlock()
	}
	return writes, nil
}

func newFacts() *facts {
	return &facts{r: rand.New(rand.NewPCG(1, 1)), seen: map[fhir.Type]int{}, known: known{IDs: map[fhir.Type][]fhir.ID{}}}
}
