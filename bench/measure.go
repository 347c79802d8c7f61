package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// sample is what one measurement gave.
type sample struct {
	took    time.Duration // of all together
	each    []time.Duration
	ordered bool
}

// percentile returns the time within which p percent of the operations ended:
// the nearest rank, so an operation that happened.
func (s *sample) percentile(p float64) time.Duration {
	if len(s.each) == 0 {
		return 0
	}
	if !s.ordered {
		slices.Sort(s.each)
		s.ordered = true
	}
	rank := int(float64(len(s.each))*p/100+0.9999999) - 1
	return s.each[min(max(rank, 0), len(s.each)-1)]
}

// rate returns operations per second.
func (s *sample) rate() float64 {
	if s.took <= 0 {
		return 0
	}
	return float64(len(s.each)) / s.took.Seconds()
}

// repeat runs op by some clients at the same time until the budget is used up
// or most operations were done; each client does one at least. It ends with the
// first error. Each client has a random number generator of its own, the same
// in every run.
func repeat(ctx context.Context, clients int, budget time.Duration, most int, op func(context.Context, *rand.Rand) error) (*sample, error) {
	var (
		s    sample
		mu   sync.Mutex
		done atomic.Int64
	)
	g, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for i := range clients {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(i), 99))
			var mine []time.Duration
			for len(mine) == 0 || time.Since(began) < budget && done.Load() < int64(most) {
				start := time.Now()
				if err := op(ctx, r); err != nil {
					return err
				}
				mine = append(mine, time.Since(start))
				done.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			s.each = append(s.each, mine...)
			return nil
		})
	}
	err := g.Wait()
	s.took = time.Since(began)
	return &s, err
}
