package rest

import (
	"net/http"

	"salus/fault"
	"salus/fhir"
)

// read is GET /{type}/{id} (FHIR R4 http §3.1.0.2). The definitions of the
// service's own operations are there unless someone has stored others in their place.
func (s *server) read(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, func(key fhir.Key) (fhir.Version, error) {
		v, err := s.service.Read(r.Context(), key)
		if key.Type == "OperationDefinition" && fault.Is(err, fault.NotFound) {
			if own, ok := s.defined(key.ID, s.base(r)); ok {
				return own, nil
			}
		}
		return v, err
	})
}

// vread is GET /{type}/{id}/_history/{vid} (FHIR R4 http §3.1.0.3).
func (s *server) vread(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, func(key fhir.Key) (fhir.Version, error) {
		return s.service.VRead(r.Context(), key, r.PathValue("vid"))
	})
}

// show answers with the version that use finds.
func (s *server) show(w http.ResponseWriter, r *http.Request, use func(fhir.Key) (fhir.Version, error)) error {
	params := r.URL.Query()
	content := s.wantsContent(r, params)
	f, unwritable := formatOf(r, params)
	if unwritable != nil && !content {
		return unwritable
	}
	part, err := subsetOf(params)
	if err != nil {
		return err
	}
	v, err := use(fhir.Key{Type: fhir.Type(r.PathValue("type")), ID: fhir.ID(r.PathValue("id"))})
	if err != nil {
		return err
	}
	setVersion(w.Header(), v)
	if fresh(r, v) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if content {
		if sent, err := s.sendContent(w, r, v); sent || err != nil {
			return err
		}
		if unwritable != nil {
			return unwritable
		}
	}
	return s.sendVersion(w, http.StatusOK, f, part, v)
}
