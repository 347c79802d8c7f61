package rest

import (
	"iter"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"salus/fault"
)

// The media types that are read and written (FHIR R4 http §3.1.0.1.9).
const (
	fhirJSON  = "application/fhir+json"
	plainJSON = "application/json"
	textJSON  = "text/json"
	fhirXML   = "application/fhir+xml"
	plainXML  = "application/xml"
	textXML   = "text/xml"
)

// mediaTypes is in the order of preference.
var mediaTypes = [...]string{fhirJSON, plainJSON, textJSON, fhirXML, plainXML, textXML}

// isXML reports whether a media type, one of mediaTypes, is XML.
func isXML(mediaType string) bool { return strings.HasSuffix(mediaType, "xml") }

// format is how a response is written.
type format struct {
	contentType string
	pretty      bool
}

// formatOf reads _format and _pretty from params and, where _format is absent,
// the Accept header (FHIR R4 http §3.1.0.1.11). When only _pretty is wrong, the
// format that comes with the error still has its content type.
func formatOf(r *http.Request, params url.Values) (format, error) {
	var f format
	if values, ok := params["_format"]; ok {
		f.contentType = byFormat(values[0])
		if f.contentType == "" {
			return f, fault.New(fault.NotAcceptable, "_format asks for a format that this service does not write; it writes json and xml")
		}
	} else {
		f.contentType = byAccept(r.Header.Values("Accept"))
		if f.contentType == "" {
			return f, fault.New(fault.NotAcceptable, "Accept allows none of the formats that this service writes: %s", strings.Join(mediaTypes[:], ", "))
		}
	}
	if values, ok := params["_pretty"]; ok {
		switch values[0] {
		case "true":
			f.pretty = true
		case "false":
		default:
			return f, fault.New(fault.Invalid, "_pretty must be true or false")
		}
	}
	return f, nil
}

// byFormat returns the media type that a _format stands for, "" for none. A plus
// sign that nobody escaped arrives as a space.
func byFormat(value string) string {
	switch value {
	case "json":
		return fhirJSON
	case "xml":
		return fhirXML
	}
	return readable(strings.Replace(value, "fhir ", "fhir+", 1))
}

// readable returns the media type of a Content-Type, without parameters, if it
// is JSON or XML of this version of FHIR in UTF-8, otherwise "".
func readable(contentType string) string {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil || !fits(params) {
		return ""
	}
	for _, known := range mediaTypes {
		if t == known {
			return known
		}
	}
	return ""
}

// fits reports whether the parameters of a media type leave R4 in UTF-8 possible
// (FHIR R4 versioning §2.6.1 for fhirVersion).
func fits(params map[string]string) bool {
	if c, ok := params["charset"]; ok && !strings.EqualFold(c, "utf-8") {
		return false
	}
	v, ok := params["fhirversion"]
	return !ok || v == "4.0" || v == "4.0.1"
}

// byAccept returns the most wanted of the media types that can be written, ""
// for none (RFC 9110 §12.5.1). A range that cannot be read is skipped.
func byAccept(headers []string) string {
	if len(headers) == 0 || len(headers) == 1 && (headers[0] == "" || headers[0] == fhirJSON) {
		return fhirJSON
	}
	type wish struct {
		quality  float64
		specific int
	}
	var wishes [len(mediaTypes)]wish
	for r := range ranges(headers) {
		if !fits(r.params) {
			continue
		}
		for i, known := range mediaTypes {
			if n := matches(r.mediaType, known); n > wishes[i].specific || n == wishes[i].specific && n > 0 && r.quality > wishes[i].quality {
				wishes[i] = wish{r.quality, n}
			}
		}
	}
	best, quality := "", 0.0
	for i, w := range wishes {
		if w.quality > quality {
			best, quality = mediaTypes[i], w.quality
		}
	}
	return best
}

// mediaRange is one of the things that a client accepts.
type mediaRange struct {
	mediaType string
	params    map[string]string
	quality   float64
}

// ranges yields the media ranges of Accept headers, without those that cannot be read.
func ranges(headers []string) iter.Seq[mediaRange] {
	return func(yield func(mediaRange) bool) {
		for _, h := range headers {
			for part := range strings.SplitSeq(h, ",") {
				t, params, err := mime.ParseMediaType(part)
				if err != nil {
					continue
				}
				q := 1.0
				if text, ok := params["q"]; ok {
					if q, err = strconv.ParseFloat(text, 64); err != nil {
						continue
					}
				}
				if !yield(mediaRange{t, params, q}) {
					return
				}
			}
		}
	}
}

// matches returns how specifically a media range names a type: 0 not at all, 3 exactly.
func matches(mediaRange, t string) int {
	switch {
	case mediaRange == t:
		return 3
	case mediaRange == "*/*":
		return 1
	case strings.HasSuffix(mediaRange, "/*") && strings.HasPrefix(t, mediaRange[:len(mediaRange)-1]):
		return 2
	}
	return 0
}
