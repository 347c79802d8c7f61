package lsm

import (
	"encoding/binary"
	"fmt"
	"io"

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

// fold gathers operands of one key: adds and removes are disjoint and hold
// what the operands seen so far come to.
type fold struct {
	adds, removes roaring.Bitmap
	hasRemoves    bool
}

func (m *fold) newer(value []byte) error {
	var o fold
	if len(value) > 0 && value[0] == postingList { // by far the most frequent
		for b := value[1:]; len(b) >= 2; b = b[2:] {
			low := uint32(binary.BigEndian.Uint16(b))
			m.adds.Add(low)
			if m.hasRemoves {
				m.removes.Remove(low)
			}
		}
		return nil
	}
	if err := o.decode(value); err != nil {
		return err
	}
	m.adds.AndNot(&o.removes)
	m.adds.Or(&o.adds)
	m.removes.AndNot(&o.adds)
	m.removes.Or(&o.removes)
	m.hasRemoves = m.hasRemoves || o.hasRemoves
	return nil
}

// fewLows is up to how many documents are put singly before what is there.
const fewLows = 4

func (m *fold) older(value []byte) error {
	if len(value) <= 1+2*fewLows && len(value) > 0 && value[0] == postingList {
		for b := value[1:]; len(b) >= 2; b = b[2:] {
			if low := uint32(binary.BigEndian.Uint16(b)); !m.hasRemoves || !m.removes.Contains(low) {
				m.adds.Add(low)
			}
		}
		return nil
	}
	var o fold
	if err := o.decode(value); err != nil {
		return err
	}
	o.adds.AndNot(&m.removes)
	o.removes.AndNot(&m.adds)
	m.adds.Or(&o.adds)
	m.removes.Or(&o.removes)
	m.hasRemoves = m.hasRemoves || o.hasRemoves
	return nil
}

func (m *fold) decode(value []byte) error {
	if len(value) == 0 {
		return fmt.Errorf("posting value is empty")
	}
	switch value[0] {
	case postingList:
		addLows(&m.adds, value[1:])
	case postingBitmap:
		if err := m.adds.UnmarshalBinary(value[1:]); err != nil {
			return fmt.Errorf("posting bitmap: %w", err)
		}
	case postingDelta:
		if len(value) < 3 {
			return fmt.Errorf("posting delta is cut short")
		}
		n := 2 * int(binary.BigEndian.Uint16(value[1:]))
		if len(value) < 3+n {
			return fmt.Errorf("posting delta is cut short")
		}
		addLows(&m.adds, value[3:3+n])
		addLows(&m.removes, value[3+n:])
		m.hasRemoves = true
	default:
		return fmt.Errorf("posting of unknown form %#x", value[0])
	}
	return nil
}

func addLows(to *roaring.Bitmap, b []byte) {
	for ; len(b) >= 2; b = b[2:] {
		to.Add(uint32(binary.BigEndian.Uint16(b)))
	}
}

// encode renders what m holds; final leaves out the removes, because nothing
// older is left that they could concern.
func (m *fold) encode(final bool) []byte {
	if !final && !m.removes.IsEmpty() { // disjoint and not empty: both counts fit 16 bits
		out := appendU16([]byte{postingDelta}, uint16(m.adds.GetCardinality()))
		out = appendLows(out, &m.adds)
		return appendLows(out, &m.removes)
	}
	return encodePosting(&m.adds)
}

// encodePosting renders a set of low halves as a list or a bitmap.
func encodePosting(set *roaring.Bitmap) []byte {
	if set.GetCardinality() <= maxList {
		return appendLows([]byte{postingList}, set)
	}
	set.RunOptimize()
	out := make([]byte, 1, 1+set.GetSerializedSizeInBytes())
	out[0] = postingBitmap
	b, err := set.ToBytes()
	if err != nil { // writing to memory does not fail
		panic("lsm: serialise bitmap: " + err.Error())
	}
	return append(out, b...)
}

func appendLows(out []byte, set *roaring.Bitmap) []byte {
	for it := set.Iterator(); it.HasNext(); {
		out = appendU16(out, uint16(it.Next()))
	}
	return out
}

// decodePosting returns the documents of a folded posting as low halves. The
// result does not share value.
func decodePosting(value []byte) (*roaring.Bitmap, error) {
	var m fold
	if err := m.decode(value); err != nil {
		return nil, err
	}
	return &m.adds, nil
}

// MergeNewer implements pebble.ValueMerger.
func (m *fold) MergeNewer(value []byte) error { return m.newer(value) }

// MergeOlder implements pebble.ValueMerger.
func (m *fold) MergeOlder(value []byte) error { return m.older(value) }

// Finish implements pebble.ValueMerger. A posting that has become empty keeps
// its key: the database's way to drop one (DeletableValueMerger) makes
// compactions of version 2.1.7 panic.
func (m *fold) Finish(includesBase bool) ([]byte, io.Closer, error) {
	return m.encode(includesBase), nil, nil
}
