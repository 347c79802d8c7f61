package platform

import (
	"context"
	"fmt"
	"time"

	"salus/demo"
	"salus/workspace"
)

// demoSeed makes every demonstration show the same people.
const demoSeed = 1

// progressEvery is how often the log tells how far loading is.
const progressEvery = 2 * time.Second

// transaction processes a transaction bundle in JSON through a service's own
// use cases, as if a client had posted it.
type transaction func(ctx context.Context, bundle []byte) error

// loadDemo fills FHIR services with made-up patients. Services that have data
// are left alone, so that a demonstration can be continued.
func (p *Platform) loadDemo(ctx context.Context) error {
	if p.cfg.DemoPatients == 0 {
		return nil
	}
	for _, s := range p.services {
		if s.kind != workspace.FHIR {
			continue
		}
		counts, err := s.store.Count(ctx)
		if err != nil {
			return err
		}
		if len(counts) > 0 {
			p.log.Info("sample data is there already", "service", s.name)
			continue
		}
		if err := p.loadPopulation(ctx, s); err != nil {
			return fmt.Errorf("load sample data into %s: %w", s.name, err)
		}
	}
	return nil
}

func (p *Platform) loadPopulation(ctx context.Context, s *service) error {
	start := p.cfg.Now()
	last, bundles := start, 0
	p.log.Info("loading sample data", "service", s.name, "patients", p.cfg.DemoPatients)
	for bundle := range demo.Population(demoSeed, p.cfg.DemoPatients) {
		if err := s.transaction(ctx, bundle); err != nil {
			return err
		}
		bundles++
		if now := p.cfg.Now(); now.Sub(last) >= progressEvery {
			last = now
			p.log.Info("loading sample data", "service", s.name, "bundles", bundles)
		}
	}
	counts, err := s.store.Count(ctx)
	if err != nil {
		return err
	}
	var resources int64
	for _, n := range counts {
		resources += n
	}
	p.log.Info("sample data loaded", "service", s.name, "resources", resources, "took", p.cfg.Now().Sub(start))
	return nil
}
