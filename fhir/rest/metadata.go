package rest

import (
	"net/http"
	"strings"

	"salus/fault"
	"salus/fhir"
)

// metadata is GET /metadata (FHIR R4 http §3.1.0.10).
func (s *server) metadata(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	f, err := formatOf(r, params)
	if err != nil {
		return err
	}
	part, err := subsetOf(params)
	if err != nil {
		return err
	}
	b := buffers.get()
	defer buffers.put(b)
	*b = s.statement().append(*b, s.base(r))
	if !part.whole() {
		d, err := fhir.Parse(*b)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the CapabilityStatement is damaged")
		}
		*b = part.append(nil, s.defs, d.Root())
		d.Release()
	}
	return s.send(w, http.StatusOK, f, b)
}

// versions is GET /$versions: Parameters as FHIR defines the operation, or a
// plain object or element for clients that do not ask for FHIR's own media types
// (FHIR R4 capabilitystatement-operation-versions).
func (s *server) versions(w http.ResponseWriter, r *http.Request) error {
	f, err := formatOf(r, r.URL.Query())
	if err != nil {
		return err
	}
	version := s.defs.Version
	if i := strings.LastIndexByte(version, '.'); i > 0 {
		version = version[:i] // major.minor
	}
	b := buffers.get()
	defer buffers.put(b)
	switch f.contentType {
	case fhirJSON, fhirXML:
		*b = fhir.AppendString(append(*b, `{"resourceType":"Parameters","parameter":[{"name":"version","valueString":`...), version)
		*b = fhir.AppendString(append(*b, `},{"name":"default","valueString":`...), version)
		*b = append(*b, `}]}`...)
	case plainXML, textXML:
		*b = append(*b, "<versions><version>"+version+"</version><default>"+version+"</default></versions>"...)
		return sendText(w, http.StatusOK, f, *b)
	default:
		*b = fhir.AppendString(append(*b, `{"versions":[`...), version)
		*b = append(fhir.AppendString(append(*b, `],"default":`...), version), '}')
	}
	return s.send(w, http.StatusOK, f, b)
}
