package interaction

import (
	"context"

	"salus/fault"
	"salus/fhir"
)

// VRead returns the version of a resource that vid names. Faults: Gone, with
// its number, when that version is a deletion; NotFound; MethodNotAllowed for a
// superseded version of a type whose policy is no-version.
func (s *Service) VRead(ctx context.Context, key fhir.Key, vid string) (fhir.Version, error) {
	if err := s.known(key.Type); err != nil {
		return fhir.Version{}, err
	}
	n, err := parseVersion(vid)
	if err != nil {
		return fhir.Version{}, err
	}
	if !fhir.ValidID(string(key.ID)) {
		return fhir.Version{}, fault.New(fault.NotFound, "there is no resource %s", shown(key))
	}
	v, err := s.store.ReadVersion(ctx, key, n)
	if fault.Is(err, fault.NotFound) {
		return fhir.Version{}, fault.New(fault.NotFound, "there is no version %d of %s", n, key)
	}
	if err != nil {
		return fhir.Version{}, err
	}
	if s.policies.Of(key.Type) == fhir.NoVersion { // there may be versions from before the policy
		now, err := s.current(ctx, key)
		if err != nil {
			return fhir.Version{}, err
		}
		if now.Number != n {
			return fhir.Version{}, noHistory(key.Type)
		}
	}
	return present(v, key)
}

// noHistory is the fault of asking for what the policy of a type does not keep.
func noHistory(t fhir.Type) error {
	return fault.New(fault.MethodNotAllowed, "this service keeps no history of %s", t)
}
