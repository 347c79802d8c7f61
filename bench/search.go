package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// searches measures each shape with one client, then a mixture of all with more.
func (b *bench) searches(ctx context.Context) error {
	if len(b.facts.patients) == 0 {
		return fmt.Errorf("no patient is known to search for")
	}
	for i := range shapes {
		x := &shapes[i]
		b.say("search: %s", x.name)
		var found, pages atomic.Int64
		s, err := repeat(ctx, 1, b.budget, b.reps, func(ctx context.Context, r *rand.Rand) error {
			return b.ask(ctx, x, r, &found, &pages)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		row := b.report.row("search", x.name, s)
		row.Note = fmt.Sprintf("%.1f found", float64(found.Load())/float64(pages.Load()))
		if found.Load() == 0 && !x.empty {
			row.Note = "NOTHING FOUND: measures nothing"
		}
	}
	name := clientsName("mixture of all", searchClients)
	b.say("search: %s", name)
	var found, pages atomic.Int64
	s, err := repeat(ctx, searchClients, b.budget, most, func(ctx context.Context, r *rand.Rand) error {
		return b.ask(ctx, &shapes[r.IntN(len(shapes))], r, &found, &pages)
	})
	if err != nil {
		return err
	}
	b.report.row("search", name, s)
	return nil
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
