package fhir

import (
	"sync"
	"unsafe"
)

// Kind is the JSON kind of a node.
type Kind uint8

// The JSON kinds. Absent is the kind of the zero Node.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"nothing", "null", "boolean", "number", "string", "array", "object"}

// String returns the kind's name as JSON calls it.
func (k Kind) String() string { return kindNames[k] }

// node is one JSON value of a document. Children follow their parent; next is
// the index of the following sibling, or 0 when there is none.
type node struct {
	off, end   uint32 // of the value in the raw bytes, quotes and brackets included
	key        uint32 // offset of the property name, inside its quotes; 0 when there is none
	next       uint32
	count      uint32 // of children
	keyLen     uint16
	kind       Kind
	escaped    bool // the string holds a backslash
	keyEscaped bool
}

// Document is one parsed JSON text: the raw bytes and an index of offsets into
// them. It is immutable and safe for concurrent use until Release.
type Document struct {
	raw   []byte
	nodes []node
}

var documents = sync.Pool{New: func() any { return new(Document) }}

// Release gives the index back for reuse. After it neither d nor any Node of it
// may be used; strings already taken from nodes stay valid. Calling it is optional.
func (d *Document) Release() {
	if cap(d.nodes) > 1<<20 {
		return
	}
	d.raw, d.nodes = nil, d.nodes[:0]
	documents.Put(d)
}

// Root returns the document's value.
func (d *Document) Root() Node { return Node{d, 0} }

// Node is a cursor at one value of a document. The zero Node stands for an
// absent value: every method of it answers with nothing.
type Node struct {
	d *Document
	i uint32
}

// Exists reports whether there is a value.
func (n Node) Exists() bool { return n.d != nil }

// Kind returns the value's JSON kind, Absent for the zero Node.
func (n Node) Kind() Kind {
	if n.d == nil {
		return Absent
	}
	return n.d.nodes[n.i].kind
}

// Raw returns the value's bytes as they came. They must not be changed.
func (n Node) Raw() []byte {
	if n.d == nil {
		return nil
	}
	x := &n.d.nodes[n.i]
	return n.d.raw[x.off:x.end]
}

// Offset returns where the value begins in the document's bytes.
func (n Node) Offset() int {
	if n.d == nil {
		return 0
	}
	return int(n.d.nodes[n.i].off)
}

// Name returns the property name under which the value stands in its object,
// "" for array items and the root.
func (n Node) Name() string {
	if n.d == nil {
		return ""
	}
	x := &n.d.nodes[n.i]
	if x.key == 0 {
		return ""
	}
	b := n.d.raw[x.key : x.key+uint32(x.keyLen)]
	if x.keyEscaped {
		return view(unescape(make([]byte, 0, len(b)), b))
	}
	return view(b)
}

// Text returns a string's characters with escapes resolved, or the literal of
// a number, true or false; "" for everything else. The result shares the
// document's bytes where it can.
func (n Node) Text() string {
	if n.d == nil {
		return ""
	}
	x := &n.d.nodes[n.i]
	switch x.kind {
	case String:
		b := n.d.raw[x.off+1 : x.end-1]
		if x.escaped {
			return view(unescape(make([]byte, 0, len(b)), b))
		}
		return view(b)
	case Number, Bool:
		return view(n.d.raw[x.off:x.end])
	}
	return ""
}

// True reports whether the value is the literal true.
func (n Node) True() bool { return n.Kind() == Bool && n.Raw()[0] == 't' }

// Len returns the number of items or properties.
func (n Node) Len() int {
	if n.d == nil {
		return 0
	}
	return int(n.d.nodes[n.i].count)
}

// First returns the first item or property value.
func (n Node) First() Node {
	if n.d == nil || n.d.nodes[n.i].count == 0 {
		return Node{}
	}
	return Node{n.d, n.i + 1}
}

// Next returns the following item or property value of the same parent. At the
// root of a document there is none.
func (n Node) Next() Node {
	if n.d == nil || n.d.nodes[n.i].next == 0 {
		return Node{}
	}
	return Node{n.d, n.d.nodes[n.i].next}
}

// Children yields items or property values in order.
func (n Node) Children(yield func(Node) bool) {
	for c := n.First(); c.d != nil; c = c.Next() {
		if !yield(c) {
			return
		}
	}
}

// Index returns item i, or the zero Node.
func (n Node) Index(i int) Node {
	if i < 0 || i >= n.Len() {
		return Node{}
	}
	c := n.First()
	for ; i > 0; i-- {
		c = c.Next()
	}
	return c
}

// Get returns the property called name of an object, or the zero Node.
func (n Node) Get(name string) Node {
	if n.d == nil || n.d.nodes[n.i].kind != Object || n.d.nodes[n.i].count == 0 {
		return Node{}
	}
	for i := n.i + 1; i != 0; i = n.d.nodes[i].next {
		x := &n.d.nodes[i]
		if x.keyEscaped {
			if (Node{n.d, i}).Name() == name {
				return Node{n.d, i}
			}
			continue
		}
		if int(x.keyLen) == len(name) && view(n.d.raw[x.key:x.key+uint32(x.keyLen)]) == name {
			return Node{n.d, i}
		}
	}
	return Node{}
}

// Path follows property names from n.
func (n Node) Path(names ...string) Node {
	for _, name := range names {
		n = n.Get(name)
	}
	return n
}

// Type returns the resourceType of a resource, "" when there is none.
func (n Node) Type() Type { return Type(n.Get("resourceType").Text()) }

// ID returns the logical id of a resource, "" when there is none.
func (n Node) ID() ID { return ID(n.Get("id").Text()) }

// Same reports whether two cursors stand at the same place of the same document.
func (n Node) Same(o Node) bool { return n == o }

// view returns b as a string without copying; b never changes once parsed.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
