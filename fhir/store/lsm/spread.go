package lsm

import (
	"bytes"

	"github.com/RoaringBitmap/roaring/v2"
)

// probe is how many chunks of a posting, or postings of a union, are read to know it or estimate its size.
const probe = 4

// A posting of few documents is read to its end, up to some chunks: what is joined with few is found in another way than what is joined with many.
const (
	fewMembers = 64
	fewChunks  = 64
)

// spread is the union of postings that are read as needed, some chunks at a time.
type spread struct {
	q        *query
	keys     [][]byte // of the postings, without chunk
	estimate int64
	seen     loaded // nil for chunks without members
	ahead    ahead
}

func (s *spread) chunk(c uint32) (*roaring.Bitmap, error) {
	if b, ok := s.seen[c]; ok {
		return b, nil
	}
	err := s.read(c, s.ahead.from(c))
	return s.seen[c], err
}

// read brings the chunks from first up to but without behind into memory.
func (s *spread) read(first, behind uint32) error {
	it, err := s.q.at.in(spacePosting)
	if err != nil {
		return err
	}
	for c := first; c < behind; c++ {
		if _, ok := s.seen[c]; !ok {
			s.seen[c] = nil
		}
	}
	found := make([][]*roaring.Bitmap, behind-first)
	for n, key := range s.keys {
		if n%1024 == 1023 {
			if err := s.q.canceled(); err != nil {
				return err
			}
		}
		for ok := it.SeekGE(appendU32(key[:len(key):len(key)], first)); ok; ok = it.Next() {
			at := it.Key()
			if !bytes.HasPrefix(at, key) {
				break
			}
			if len(at) != len(key)+4 {
				continue // a longer term that begins like this one
			}
			if chunkOf(at) >= behind {
				break
			}
			value, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			b, err := decodePosting(value)
			if err != nil {
				return err
			}
			s.q.read.chunks++
			i := chunkOf(at) - first
			found[i] = append(found[i], b)
		}
		if err := it.Error(); err != nil {
			return err
		}
	}
	for i, parts := range found {
		switch len(parts) {
		case 0:
		case 1:
			s.seen[first+uint32(i)] = parts[0]
		default:
			s.seen[first+uint32(i)] = roaring.FastOr(parts...)
		}
	}
	return nil
}

func (s *spread) chunks() ([]uint32, bool)    { return nil, true }
func (s *spread) size() int64                 { return s.estimate }
func (s *spread) rough() (set, bool)          { return s, true }
func (s *spread) has(doc docID) (bool, error) { return within(s, doc) }

// ahead tells how many chunks to read at once: the more, the longer they have
// been asked for one behind the other.
type ahead struct{ next, chunks uint32 }

// mostAhead is up to how many chunks are read at once.
const mostAhead = 64

// from returns up to which chunk to read when c is asked for.
func (a *ahead) from(c uint32) (behind uint32) {
	if c != a.next {
		a.chunks = 0
	}
	a.chunks = min(max(1, 2*a.chunks), mostAhead)
	a.next = c + a.chunks
	return a.next
}

// postingAt reads one chunk of a posting; nil when it has no members there.
func (q *query) postingAt(key []byte, c uint32) (b *roaring.Bitmap, err error) {
	q.read.chunks++
	_, err = get(&q.at, appendU32(key, c), func(value []byte) (err error) {
		b, err = decodePosting(value)
		return err
	})
	return b, err
}

// posting returns the posting whose key without chunk is key: in memory when
// it has few chunks, else to be read as needed.
func (q *query) posting(key []byte) (set, error) {
	s := &spread{q: q, keys: [][]byte{bytes.Clone(key)}, seen: loaded{}}
	q.read.postings++
	n, size := 0, int64(0)
	upper := after(key)
	ok := q.iter.SeekGE(key)
	for ; ok && (n < probe || n < fewChunks && size < fewMembers) && bytes.Compare(q.iter.Key(), upper) < 0; ok = q.iter.Next() {
		if len(q.iter.Key()) != len(key)+4 {
			continue // a longer term that begins like this one
		}
		value, err := q.iter.ValueAndErr()
		if err != nil {
			return nil, err
		}
		b, err := decodePosting(value)
		if err != nil {
			return nil, err
		}
		s.seen[chunkOf(q.iter.Key())] = b
		size += int64(b.GetCardinality())
		n++
		q.read.chunks++
	}
	if err := q.iter.Error(); err != nil {
		return nil, err
	}
	if !ok || bytes.Compare(q.iter.Key(), upper) >= 0 {
		return s.seen, nil
	}
	s.estimate = size * (int64(q.last>>16) + 1) / int64(n)
	return s, nil
}

// roughCount returns how many documents a posting has, of which it reads no more than some chunks.
func (q *query) roughCount(key []byte) (int64, error) {
	upper := after(key)
	n, size, behind := 0, int64(0), int64(0)
	ok := q.iter.SeekGE(key)
	for ; ok && n < fewChunks/probe && bytes.Compare(q.iter.Key(), upper) < 0; ok = q.iter.Next() {
		at := q.iter.Key()
		if len(at) != len(key)+4 {
			continue // a longer term that begins like this one
		}
		value, err := q.iter.ValueAndErr()
		if err != nil {
			return 0, err
		}
		c, err := cardinality(value)
		if err != nil {
			return 0, err
		}
		size += int64(c)
		behind = int64(chunkOf(at)) + 1
		n++
		q.read.chunks++
	}
	if ok && behind > 0 && bytes.Compare(q.iter.Key(), upper) < 0 {
		size = size * (int64(q.last>>16) + 1) / behind
	}
	return size, q.iter.Error()
}

// countPosting returns how many documents a posting has.
func (q *query) countPosting(key []byte) (int64, error) {
	n := int64(0)
	err := q.scanKeys(key, after(key), func(at, value []byte) error {
		if len(at) != len(key)+4 {
			return nil // a longer term that begins like this one
		}
		c, err := cardinality(value)
		n += int64(c)
		return err
	})
	return n, err
}

// spread returns the union of the postings whose keys without chunk are keys: in
// memory when there are few chunks. Otherwise a part of some of them is read to
// estimate its size.
func (q *query) spread(keys [][]byte) (set, error) {
	switch len(keys) {
	case 0:
		return loaded{}, nil
	case 1:
		return q.posting(keys[0])
	}
	q.read.postings += len(keys)
	s := &spread{q: q, keys: keys, seen: loaded{}}
	chunks := q.last>>16 + 1
	if chunks <= probe {
		err := s.read(0, chunks)
		return s.seen.packed(), err
	}
	sampled := min(probe, len(keys))
	for i := range sampled {
		n, err := q.roughCount(keys[i*len(keys)/sampled])
		if err != nil {
			return nil, err
		}
		s.estimate += n
	}
	s.estimate = max(s.estimate*int64(len(keys))/int64(sampled), int64(len(keys)))
	return s, nil
}

// terms returns the union of the postings from lower to upper whose terms pass
// keep (nil: all): read as needed when they are few terms, so that a page does
// not pay for all that have them.
func (q *query) terms(lower, upper []byte, keep func(term []byte) bool) (set, error) {
	if q.last>>16 < probe {
		return q.gather(lower, upper, keep)
	}
	var found [][]byte
	n := 0
	for ok := q.iter.SeekGE(lower); ok && bytes.Compare(q.iter.Key(), upper) < 0; n++ {
		if n%1024 == 1023 {
			if err := q.canceled(); err != nil {
				return nil, err
			}
		}
		key := q.iter.Key()
		term := bytes.Clone(key[:len(key)-4])
		if keep == nil || keep(termOf(key)) {
			if found = append(found, term); len(found) > q.s.limits.texts {
				return q.gather(lower, upper, keep)
			}
		}
		ok = q.iter.SeekGE(appendU32(term[:len(term):len(term)], 1<<32-1)) // behind its chunks
	}
	if err := q.iter.Error(); err != nil {
		return nil, err
	}
	return q.spread(found)
}
