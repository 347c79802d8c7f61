package interaction

import (
	"context"

	"salus/fhir"
)

// Update stores a resource under the id in the URL and creates it when there
// is none. Without an id the resource is found by Criteria (FHIR R4 http
// §3.1.0.4.3): no match creates, one is updated. An update that changes nothing
// but meta.versionId and meta.lastUpdated makes no version.
//
// Without IfMatch writers of one resource are put in some order and all
// succeed. Faults: NotFound for an unknown type; Invalid for a broken resource,
// id or If-Match, or when the resource's id is not that of the URL or of the
// match; Precondition when the current version is not that of IfMatch, when the
// criteria match several resources or are none that the service knows.
func (s *Service) Update(ctx context.Context, w Write) (Result, error) {
	w.IfNoneExist = ""
	return s.apply(ctx, &Change{Write: w, Method: fhir.Put})
}
