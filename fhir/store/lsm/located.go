package lsm

import (
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// located is the union of very many postings of a few chunks each: where they
// lie is known, and what is asked for is read.
type located struct {
	q     *query
	there map[uint32][][]byte // posting keys by chunk
	seen  loaded
}

// locate returns the union of the postings from lower to upper.
func (q *query) locate(lower, upper []byte) (*located, error) {
	l := &located{q: q, there: map[uint32][][]byte{}, seen: loaded{}}
	var keys []byte
	return l, q.scanKeys(lower, upper, func(key, _ []byte) error {
		start := len(keys)
		keys = append(keys, key...)
		c := chunkOf(key)
		l.there[c] = append(l.there[c], keys[start:len(keys):len(keys)])
		return nil
	})
}

func (l *located) chunk(c uint32) (*roaring.Bitmap, error) {
	if b, ok := l.seen[c]; ok {
		return b, nil
	}
	var found []*roaring.Bitmap
	for _, key := range l.there[c] {
		l.q.read.chunks++
		_, err := get(&l.q.at, key, func(value []byte) error {
			b, err := decodePosting(value)
			found = append(found, b)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(found) > 0 {
		l.seen[c] = roaring.FastOr(found...)
	}
	return l.seen[c], nil
}

func (l *located) chunks() ([]uint32, bool) { return slices.Sorted(maps.Keys(l.there)), false }

// size is from above: a posting of a bucket has at most as many members as positions.
func (l *located) size() int64 {
	n := int64(0)
	for _, keys := range l.there {
		n += int64(len(keys)) << updatedBucket
	}
	return n
}

func (l *located) rough() (set, bool)          { return l, true }
func (l *located) has(doc docID) (bool, error) { return within(l, doc) }
