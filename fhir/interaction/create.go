package interaction

import (
	"context"

	"salus/fhir"
)

// Create stores a new resource under an id that the service assigns; an id, a
// version and a time in the resource are ignored. With IfNoneExist it creates
// only when nothing matches (FHIR R4 http §3.1.0.8.1).
//
// Faults: NotFound for an unknown type, Invalid for a broken resource or
// criteria, Precondition when the criteria match several resources or are none
// that the service knows.
func (s *Service) Create(ctx context.Context, w Write) (Result, error) {
	w.ID, w.Criteria, w.IfMatch = "", "", ""
	return s.apply(ctx, &Change{Write: w, Method: fhir.Post})
}
