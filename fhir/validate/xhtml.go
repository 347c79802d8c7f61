package validate

import (
	"encoding/xml"
	"slices"
	"strings"
)

// The rules that a narrative may break, as texts of issues (FHIR R4 narrative
// §2.4.0, invariants txt-1 and txt-2).
const (
	ruleRoot      = "a narrative must be one div element of the namespace http://www.w3.org/1999/xhtml (txt-1)"
	ruleForm      = "a narrative must be well-formed XHTML (txt-1)"
	ruleMarkup    = "a narrative must not have conditional comments, CDATA sections, processing instructions or a DOCTYPE (txt-1)"
	ruleEntity    = "a narrative must only have entities of XML and HTML 4 (txt-1)"
	ruleElement   = "a narrative must only have the elements that FHIR allows (txt-1)"
	ruleAttribute = "a narrative must only have the attributes that FHIR allows (txt-1)"
	ruleLink      = "a narrative must not have links that run code or carry data"
	ruleStyle     = "a narrative must not have styles that run code or load other styles"
	ruleDepth     = "a narrative must not nest deeper than 200 elements"
	ruleEmpty     = "a narrative must have some text or an image (txt-2)"
)

const (
	xhtmlNamespace = "http://www.w3.org/1999/xhtml"
	maxElements    = 200 // open at a time
)

// checkXHTML returns the rule that a narrative's div breaks, "" for a good one.
//
// Browsers may read the text as HTML although it is XML. What the two read
// differently in a way that brings markup to life is refused.
func checkXHTML(s string) string {
	x := xhtml{rest: strings.TrimRight(s, " \t\r\n")}
	x.space()
	if !strings.HasPrefix(x.rest, "<div") {
		return ruleRoot
	}
	for x.rest != "" && x.rule == "" {
		x.next()
	}
	switch {
	case x.rule != "":
		return x.rule
	case x.depth > 0:
		return ruleForm
	case !x.content:
		return ruleEmpty
	}
	return ""
}

// xhtml is a reader of one narrative.
type xhtml struct {
	rest    string
	rule    string // the first that was broken
	open    [maxElements]string
	depth   int
	named   []string // attributes of the tag being read
	closed  bool     // the root has ended
	content bool     // there is text or an image
}

func (x *xhtml) fail(rule string) {
	if x.rule == "" {
		x.rule = rule
	}
}

func (x *xhtml) space() (some bool) {
	trimmed := strings.TrimLeft(x.rest, " \t\r\n")
	some = len(trimmed) < len(x.rest)
	x.rest = trimmed
	return some
}

// next reads a text or a piece of markup.
func (x *xhtml) next() {
	switch {
	case x.closed:
		x.fail(ruleRoot)
	case x.rest[0] != '<':
		x.text()
	case strings.HasPrefix(x.rest, "</"):
		x.end()
	case strings.HasPrefix(x.rest, "<!--"):
		x.comment()
	case len(x.rest) > 1 && (x.rest[1] == '!' || x.rest[1] == '?'):
		x.fail(ruleMarkup)
	default:
		x.start()
	}
}

// text reads up to the next markup.
func (x *xhtml) text() {
	n := strings.IndexByte(x.rest, '<')
	if n < 0 {
		n = len(x.rest)
	}
	text := x.rest[:n]
	x.rest = x.rest[n:]
	if strings.Contains(text, "]]>") {
		x.fail(ruleForm)
	}
	for text != "" && x.rule == "" {
		piece := text
		if n := strings.IndexByte(text, '&'); n == 0 {
			piece, text = x.entity(text)
		} else if n > 0 {
			piece, text = text[:n], text[n:]
		} else {
			text = ""
		}
		x.content = x.content || strings.TrimSpace(piece) != "" // a no-break space is no text
	}
}

// comment reads a comment. HTML, other than XML, ends <!--> and <!---> at once, and
// some browsers read conditional comments.
func (x *xhtml) comment() {
	body := x.rest[len("<!--"):]
	n := strings.Index(body, "--")
	switch {
	case n < 0 || !strings.HasPrefix(body[n:], "-->"):
		x.fail(ruleForm)
	case strings.HasPrefix(body, ">") || strings.HasPrefix(body, "->") || strings.HasPrefix(strings.TrimSpace(body), "["):
		x.fail(ruleMarkup)
	default:
		x.rest = body[n+len("-->"):]
	}
}

// end reads an end tag.
func (x *xhtml) end() {
	x.rest = x.rest[len("</"):]
	name := x.name()
	x.space()
	if x.depth == 0 || name != x.open[x.depth-1] || !strings.HasPrefix(x.rest, ">") {
		x.fail(ruleForm)
		return
	}
	x.rest = x.rest[1:]
	x.leave()
}

// start reads a start tag or an empty element.
func (x *xhtml) start() {
	x.rest = x.rest[1:]
	name := x.name()
	allowed, known := xhtmlElements[name]
	switch {
	case name == "":
		x.fail(ruleForm)
	case !known:
		x.fail(ruleElement)
	case x.depth == maxElements:
		x.fail(ruleDepth)
	}
	if x.rule != "" {
		return
	}
	root := x.depth == 0
	x.open[x.depth] = name
	x.depth++
	x.content = x.content || name == "img"
	if namespace := x.attributes(allowed); root && !namespace {
		x.fail(ruleRoot)
	}
	switch {
	case strings.HasPrefix(x.rest, ">"):
		x.rest = x.rest[1:]
	case strings.HasPrefix(x.rest, "/>"):
		x.rest = x.rest[2:]
		x.leave()
	default:
		x.fail(ruleForm)
	}
}

// leave ends the innermost element.
func (x *xhtml) leave() {
	x.depth--
	x.closed = x.depth == 0
}

// attributes reads the attributes of a tag, of which those of the set allowed may
// be there, and reports whether they state the namespace.
func (x *xhtml) attributes(allowed attributes) (namespace bool) {
	x.named = x.named[:0]
	for x.rule == "" {
		if !x.space() || strings.HasPrefix(x.rest, ">") || strings.HasPrefix(x.rest, "/>") {
			break
		}
		name, value := x.attribute()
		if name == "xmlns" && value == xhtmlNamespace {
			namespace = true
		} else {
			x.checkAttribute(allowed, name, value)
		}
	}
	return namespace
}

// name reads a name; "" if there is none.
func (x *xhtml) name() string {
	n := 0
	for n < len(x.rest) && isNameByte(x.rest[n]) {
		n++
	}
	name := x.rest[:n]
	x.rest = x.rest[n:]
	return name
}

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == ':' || c == '-' || c == '_' || c == '.' || c >= 0x80
}

// attribute reads name="value", and returns the value with its entities resolved.
func (x *xhtml) attribute() (name, value string) {
	name = x.name()
	if name == "" || slices.Contains(x.named, name) {
		x.fail(ruleForm)
	}
	x.named = append(x.named, name) // few: every one was allowed
	x.space()
	if !strings.HasPrefix(x.rest, "=") {
		x.fail(ruleForm)
		return name, ""
	}
	x.rest = x.rest[1:]
	x.space()
	if x.rest == "" || x.rest[0] != '"' && x.rest[0] != '\'' {
		x.fail(ruleForm)
		return name, ""
	}
	n := strings.IndexByte(x.rest[1:], x.rest[0])
	if n < 0 {
		x.fail(ruleForm)
		return name, ""
	}
	value = x.rest[1 : n+1]
	x.rest = x.rest[n+2:]
	if strings.IndexByte(value, '<') >= 0 {
		x.fail(ruleForm)
	}
	return name, x.resolve(value)
}

// resolve replaces entities and character references, if there are any.
func (x *xhtml) resolve(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	var b strings.Builder
	for s != "" && x.rule == "" {
		if n := strings.IndexByte(s, '&'); n != 0 {
			if n < 0 {
				n = len(s)
			}
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		var text string
		text, s = x.entity(s)
		b.WriteString(text)
	}
	return b.String()
}

// entity returns what the entity or character reference at the start of s
// stands for, and what follows it.
func (x *xhtml) entity(s string) (text, rest string) {
	name, rest, ok := strings.Cut(s[1:], ";")
	if !ok {
		x.fail(ruleForm)
		return "", ""
	}
	if text, ok = entity(name); !ok {
		x.fail(ruleEntity)
	}
	return text, rest
}

// entity returns what stands between & and ; stands for.
func entity(name string) (string, bool) {
	switch name {
	case "amp":
		return "&", true
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "quot":
		return `"`, true
	case "apos":
		return "'", true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		text, ok := xml.HTMLEntity[name]
		return text, ok
	}
	r, ok := reference(digits)
	return string(r), ok
}

// reference reads the number of a character reference and tells whether XML
// has such a character.
func reference(digits string) (rune, bool) {
	base := rune(10)
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	if len(digits) == 0 || len(digits) > 8 {
		return 0, false
	}
	var r rune
	for _, c := range []byte(digits) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		if r = r*base + rune(c); r > 0x10ffff {
			return 0, false
		}
	}
	ok := r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r < 0xd800 || r >= 0xe000 && r != 0xfffe && r != 0xffff
	return r, ok
}
