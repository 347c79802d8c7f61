package liquid

import (
	"bytes"
	"strings"

	"salus/convert"
)

// token is a piece of a template.
type token struct {
	kind tokenKind
	text string // of text, or the markup between the braces
	tag  string // name of a tag, whose markup is text
	line int
}

type tokenKind uint8

const (
	textToken tokenKind = iota
	outputToken
	tagToken
)

// lexer parts a template into tokens.
type lexer struct {
	name   string
	source []byte
	at     int
	line   int
	tokens []token
}

// lex parts a template into tokens. A minus before the end of a tag takes away the line end or the blanks behind it, and one at its beginning the blanks
// before it.
func lex(name string, source []byte) ([]token, error) {
	l := &lexer{name: name, source: source, line: 1}
	for l.at < len(source) {
		i := bytes.IndexByte(source[l.at:], '{')
		for i >= 0 && l.at+i+1 < len(source) && source[l.at+i+1] != '{' && source[l.at+i+1] != '%' {
			next := bytes.IndexByte(source[l.at+i+1:], '{')
			if next < 0 {
				i = -1
				break
			}
			i += next + 1
		}
		if i < 0 || l.at+i+1 >= len(source) {
			l.text(source[l.at:])
			break
		}
		begin := l.at + i
		before := source[l.at:begin]
		inner := begin + 2
		if inner < len(source) && source[inner] == '-' {
			before = bytes.TrimRight(before, " \t")
			inner++
		}
		l.text(before)
		l.line += bytes.Count(source[l.at+len(before):begin], []byte("\n"))
		if err := l.braces(begin, inner); err != nil {
			return nil, err
		}
	}
	return l.tokens, nil
}

func (l *lexer) text(b []byte) {
	if len(b) > 0 {
		l.tokens = append(l.tokens, token{kind: textToken, text: string(b), line: l.line})
		l.line += bytes.Count(b, []byte("\n"))
	}
}

func (l *lexer) wrong(format string, args ...any) error {
	e := convert.Errorf(convert.TemplateSyntaxError, format, args...)
	e.Template, e.Line = l.name, l.line
	return e
}

// braces reads a tag or an output whose markup begins at inner.
func (l *lexer) braces(begin, inner int) error {
	kind, closing := tagToken, "%}"
	if l.source[begin+1] == '{' {
		kind, closing = outputToken, "}}"
	}
	end, err := l.end(inner, closing)
	if err != nil {
		return err
	}
	markup := l.source[inner:end]
	l.at = end + 2
	if bytes.HasSuffix(markup, []byte("-")) {
		markup = markup[:len(markup)-1]
		l.skip()
	}
	t := token{kind: kind, text: strings.TrimSpace(string(markup)), line: l.line}
	if kind == tagToken {
		n := 0
		for n < len(t.text) && isWord(t.text[n]) {
			n++
		}
		t.tag, t.text = t.text[:n], strings.TrimLeft(t.text[n:], " \t\r\n")
		if t.tag == "" {
			return l.wrong("a tag has no name")
		}
	}
	if strings.ContainsAny(t.text, "\r\n") {
		return l.wrong("a line ends within a tag")
	}
	l.line += bytes.Count(l.source[inner:l.at], []byte("\n"))
	l.tokens = append(l.tokens, t)
	return nil
}

// end finds the closing braces; those within quotes close nothing, and braces of output within a tag belong to its markup.
func (l *lexer) end(from int, closing string) (int, error) {
	for i := from; i+1 < len(l.source); i++ {
		switch b := l.source[i]; {
		case b == '"' || b == '\'':
			n := bytes.IndexByte(l.source[i+1:], b)
			if n < 0 {
				return 0, l.wrong("a quote within a tag does not end")
			}
			i += n + 1
		case b == closing[0] && l.source[i+1] == closing[1]:
			return i, nil
		}
	}
	return 0, l.wrong("a tag does not end with %s", closing)
}

// skip passes over one line end, or otherwise over blanks.
func (l *lexer) skip() {
	rest := l.source[l.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		l.at += 2
	case bytes.HasPrefix(rest, []byte("\n")), bytes.HasPrefix(rest, []byte("\r")):
		l.at++
	default:
		l.at += len(rest) - len(bytes.TrimLeft(rest, " \t"))
	}
}

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z' || b >= 0x80
}
