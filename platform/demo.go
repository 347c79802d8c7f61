package platform

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"salus/demo"
	"salus/dicom/archive"
	"salus/dicom/phantom"
	"salus/dicom/web"
	"salus/fault"
	"salus/workspace"
)

// demoSeed makes every demonstration show the same people.
const demoSeed = 1

// progressEvery is how often the log tells how far loading is.
const progressEvery = 2 * time.Second

// transaction processes a transaction bundle in JSON through a service's own
// use cases, as if a client had posted it.
type transaction func(ctx context.Context, bundle []byte) error

// loadDemo fills FHIR services with made-up patients, and DICOM services with images of some of them. Services that have data
// are left alone, so that a demonstration can be continued.
func (p *Platform) loadDemo(ctx context.Context) error {
	if p.cfg.DemoPatients == 0 {
		return nil
	}
	for _, s := range p.services {
		if s.kind == workspace.DICOM {
			if err := p.loadImages(ctx, s); err != nil {
				return fmt.Errorf("load sample images into %s: %w", s.name, err)
			}
		}
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

// What sample images there are.
const (
	imagedPatients = 3
	imagedSeries   = 2
	imagedSlices   = 12
	sliceSize      = 256 // rows and columns
)

// loadImages stores invented CT studies of the first patients.
func (p *Platform) loadImages(ctx context.Context, s *service) error {
	if _, some, err := s.archive.Latest(ctx, false); err != nil || some {
		return err
	}
	stored := 0
	for patient := range min(imagedPatients, p.cfg.DemoPatients) {
		for n := range imagedSeries * imagedSlices {
			slice := phantom.Slice{
				PatientID: demo.RecordNumber(patient), Name: fmt.Sprintf("Invented^Patient %d", patient+1), Patient: patient, Study: 0,
				Series: n / imagedSlices, Instance: n % imagedSlices, Slices: imagedSlices, Size: sliceSize, Date: demo.Until.AddDate(0, 0, -7*patient),
			}
			file, err := slice.File()
			if err != nil {
				return err
			}
			o, err := s.archive.Store(ctx, bytes.NewReader(file), archive.Rules{Partition: web.DefaultPartition})
			if err != nil {
				return err
			}
			if o.Failure != 0 {
				return fault.New(fault.Internal, "an invented image is refused: %s", strings.Join(o.Comments, "; "))
			}
			stored++
		}
	}
	p.log.Info("sample images loaded", "service", s.name, "instances", stored)
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
