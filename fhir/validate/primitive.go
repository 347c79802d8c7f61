package validate

import (
	"strings"
	"unicode/utf8"

	"salus/fhir"
	"salus/fhir/decimal"
)

// maxText is how many characters a string may have (FHIR R4 datatypes §2.24.0.1).
const maxText = 1 << 20

// primitive checks one value of a primitive type.
func (w *walk) primitive(n fhir.Node, p *property) {
	want := fhir.String
	switch p.form {
	case formBoolean:
		want = fhir.Bool
	case formInteger, formPositiveInt, formUnsignedInt, formDecimal:
		want = fhir.Number
	}
	if n.Kind() != want {
		w.wrongKind(n, want.String())
		return
	}
	if want == fhir.Bool {
		return
	}
	s := n.Text()
	if s == "" {
		w.issue(n, "value", "a string must not be empty")
		return
	}
	switch {
	case p.form == formString:
		if rule := checkText(s); rule != "" {
			w.issue(n, "value", "%s", rule)
		}
	case p.form == formXHTML:
		if rule := checkXHTML(s); rule != "" {
			w.issue(n, "invariant", "%s", rule)
		}
	case !formatted(s, p.form):
		w.issue(n, "value", "does not have the format of the type %s", p.typ.Name)
	case p.codes != nil:
		if _, ok := p.codes[s]; !ok {
			w.issue(n, "code-invalid", "the code is not in the required value set %s", p.element.Binding.ValueSet)
		}
	}
}

// formatted reports whether s is a literal of a primitive type with a format.
func formatted(s string, f form) bool {
	switch f {
	case formInteger:
		return isInteger(s)
	case formUnsignedInt:
		return s[0] != '-' && isInteger(s)
	case formPositiveInt:
		return s[0] != '-' && s != "0" && isInteger(s)
	case formDecimal:
		return isDecimal(s)
	case formURI:
		return isURI(s)
	case formOID:
		return isOID(s)
	case formUUID:
		return isUUID(s)
	case formCode:
		return isCode(s)
	case formID:
		return fhir.ValidID(s)
	case formDate:
		return isDate(s)
	case formDateTime:
		return isDateTime(s)
	case formInstant:
		return isInstant(s)
	case formTime:
		return isTime(s)
	case formBase64:
		return isBase64(s)
	}
	return true
}

// checkText returns the rule that a string or markdown breaks. Of the control
// characters only tab, line feed and carriage return are allowed (FHIR R4 datatypes §2.24.0.1).
func checkText(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return "a string must not have control characters other than tab, line feed and carriage return"
		}
	}
	if len(s) > maxText && utf8.RuneCountInString(s) > maxText {
		return "a string must not have more than 1,048,576 characters"
	}
	return ""
}

// isInteger takes a JSON number for a signed 32-bit integer.
func isInteger(s string) bool {
	limit := int64(1<<31 - 1)
	if s[0] == '-' {
		s, limit = s[1:], 1<<31
		if s == "0" {
			return false
		}
	}
	if len(s) > 10 {
		return false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n <= limit
}

// isDecimal takes a JSON number, which already has the form of a decimal. What
// it refuses is out of the range that the service computes with.
func isDecimal(s string) bool {
	if len(s) < 100 && strings.IndexByte(s, 'e') < 0 && strings.IndexByte(s, 'E') < 0 {
		return true
	}
	_, err := decimal.Parse(s)
	return err == nil
}

func isURI(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// isOID takes urn:oid:1.2.3, where no arc has a leading zero.
func isOID(s string) bool {
	s, ok := strings.CutPrefix(s, "urn:oid:")
	if !ok || len(s) < 3 || s[0] < '0' || s[0] > '2' {
		return false
	}
	for s = s[1:]; s != ""; {
		digits := 0
		for digits+1 < len(s) && s[digits+1] >= '0' && s[digits+1] <= '9' {
			digits++
		}
		if s[0] != '.' || digits == 0 || s[1] == '0' && digits > 1 {
			return false
		}
		s = s[digits+1:]
	}
	return true
}

// isUUID takes urn:uuid: and a UUID in lower case.
func isUUID(s string) bool {
	s, ok := strings.CutPrefix(s, "urn:uuid:")
	if !ok || len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// isCode takes words with single spaces between them.
func isCode(s string) bool {
	space := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == ' ' && space {
			return false
		}
		space = c == ' '
	}
	return !space
}

// isBase64 takes whole groups of four characters, with white space anywhere.
func isBase64(s string) bool {
	digits, padding := 0, 0
	for i := 0; i < len(s); i++ {
		switch base64Class[s[i]] {
		case base64Digit:
			if padding > 0 {
				return false
			}
			digits++
		case base64Pad:
			padding++
		case base64Space:
		default:
			return false
		}
	}
	return digits > 0 && padding <= 2 && (digits+padding)%4 == 0
}

const (
	base64Digit = iota + 1
	base64Pad
	base64Space
)

var base64Class = func() (class [256]uint8) {
	for c := range class {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			class[c] = base64Digit
		case c == '=':
			class[c] = base64Pad
		case c == ' ', c == '\t', c == '\n', c == '\r':
			class[c] = base64Space
		}
	}
	return class
}()
