package fhir

import (
	"strconv"
	"time"
)

// Body is a resource's JSON as it is kept: without insignificant white space,
// and without meta.versionId and meta.lastUpdated, which belong to the version
// and are put in when it is written out. Two bodies with equal JSON are the
// same content.
type Body struct {
	JSON []byte
	Meta int // offset right after the { of the resource's meta object, which is always there
}

// stampSize is room enough for what AppendJSON adds.
const stampSize = 96

// AppendJSON appends the resource with versionId and lastUpdated at the start of its meta.
func (b Body) AppendJSON(dst []byte, version int64, updated time.Time) []byte {
	if len(b.JSON) == 0 {
		return dst
	}
	dst = append(dst, b.JSON[:b.Meta]...)
	dst = append(dst, `"versionId":"`...)
	dst = strconv.AppendInt(dst, version, 10)
	dst = append(dst, `","lastUpdated":"`...)
	dst = updated.UTC().AppendFormat(dst, InstantLayout)
	dst = append(dst, '"')
	if b.JSON[b.Meta] != '}' {
		dst = append(dst, ',')
	}
	return append(dst, b.JSON[b.Meta:]...)
}

// NewBody makes the body of resource n under the logical id. Every property
// keeps its place and its bytes; an id that n lacks is put behind resourceType,
// a meta behind the id. replace, if not nil, may give new text for a string value (as
// a transaction does with references); it gets every string of the resource.
func NewBody(n Node, id ID, replace func(Node) (string, bool)) Body {
	w := bodyWriter{out: make([]byte, 0, len(n.Raw())+len(id)+32), replace: replace, id: id}
	w.hasID = n.Get("id").Exists()
	w.hasMeta = n.Get("meta").Kind() == Object
	w.resource(n)
	return Body{JSON: w.out, Meta: w.meta}
}

// ReadBody makes a body of JSON that NewBody once produced, with the offset it had.
func ReadBody(json []byte, meta int) Body { return Body{JSON: json, Meta: meta} }

type bodyWriter struct {
	out            []byte
	meta           int
	id             ID
	hasID, hasMeta bool
	replace        func(Node) (string, bool)
}

func (w *bodyWriter) comma() {
	if c := w.out[len(w.out)-1]; c != '{' && c != '[' {
		w.out = append(w.out, ',')
	}
}

func (w *bodyWriter) name(n Node) {
	x := &n.d.nodes[n.i]
	w.out = append(w.out, n.d.raw[x.key-1:x.key+uint32(x.keyLen)+1]...)
	w.out = append(w.out, ':')
}

func (w *bodyWriter) resource(n Node) {
	w.out = append(w.out, '{')
	if !n.Get("resourceType").Exists() {
		w.missing()
	}
	for c := n.First(); c.Exists(); c = c.Next() {
		switch c.Name() {
		case "resourceType":
			w.comma()
			w.name(c)
			w.out = append(w.out, c.Raw()...)
			w.missing()
		case "id":
			w.comma()
			w.putID()
			w.missingMeta()
		case "meta":
			if !w.hasMeta { // not an object: missing has put one
				continue
			}
			w.comma()
			w.putMeta(c)
		default:
			w.comma()
			w.name(c)
			w.value(c)
		}
	}
	w.out = append(w.out, '}')
}

// missing writes id and meta if the resource has none of its own.
func (w *bodyWriter) missing() {
	if !w.hasID {
		w.comma()
		w.putID()
		w.missingMeta()
	}
}

// missingMeta writes an empty meta, behind the id, if the resource has none.
func (w *bodyWriter) missingMeta() {
	if !w.hasMeta {
		w.comma()
		w.putMeta(Node{})
	}
}

func (w *bodyWriter) putID() {
	w.out = append(w.out, `"id":"`...)
	w.out = append(w.out, w.id...)
	w.out = append(w.out, '"')
}

func (w *bodyWriter) putMeta(n Node) {
	w.out = append(w.out, `"meta":{`...)
	w.meta = len(w.out)
	for c := n.First(); c.Exists(); c = c.Next() {
		switch c.Name() {
		case "versionId", "lastUpdated", "_versionId", "_lastUpdated":
		default:
			w.comma()
			w.name(c)
			w.value(c)
		}
	}
	w.out = append(w.out, '}')
}

func (w *bodyWriter) value(n Node) {
	switch n.Kind() {
	case Object:
		w.out = append(w.out, '{')
		for c := n.First(); c.Exists(); c = c.Next() {
			w.comma()
			w.name(c)
			w.value(c)
		}
		w.out = append(w.out, '}')
	case Array:
		w.out = append(w.out, '[')
		for c := n.First(); c.Exists(); c = c.Next() {
			w.comma()
			w.value(c)
		}
		w.out = append(w.out, ']')
	case String:
		if w.replace != nil {
			if s, ok := w.replace(n); ok {
				w.out = AppendString(w.out, s)
				return
			}
		}
		w.out = append(w.out, n.Raw()...)
	default:
		w.out = append(w.out, n.Raw()...)
	}
}

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
