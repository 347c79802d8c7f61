package xmlformat

import (
	"strings"

	"salus/fhir"
)

// value keeps the value of item i as JSON.
func (r *reader) value(i uint32, s string) {
	p := r.items[i].prop
	if p.form != formString {
		s = strings.Trim(s, " \t\r\n")
	}
	name := "" // of an attribute, which was not opened
	if p.attribute {
		name = p.name
	}
	from := len(r.text)
	switch {
	case s == "":
		r.report(name, "value", "a value must not be empty")
	case p.form == formBoolean && s != "true" && s != "false" || p.form == formNumber && !isNumber(s):
		r.report(name, "value", "does not have the format of the type "+p.typ.Name)
	case p.form == formBoolean || p.form == formNumber:
		r.text = append(r.text, s...)
	default:
		r.text = fhir.AppendString(r.text, s)
	}
	r.items[i].from, r.items[i].to = uint32(from), uint32(len(r.text))
}

// isNumber reports whether s is a JSON number.
func isNumber(s string) bool {
	digits := func() bool {
		rest := strings.TrimLeft(s, "0123456789")
		some := len(rest) < len(s)
		s = rest
		return some
	}
	s = strings.TrimPrefix(s, "-")
	if rest, ok := strings.CutPrefix(s, "0"); ok {
		s = rest
	} else if !digits() {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if s = rest; !digits() {
			return false
		}
	}
	if s != "" && s[0]|0x20 == 'e' {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		return digits() && s == ""
	}
	return s == ""
}
