package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"salus/demo"
	"salus/fhir"
)

// readTypes are read by id, about as often as an application would.
var readTypes = []fhir.Type{"Patient", "Observation", "Observation", "Observation", "Encounter", "Condition", "MedicationRequest"}

func clientsName(what string, n int) string {
	if n == 1 {
		return what + ", 1 client"
	}
	return fmt.Sprintf("%s, %d clients", what, n)
}

var readClients = []int{1, 8}

// most bounds what has no bound but time.
const most = 5_000_000

func (b *bench) reads(ctx context.Context) error {
	for _, n := range readClients {
		name := clientsName("read by id", n)
		b.say("%s", name)
		s, err := repeat(ctx, n, b.budget, most, func(ctx context.Context, r *rand.Rand) error {
			typ := readTypes[r.IntN(len(readTypes))]
			ids := b.facts.IDs[typ]
			if len(ids) == 0 {
				return errors.New("nothing of this type was loaded: " + string(typ))
			}
			_, err := b.server.service.Read(ctx, fhir.Key{Type: typ, ID: ids[r.IntN(len(ids))]})
			return err
		})
		if err != nil {
			return err
		}
		b.report.row("read", name, s)
	}
	return nil
}

var writeClients = []int{1, 8, 32, 128}

// small are the bodies of small writes, observations of another population.
func (b *bench) small() ([][]byte, error) {
	var bodies [][]byte
	for line := range demo.Resources(b.seed+1, 20) {
		d, err := fhir.Parse(line)
		if err != nil {
			return nil, err
		}
		if d.Root().Type() == "Observation" {
			bodies = append(bodies, line)
		}
	}
	return bodies, nil
}

func (b *bench) writes(ctx context.Context) error {
	bodies, err := b.small()
	if err != nil {
		return err
	}
	for _, n := range writeClients {
		name := clientsName("create an Observation", n)
		b.say("%s", name)
		before, err := b.server.counters(ctx)
		if err != nil {
			return err
		}
		var next atomic.Int64
		s, err := repeat(ctx, n, b.budget, most, func(ctx context.Context, _ *rand.Rand) error {
			_, err := b.server.service.Create(ctx, "Observation", bodies[int(next.Add(1))%len(bodies)])
			return err
		})
		if err != nil {
			return err
		}
		after, err := b.server.counters(ctx)
		if err != nil {
			return err
		}
		row := b.report.row("write", name, s)
		if syncs := after["salus_store_syncs_total"] - before["salus_store_syncs_total"]; syncs > 0 {
			row.Note = fmt.Sprintf("%.1f writes per sync", (after["salus_store_writes_total"]-before["salus_store_writes_total"])/syncs)
		}
	}
	b.report.figure("memory of the server under small writes, at most", float64(b.server.memory("VmHWM"))/1e6, "MB")
	return nil
}

// starts ends the server and starts it again on the data that is there.
func (b *bench) starts(ctx context.Context) error {
	const times = 3
	var ready, answer []time.Duration
	for range times {
		b.say("starting again")
		if err := b.server.stop(); err != nil {
			return err
		}
		began := time.Now()
		if err := b.start(ctx); err != nil {
			return err
		}
		ready = append(ready, b.server.ready)
		if _, err := b.server.service.Read(ctx, fhir.Key{Type: "Patient", ID: b.facts.IDs["Patient"][0]}); err != nil {
			return err
		}
		answer = append(answer, time.Since(began))
	}
	slices.Sort(ready)
	slices.Sort(answer)
	b.report.figure("start on this data until ready", milliseconds(ready[times/2]), "ms")
	b.report.figure("start on this data until the first read is answered", milliseconds(answer[times/2]), "ms")
	b.report.figure("memory of the server after a start", float64(b.server.memory("VmRSS"))/1e6, "MB")
	return nil
}
