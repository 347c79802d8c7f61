package lsm

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/cockroachdb/pebble/v2"
)

// A posting value says which documents of a chunk have a term. It has one of
// three forms, told apart by its first byte:
//
//	postingList    low halves of the document numbers, ascending, 2 bytes each
//	postingBitmap  a serialised roaring bitmap of the low halves
//	postingDelta   n (2 bytes), n low halves to add, then low halves to remove
//
// A write appends a list or a delta as a merge operand; reads and compactions
// fold operands into one list or bitmap. Only a delta can take documents away.
const (
	postingList   = 'a'
	postingBitmap = 'b'
	postingDelta  = 'd'
)

// maxList is up to how many documents a folded posting stays a plain list.
const maxList = 24

// mergerName is stored by Pebble with the data; it names the encoding above.
const mergerName = "salus.posting.1"

var postingMerger = &pebble.Merger{
	Name: mergerName,
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		m := &fold{}
		return m, m.newer(value)
	},
}

// fold gathers operands of one key, from newer to older ones or the other way:
// adds and removes are disjoint and hold what the operands seen so far come to.
// Lists, which are by far the most frequent, are only put down as long as there is nothing else.
type fold struct {
	lows    []uint16  // to add, in no order
	adds    *chunkSet // nil as long as there are few lists alone
	removes *chunkSet // nil when nothing is removed
}

// manyLows is up to how many documents of lists are only put down.
const manyLows = 256

func (m *fold) newer(value []byte) error {
	if m.put(value) {
		return nil
	}
	m.spread()
	o, err := decodeOperand(value)
	if err != nil {
		return err
	}
	defer o.free()
	if o.removes != nil {
		if m.removes == nil {
			m.removes = newChunkSet()
		}
		for i := range m.adds {
			m.adds[i] = m.adds[i]&^o.removes[i] | o.adds[i]
			m.removes[i] = m.removes[i]&^o.adds[i] | o.removes[i]
		}
		return nil
	}
	for i := range m.adds {
		m.adds[i] |= o.adds[i]
	}
	if m.removes != nil {
		for i := range m.removes {
			m.removes[i] &^= o.adds[i]
		}
	}
	return nil
}

func (m *fold) older(value []byte) error {
	if m.put(value) {
		return nil
	}
	m.spread()
	o, err := decodeOperand(value)
	if err != nil {
		return err
	}
	defer o.free()
	if o.removes != nil && m.removes == nil {
		m.removes = newChunkSet()
	}
	if m.removes == nil {
		for i := range m.adds {
			m.adds[i] |= o.adds[i]
		}
		return nil
	}
	for i := range m.adds {
		before := m.adds[i]
		m.adds[i] |= o.adds[i] &^ m.removes[i]
		if o.removes != nil {
			m.removes[i] |= o.removes[i] &^ before
		}
	}
	return nil
}

// put puts a list down; ok is false when it has to be folded.
func (m *fold) put(value []byte) (ok bool) {
	if m.adds != nil || len(value) == 0 || value[0] != postingList || len(m.lows)+len(value)/2 > manyLows {
		return false
	}
	for b := value[1:]; len(b) >= 2; b = b[2:] {
		m.lows = append(m.lows, binary.BigEndian.Uint16(b))
	}
	return true
}

// spread makes a set of the lists that were put down.
func (m *fold) spread() {
	if m.adds != nil {
		return
	}
	m.adds = newChunkSet()
	for _, low := range m.lows {
		m.adds.add(low)
	}
	m.lows = nil
}

// free gives the sets back.
func (m *fold) free() {
	if m.adds != nil {
		chunkSets.Put(m.adds)
	}
	if m.removes != nil {
		chunkSets.Put(m.removes)
	}
	*m = fold{}
}

// decodeOperand reads an operand into sets.
func decodeOperand(value []byte) (m fold, err error) {
	if len(value) == 0 {
		return m, fmt.Errorf("posting value is empty")
	}
	m.adds = newChunkSet()
	switch value[0] {
	case postingList:
		m.adds.addLows(value[1:])
	case postingBitmap:
		if data, n, isRuns, ok := container(value[1:]); ok {
			err = m.adds.addContainer(data, n, isRuns)
			break
		}
		var b roaring.Bitmap // as none is written, but an empty one may have been
		if err = b.UnmarshalBinary(value[1:]); err != nil {
			err = fmt.Errorf("posting bitmap: %w", err)
		}
		for it := b.Iterator(); err == nil && it.HasNext(); {
			m.adds.add(uint16(it.Next()))
		}
	case postingDelta:
		var adds, removes []byte
		if adds, removes, err = delta(value); err == nil {
			m.removes = newChunkSet()
			m.adds.addLows(adds)
			m.removes.addLows(removes)
		}
	default:
		err = fmt.Errorf("posting of unknown form %#x", value[0])
	}
	if err != nil {
		m.free()
	}
	return m, err
}

// delta takes a delta apart into lists.
func delta(value []byte) (adds, removes []byte, err error) {
	if len(value) >= 3 {
		n := 2 * int(binary.BigEndian.Uint16(value[1:]))
		if len(value) >= 3+n {
			return value[3 : 3+n], value[3+n:], nil
		}
	}
	return nil, nil, fmt.Errorf("posting delta is cut short")
}

// encode renders what m holds; final leaves out the removes, because nothing
// older is left that they could concern.
func (m *fold) encode(final bool) []byte {
	if m.adds == nil {
		slices.Sort(m.lows)
		if m.lows = slices.Compact(m.lows); len(m.lows) <= maxList {
			out := make([]byte, 1, 1+2*len(m.lows))
			out[0] = postingList
			for _, low := range m.lows {
				out = appendU16(out, low)
			}
			return out
		}
		m.spread()
	}
	n := m.adds.count()
	if !final && m.removes != nil {
		if removed := m.removes.count(); removed > 0 { // disjoint: both counts fit 16 bits
			out := appendU16(append(make([]byte, 0, 3+2*(n+removed)), postingDelta), uint16(n))
			return m.removes.appendLows(m.adds.appendLows(out))
		}
	}
	if n <= maxList {
		return m.adds.appendLows(append(make([]byte, 0, 1+2*n), postingList))
	}
	return m.adds.appendBitmap(append(make([]byte, 0, 1+plainHeader+min(2*n, bitmapSize)), postingBitmap), n)
}

// encodePosting renders a set of low halves as a list or a bitmap.
func encodePosting(set *roaring.Bitmap) []byte {
	m := fold{adds: newChunkSet()}
	defer m.free()
	for it := set.Iterator(); it.HasNext(); {
		m.adds.add(uint16(it.Next()))
	}
	return m.encode(true)
}

// addLows adds a list.
func (s *chunkSet) addLows(b []byte) {
	for ; len(b) >= 2; b = b[2:] {
		s.add(binary.BigEndian.Uint16(b))
	}
}

// appendLows appends the set as a list.
func (s *chunkSet) appendLows(dst []byte) []byte {
	s.each(func(low uint16) { dst = appendU16(dst, low) })
	return dst
}

// decodePosting returns the documents of a folded posting as low halves. The
// result does not share value.
func decodePosting(value []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	if len(value) == 0 {
		return nil, fmt.Errorf("posting value is empty")
	}
	list := value[1:]
	switch value[0] {
	case postingBitmap:
		if err := b.UnmarshalBinary(list); err != nil {
			return nil, fmt.Errorf("posting bitmap: %w", err)
		}
		return b, nil
	case postingDelta:
		var err error
		if list, _, err = delta(value); err != nil {
			return nil, err
		}
	case postingList:
	default:
		return nil, fmt.Errorf("posting of unknown form %#x", value[0])
	}
	for ; len(list) >= 2; list = list[2:] {
		b.Add(uint32(binary.BigEndian.Uint16(list)))
	}
	return b, nil
}

// cardinality returns how many documents a folded posting has, which a bitmap
// says at its start.
func cardinality(value []byte) (int, error) {
	if len(value) > 0 && value[0] == postingBitmap {
		if _, n, _, ok := container(value[1:]); ok {
			return n, nil
		}
	}
	b, err := decodePosting(value)
	if err != nil {
		return 0, err
	}
	return int(b.GetCardinality()), nil
}

// MergeNewer implements pebble.ValueMerger.
func (m *fold) MergeNewer(value []byte) error { return m.newer(value) }

// MergeOlder implements pebble.ValueMerger.
func (m *fold) MergeOlder(value []byte) error { return m.older(value) }

// Finish implements pebble.ValueMerger. A posting that has become empty keeps
// its key: the database's way to drop one (DeletableValueMerger) makes
// compactions of version 2.1.7 panic.
func (m *fold) Finish(includesBase bool) ([]byte, io.Closer, error) {
	value := m.encode(includesBase)
	m.free()
	return value, nil, nil
}
