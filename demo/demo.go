// Package demo invents a clinic: organisations, staff and patients with decades
// of encounters, measurements, diagnoses, prescriptions and bills, as FHIR R4.
//
// It promises the same bytes for the same seed and numbers, resources that are
// valid R4, bundles of at most 500 entries, and about 300 resources per patient
// in the mixture and with the codes that a general practice produces. Nobody in
// it exists: names, numbers and places come from the lists in this package and a
// random number generator. It leaves sending the bundles to others.
package demo

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// Until is the day on which the story ends; nothing is dated later.
var Until = time.Date(2025, time.December, 31, 17, 0, 0, 0, time.UTC)

// The systems of the identifiers that the clinic gives out.
const (
	RecordNumbers = "https://demo.salus.example/id/record-number" // of patients
	StaffNumbers  = "https://demo.salus.example/id/staff-number"  // of practitioners
	SiteNumbers   = "https://demo.salus.example/id/site-number"   // of organisations and locations
)

// RecordNumber returns the identifier that patient i (from 0) has in RecordNumbers.
func RecordNumber(i int) string { return fmt.Sprintf("MRN-%08d", i+1) }

// bundleEntries is how many entries a bundle may have at most.
// Compat: Azure's FHIR service refuses bundles of more than 500.
const bundleEntries = 500

// Population yields transaction bundles in compact JSON: first the clinic's
// organisations, locations and practitioners with fixed ids (PUT), then one
// bundle per patient whose entries refer to each other by urn:uuid (POST). Each
// bundle is the receiver's to keep.
func Population(seed uint64, patients int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := newClinic(seed, patients)
		s := &sheet{bundle: true}
		for from := 0; from < len(c.sites); from += sitesPerBundle {
			s.reset()
			c.write(s, from, min(from+sitesPerBundle, len(c.sites)))
			if !yield(s.takeBundle()) {
				return
			}
		}
		for i := range patients {
			s.reset()
			writeLife(s, c, seed, i)
			if !yield(s.takeBundle()) {
				return
			}
		}
	}
}

// Resources yields the same population resource by resource, one line of
// NDJSON each, with ids of their own and references of the form Type/id. Each
// line is the receiver's to keep.
func Resources(seed uint64, patients int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c := newClinic(seed, patients)
		s := &sheet{}
		c.write(s, 0, len(c.sites))
		if !s.yieldEach(yield) {
			return
		}
		for i := range patients {
			s.reset()
			writeLife(s, c, seed, i)
			if !s.yieldEach(yield) {
				return
			}
		}
	}
}

// The streams of random numbers drawn from one seed: one for the clinic, and
// one per patient from firstPatient on, so that each can be written alone.
const (
	clinicStream = 0
	firstPatient = 1
)

func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// chance is true in percent of 100 cases.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// between returns a number from low to high, both included.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

// spread returns a normally distributed number.
func spread(r *rand.Rand, mean, deviation float64) float64 {
	return mean + r.NormFloat64()*deviation
}
