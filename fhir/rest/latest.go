package rest

import (
	"sync"

	"salus/fhir/searchparam"
)

// latestStatement returns a function that gives the CapabilityStatement for the
// search parameters that count now. It is derived anew only after they have
// changed.
func (s *server) latestStatement(name, version string) func() statement {
	var (
		mu   sync.Mutex // protects the two below
		of   *searchparam.Registry
		last statement
	)
	return func() statement {
		mu.Lock()
		defer mu.Unlock()
		if reg := s.params.Registry(); reg != of {
			fixed := *s
			fixed.params = reg
			last, of = fixed.newStatement(name, version), reg
		}
		return last
	}
}
