package interaction

import (
	"context"

	"salus/fault"
	"salus/fhir"
)

// Read returns the current version of a resource. Faults: Gone, with the
// number of the deletion, when it was deleted; NotFound.
func (s *Service) Read(ctx context.Context, key fhir.Key) (fhir.Version, error) {
	if err := s.known(key.Type); err != nil {
		return fhir.Version{}, err
	}
	v, err := s.current(ctx, key)
	if err != nil {
		return fhir.Version{}, err
	}
	return present(v, key)
}

// present refuses versions that have nothing to show.
func present(v fhir.Version, key fhir.Key) (fhir.Version, error) {
	switch {
	case v.Number == 0:
		return fhir.Version{}, fault.New(fault.NotFound, "there is no resource %s", shown(key))
	case v.Deleted():
		f := fault.New(fault.Gone, "%s was deleted", key)
		f.Version = v.Number
		return fhir.Version{}, f
	}
	return v, nil
}

// shown is the key as a message may show it: what is no id could be anything.
func shown(key fhir.Key) string {
	if !fhir.ValidID(string(key.ID)) {
		return string(key.Type) + " with that id"
	}
	return key.String()
}
