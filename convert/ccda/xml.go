package ccda

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"salus/convert"
)

// attribute is an attribute as it is written, with its value normalized (XML 1.0 §3.3.3).
type attribute struct{ prefix, local, value string }

// events are what a scanner finds. Names are those that are written.
type events interface {
	begin(prefix, local string, attributes []attribute, closed bool) error
	end(prefix, local string) error
	text(s string, section bool) error
	comment()
	instruction(target, data string)
}

// scanner reads XML (XML 1.0, without document types) and calls events.
type scanner struct {
	text       string
	at         int
	attributes []attribute
}

// wrong makes an error for the place where the scanner is.
func (s *scanner) wrong(rule string) error {
	before := s.text[:min(s.at, len(s.text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return convert.Errorf(convert.InputParsingError, "the XML is wrong at line %d, column %d: %s", line, column, rule)
}

// scan reads all.
func (s *scanner) scan(e events) error {
	if at := invalid(s.text); at >= 0 {
		s.at = at
		return s.wrong("a character is none of XML's")
	}
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		var err error
		switch {
		case rest[0] != '<':
			err = s.characters(e)
		case strings.HasPrefix(rest, "</"):
			err = s.endTag(e)
		case strings.HasPrefix(rest, "<!--"):
			err = s.comment(e)
		case strings.HasPrefix(rest, "<![CDATA["):
			var body string
			if body, err = s.upTo(len("<![CDATA["), "]]>", "a section of characters does not end"); err == nil {
				err = e.text(body, true)
			}
		case strings.HasPrefix(rest, "<!"):
			err = s.wrong("documents with a document type are refused")
		case strings.HasPrefix(rest, "<?"):
			err = s.instruction(e)
		default:
			err = s.startTag(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// invalid returns the place of the first character that XML does not have (XML 1.0 §2.2); -1 if there is none.
func invalid(text string) int {
	for i := 0; i < len(text); {
		if b := text[i]; b < utf8.RuneSelf {
			if b < ' ' && b != '\t' && b != '\n' && b != '\r' {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || !isCharacter(r) {
			return i
		}
		i += size
	}
	return -1
}

func isCharacter(r rune) bool {
	return r >= ' ' && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// upTo passes over what begins here and returns what is in it.
func (s *scanner) upTo(begin int, end, rule string) (string, error) {
	body, _, ok := strings.Cut(s.text[s.at+begin:], end)
	if !ok {
		return "", s.wrong(rule)
	}
	s.at += begin + len(body) + len(end)
	return body, nil
}

func (s *scanner) comment(e events) error {
	body, err := s.upTo(len("<!--"), "-->", "a comment does not end")
	if err != nil {
		return err
	}
	if strings.Contains(body, "--") || strings.HasSuffix(body, "-") {
		return s.wrong("a comment has -- in it")
	}
	e.comment()
	return nil
}

func (s *scanner) instruction(e events) error {
	start := s.at
	body, err := s.upTo(len("<?"), "?>", "a processing instruction does not end")
	if err != nil {
		return err
	}
	n := nameLength(body)
	data := strings.TrimLeft(body[n:], blanks)
	if n == 0 || data != "" && len(data) == len(body)-n {
		return s.wrong("a processing instruction has no target")
	}
	if strings.EqualFold(body[:n], "xml") {
		switch {
		case start > 0 || body[:n] != "xml":
			return s.wrong("the XML declaration stands at the start")
		case !strings.HasPrefix(data, "version") || strings.Count(data, "version") > 1 || attributeOf(data, "version") != "1.0":
			return s.wrong("the XML declaration begins with version 1.0")
		}
	}
	e.instruction(body[:n], data)
	return nil
}

func (s *scanner) characters(e events) error {
	raw, _, _ := strings.Cut(s.text[s.at:], "<")
	if i := strings.Index(raw, "]]>"); i >= 0 {
		s.at += i
		return s.wrong("a text has ]]> in it")
	}
	text, err := s.resolve(raw, false)
	if err != nil {
		return err
	}
	s.at += len(raw)
	return e.text(text, false)
}

const blanks = " \t\r\n"

// skip passes over blanks and reports whether there were any.
func (s *scanner) skip() bool {
	start := s.at
	for s.at < len(s.text) && strings.IndexByte(blanks, s.text[s.at]) >= 0 {
		s.at++
	}
	return s.at > start
}

// name reads a name with or without a prefix.
func (s *scanner) name() (prefix, local string, err error) {
	n := nameLength(s.text[s.at:])
	name := s.text[s.at : s.at+n]
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		prefix, local = "", name
	}
	if local == "" || ok && prefix == "" || strings.IndexByte(local, ':') >= 0 || nameLength(local) != len(local) {
		return "", "", s.wrong("a name is wrong or missing")
	}
	s.at += n
	return prefix, local, nil
}

// nameLength returns how long the name is that s begins with (XML 1.0 §2.3). Beyond ASCII all but blanks and signs are taken for letters.
func nameLength(s string) int {
	for i, r := range s {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z' || r == '_' || r == ':' || r >= 0xC0 && r != 0xD7 && r != 0xF7 && (r < 0x2000 || r > 0x2BFF)
		if !letter && (i == 0 || r != '-' && r != '.' && r != 0xB7 && (r < '0' || r > '9')) {
			return i
		}
	}
	return len(s)
}

func (s *scanner) startTag(e events) error {
	s.at++
	prefix, local, err := s.name()
	if err != nil {
		return err
	}
	s.attributes = s.attributes[:0]
	for {
		apart := s.skip()
		rest := s.text[s.at:]
		switch {
		case rest == "":
			return s.wrong("a tag does not end")
		case rest[0] == '>':
			s.at++
			return e.begin(prefix, local, s.attributes, false)
		case strings.HasPrefix(rest, "/>"):
			s.at += 2
			return e.begin(prefix, local, s.attributes, true)
		case !apart:
			return s.wrong("a blank is missing before an attribute")
		case len(s.attributes) == maxAttributes:
			return s.wrong("an element has too many attributes")
		}
		if err := s.attribute(); err != nil {
			return err
		}
	}
}

func (s *scanner) attribute() error {
	prefix, local, err := s.name()
	if err != nil {
		return err
	}
	for _, a := range s.attributes {
		if a.local == local && a.prefix == prefix {
			return s.wrong("an attribute stands there twice")
		}
	}
	s.skip()
	if !strings.HasPrefix(s.text[s.at:], "=") {
		return s.wrong("an attribute has no value")
	}
	s.at++
	s.skip()
	if s.at == len(s.text) || s.text[s.at] != '"' && s.text[s.at] != '\'' {
		return s.wrong("the value of an attribute has no quotes")
	}
	quote := s.text[s.at : s.at+1]
	s.at++
	raw, _, ok := strings.Cut(s.text[s.at:], quote)
	if !ok || strings.IndexByte(raw, '<') >= 0 {
		return s.wrong("the value of an attribute does not end")
	}
	value, err := s.resolve(raw, true)
	if err != nil {
		return err
	}
	s.at += len(raw) + 1
	s.attributes = append(s.attributes, attribute{prefix, local, value})
	return nil
}

func (s *scanner) endTag(e events) error {
	start := s.at
	s.at += 2
	prefix, local, err := s.name()
	if err != nil {
		return err
	}
	s.skip()
	if !strings.HasPrefix(s.text[s.at:], ">") {
		return s.wrong("a tag does not end")
	}
	end := s.at + 1
	s.at = start
	if err := e.end(prefix, local); err != nil {
		return err
	}
	s.at = end
	return nil
}

// resolve replaces the references in a text. In the values of attributes each blank that is written becomes a space; one that is referred to stays what
// it is.
func (s *scanner) resolve(raw string, value bool) (string, error) {
	special := "&"
	if value {
		special = "&\t\r\n"
	}
	i := strings.IndexAny(raw, special)
	if i < 0 {
		return raw, nil
	}
	b := append(make([]byte, 0, len(raw)), raw[:i]...)
	for i < len(raw) {
		c := raw[i]
		switch {
		case c == '&':
			r, size := reference(raw[i:])
			if size == 0 {
				s.at += i
				return "", s.wrong("a reference is wrong, or to an entity that XML does not have")
			}
			b = utf8.AppendRune(b, r)
			i += size
			continue
		case value && c == '\r' && strings.HasPrefix(raw[i+1:], "\n"): // one line end
		case value && (c == '\t' || c == '\r' || c == '\n'):
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
		i++
	}
	return string(b), nil
}

// entities are those that XML has without a document type.
var entities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// maxReference is how long a reference is at most: &#x0010FFFF; and a few zeros more.
const maxReference = 16

// reference reads the reference that raw begins with; size is 0 if it is none.
func reference(raw string) (r rune, size int) {
	end := strings.IndexByte(raw[:min(len(raw), maxReference)], ';')
	if end < 2 {
		return 0, 0
	}
	name := raw[1:end]
	if name[0] != '#' {
		if r, ok := entities[name]; ok {
			return r, end + 1
		}
		return 0, 0
	}
	digits, base := name[1:], 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune || !isCharacter(rune(n)) {
		return 0, 0
	}
	return rune(n), end + 1
}
