package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/internal/serve"
)

// body reads and parses a request's body, as JSON what comes as XML. The caller
// releases the document when no node of it is used any more.
func (s *server) body(r *http.Request, limit int64) (*fhir.Document, error) {
	t := readable(r.Header.Get("Content-Type"))
	if t == "" {
		return nil, fault.New(fault.MediaType, "Content-Type must be one of %s", strings.Join(mediaTypes[:], ", "))
	}
	b, err := serve.ReadBody(r, limit)
	if err != nil {
		return nil, err
	}
	return s.parse(t, b)
}

// parse parses a resource in one of mediaTypes.
func (s *server) parse(mediaType string, b []byte) (*fhir.Document, error) {
	if isXML(mediaType) {
		var err error
		if b, err = s.xml.JSON(nil, b); err != nil {
			return nil, err
		}
	}
	return fhir.Parse(b)
}

// create is POST /{type} (FHIR R4 http §3.1.0.8).
func (s *server) create(w http.ResponseWriter, r *http.Request) error {
	return s.write(w, r, interaction.Write{IfNoneExist: r.Header.Get("If-None-Exist")}, s.service.Create)
}

// update is PUT /{type}/{id} (FHIR R4 http §3.1.0.4).
func (s *server) update(w http.ResponseWriter, r *http.Request) error {
	return s.write(w, r, interaction.Write{ID: fhir.ID(r.PathValue("id"))}, s.service.Update)
}

// updateMatch is PUT /{type}?criteria (FHIR R4 http §3.1.0.4.3).
func (s *server) updateMatch(w http.ResponseWriter, r *http.Request) error {
	criteria := without(r.URL.RawQuery, "_format", "_pretty", "_meta-history")
	return s.write(w, r, interaction.Write{Criteria: criteria}, s.service.Update)
}

// useCase is a create or an update.
type useCase func(context.Context, interaction.Write) (interaction.Result, error)

// write decodes what creates and updates have in common, does one of them by
// use and answers.
func (s *server) write(w http.ResponseWriter, r *http.Request, in interaction.Write, use useCase) error {
	params := r.URL.Query()
	f, err := formatOf(r, params)
	if err != nil {
		return err
	}
	p, err := prefer(r)
	if err != nil {
		return err
	}
	if in.Provenance, err = provenance(r); err != nil {
		return err
	}
	doc, err := s.resource(r)
	if err != nil {
		return err
	}
	defer doc.Release()
	in.Type, in.Resource, in.Strict, in.Base = fhir.Type(r.PathValue("type")), doc.Root(), p.strict, s.base(r)
	in.IfMatch = r.Header.Get("If-Match")
	in.DropHistory = params.Get("_meta-history") == "false"
	result, err := use(r.Context(), in)
	if err != nil {
		return err
	}
	return s.sendResult(w, r, f, p, in, result)
}

// provenance reads X-Provenance (FHIR R4 http §3.1.0.1.11), a resource as JSON.
func provenance(r *http.Request) (fhir.Node, error) {
	switch h := r.Header.Values("X-Provenance"); {
	case len(h) > 1:
		return fhir.Node{}, fault.New(fault.Invalid, "X-Provenance may be sent once")
	case len(h) == 0 || strings.TrimSpace(h[0]) == "":
		return fhir.Node{}, nil
	default:
		doc, err := fhir.Parse([]byte(h[0]))
		if err != nil {
			return fhir.Node{}, fault.Wrap(fault.Invalid, err, "X-Provenance must hold one Provenance as JSON")
		}
		return doc.Root(), nil
	}
}

// sendResult answers a create or update (FHIR R4 http §3.1.0.1.7, §3.1.0.8).
func (s *server) sendResult(w http.ResponseWriter, r *http.Request, f format, p preferred, in interaction.Write, result interaction.Result) error {
	v, status := result.Version, http.StatusOK
	location := in.Base + "/" + v.Key.String() + "/_history/" + strconv.FormatInt(v.Number, 10)
	conditional := in.IfNoneExist != "" || in.Criteria != ""
	setVersion(w.Header(), v)
	if result.Outcome == interaction.Created {
		status = http.StatusCreated
	}
	if status == http.StatusCreated || conditional {
		w.Header().Set("Location", location)
	}
	if conditional {
		w.Header().Set("Content-Location", location)
	}
	switch p.ret {
	case "minimal":
		w.WriteHeader(status)
		return nil
	case "OperationOutcome":
		b := buffers.get()
		defer buffers.put(b)
		*b = s.appendDone(*b, r, result.Outcome)
		return s.send(w, status, f, b)
	}
	return s.sendVersion(w, status, f, subset{}, v)
}

// done says in words what became of a write.
var done = map[interaction.Outcome]string{
	interaction.Created:   "the resource was created",
	interaction.Updated:   "the resource was updated",
	interaction.Unchanged: "the resource is as it was: nothing has changed",
	interaction.Matched:   "a resource that matches exists already: nothing was created",
}

// appendDone appends an OperationOutcome about a write that succeeded.
//
// Compat: the outcome of a write that succeeded, return=OperationOutcome, has its
// text in details.text, that of an error in diagnostics.
func (s *server) appendDone(dst []byte, r *http.Request, o interaction.Outcome) []byte {
	dst = append(dst, `{"resourceType":"OperationOutcome","id":`...)
	dst = fhir.AppendString(dst, s.outcomeID(r))
	dst = append(dst, `,"meta":{"lastUpdated":"`...)
	dst = s.now().UTC().AppendFormat(dst, fhir.InstantLayout)
	dst = append(dst, `"},"issue":[{"severity":"information","code":"informational","details":{"text":`...)
	dst = fhir.AppendString(dst, done[o])
	return append(dst, "}}]}"...)
}

// remove is DELETE /{type}/{id} (FHIR R4 http §3.1.0.7).
func (s *server) remove(w http.ResponseWriter, r *http.Request) error {
	hard, err := hardDelete(r)
	if err != nil {
		return err
	}
	key := fhir.Key{Type: fhir.Type(r.PathValue("type")), ID: fhir.ID(r.PathValue("id"))}
	result, err := s.service.DeleteExpected(r.Context(), key, r.Header.Get("If-Match"), hard)
	if err != nil {
		return err
	}
	if result.Version.Number > 0 {
		w.Header().Set("ETag", etag(result.Version.Number))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeMatches is DELETE /{type}?criteria (FHIR R4 http §3.1.0.7.1).
func (s *server) removeMatches(w http.ResponseWriter, r *http.Request) error {
	p, err := prefer(r)
	if err != nil {
		return err
	}
	hard, err := hardDelete(r)
	if err != nil {
		return err
	}
	criteria := without(r.URL.RawQuery, "_format", "_pretty", "hardDelete", "_hardDelete")
	deleted, err := s.service.DeleteMatching(r.Context(), interaction.Write{
		Type: fhir.Type(r.PathValue("type")), Criteria: criteria, Strict: p.strict, Base: s.base(r),
	}, hard)
	if err != nil {
		return err
	}
	if r.URL.Query().Has("_count") {
		w.Header().Set("Items-Deleted", strconv.Itoa(deleted))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// hardDelete reads hardDelete and its other spelling _hardDelete.
func hardDelete(r *http.Request) (hard bool, err error) {
	params := r.URL.Query()
	for _, name := range []string{"hardDelete", "_hardDelete"} {
		values, ok := params[name]
		if !ok {
			continue
		}
		switch values[0] {
		case "true":
			hard = true
		case "false":
		default:
			return false, fault.New(fault.Invalid, "%s must be true or false", name)
		}
	}
	return hard, nil
}
