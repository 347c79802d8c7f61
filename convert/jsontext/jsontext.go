// Package jsontext reads and writes the JSON of conversions, as lenient as templates need it and as exact as ids want it.
//
// [Clean] makes JSON out of what a template wrote: commas too many are passed over, what is empty is left out, entries of one resource are put
// together. [Read] reads JSON into values with the liberties that blocks within templates take. [Append] writes values in the form that ids are
// hashed from. Errors are of code 1401 and name line and column, and never a value.
package jsontext

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"salus/convert"
)

// maxDepth is how deep objects and arrays may lie within one another.
const maxDepth = 64

// wrong makes the error for a place in a text.
func wrong(text []byte, at int, format string, args ...any) error {
	at = min(at, len(text))
	line, column := 1, 1
	for _, b := range text[:at] {
		if column++; b == '\n' {
			line, column = line+1, 1
		}
	}
	e := convert.Errorf(convert.JSONParsingError, format, args...)
	e.Rule = "the JSON is wrong at line " + strconv.Itoa(line) + ":" + strconv.Itoa(column) + ": " + e.Rule
	return e
}

// appendDouble appends a number as .NET prints doubles into JSON: the shortest text that reads back the same, with a sign that it is no integer.
func appendDouble(dst []byte, f float64) []byte {
	at := len(dst)
	abs := f
	if abs < 0 {
		abs = -abs
	}
	if abs != 0 && (abs < 1e-4 || abs >= 1e15) {
		dst = strconv.AppendFloat(dst, f, 'E', -1, 64)
		return dst
	}
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !strings.Contains(string(dst[at:]), ".") {
		dst = append(dst, '.', '0')
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendString appends a string with quotes. Beyond what JSON demands, the line ends of Unicode are escaped (U+0085, U+2028, U+2029).
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= ' ' && b != '"' && b != '\\' && b < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		r := rune(b)
		if b >= utf8.RuneSelf {
			if r, size = utf8.DecodeRuneInString(s[i:]); r != 0x85 && r != 0x2028 && r != 0x2029 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
