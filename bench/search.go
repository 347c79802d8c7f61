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
	if len(b.facts.Patients) == 0 {
		return fmt.Errorf("no patient is known to search for")
	}
	return b.eachShape(ctx, func(name string, s *searched) {
		row := b.report.row("search", name, s.sample)
		i := slices.IndexFunc(shapes, func(x shape) bool { return x.name == name })
		row.Note = fmt.Sprintf("%.1f found", s.mean())
		switch {
		case i < 0:
			row.Note = fmt.Sprintf("%.0f pages answered a second", s.answered())
		case s.found.Load() == 0 && !shapes[i].empty:
			row.Note = "NOTHING FOUND: measures nothing"
		}
	})
}

// searched is what measuring one shape gave.
type searched struct {
	*sample
	found, pages atomic.Int64
}

// mean returns how many matches a page had.
func (s *searched) mean() float64 { return float64(s.found.Load()) / float64(max(1, s.pages.Load())) }

// answered returns how many requests were answered a second; a shape of several
// pages makes one for each.
func (s *searched) answered() float64 { return float64(s.pages.Load()) / s.took.Seconds() }

// eachShape measures each shape with one client and then a mixture of all with
// more. add takes what each gave.
func (b *bench) eachShape(ctx context.Context, add func(name string, s *searched)) error {
	measure := func(name string, clients, reps int, choose func(*rand.Rand) *shape) error {
		b.say("search: %s", name)
		var s searched
		var err error
		s.sample, err = repeat(ctx, clients, b.budget, reps, func(ctx context.Context, r *rand.Rand) error {
			return b.ask(ctx, choose(r), r, &s)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		add(name, &s)
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
		err := b.ask(ctx, x, rand.New(rand.NewPCG(0, 0)), &searched{})
		if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
	}
}

const searchClients = 8

// ask makes one search and reads its first page, and as many more as the shape wants.
func (b *bench) ask(ctx context.Context, x *shape, r *rand.Rand, s *searched) error {
	left := max(1, x.pages)
	for p, err := range b.server.service.Search(ctx, x.query(r, b.facts)) {
		if err != nil {
			return err
		}
		for range p.Matches {
			s.found.Add(1)
		}
		if x.count {
			s.found.Add(max(0, p.Total()))
		}
		s.pages.Add(1)
		if left--; left == 0 {
			break
		}
	}
	return nil
}
