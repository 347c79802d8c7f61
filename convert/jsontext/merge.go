package jsontext

import "bytes"

// mergeEntries puts entries of one resource together: those of one type, version and id. An entry without a type is told by its text.
func mergeEntries(entries *node) {
	first := make(map[string]int, len(entries.items))
	kept := entries.items[:0]
	var key []byte
	for i := range entries.items {
		e := entries.items[i]
		key = appendKey(key[:0], &e)
		if at, ok := first[string(key)]; ok {
			merge(&kept[at], &e)
			continue
		}
		first[string(key)] = len(kept)
		kept = append(kept, e)
	}
	entries.items = kept
}

var (
	nameResource = []byte("resource")
	nameType     = []byte("resourceType")
	nameMeta     = []byte("meta")
	nameVersion  = []byte("versionId")
	nameID       = []byte("id")
)

func appendKey(key []byte, entry *node) []byte {
	resource := entry.member(nameResource)
	typ := resource.member(nameType)
	if typ == nil {
		return appendIndented(key, entry, 0)
	}
	key = append(key, typ.value...)
	for _, part := range []*node{resource.member(nameMeta).member(nameVersion), resource.member(nameID)} {
		if part != nil {
			key = append(append(key, '_'), part.value...)
		}
	}
	return key
}

// merge puts what is in from into n: objects member by member, of arrays what is not there yet, and of other values the later, unless it is null.
func merge(n, from *node) {
	switch {
	case n.kind == object && from.kind == object:
		for i := range from.items {
			m := &from.items[i]
			if have := n.member(m.name); have != nil {
				merge(have, m)
			} else {
				n.items = append(n.items, *m)
			}
		}
	case n.kind == array && from.kind == array:
		for i := range from.items {
			if !n.holds(&from.items[i]) {
				n.items = append(n.items, from.items[i])
			}
		}
	case !from.isNull():
		name := n.name
		*n = *from
		n.name = name
	}
}

// holds reports whether an array has an item that is equal to another value.
func (n *node) holds(item *node) bool {
	for i := range n.items {
		if equal(&n.items[i], item) {
			return true
		}
	}
	return false
}

// equal compares values; the order of an object's members does not count.
func equal(a, b *node) bool {
	if a.kind != b.kind || len(a.items) != len(b.items) {
		return false
	}
	switch a.kind {
	case object:
		for i := range a.items {
			other := b.member(a.items[i].name)
			if other == nil || !equal(&a.items[i], other) {
				return false
			}
		}
		return true
	case array:
		for i := range a.items {
			if !equal(&a.items[i], &b.items[i]) {
				return false
			}
		}
		return true
	}
	return bytes.Equal(a.value, b.value)
}

const blanks = "                                                                                                                                "

func appendIndented(dst []byte, n *node, depth int) []byte {
	if n.kind < array {
		return appendScalar(dst, n)
	}
	open, end := byte('{'), byte('}')
	if n.kind == array {
		open, end = '[', ']'
	}
	dst = append(dst, open)
	if len(n.items) == 0 {
		return append(dst, end)
	}
	for i := range n.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, '\n'), blanks[:min(2*depth+2, len(blanks))]...)
		if n.kind == object {
			dst = append(append(append(dst, '"'), n.items[i].name...), `": `...)
		}
		dst = appendIndented(dst, &n.items[i], depth+1)
	}
	dst = append(append(dst, '\n'), blanks[:min(2*depth, len(blanks))]...)
	return append(dst, end)
}

func appendScalar(dst []byte, n *node) []byte {
	if n.kind == text {
		return append(append(append(dst, '"'), n.value...), '"')
	}
	return append(dst, n.value...)
}
