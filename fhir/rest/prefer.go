package rest

import (
	"net/http"
	"strings"

	"salus/fault"
)

// preferred is what a client asks for with Prefer (FHIR R4 http §3.1.0.1.7).
type preferred struct {
	ret    string // minimal, representation or OperationOutcome; "" when not said
	strict bool   // handling=strict
}

// prefer reads the Prefer headers. Preferences that FHIR does not define are
// ignored (RFC 7240 §2), and so is respond-async, since nothing here takes long.
func prefer(r *http.Request) (preferred, error) {
	var p preferred
	for _, h := range r.Header.Values("Prefer") {
		for part := range strings.FieldsFuncSeq(h, func(c rune) bool { return c == ',' || c == ';' }) {
			name, value, _ := strings.Cut(part, "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "return":
				switch value {
				case "minimal", "representation", "OperationOutcome":
					p.ret = value
				default:
					return p, fault.New(fault.Invalid, "Prefer: return must be minimal, representation or OperationOutcome")
				}
			case "handling":
				switch value {
				case "strict":
					p.strict = true
				case "lenient":
				default:
					return p, fault.New(fault.Invalid, "Prefer: handling must be strict or lenient")
				}
			}
		}
	}
	return p, nil
}
