package search

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"salus/fault"
)

// Param is one name and value of a query, decoded.
type Param struct{ Name, Value string }

// ParseParams reads a query string or a form body. It keeps the order; + is a
// space and %XX a byte. Errors are faults of kind Invalid.
func ParseParams(rawQuery string) ([]Param, error) {
	var params []Param
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		if len(params) == maxValues {
			return nil, tooMany()
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, fault.New(fault.Invalid, "parameter %d of the query has a %% without two hexadecimal digits", len(params)+1)
		}
		if !utf8.ValidString(n) || !utf8.ValidString(v) {
			return nil, fault.New(fault.Invalid, "parameter %d of the query is not UTF-8", len(params)+1)
		}
		params = append(params, Param{n, v})
	}
	return params, nil
}

// split cuts s at each unescaped separator. The parts keep their escapes
// (FHIR R4 search §3.1.1.4.18: \, \| \$ and \\).
func split(s string, separator byte) []string {
	if strings.IndexByte(s, separator) < 0 {
		return []string{s}
	}
	var parts []string
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case separator:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// unescape resolves the escapes. A backslash before anything else stands for itself.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`,|$\`, s[i+1]) >= 0 {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// show renders a parameter's name for a message. What cannot be a name, such as
// a body that was sent as a form by mistake, may be patient data: it is not shown.
func show(name string) string {
	const most = 64
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.:$-", c) >= 0) {
			return "a parameter with characters that no name has"
		}
	}
	if len(name) > most {
		name = name[:most] + "…"
	}
	return "“" + name + "”"
}
