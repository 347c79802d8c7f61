package lsm

import (
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

func (l loaded) has(doc docID) bool {
	b := l[doc>>16]
	return b != nil && b.Contains(doc&0xffff)
}

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

// posting is a set read from the index chunk by chunk.
type posting struct {
	q        *query
	prefix   []byte
	estimate int64
	seen     loaded
}

func (p *posting) chunk(c uint32) (*roaring.Bitmap, error) {
	if b, ok := p.seen[c]; ok {
		return b, nil
	}
	var b *roaring.Bitmap
	_, err := get(p.q.snap, appendU32(slices.Clone(p.prefix), c), func(value []byte) (err error) {
		b, err = decodePosting(value)
		return err
	})
	p.seen[c] = b
	return b, err
}

func (p *posting) chunks() ([]uint32, bool) { return nil, true }
func (p *posting) size() int64              { return p.estimate }

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

// both is the intersection of its parts, the smallest first.
type both []set

func intersect(parts ...set) set {
	if len(parts) == 1 {
		return parts[0]
	}
	slices.SortStableFunc(parts, func(a, b set) int {
		if x, y := a.size(), b.size(); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		return 0
	})
	return both(parts)
}

func (i both) chunk(c uint32) (*roaring.Bitmap, error) {
	var left *roaring.Bitmap
	for n, s := range i {
		b, err := s.chunk(c)
		if err != nil || b == nil || b.IsEmpty() {
			return nil, err
		}
		if n == 0 {
			left = b
			continue
		}
		if left = roaring.And(left, b); left.IsEmpty() {
			return nil, nil
		}
	}
	return left, nil
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
	b, err := w.take.chunk(c)
	if err != nil || b == nil || b.IsEmpty() {
		return a, err
	}
	return roaring.AndNot(a, b), nil
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
	b, err := m.chunk(doc >> 16)
	return b != nil && b.Contains(doc&0xffff), err
}

// each calls f with the members from document from on, ascending, until f
// returns false. last is the greatest number given so far.
func each(s set, from, last docID, f func(docID) (bool, error)) error {
	visit := func(c uint32) (bool, error) {
		b, err := s.chunk(c)
		if err != nil || b == nil {
			return true, err
		}
		it := b.Iterator()
		if c == from>>16 {
			it.AdvanceIfNeeded(from & 0xffff)
		}
		for it.HasNext() {
			if goOn, err := f(c<<16 | it.Next()); err != nil || !goOn {
				return false, err
			}
		}
		return true, nil
	}
	if list, all := s.chunks(); !all {
		at, _ := slices.BinarySearch(list, from>>16)
		for _, c := range list[at:] {
			if goOn, err := visit(c); err != nil || !goOn {
				return err
			}
		}
		return nil
	}
	for c := from >> 16; c <= last>>16; c++ {
		if goOn, err := visit(c); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// count returns how many members there are.
func count(s set, last docID) (int64, error) {
	list, all := s.chunks()
	if all {
		list = make([]uint32, last>>16+1)
		for i := range list {
			list[i] = uint32(i)
		}
	}
	n := int64(0)
	for _, c := range list {
		b, err := s.chunk(c)
		if err != nil {
			return 0, err
		}
		if b != nil {
			n += int64(b.GetCardinality())
		}
	}
	return n, nil
}

// load brings a whole set into memory.
func load(s set, last docID) (loaded, error) {
	if l, ok := s.(loaded); ok {
		return l, nil
	}
	list, all := s.chunks()
	if all {
		list = make([]uint32, last>>16+1)
		for i := range list {
			list[i] = uint32(i)
		}
	}
	l := make(loaded, len(list))
	for _, c := range list {
		b, err := s.chunk(c)
		if err != nil {
			return nil, err
		}
		if b != nil && !b.IsEmpty() {
			l[c] = b
		}
	}
	return l, nil
}
