package fhirpath

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"salus/fault"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	identToken
	delimitedToken // `identifier`
	stringToken
	numberToken
	temporalToken
	dollarToken  // $this, without the dollar sign
	percentToken // %name, without the percent sign
	symbolToken
)

// token is one lexical unit. text holds identifiers, contents of strings with
// escapes resolved, literals of numbers, and symbols.
type token struct {
	kind tokenKind
	text string
	time Temporal
	at   int // offset in the source
}

// keywords are reserved: they need delimiters as identifiers, except the four
// that the grammar lets through (FHIRPath N1 appendix B).
var keywords = map[string]bool{
	"and": true, "or": true, "xor": true, "implies": true, "div": true, "mod": true, "true": true, "false": true,
	"as": true, "is": true, "in": true, "contains": true,
}

type lexer struct {
	src string
	pos int
}

// fail makes the error of a source that is no FHIRPath, at an offset.
func (l *lexer) fail(at int, format string, args ...any) error {
	before := l.src[:at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	f := fault.New(fault.Invalid, "FHIRPath "+strconv.Itoa(line)+":"+strconv.Itoa(column)+": "+format, args...)
	return f
}

// space skips white space and comments.
func (l *lexer) space() error {
	for l.pos < len(l.src) {
		switch rest := l.src[l.pos:]; {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n' || rest[0] == '\r':
			l.pos++
		case strings.HasPrefix(rest, "//"):
			if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
				l.pos += i
			} else {
				l.pos = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			i := strings.Index(rest[2:], "*/")
			if i < 0 {
				return l.fail(l.pos, "comment without end")
			}
			l.pos += i + 4
		default:
			return nil
		}
	}
	return nil
}

func identByte(c byte, digits bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || digits && c >= '0' && c <= '9'
}

func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.src) && identByte(l.src[l.pos], l.pos > start) {
		l.pos++
	}
	return l.src[start:l.pos]
}

func (l *lexer) next() (token, error) {
	if err := l.space(); err != nil {
		return token{}, err
	}
	t := token{at: l.pos}
	if l.pos >= len(l.src) {
		return t, nil
	}
	var err error
	switch c := l.src[l.pos]; {
	case identByte(c, false):
		t.kind, t.text = identToken, l.word()
	case c >= '0' && c <= '9':
		t.kind, t.text = numberToken, l.number()
	case c == '\'':
		t.kind = stringToken
		t.text, err = l.quoted('\'')
	case c == '`':
		t.kind = delimitedToken
		t.text, err = l.quoted('`')
	case c == '"': // Compat: identifiers may be delimited by double quotes, as before N1; definitions of R4 still do it
		t.kind = delimitedToken
		t.text, err = l.quoted('"')
	case c == '@':
		t.kind = temporalToken
		t.time, err = l.temporal()
	case c == '$':
		l.pos++
		t.kind, t.text = dollarToken, l.word()
		if t.text != "this" && t.text != "index" && t.text != "total" {
			err = l.fail(t.at, "after $ comes this, index or total")
		}
	case c == '%':
		t.kind = percentToken
		t.text, err = l.constant()
	default:
		t.kind = symbolToken
		t.text, err = l.symbol()
	}
	return t, err
}

// number reads digits, and a fraction only when a digit follows the point: 1.toString() is an invocation.
func (l *lexer) number() string {
	start := l.pos
	digits := func() {
		for l.pos < len(l.src) && l.src[l.pos] >= '0' && l.src[l.pos] <= '9' {
			l.pos++
		}
	}
	digits()
	if l.pos+1 < len(l.src) && l.src[l.pos] == '.' && l.src[l.pos+1] >= '0' && l.src[l.pos+1] <= '9' {
		l.pos++
		digits()
	}
	return l.src[start:l.pos]
}

func (l *lexer) constant() (string, error) {
	start := l.pos
	l.pos++
	if l.pos < len(l.src) {
		if c := l.src[l.pos]; c == '`' || c == '\'' || c == '"' {
			return l.quoted(c)
		}
	}
	name := l.word()
	for strings.HasPrefix(l.src[l.pos:], "-") && l.pos+1 < len(l.src) && identByte(l.src[l.pos+1], false) &&
		(strings.HasPrefix(name, "vs-") || strings.HasPrefix(name, "ext-") || name == "vs" || name == "ext") {
		l.pos++ // Compat: %vs-name and %ext-name may go without delimiters, as in older definitions
		name += "-" + l.word()
	}
	if name == "" {
		return "", l.fail(start, "after %% comes a name")
	}
	return name, nil
}

func (l *lexer) symbol() (string, error) {
	rest := l.src[l.pos:]
	for _, s := range [...]string{"<=", ">=", "!=", "!~"} {
		if strings.HasPrefix(rest, s) {
			l.pos += 2
			return s, nil
		}
	}
	if strings.IndexByte(".,()[]{}|+-*/&=~<>", rest[0]) < 0 {
		return "", l.fail(l.pos, "character that belongs to no token")
	}
	l.pos++
	return rest[:1], nil
}

// quoted reads a string or delimited identifier with its escapes (FHIRPath N1 §4.1.2).
func (l *lexer) quoted(delimiter byte) (string, error) {
	start := l.pos
	l.pos++
	plain := l.pos
	for l.pos < len(l.src) && l.src[l.pos] != delimiter && l.src[l.pos] != '\\' {
		l.pos++
	}
	if l.pos < len(l.src) && l.src[l.pos] == delimiter {
		l.pos++
		return l.src[plain : l.pos-1], nil
	}
	b := []byte(l.src[plain:l.pos])
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; c {
		case delimiter:
			l.pos++
			return string(b), nil
		case '\\':
			var err error
			if b, err = l.escape(b); err != nil {
				return "", err
			}
		default:
			b = append(b, c)
			l.pos++
		}
	}
	return "", l.fail(start, "string or delimited identifier without end")
}

func (l *lexer) escape(b []byte) ([]byte, error) {
	at := l.pos
	if at+1 >= len(l.src) {
		return nil, l.fail(at, "escape without end")
	}
	l.pos += 2
	switch c := l.src[at+1]; c {
	case 'n':
		return append(b, '\n'), nil
	case 'r':
		return append(b, '\r'), nil
	case 't':
		return append(b, '\t'), nil
	case 'f':
		return append(b, '\f'), nil
	case 'u':
		return l.unicode(b, at)
	case '\'', '"', '`', '\\', '/':
		return append(b, c), nil
	default: // Compat: an escape in a string of FHIRPath that the grammar does not know stands for its character
		return append(b, c), nil
	}
}

func (l *lexer) unicode(b []byte, at int) ([]byte, error) {
	unit := func() (rune, bool) {
		if l.pos+4 > len(l.src) {
			return 0, false
		}
		n, err := strconv.ParseUint(l.src[l.pos:l.pos+4], 16, 16)
		l.pos += 4
		return rune(n), err == nil
	}
	r, ok := unit()
	if ok && r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(l.src[l.pos:], `\u`) {
		l.pos += 2
		var low rune
		if low, ok = unit(); ok && low >= 0xdc00 && low < 0xe000 {
			r = (r-0xd800)<<10 + low - 0xdc00 + 0x10000
		}
	}
	if !ok {
		return nil, l.fail(at, `\u needs four hexadecimal digits`)
	}
	return utf8.AppendRune(b, r), nil
}

// temporal reads @2014-03-01, @2014-03-01T10:00Z, @2014T, @T10:00. A part is
// taken only when its digits follow, so that @2014-03 - 1 month stays a subtraction.
func (l *lexer) temporal() (Temporal, error) {
	start := l.pos
	l.pos++
	kind := DateKind
	if strings.HasPrefix(l.src[l.pos:], "T") {
		l.pos++
		kind = TimeKind
		l.clock()
		t, ok := parseTemporal(l.src[start+2:l.pos], kind)
		if !ok {
			return t, l.fail(start, "not a time")
		}
		return t, nil
	}
	l.digits("", 4)
	if l.digits("-", 2) { // month
		l.digits("-", 2) // day
	}
	if strings.HasPrefix(l.src[l.pos:], "T") {
		l.pos++
		kind = DateTimeKind
		if l.clock() {
			if strings.HasPrefix(l.src[l.pos:], "Z") {
				l.pos++
			} else if l.digits("+", 2) || l.digits("-", 2) {
				l.digits(":", 2)
			}
		}
	}
	t, ok := parseTemporal(l.src[start+1:l.pos], kind)
	if !ok {
		return t, l.fail(start, "not a date or date and time")
	}
	return t, nil
}

func (l *lexer) clock() bool {
	if !l.digits("", 2) {
		return false
	}
	if !l.digits(":", 2) { // minutes
		return true
	}
	if l.digits(":", 2) && l.digits(".", 1) { // seconds and their fraction
		for l.digits("", 1) {
		}
	}
	return true
}

// digits takes lead and n digits when they come next.
func (l *lexer) digits(lead string, n int) bool {
	rest := l.src[l.pos:]
	if len(rest) < len(lead)+n || !strings.HasPrefix(rest, lead) {
		return false
	}
	for _, c := range []byte(rest[len(lead) : len(lead)+n]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	l.pos += len(lead) + n
	return true
}
