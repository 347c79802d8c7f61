package rest

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/internal/serve"
)

// securityContext is the header that stands for Binary.securityContext where the
// content comes without a resource around it.
const securityContext = "X-Security-Context"

// wantsContent reports whether a read may be answered with what a Binary holds, in
// place of the resource: the client does not name FHIR's own media types (FHIR R4
// binary §2.41.3).
//
// Compat: the reference treats Binary like every other resource. Under FHIR's rules its content
// is read and written in its own type, with X-Security-Context.
func (s *server) wantsContent(r *http.Request, params url.Values) bool {
	if s.compat != fhir.Strict || r.PathValue("type") != "Binary" || params.Has("_format") || params.Has("_summary") || params.Has("_elements") {
		return false
	}
	accept := r.Header.Values("Accept")
	return quality(accept, fhirJSON, 3) == 0 && quality(accept, fhirXML, 3) == 0
}

// quality returns how much a client wants a media type, by the most specific of
// its ranges that match at least as specifically as least: from 0 for not at all to 1.
func quality(accept []string, mediaType string, least int) float64 {
	best, at := 0.0, least-1
	for r := range ranges(accept) {
		if n := matches(r.mediaType, mediaType); n > at || n == at && n >= least && r.quality > best {
			best, at = r.quality, n
		}
	}
	return best
}

// sendContent answers with the content of a Binary if the client takes its type, and
// reports whether it has.
func (s *server) sendContent(w http.ResponseWriter, r *http.Request, v fhir.Version) (bool, error) {
	d, err := fhir.Parse(v.JSON())
	if err != nil {
		return false, fault.Wrap(fault.Internal, err, "the stored resource %s is damaged", v.Key)
	}
	defer d.Release()
	contentType := d.Root().Get("contentType").Text()
	t, _, err := mime.ParseMediaType(contentType)
	accept := r.Header.Values("Accept")
	if err != nil || strings.Join(accept, "") != "" && quality(accept, t, 1) == 0 {
		return false, nil
	}
	digits := strings.Join(strings.Fields(d.Root().Get("data").Text()), "")
	content, err := base64.StdEncoding.DecodeString(digits)
	if err != nil {
		return false, fault.Wrap(fault.Internal, err, "the data of %s is not base64", v.Key)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Add("Vary", "Accept")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox") // what was stored must not act as a page of this service
	if context := d.Root().Path("securityContext", "reference").Text(); context != "" {
		h.Set(securityContext, context)
	}
	w.WriteHeader(http.StatusOK)
	_, err = w.Write(content)
	return true, err
}

// resource reads the body of a create or update.
func (s *server) resource(r *http.Request) (*fhir.Document, error) {
	if s.compat == fhir.Strict && r.PathValue("type") == "Binary" {
		return s.binary(r)
	}
	return s.body(r, s.maxBody)
}

// binary reads a Binary, or anything else as the content of one (FHIR R4 binary
// §2.41.3). What claims to be FHIR must be FHIR.
func (s *server) binary(r *http.Request) (*fhir.Document, error) {
	t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, fault.New(fault.MediaType, "Content-Type must be a media type")
	}
	content, err := serve.ReadBody(r, s.maxBody)
	if err != nil {
		return nil, err
	}
	if known := readable(r.Header.Get("Content-Type")); known != "" {
		d, err := s.parse(known, content)
		if err != nil && (known == fhirJSON || known == fhirXML) || err == nil && d.Root().Type() == "Binary" {
			return d, err
		}
	}
	b := []byte(`{"resourceType":"Binary"`)
	if id := r.PathValue("id"); id != "" {
		b = fhir.AppendString(append(b, `,"id":`...), id)
	}
	b = fhir.AppendString(append(b, `,"contentType":`...), mime.FormatMediaType(t, params))
	if context := r.Header.Get(securityContext); context != "" {
		b = append(fhir.AppendString(append(b, `,"securityContext":{"reference":`...), context), '}')
	}
	if len(content) > 0 {
		b = base64.StdEncoding.AppendEncode(append(b, `,"data":"`...), content)
		b = append(b, '"')
	}
	return fhir.Parse(append(b, '}'))
}
