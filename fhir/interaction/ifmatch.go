package interaction

import (
	"strconv"
	"strings"

	"salus/fault"
)

// parseIfMatch reads an If-Match header: a weak entity tag around a version
// number (FHIR R4 http §3.1.0.5). It returns 0 for an empty header.
func parseIfMatch(header string) (int64, error) {
	if header == "" {
		return 0, nil
	}
	s, ok := strings.CutPrefix(header, `W/"`)
	if ok {
		s, ok = strings.CutSuffix(s, `"`)
	}
	n, err := parseVersion(s)
	if !ok || err != nil {
		return 0, fault.New(fault.Invalid, `If-Match must be a weak entity tag with a version number: W/"1"`)
	}
	return n, nil
}

// parseVersion reads a version id: a whole number from 1, without sign or leading zeros.
func parseVersion(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || s[0] < '1' || s[0] > '9' {
		return 0, fault.New(fault.NotFound, "there is no such version")
	}
	return n, nil
}
