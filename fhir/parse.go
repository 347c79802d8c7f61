package fhir

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"

	"salus/fault"
)

// MaxDepth is how deeply objects and arrays may nest.
const MaxDepth = 200

// Parse reads one JSON text by the strict rules: UTF-8, no duplicate property
// names, no characters after the value, nesting up to MaxDepth. The document
// keeps b, which must not be changed afterwards. Errors are faults of kind
// Invalid that name line and column.
func Parse(b []byte) (*Document, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if len(b) >= math.MaxUint32 {
		return nil, fault.New(fault.TooLarge, "a JSON text may have at most 4 GiB")
	}
	d := documents.Get().(*Document)
	d.raw = b
	if d.nodes == nil {
		d.nodes = make([]node, 0, 64+len(b)/24)
	}
	p := parser{raw: b, nodes: d.nodes[:0]}
	ok := utf8.Valid(b) || p.fail(invalidUTF8At(b), "the text is not valid UTF-8")
	ok = ok && p.document()
	d.nodes = p.nodes
	if !ok {
		d.Release()
		line, column := place(b, p.at)
		return nil, fault.With(fault.Invalid, fault.Issue{
			Code: "structure", Text: "JSON: " + p.problem, Location: fmt.Sprintf("line %d, column %d", line, column),
		})
	}
	return d, nil
}

func invalidUTF8At(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

func place(b []byte, at int) (line, column int) {
	before := b[:min(at, len(b))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

type parser struct {
	raw     []byte
	nodes   []node
	at      int
	depth   int
	problem string
}

func (p *parser) fail(at int, format string, args ...any) bool {
	if p.problem == "" {
		p.at, p.problem = at, fmt.Sprintf(format, args...)
	}
	return false
}

func (p *parser) document() bool {
	p.space()
	if p.at == len(p.raw) {
		return p.fail(p.at, "the text is empty")
	}
	if !p.value(0, 0, false) {
		return false
	}
	p.space()
	return p.at == len(p.raw) || p.fail(p.at, "characters after the value")
}

func (p *parser) space() {
	for p.at < len(p.raw) {
		switch p.raw[p.at] {
		case ' ', '\n', '\t', '\r':
			p.at++
		default:
			return
		}
	}
}

// value reads one value and appends its nodes.
func (p *parser) value(key uint32, keyLen uint16, keyEscaped bool) bool {
	if p.at >= len(p.raw) {
		return p.fail(p.at, "the text ends within a value")
	}
	i := len(p.nodes)
	p.nodes = append(p.nodes, node{off: uint32(p.at), key: key, keyLen: keyLen, keyEscaped: keyEscaped})
	var ok bool
	switch c := p.raw[p.at]; c {
	case '{':
		ok = p.object(i)
	case '[':
		ok = p.array(i)
	case '"':
		p.nodes[i].kind = String
		p.nodes[i].escaped, ok = p.str()
	case 't':
		p.nodes[i].kind, ok = Bool, p.literal("true")
	case 'f':
		p.nodes[i].kind, ok = Bool, p.literal("false")
	case 'n':
		p.nodes[i].kind, ok = Null, p.literal("null")
	default:
		if c != '-' && (c < '0' || c > '9') {
			return p.fail(p.at, "a value cannot begin like this")
		}
		p.nodes[i].kind, ok = Number, p.number()
	}
	p.nodes[i].end = uint32(p.at)
	return ok
}

func (p *parser) literal(word string) bool {
	if len(p.raw)-p.at < len(word) || view(p.raw[p.at:p.at+len(word)]) != word {
		return p.fail(p.at, "unknown literal")
	}
	p.at += len(word)
	return true
}

func (p *parser) number() bool {
	digits := func() bool {
		from := p.at
		for p.at < len(p.raw) && p.raw[p.at] >= '0' && p.raw[p.at] <= '9' {
			p.at++
		}
		return p.at > from || p.fail(p.at, "a number lacks a digit")
	}
	if p.raw[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.raw) && p.raw[p.at] == '0' {
		if p.at++; p.at < len(p.raw) && p.raw[p.at] >= '0' && p.raw[p.at] <= '9' {
			return p.fail(p.at, "a number may not begin with 0")
		}
	} else if !digits() {
		return false
	}
	if p.at < len(p.raw) && p.raw[p.at] == '.' {
		p.at++
		if !digits() {
			return false
		}
	}
	if p.at < len(p.raw) && p.raw[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.raw) && (p.raw[p.at] == '+' || p.raw[p.at] == '-') {
			p.at++
		}
		return digits()
	}
	return true
}

func (p *parser) open() bool {
	p.at++
	p.depth++
	return p.depth <= MaxDepth || p.fail(p.at-1, "nested deeper than %d levels", MaxDepth)
}

func (p *parser) array(i int) bool {
	p.nodes[i].kind = Array
	if !p.open() {
		return false
	}
	last := 0
	for {
		p.space()
		if p.at < len(p.raw) && p.raw[p.at] == ']' && last == 0 {
			break
		}
		c := len(p.nodes)
		if !p.value(0, 0, false) {
			return false
		}
		p.link(i, &last, c)
		p.space()
		if p.at >= len(p.raw) {
			return p.fail(p.at, "an array has no end")
		}
		if p.raw[p.at] == ']' {
			break
		}
		if p.raw[p.at] != ',' {
			return p.fail(p.at, "expected , or ] in an array")
		}
		p.at++
	}
	p.at++
	p.depth--
	return true
}

func (p *parser) link(parent int, last *int, child int) {
	if *last != 0 {
		p.nodes[*last].next = uint32(child)
	}
	*last = child
	p.nodes[parent].count++
}

func (p *parser) object(i int) bool {
	p.nodes[i].kind = Object
	if !p.open() {
		return false
	}
	var seen names
	last := 0
	for {
		p.space()
		if p.at < len(p.raw) && p.raw[p.at] == '}' && last == 0 {
			break
		}
		if p.at >= len(p.raw) || p.raw[p.at] != '"' {
			return p.fail(p.at, "expected a property name")
		}
		start := p.at
		escaped, ok := p.str()
		if !ok {
			return false
		}
		if p.at-start-2 > math.MaxUint16 {
			return p.fail(start, "a property name is too long")
		}
		key, keyLen := uint32(start+1), uint16(p.at-start-2)
		p.space()
		if p.at >= len(p.raw) || p.raw[p.at] != ':' {
			return p.fail(p.at, "expected : after a property name")
		}
		p.at++
		p.space()
		c := len(p.nodes)
		if !p.value(key, keyLen, escaped) {
			return false
		}
		p.link(i, &last, c)
		if seen.add(p, i, c) {
			return p.fail(start, "a property name stands twice in one object")
		}
		p.space()
		if p.at >= len(p.raw) {
			return p.fail(p.at, "an object has no end")
		}
		if p.raw[p.at] == '}' {
			break
		}
		if p.raw[p.at] != ',' {
			return p.fail(p.at, "expected , or } in an object")
		}
		p.at++
	}
	p.at++
	p.depth--
	return true
}
