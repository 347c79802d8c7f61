// Package ccda reads XML documents, as C-CDA are, into values for templates.
//
// The values are those of the reference service, to the byte, because ids are hashed from them: elements are dictionaries with attributes first and
// then elements by name, several of one name a list; the text of an element is its member "_". There are no entities but those of XML itself, no
// document type, and nothing is fetched.
package ccda

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"salus/convert"
	"salus/convert/jsontext"
)

// maxDepth is how deep elements may lie within one another.
const maxDepth = 256

// element is an element as it is read.
type element struct {
	name       string // with its prefix
	prefix     string
	attributes []xml.Attr // Name.Space is the prefix
	nodes      []node
	comments   int
	closed     bool // by itself: <a/>
	preserve   bool // xml:space
}

// node is what an element has in it.
type node struct {
	element *element
	text    string
	comment bool
	target  string // of a processing instruction, whose text is text
}

// Parse reads a document: the dictionary of its root element, and its text without line ends as _originalData.
func Parse(document []byte) (convert.Value, error) {
	text, err := decode(document)
	if err != nil {
		return nil, err
	}
	p := parser{d: xml.NewDecoder(bytes.NewReader(text)), text: text}
	p.d.Strict = true
	p.d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	root, err := p.document()
	if err != nil {
		return nil, err
	}
	out := value(&root, nil)
	out.Set("_originalData", withoutLineEnds(string(text)))
	return out, nil
}

var lineEnds = strings.NewReplacer("\r\n", "", "\n", "", "\r", "")

func withoutLineEnds(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return lineEnds.Replace(s)
}

// decode returns a document in UTF-8 without a byte order mark.
func decode(b []byte) ([]byte, error) {
	name := "utf-8"
	switch {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		return b[3:], nil
	case bytes.HasPrefix(b, []byte("\xFE\xFF")), bytes.HasPrefix(b, []byte("\x00<")):
		name = "utf-16be"
	case bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("<\x00")):
		name = "utf-16le"
	default:
		if declared := declaredEncoding(b); declared != "" {
			name = declared
		}
	}
	if strings.EqualFold(name, "utf-8") {
		return b, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, convert.Errorf(convert.InputParsingError, "the encoding that the XML declaration names is not known")
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return nil, convert.Errorf(convert.InputParsingError, "the document is not in its encoding")
	}
	return bytes.TrimPrefix(out, []byte("\xEF\xBB\xBF")), nil
}

// declaredEncoding returns what an XML declaration says.
func declaredEncoding(b []byte) string {
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return ""
	}
	end := bytes.Index(b, []byte("?>"))
	if end < 0 {
		return ""
	}
	return attributeOf(string(b[:end]), "encoding")
}

// attributeOf returns a pseudo-attribute of an XML declaration.
func attributeOf(s, name string) string {
	i := strings.Index(s, name)
	if i < 0 {
		return ""
	}
	s = strings.TrimLeft(s[i+len(name):], " \t\r\n")
	if !strings.HasPrefix(s, "=") {
		return ""
	}
	if s = strings.TrimLeft(s[1:], " \t\r\n"); s == "" || s[0] != '"' && s[0] != '\'' {
		return ""
	}
	v, _, ok := strings.Cut(s[1:], s[:1])
	if !ok {
		return ""
	}
	return v
}

type parser struct {
	d    *xml.Decoder
	text []byte
}

// wrong makes an error for the place where the reader is.
func (p *parser) wrong(rule string, cause error) error {
	line, column := p.d.InputPos()
	e := convert.Errorf(convert.InputParsingError, "the XML is wrong at line %d, column %d: %s", line, column, rule)
	e.Cause = cause
	return e
}

// document reads the whole: its nodes are those of an element without a name.
func (p *parser) document() (root element, err error) {
	stack := []*element{&root}
	for {
		before := p.d.InputOffset()
		token, err := p.d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return root, p.wrong("it is not well-formed", err)
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(stack) > maxDepth {
				return root, p.wrong("elements lie too deep within one another", nil)
			}
			e := &element{name: t.Name.Local, prefix: t.Name.Space, attributes: t.Attr, preserve: top.preserve}
			e.closed = bytes.HasSuffix(p.text[before:p.d.InputOffset()], []byte("/>"))
			for _, a := range t.Attr {
				if a.Name.Space == "xml" && a.Name.Local == "space" {
					e.preserve = a.Value == "preserve"
				}
			}
			top.nodes = append(top.nodes, node{element: e})
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) == 1 || top.name != t.Name.Local || top.prefix != t.Name.Space {
				return root, p.wrong("an element is ended that is not open", nil)
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if err := p.characters(top, string(t), len(stack) == 1, bytes.HasPrefix(p.text[before:], []byte("<![CDATA["))); err != nil {
				return root, err
			}
		case xml.Comment:
			top.comments++
			top.nodes = append(top.nodes, node{comment: true, text: string(t)})
		case xml.ProcInst:
			top.nodes = append(top.nodes, node{target: t.Target, text: string(t.Inst)})
		case xml.Directive:
			return root, p.wrong("documents with a document type are refused", nil)
		}
	}
	if len(stack) > 1 {
		return root, p.wrong("an element is not ended", nil)
	}
	for _, n := range root.nodes {
		if n.element != nil {
			return root, nil
		}
	}
	return root, p.wrong("there is no element", nil)
}

// characters adds text to an element. Blanks alone are nothing, unless it wants them.
func (p *parser) characters(to *element, s string, outside, section bool) error {
	if strings.Trim(s, " \t\r\n") == "" && (!to.preserve || outside) && !section {
		return nil
	}
	if outside {
		return p.wrong("there is text outside of the root element", nil)
	}
	to.nodes = append(to.nodes, node{text: s})
	return nil
}

// value makes the dictionary of an element. The prefixes are those of the root element, nil for it itself and the document around it.
func value(e *element, prefixes map[string]string) *convert.Map {
	texts := 0
	m := convert.NewMap(len(e.attributes) + len(e.nodes))
	isRoot := prefixes == nil
	if isRoot {
		prefixes = rootPrefixes(e)
	}
	for _, a := range e.attributes {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = a.Name.Space + ":" + name
		}
		if isRoot && a.Name.Space == "xmlns" && a.Value == prefixes[""] {
			continue // another name of the default namespace
		}
		m.Set(name, text(attribute(a.Value)))
	}
	inner := prefixes
	if e.name == "" { // the document: what is in it is the root
		inner = nil
	}
	comments := false
	for i := range e.nodes {
		n := &e.nodes[i]
		switch {
		case n.element != nil:
			add(m, key(n.element, prefixes), child(n.element, inner))
		case n.comment:
			if e.comments > 1 && !comments {
				m.Set("#comment", &convert.List{Fixed: true})
				comments = true
			}
		case n.target == "xml":
			declaration := convert.NewMap(3)
			for _, name := range []string{"version", "encoding", "standalone"} {
				if v := attributeOf(n.text, name); v != "" {
					declaration.Set(name, v)
				}
			}
			m.Set("?xml", declaration)
		case n.target != "":
			m.Set("?"+n.target, text(n.text))
		default:
			texts++
		}
	}
	for i := len(e.nodes) - 1; texts > 0 && i >= 0; i-- { // the last text comes first
		if n := &e.nodes[i]; n.element == nil && !n.comment && n.target == "" {
			add(m, "_", text(n.text))
		}
	}
	return m
}

// child makes the value of an element within another; one without anything is nothing, or an empty text.
func child(e *element, prefixes map[string]string) convert.Value {
	if len(e.attributes) == 0 && len(e.nodes) == 0 {
		if e.closed {
			return nil
		}
		return ""
	}
	return value(e, prefixes)
}

// rootPrefixes are the namespaces that the root element binds prefixes to, and under the empty one the default.
func rootPrefixes(root *element) map[string]string {
	all := map[string]string{}
	for _, a := range root.attributes {
		switch {
		case a.Name.Space == "xmlns":
			all[a.Name.Local] = a.Value
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			all[""] = a.Value
		}
	}
	return all
}

// key returns the name of an element in a dictionary: with an underscore behind a prefix of the root element that is not for the default namespace.
func key(e *element, prefixes map[string]string) string {
	if e.prefix == "" {
		return e.name
	}
	space, known := prefixes[e.prefix]
	switch {
	case known && space == prefixes[""]:
		return e.name
	case known:
		return e.prefix + "_" + e.name
	}
	return e.prefix + ":" + e.name
}

// add adds a member; several of one name become a list.
func add(m *convert.Map, name string, v convert.Value) {
	have, ok := m.Get(name)
	if !ok {
		m.Set(name, v)
		return
	}
	if l, many := have.(*convert.List); many {
		l.Items = append(l.Items, v)
		return
	}
	m.Set(name, &convert.List{Items: []convert.Value{have, v}, Fixed: true})
}

// attribute normalizes the value of an attribute: each blank of any kind is a space (XML 1.0 §3.3.3).
func attribute(s string) string {
	if !strings.ContainsAny(s, "\r\n\t") {
		return s
	}
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(s)
}

// text makes the value of a text: without line ends, and an instant if it looks like one.
func text(s string) convert.Value {
	s = withoutLineEnds(s)
	if t, ok := jsontext.ParseTime(s); ok {
		return t
	}
	return s
}
