package interaction

import (
	"context"

	"salus/fhir"
)

// Delete makes a deletion the current version of a resource, or with hard
// removes the resource and all its versions. Deleting what is not there
// succeeds (FHIR R4 http §3.1.0.7).
//
// Compat: If-Match is not evaluated on delete.
func (s *Service) Delete(ctx context.Context, key fhir.Key, hard bool) (Result, error) {
	c := Change{Write: Write{Type: key.Type, ID: key.ID}, Method: fhir.Delete}
	if hard {
		c.Method = fhir.Purge
	}
	return s.apply(ctx, &c)
}
