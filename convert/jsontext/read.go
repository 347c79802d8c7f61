package jsontext

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"salus/convert"
)

// Options say how JSON is read.
type Options struct {
	Dates    bool // texts in the form of an ISO 8601 date-time become instants
	MaxDepth int  // of objects and arrays within one another; 64 when 0
}

// Read reads one value, with the liberties of the reference's library: comments, a comma at the end, names and texts in single quotes, names
// without quotes; a value that is missing is null. Integers become int64 or *big.Int, other numbers float64; of names that are there twice the last
// counts. Arrays are fixed lists.
func Read(b []byte, o Options) (convert.Value, error) {
	r := valueReader{text: bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), o: o}
	if r.o.MaxDepth == 0 {
		r.o.MaxDepth = maxDepth
	}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if err := r.skip(); err != nil {
		return nil, err
	}
	if r.at < len(r.text) {
		return nil, r.wrong("there is more behind the value")
	}
	return v, nil
}

type valueReader struct {
	text []byte
	at   int
	o    Options
}

func (r *valueReader) wrong(format string, args ...any) error {
	return wrong(r.text, r.at, format, args...)
}

// skip passes over blanks and comments.
func (r *valueReader) skip() error {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		case '/':
			end := -1
			switch rest := r.text[r.at:]; {
			case bytes.HasPrefix(rest, []byte("//")):
				if end = bytes.IndexAny(rest, "\r\n"); end < 0 {
					end = len(rest) - 1
				}
			case bytes.HasPrefix(rest, []byte("/*")):
				if end = bytes.Index(rest[2:], []byte("*/")); end >= 0 {
					end += 3
				}
			}
			if end < 0 {
				return r.wrong("a comment begins and does not end")
			}
			r.at += end + 1
		default:
			return nil
		}
	}
	return nil
}

// peek returns the byte behind blanks and comments; 0 at the end.
func (r *valueReader) peek() (byte, error) {
	if err := r.skip(); err != nil || r.at == len(r.text) {
		return 0, err
	}
	return r.text[r.at], nil
}

func (r *valueReader) value(depth int) (convert.Value, error) {
	b, err := r.peek()
	switch {
	case (b == '{' || b == '[') && depth >= r.o.MaxDepth:
		return nil, r.wrong("objects and arrays lie within one another no deeper than %d", r.o.MaxDepth)
	case err != nil:
		return nil, err
	case b == 0:
		return nil, r.wrong("the text ends where a value should be")
	case b == '{':
		return r.object(depth)
	case b == '[':
		return r.array(depth)
	case b == '"' || b == '\'':
		s, err := r.string(b)
		if err != nil || !r.o.Dates {
			return s, err
		}
		if t, ok := ParseTime(s); ok {
			return t, nil
		}
		return s, nil
	case b == '-' || isDigit(b):
		return r.number()
	}
	for _, w := range words {
		if rest := r.text[r.at:]; len(rest) >= len(w.name) && string(rest[:len(w.name)]) == w.name {
			r.at += len(w.name)
			return w.value, nil
		}
	}
	return nil, r.wrong("no value begins with this character")
}

// words are the values that have names.
var words = [...]struct {
	name  string
	value convert.Value
}{{"true", true}, {"false", false}, {"null", nil}, {"undefined", nil}}

func (r *valueReader) object(depth int) (convert.Value, error) {
	m := convert.NewMap(8)
	r.at++
	for {
		b, err := r.peek()
		switch {
		case err != nil:
			return nil, err
		case b == 0:
			return nil, r.wrong("the text ends within an object")
		case b == '}':
			r.at++
			return m, nil
		}
		name, err := r.name(b)
		if err != nil {
			return nil, err
		}
		if b, err = r.peek(); err != nil || b != ':' {
			return nil, r.wrong("a colon is missing behind a name")
		}
		r.at++
		if b, err = r.peek(); err != nil {
			return nil, err
		}
		var v convert.Value
		if b != ',' && b != '}' { // otherwise the value is missing
			if v, err = r.value(depth + 1); err != nil {
				return nil, err
			}
		}
		m.Set(name, v)
		if b, err = r.peek(); err != nil {
			return nil, err
		}
		switch b {
		case ',':
			r.at++
		case '}':
		default:
			return nil, r.wrong("a comma is missing between members")
		}
	}
}

// name reads a name, with quotes or without.
func (r *valueReader) name(b byte) (string, error) {
	if b == '"' || b == '\'' {
		return r.string(b)
	}
	start := r.at
	for r.at < len(r.text) && (isDigit(r.text[r.at]) || r.text[r.at]|0x20 >= 'a' && r.text[r.at]|0x20 <= 'z' || r.text[r.at] == '_' || r.text[r.at] == '$') {
		r.at++
	}
	if r.at == start {
		return "", r.wrong("a name is missing")
	}
	return string(r.text[start:r.at]), nil
}

func (r *valueReader) array(depth int) (convert.Value, error) {
	l := &convert.List{Fixed: true}
	r.at++
	for {
		b, err := r.peek()
		switch {
		case err != nil:
			return nil, err
		case b == 0:
			return nil, r.wrong("the text ends within an array")
		case b == ']':
			r.at++
			return l, nil
		case b == ',': // an item is missing before it
			r.at++
			l.Items = append(l.Items, nil)
			continue
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, v)
		if b, err = r.peek(); err != nil {
			return nil, err
		}
		switch b {
		case ',':
			r.at++
		case ']':
		default:
			return nil, r.wrong("a comma is missing between items")
		}
	}
}

func (r *valueReader) string(quote byte) (string, error) {
	start := r.at + 1
	escaped := false
	for i := start; i < len(r.text); i++ {
		switch r.text[i] {
		case '\\':
			if escaped = true; !isEscape(r.text[i+1:]) {
				r.at = i
				return "", r.wrong("a text has an escape that JSON does not have")
			}
			i++
		case quote:
			raw := r.text[start:i]
			r.at = i + 1
			if escaped {
				return unescape(raw), nil
			}
			return string(raw), nil
		}
	}
	return "", r.wrong("a text begins and does not end")
}

// isEscape reports whether b, which stands behind a backslash, begins with what may.
func isEscape(b []byte) bool {
	if len(b) == 0 {
		return true // the text does not end
	}
	if b[0] == 'u' {
		return len(b) > 4 && isHex(b[1:5])
	}
	return strings.IndexByte(`btnfr\"'/`, b[0]) >= 0
}

// unescape replaces the escapes of a string by what they stand for.
func unescape(raw []byte) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			b.WriteByte(raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			unit, size := codeUnit(raw[i+1:])
			i += size
			if utf16.IsSurrogate(unit) && i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
				if low, n := codeUnit(raw[i+3:]); n > 0 {
					if r := utf16.DecodeRune(unit, low); r != utf8.RuneError {
						unit = r
						i += 2 + n
					}
				}
			}
			b.WriteRune(unit)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// codeUnit reads the four digits of an escape; size is 0 if there are none.
func codeUnit(b []byte) (unit rune, size int) {
	if len(b) < 4 || !isHex(b[:4]) {
		return utf8.RuneError, 0
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError, 0
	}
	return rune(n), 4
}

func (r *valueReader) number() (convert.Value, error) {
	start := r.at
	for r.at < len(r.text) && (isDigit(r.text[r.at]) || strings.IndexByte("+-.eE", r.text[r.at]) >= 0) {
		r.at++
	}
	s := string(r.text[start:r.at])
	if !strings.ContainsAny(s, ".eE") {
		if len(s) > maxDigits {
			r.at = start
			return nil, r.wrong("an integer has no more than %d digits", maxDigits)
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
		if n, ok := new(big.Int).SetString(s, 10); ok {
			return n, nil
		}
	} else if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f, nil
	}
	r.at = start
	return nil, r.wrong("a number is wrong")
}

// maxDigits is how long an integer may be.
const maxDigits = 380

// timeForms are the forms of an ISO 8601 date-time that are taken for an instant.
var timeForms = [...]string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999Z07",
}

// maxTime is how long a text may be that is taken for an instant.
const maxTime = 40

// ParseTime reads a text in the form of an ISO 8601 date-time.
func ParseTime(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05") || len(s) > maxTime || s[4] != '-' || s[10] != 'T' || strings.IndexByte(s, ',') >= 0 {
		return time.Time{}, false
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, t.Year() > 0
		}
	}
	return time.Time{}, false
}
