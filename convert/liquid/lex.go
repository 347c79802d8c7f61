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
	source []byte // without what hyphens take away
	gone   []int  // where in it lines ended that hyphens took away
	at     int
	line   int
	tokens []token
}

// lex parts a template into tokens. Triple braces around all of a template make text of it, and braces with a number sign a comment.
func lex(name string, source []byte) ([]token, error) {
	if n := len(source); bytes.IndexByte(source, '\n') < 0 {
		switch {
		case n >= 6 && bytes.HasPrefix(source, []byte("{{{")) && bytes.HasSuffix(source, []byte("}}}")):
			return []token{{kind: textToken, text: string(source[3 : n-3]), line: 1}}, nil
		case n >= 4 && bytes.HasPrefix(source, []byte("{#")) && bytes.HasSuffix(source, []byte("#}")):
			return nil, nil
		}
	}
	l := &lexer{name: name, line: 1}
	l.trim(source)
	for l.at < len(l.source) {
		begin := opening(l.source, l.at)
		l.text(begin)
		if begin == len(l.source) {
			break
		}
		if err := l.braces(); err != nil {
			return nil, err
		}
	}
	return l.tokens, nil
}

// trim takes away what hyphens within braces stand for, wherever they are: behind a tag one line end or otherwise blanks, before it blanks.
func (l *lexer) trim(source []byte) {
	if bytes.IndexByte(source, '-') < 0 {
		l.source = source
		return
	}
	out := make([]byte, 0, len(source))
	for at := 0; at < len(source); {
		i := bytes.IndexByte(source[at:], '-')
		if i < 0 {
			out = append(out, source[at:]...)
			break
		}
		i += at
		out = append(out, source[at:i]...)
		at = i + 1
		rest := source[at:]
		switch {
		case bytes.HasSuffix(out, []byte("{%")), bytes.HasSuffix(out, []byte("{{")):
			braces := [2]byte(out[len(out)-2:])
			out = append(bytes.TrimRight(out[:len(out)-2], " \t"), braces[:]...)
		case bytes.HasPrefix(rest, []byte("%}")), bytes.HasPrefix(rest, []byte("}}")):
			out = append(out, rest[:2]...)
			at += 2
			switch rest = rest[2:]; {
			case bytes.HasPrefix(rest, []byte("\r\n")):
				at += 2
				l.gone = append(l.gone, len(out))
			case bytes.HasPrefix(rest, []byte("\n")):
				at++
				l.gone = append(l.gone, len(out))
			case bytes.HasPrefix(rest, []byte("\r")):
				at++
			default:
				at += len(rest) - len(bytes.TrimLeft(rest, " \t"))
			}
		default:
			out = append(out, '-')
		}
	}
	l.source = out
}

// opening returns where the next braces open; the end if none do.
func opening(s []byte, at int) int {
	for at < len(s) {
		i := bytes.IndexByte(s[at:], '{')
		if i < 0 || at+i+1 >= len(s) {
			break
		}
		at += i
		if s[at+1] == '{' || s[at+1] == '%' {
			return at
		}
		at++
	}
	return len(s)
}

// text makes a token of the text up to a place.
func (l *lexer) text(end int) {
	if end > l.at {
		l.tokens = append(l.tokens, token{kind: textToken, text: string(l.source[l.at:end]), line: l.line})
	}
	l.advance(end)
}

// advance goes on to a place and counts the lines up to it.
func (l *lexer) advance(end int) {
	l.line += bytes.Count(l.source[l.at:end], []byte("\n"))
	for len(l.gone) > 0 && l.gone[0] <= end {
		l.line++
		l.gone = l.gone[1:]
	}
	l.at = end
}

func (l *lexer) wrong(format string, args ...any) error {
	e := convert.Errorf(convert.TemplateSyntaxError, format, args...)
	e.Template, e.Line = l.name, l.line
	return e
}

// braces reads a tag or an output.
func (l *lexer) braces() error {
	kind, closing := outputToken, "}}"
	if l.source[l.at+1] == '%' {
		kind, closing = tagToken, "%}"
	}
	inner := l.at + 2
	end, err := l.end(inner, closing)
	if err != nil {
		return err
	}
	t := token{kind: kind, text: string(l.source[inner:end]), line: l.line}
	if kind == tagToken {
		t.text = strings.TrimLeft(t.text, " \t\r\n")
		n := 0
		for n < len(t.text) && isWord(t.text[n]) {
			n++
		}
		t.tag, t.text = t.text[:n], strings.TrimLeft(t.text[n:], " \t\r\n")
		if t.tag == "" {
			return l.wrong("a tag has no name")
		}
	}
	if strings.IndexByte(t.text, '\n') >= 0 {
		return l.wrong("a line ends within a tag")
	}
	t.text = strings.TrimSpace(t.text)
	l.tokens = append(l.tokens, t)
	l.advance(end + 2)
	if t.tag == "comment" || t.tag == "raw" || t.tag == "literal" {
		l.text(l.ending("end" + t.tag))
	}
	return nil
}

// ending returns where a tag begins; the end if it does not come.
func (l *lexer) ending(tag string) int {
	for at := l.at; ; {
		i := bytes.Index(l.source[at:], []byte("{%"))
		if i < 0 {
			return len(l.source)
		}
		rest, is := bytes.CutPrefix(bytes.TrimLeft(l.source[at+i+2:], " \t\r\n"), []byte(tag))
		if is && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("%}")) {
			return at + i
		}
		at += i + 2
	}
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

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z' || b >= 0x80
}
