package ccda

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"salus/convert"
)

// decode returns a document in UTF-8 without a byte order mark.
func decode(b []byte) ([]byte, error) {
	name := "utf-8"
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		return b[3:], nil
	case bytes.HasPrefix(b, []byte("\xFE\xFF")), bytes.HasPrefix(b, []byte("\x00<")):
		name = "utf-16be"
	case bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("<\x00")):
		name = "utf-16le"
	default:
		if declared := declaredEncoding(b); declared != "" {
			name = declared
		}
	}
	if strings.EqualFold(name, "utf-8") {
		return b, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, convert.Errorf(convert.InputParsingError, "the encoding that the XML declaration names is not known")
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return nil, convert.Errorf(convert.InputParsingError, "the document is not in its encoding")
	}
	return bytes.TrimPrefix(out, []byte("\xEF\xBB\xBF")), nil
}

// declaredEncoding returns what an XML declaration says.
func declaredEncoding(b []byte) string {
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return ""
	}
	end := bytes.Index(b, []byte("?>"))
	if end < 0 {
		return ""
	}
	return attributeOf(string(b[:end]), "encoding")
}

// attributeOf returns a pseudo-attribute of an XML declaration.
func attributeOf(s, name string) string {
	i := strings.Index(s, name)
	if i < 0 {
		return ""
	}
	s = strings.TrimLeft(s[i+len(name):], " \t\r\n")
	if !strings.HasPrefix(s, "=") {
		return ""
	}
	if s = strings.TrimLeft(s[1:], " \t\r\n"); s == "" || s[0] != '"' && s[0] != '\'' {
		return ""
	}
	v, _, ok := strings.Cut(s[1:], s[:1])
	if !ok {
		return ""
	}
	return v
}
