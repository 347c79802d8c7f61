package jsontext

import (
	"bytes"
	"strconv"
	"sync"
)

// Clean makes a document of what a template wrote, and returns it indented by two blanks. An entry that belongs to a resource that there is already is
// put into that one's (converter post-processing; see the package's comment).
func Clean(text []byte) ([]byte, error) {
	r := readers.Get().(*reader)
	defer r.release()
	r.text = text
	root, err := r.document()
	if err != nil {
		return nil, err
	}
	for i := range root.items {
		if n := &root.items[i]; string(n.name) == "entry" && n.kind == array {
			mergeEntries(n)
		}
	}
	return appendIndented(make([]byte, 0, len(text)+len(text)/4), &root, 0), nil
}

// node is a value, and within an object the name before it.
type node struct {
	kind  kind
	name  []byte // between the quotes, in the one spelling that is written
	value []byte // of strings between the quotes, of others all of it
	items []node
}

type kind uint8

const (
	literal kind = iota // null, true, false, a number
	text
	array
	object
)

// empty reports whether a value is nothing: a text or a list without anything in it.
func (n *node) empty() bool {
	return n.kind == text && len(n.value) == 0 || n.kind >= array && len(n.items) == 0
}

func (n *node) isNull() bool { return n.kind == literal && n.value[0] == 'n' }

// member returns the value of a name; nil if there is none.
func (n *node) member(name []byte) *node {
	if n == nil || n.kind != object {
		return nil
	}
	for i := range n.items {
		if bytes.Equal(n.items[i].name, name) {
			return &n.items[i]
		}
	}
	return nil
}

// reader reads the lenient form. A byte with which nothing can begin is passed over, wherever it stands.
type reader struct {
	text  []byte
	at    int
	end   int    // of the string at the reader's place, after next has found one
	stack []node // members of what is open
	arena []node
	used  [][]node // arenas that are full
}

// readers are used again, with the memory of their nodes.
var readers = sync.Pool{New: func() any { return new(reader) }}

// release gives the reader back. No node of it may be in use.
func (r *reader) release() {
	all := append(r.used, r.arena)
	largest := all[0]
	for _, a := range all {
		if cap(a) > cap(largest) {
			largest = a
		}
	}
	clear(largest[:cap(largest)])
	clear(r.stack[:cap(r.stack)])
	*r = reader{stack: r.stack[:0], arena: largest[:0], used: r.used[:0]}
	readers.Put(r)
}

// document reads the first object.
func (r *reader) document() (root node, err error) {
	if r.next() != '{' {
		return root, r.wrong("a document begins with {")
	}
	return r.value(0)
}

func (r *reader) wrong(format string, args ...any) error { return wrong(r.text, r.at, format, args...) }

// begins has the bytes with which something can begin.
var begins = func() (all [256]bool) {
	for _, b := range []byte(`{}[],:"tfn-0123456789`) {
		all[b] = true
	}
	return all
}()

// next returns the byte with which the next token begins; 0 at the end.
func (r *reader) next() byte {
	for ; r.at < len(r.text); r.at++ {
		b := r.text[r.at]
		if !begins[b] {
			continue
		}
		switch b {
		case '{', '}', '[', ']', ',', ':':
			return b
		case '"':
			if r.end = r.stringEnd(); r.end > 0 {
				return b
			}
		case 't', 'f', 'n':
			if word(r.text[r.at:]) > 0 {
				return b
			}
		case '-':
			if r.at+1 < len(r.text) && isDigit(r.text[r.at+1]) {
				return b
			}
		default:
			return b
		}
	}
	return 0
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// word returns the length of the literal that b begins with; 0 if none.
func word(b []byte) int {
	for _, w := range [...]string{"true", "false", "null"} {
		if len(b) >= len(w) && string(b[:len(w)]) == w {
			return len(w)
		}
	}
	return 0
}

// stringEnd returns the place of the quote that ends the string at the reader's place; 0 if it is none.
func (r *reader) stringEnd() int {
	for i := r.at + 1; i < len(r.text); i++ {
		switch b := r.text[i]; {
		case b == '"':
			return i
		case b < ' ':
			return 0
		case b == '\\':
			i++
			if i == len(r.text) {
				return 0
			}
			switch r.text[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if i+4 >= len(r.text) || !isHex(r.text[i+1:i+5]) {
					return 0
				}
				i += 4
			default:
				return 0
			}
		}
	}
	return 0
}

func isHex(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// string reads the string at the reader's place, in the one spelling that is written.
func (r *reader) string() []byte {
	raw := r.text[r.at+1 : r.end]
	r.at = r.end + 1
	if i := bytes.IndexByte(raw, '\\'); i < 0 {
		return raw
	}
	s := appendString(nil, unescape(raw))
	return s[1 : len(s)-1]
}

func (r *reader) value(depth int) (n node, err error) {
	if depth > maxDepth {
		return n, r.wrong("objects and arrays lie within one another no deeper than %d", maxDepth)
	}
	switch b := r.next(); b {
	case '{':
		return r.list(object, '}', depth)
	case '[':
		return r.list(array, ']', depth)
	case '"':
		return node{kind: text, value: r.string()}, nil
	case 't', 'f', 'n':
		length := word(r.text[r.at:])
		r.at += length
		return node{value: r.text[r.at-length : r.at]}, nil
	case 0:
		return n, r.wrong("the text ends where a value should be")
	case '}', ']', ',', ':':
		return n, r.wrong("a value is missing before %c", b)
	}
	return node{value: r.number()}, nil
}

// list reads an object or array. Commas too many are passed over, but one must stand between two members.
func (r *reader) list(k kind, end byte, depth int) (n node, err error) {
	r.at++
	start := len(r.stack)
	comma := true
	for {
		b := r.next()
		switch {
		case b == end:
			r.at++
			n = node{kind: k, items: r.keep(r.stack[start:])}
			r.stack = r.stack[:start]
			return n, nil
		case b == 0:
			return n, r.wrong("the text ends within an object or array")
		case b == ',':
			r.at++
			comma = true
			continue
		case !comma:
			return n, r.wrong("a comma is missing before %c", b)
		}
		comma = false
		var name []byte
		if k == object {
			if b != '"' {
				return n, r.wrong("a name is missing before %c", b)
			}
			name = r.string()
			if r.next() != ':' {
				return n, r.wrong("a colon is missing behind a name")
			}
			r.at++
		}
		member, err := r.value(depth + 1)
		if err != nil {
			return n, err
		}
		if !member.empty() {
			member.name = name
			r.put(start, member, k)
		}
	}
}

// put adds a member to what is open. Of members of one name the last counts, in the place of the first.
func (r *reader) put(start int, member node, k kind) {
	if k == object {
		for i := start; i < len(r.stack); i++ {
			if bytes.Equal(r.stack[i].name, member.name) {
				r.stack[i] = member
				return
			}
		}
	}
	r.stack = append(r.stack, member)
}

// arenaSize is how many nodes are made room for at a time.
const arenaSize = 512

// keep copies members to where they stay.
func (r *reader) keep(members []node) []node {
	if len(members) == 0 {
		return nil
	}
	if len(members) > cap(r.arena)-len(r.arena) {
		r.used = append(r.used, r.arena)
		r.arena = make([]node, 0, max(arenaSize, 2*cap(r.arena), len(members)))
	}
	at := len(r.arena)
	r.arena = append(r.arena, members...)
	return r.arena[at:len(r.arena):len(r.arena)]
}

// number reads a number, which has no zeros before it, and returns it as it is written.
func (r *reader) number() []byte {
	start := r.at
	if r.text[r.at] == '-' {
		r.at++
	}
	digits := func() {
		for r.at < len(r.text) && isDigit(r.text[r.at]) {
			r.at++
		}
	}
	if r.text[r.at] == '0' {
		r.at++
	} else {
		digits()
	}
	whole := true
	if r.at+1 < len(r.text) && r.text[r.at] == '.' && isDigit(r.text[r.at+1]) {
		whole = false
		r.at++
		digits()
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		i := r.at + 1
		if i < len(r.text) && (r.text[i] == '+' || r.text[i] == '-') {
			i++
		}
		if i < len(r.text) && isDigit(r.text[i]) {
			whole = false
			r.at = i
			digits()
		}
	}
	raw := r.text[start:r.at]
	if whole {
		if string(raw) == "-0" {
			return raw[1:]
		}
		return raw
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return raw // beyond what a double holds
	}
	return appendDouble(nil, f)
}
