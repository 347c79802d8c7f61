package interaction

import (
	"context"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// PurgeHistory removes all versions of a resource but the current one, which
// keeps its number and time and may be a deletion. It returns the current
// version without its body. Faults: NotFound for an unknown type or when there
// never was such a resource.
func (s *Service) PurgeHistory(ctx context.Context, key fhir.Key) (fhir.Version, error) {
	if err := s.known(key.Type); err != nil {
		return fhir.Version{}, err
	}
	if !fhir.ValidID(string(key.ID)) {
		return fhir.Version{}, fault.New(fault.NotFound, "there is no resource %s", shown(key))
	}
	made, err := s.Commit(ctx, []store.Write{{Key: key, Method: fhir.Purge, Expect: store.AnyVersion, DropSuperseded: true}})
	if err == nil && made[0].Number == 0 {
		err = fault.New(fault.NotFound, "there is no resource %s", shown(key))
	}
	if err != nil {
		return fhir.Version{}, err
	}
	return made[0], nil
}
