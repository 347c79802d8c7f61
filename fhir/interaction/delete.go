package interaction

import (
	"context"

	"salus/fhir"
)

// Delete makes a deletion the current version of a resource, or with hard
// removes the resource and all its versions. Deleting what is not there
// succeeds (FHIR R4 http §3.1.0.7).
func (s *Service) Delete(ctx context.Context, key fhir.Key, hard bool) (Result, error) {
	return s.DeleteExpected(ctx, key, "", hard)
}

// DeleteExpected is Delete of the version that ifMatch, the header as it was
// sent, names. Faults: Invalid for a broken header, Precondition for another version.
//
// Compat: the reference does not evaluate If-Match at a DELETE, FHIR does.
func (s *Service) DeleteExpected(ctx context.Context, key fhir.Key, ifMatch string, hard bool) (Result, error) {
	c := Change{Write: Write{Type: key.Type, ID: key.ID, IfMatch: ifMatch}, Method: fhir.Delete}
	if hard {
		c.Method = fhir.Purge
	}
	return s.apply(ctx, &c)
}
