package rest

import (
	"mime"
	"net/http"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/interaction"
	"salus/fhir/patch"
	"salus/internal/serve"
)

// jsonPatch is the media type of a JSON Patch (RFC 6902). A FHIRPath Patch comes
// in those of resources.
const jsonPatch = "application/json-patch+json"

// patch is PATCH /{type}/{id} (FHIR R4 http §3.1.0.6).
func (s *server) patch(w http.ResponseWriter, r *http.Request) error {
	return s.applyPatch(w, r, interaction.Write{ID: fhir.ID(r.PathValue("id"))})
}

// patchMatch is PATCH /{type}?criteria (FHIR R4 http §3.1.0.6.2).
func (s *server) patchMatch(w http.ResponseWriter, r *http.Request) error {
	return s.applyPatch(w, r, interaction.Write{Criteria: without(r.URL.RawQuery, "_format", "_pretty", "_meta-history")})
}

func (s *server) applyPatch(w http.ResponseWriter, r *http.Request, in interaction.Write) error {
	params := r.URL.Query()
	f, err := formatOf(r, params)
	if err != nil {
		return err
	}
	p, err := prefer(r)
	if err != nil {
		return err
	}
	doc, err := s.patchBody(r, &in)
	if err != nil {
		return err
	}
	defer doc.Release()
	in.Type, in.Strict, in.Base = fhir.Type(r.PathValue("type")), p.strict, s.base(r)
	in.IfMatch = r.Header.Get("If-Match")
	in.DropHistory = params.Get("_meta-history") == "false"
	result, err := s.service.Patch(r.Context(), in)
	if err != nil {
		return err
	}
	return s.sendResult(w, r, f, p, in, result)
}

// patchBody reads the patch of a request into in. The patch needs the document.
func (s *server) patchBody(r *http.Request, in *interaction.Write) (doc *fhir.Document, err error) {
	t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && t == jsonPatch && fits(params) {
		b, err := serve.ReadBody(r, s.maxBody)
		if err != nil {
			return nil, err
		}
		if doc, err = fhir.Parse(b); err != nil {
			return nil, err
		}
		in.Patch, err = patch.JSON(doc.Root(), s.compat)
		return doc, err
	}
	if readable(r.Header.Get("Content-Type")) == "" {
		return nil, fault.New(fault.MediaType, "Content-Type of a patch must be %s, or for a FHIRPath Patch one of %s", jsonPatch, strings.Join(mediaTypes[:], ", "))
	}
	if doc, err = s.body(r, s.maxBody); err != nil {
		return nil, err
	}
	in.Patch, err = patch.FHIRPath(doc.Root(), s.defs, s.compat)
	return doc, err
}
