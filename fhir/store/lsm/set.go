package lsm

import (
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// set is a set of documents that is looked at a chunk at a time, so that a
// page which is full early leaves the rest unread.
type set interface {
	// chunk returns the members in chunk c as low halves of their numbers; nil
	// when there are none. The caller must not change the bitmap.
	chunk(c uint32) (*roaring.Bitmap, error)

	// chunks returns, ascending, the only chunks that may have members. all
	// says that any may.
	chunks() (list []uint32, all bool)

	// size estimates how many members there are, from above.
	size() int64

	// rough returns a set that holds all members and is cheap to look at by
	// chunks. exact says that it holds no others.
	rough() (s set, exact bool)

	// has reports whether a document is a member.
	has(doc docID) (bool, error)
}

// within reports whether a document is in its chunk of a set.
func within(s set, doc docID) (bool, error) {
	b, err := s.chunk(doc >> 16)
	return b != nil && b.Contains(doc&0xffff), err
}

// loaded is a set in memory.
type loaded map[uint32]*roaring.Bitmap

func (l loaded) add(doc docID) {
	c := doc >> 16
	if l[c] == nil {
		l[c] = roaring.New()
	}
	l[c].Add(doc & 0xffff)
}

// unite adds the members of one chunk. It takes b over.
func (l loaded) unite(c uint32, b *roaring.Bitmap) {
	if have := l[c]; have != nil {
		have.Or(b)
	} else {
		l[c] = b
	}
}

// packed leaves out chunks without members.
func (l loaded) packed() loaded {
	maps.DeleteFunc(l, func(_ uint32, b *roaring.Bitmap) bool { return b == nil })
	return l
}

func (l loaded) holds(doc docID) bool {
	b := l[doc>>16]
	return b != nil && b.Contains(doc&0xffff)
}

func (l loaded) has(doc docID) (bool, error) { return l.holds(doc), nil }
func (l loaded) rough() (set, bool)          { return l, true }

func (l loaded) chunk(c uint32) (*roaring.Bitmap, error) { return l[c], nil }

func (l loaded) chunks() ([]uint32, bool) {
	list := make([]uint32, 0, len(l))
	for c := range l {
		list = append(list, c)
	}
	slices.Sort(list)
	return list, false
}

func (l loaded) size() int64 {
	n := int64(0)
	for _, b := range l {
		n += int64(b.GetCardinality())
	}
	return n
}

// union is the union of its parts.
type union []set

func unite(parts ...set) set {
	parts = slices.DeleteFunc(parts, func(s set) bool { l, ok := s.(loaded); return ok && len(l) == 0 })
	switch len(parts) {
	case 0:
		return loaded{}
	case 1:
		return parts[0]
	}
	return union(parts)
}

func (u union) chunk(c uint32) (*roaring.Bitmap, error) {
	var found []*roaring.Bitmap
	for _, s := range u {
		b, err := s.chunk(c)
		if err != nil {
			return nil, err
		}
		if b != nil && !b.IsEmpty() {
			found = append(found, b)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return roaring.FastOr(found...), nil
}

func (u union) chunks() ([]uint32, bool) {
	var list []uint32
	for _, s := range u {
		l, all := s.chunks()
		if all {
			return nil, true
		}
		list = append(list, l...)
	}
	slices.Sort(list)
	return slices.Compact(list), false
}

func (u union) size() int64 {
	n := int64(0)
	for _, s := range u {
		n += s.size()
	}
	return n
}

func (u union) rough() (set, bool) {
	parts, exact := roughly(u)
	if exact {
		return u, true
	}
	return unite(parts...), false
}

func (u union) has(doc docID) (bool, error) {
	for _, s := range u {
		if is, err := s.has(doc); err != nil || is {
			return is, err
		}
	}
	return false, nil
}

// both is the intersection of its parts, the smallest first.
type both []set

func intersect(parts ...set) set {
	if len(parts) == 1 {
		return parts[0]
	}
	slices.SortStableFunc(parts, bySize)
	return both(parts)
}

func (i both) chunk(c uint32) (*roaring.Bitmap, error) {
	var left *roaring.Bitmap
	for n, s := range i {
		var err error
		if n == 0 {
			left, err = s.chunk(c)
		} else {
			left, err = narrow(s, c, left)
		}
		if err != nil || left == nil || left.IsEmpty() {
			return nil, err
		}
	}
	return left, nil
}

func (i both) rough() (set, bool) {
	parts, exact := roughly(i)
	if exact {
		return i, true
	}
	return intersect(parts...), false
}

func (i both) has(doc docID) (bool, error) {
	for _, s := range i {
		if is, err := s.has(doc); err != nil || !is {
			return false, err
		}
	}
	return true, nil
}

func (i both) chunks() ([]uint32, bool) {
	var least []uint32
	all := true
	for _, s := range i {
		if l, any := s.chunks(); !any && (all || len(l) < len(least)) {
			least, all = l, false
		}
	}
	return least, all
}

func (i both) size() int64 { return i[0].size() }

// without is the difference of two sets.
type without struct{ from, take set }

func (w without) chunk(c uint32) (*roaring.Bitmap, error) {
	a, err := w.from.chunk(c)
	if err != nil || a == nil {
		return nil, err
	}
	if _, exact := w.take.rough(); !exact {
		b, err := narrow(w.take, c, a)
		if err != nil {
			return nil, err
		}
		return roaring.AndNot(a, b), nil
	}
	b, err := w.take.chunk(c)
	if err != nil || b == nil || b.IsEmpty() {
		return a, err
	}
	return roaring.AndNot(a, b), nil
}

func (w without) rough() (set, bool) {
	from, exact := w.from.rough()
	if _, plain := w.take.rough(); exact && plain {
		return w, true
	} else if plain {
		return without{from, w.take}, false
	}
	return from, false
}

func (w without) has(doc docID) (bool, error) {
	if is, err := w.from.has(doc); err != nil || !is {
		return false, err
	}
	is, err := w.take.has(doc)
	return !is, err
}

func (w without) chunks() ([]uint32, bool) { return w.from.chunks() }
func (w without) size() int64              { return w.from.size() }

// cached remembers the chunks of a set that it has computed.
type cached struct {
	set
	seen loaded
}

func (m *cached) chunk(c uint32) (*roaring.Bitmap, error) {
	if b, ok := m.seen[c]; ok {
		return b, nil
	}
	b, err := m.set.chunk(c)
	if err == nil {
		m.seen[c] = b
	}
	return b, err
}

func (m *cached) has(doc docID) (bool, error) {
	if b, ok := m.seen[doc>>16]; ok {
		return b != nil && b.Contains(doc&0xffff), nil
	}
	if _, exact := m.set.rough(); exact {
		return within(m, doc)
	}
	return m.set.has(doc)
}

func (m *cached) rough() (set, bool) {
	r, exact := m.set.rough()
	if exact {
		return m, true
	}
	return r, false
}
