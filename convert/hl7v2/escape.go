package hl7v2

import (
	"strings"
	"unicode/utf8"

	"salus/convert"
)

// checkEscapes refuses hexadecimal sequences of an odd number of digits (HL7 v2.9 §2.7.6).
func checkEscapes(line string, escape byte) error {
	for i := 0; i < len(line); i++ {
		if line[i] != escape {
			continue
		}
		end := strings.IndexByte(line[i+1:], escape)
		if end < 0 {
			return nil
		}
		body := line[i+1 : i+1+end]
		if isHexadecimal(body) && len(body)%2 == 0 {
			return convert.Errorf(convert.InvalidHexadecimalNumber, "a sequence \\X…\\ has an odd number of digits (HL7 v2.9 §2.7.6)")
		}
		if isSequence(body) { // the character that ends it begins none
			i += len(body) + 1
		}
	}
	return nil
}

// isSequence reports whether what stands between two escape characters is a sequence that is replaced.
func isSequence(body string) bool {
	switch body {
	case "F", "S", "T", "R", "E", ".br":
		return true
	}
	return isHexadecimal(body)
}

func isHexadecimal(body string) bool { return len(body) > 1 && body[0] == 'X' && isHex(body[1:]) }

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// normal returns the text of a part: its escape sequences are replaced (HL7 v2.9 §2.7), and then backslashes and quotes escaped for JSON.
func (m *Message) normal(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 && strings.IndexByte(raw, '"') < 0 {
		return raw
	}
	b := make([]byte, 0, len(raw)+16)
	e := m.encoding
	put := func(c byte) {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != e.escape {
			put(raw[i])
			continue
		}
		end := strings.IndexByte(raw[i+1:], e.escape)
		if end < 0 {
			put(raw[i])
			continue
		}
		body := raw[i+1 : i+1+end]
		switch {
		case body == "F":
			put(e.field)
		case body == "S":
			put(e.component)
		case body == "T":
			put(e.subcomponent)
		case body == "R":
			put(e.repetition)
		case body == "E":
			put(e.escape)
		case body == ".br":
			b = append(b, '\\', '\\', 'n') // Compat: JSON makes of it a backslash and an n, no line end
		case isHexadecimal(body):
			for k := 1; k+1 < len(body); k += 2 {
				if r := rune(digit(body[k])<<4 | digit(body[k+1])); r < utf8.RuneSelf {
					put(byte(r))
				} else {
					b = utf8.AppendRune(b, r)
				}
			}
		default:
			put(raw[i])
			continue
		}
		i += len(body) + 1
	}
	return string(b)
}

func digit(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}
