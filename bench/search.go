package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"salus/fault"
)

// searches measures each shape with one client, then a mixture of all with more.
func (b *bench) searches(ctx context.Context) error {
	if len(b.facts.patients) == 0 {
		return fmt.Errorf("no patient is known to search for")
	}
	return b.eachShape(ctx, func(name string, s *sample, mean float64) {
		row := b.report.row("search", name, s)
		row.Note = fmt.Sprintf("%.1f found", mean)
		if i := slices.IndexFunc(shapes, func(x shape) bool { return x.name == name }); mean == 0 && (i < 0 || !shapes[i].empty) {
			row.Note = "NOTHING FOUND: measures nothing"
		}
	})
}

// eachShape measures each shape with one client and then a mixture of all with
// more. add takes the sample of each, and how many matches a page had on average.
func (b *bench) eachShape(ctx context.Context, add func(name string, s *sample, mean float64)) error {
	measure := func(name string, clients, reps int, choose func(*rand.Rand) *shape) error {
		b.say("search: %s", name)
		var found, pages atomic.Int64
		s, err := repeat(ctx, clients, b.budget, reps, func(ctx context.Context, r *rand.Rand) error {
			return b.ask(ctx, choose(r), r, &found, &pages)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		add(name, s, float64(found.Load())/float64(max(1, pages.Load())))
		return nil
	}
	asked := b.asked()
	for i := range asked {
		if err := b.warm(ctx, &asked[i]); err != nil {
			return fmt.Errorf("%s: %w", asked[i].name, err)
		}
		if err := measure(asked[i].name, 1, b.reps, func(*rand.Rand) *shape { return &asked[i] }); err != nil {
			return err
		}
	}
	return measure(clientsName("mixture of all", searchClients), searchClients, most,
		func(r *rand.Rand) *shape { return &asked[r.IntN(len(asked))] })
}

// maxIndexed is up to how many patients a shape is measured that makes the
// server build an index first, which takes it minutes for each thousand.
const maxIndexed = 2_000

// asked are the shapes that are measured.
func (b *bench) asked() []shape {
	return slices.DeleteFunc(slices.Clone(shapes), func(x shape) bool { return x.indexes && b.there > maxIndexed })
}

// warm waits until the server has built what a shape needs.
func (b *bench) warm(ctx context.Context, x *shape) error {
	if !x.indexes {
		return nil
	}
	for {
		var found, pages atomic.Int64
		err := b.ask(ctx, x, rand.New(rand.NewPCG(0, 0)), &found, &pages)
		if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
	}
}

const searchClients = 8

// ask makes one search and reads its first page, and as many more as the shape wants.
func (b *bench) ask(ctx context.Context, x *shape, r *rand.Rand, found, pages *atomic.Int64) error {
	left := max(1, x.pages)
	for p, err := range b.server.service.Search(ctx, x.query(r, b.facts)) {
		if err != nil {
			return err
		}
		for range p.Matches {
			found.Add(1)
		}
		if x.count {
			found.Add(max(0, p.Total()))
		}
		pages.Add(1)
		if left--; left == 0 {
			break
		}
	}
	return nil
}
