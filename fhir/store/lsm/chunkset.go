package lsm

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"
)

// chunkSet is a set of documents of one chunk with a bit for each, in which
// postings are put together.
type chunkSet [1 << 16 / 64]uint64

// chunkSets are used again: folding needs one or two for a moment.
var chunkSets = sync.Pool{New: func() any { return new(chunkSet) }}

func newChunkSet() *chunkSet {
	s := chunkSets.Get().(*chunkSet)
	*s = chunkSet{}
	return s
}

func (s *chunkSet) add(low uint16) { s[low>>6] |= 1 << (low & 63) }

// addRange adds the documents from first to last.
func (s *chunkSet) addRange(first, last uint16) {
	i, j := first>>6, last>>6
	from, to := ^uint64(0)<<(first&63), ^uint64(0)>>(63-last&63)
	if i == j {
		s[i] |= from & to
		return
	}
	s[i] |= from
	for i++; i < j; i++ {
		s[i] = ^uint64(0)
	}
	s[j] |= to
}

func (s *chunkSet) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// runs returns how many runs of neighbouring members there are.
func (s *chunkSet) runs() int {
	n, last := 0, uint64(0)
	for _, w := range s {
		n += bits.OnesCount64(w &^ (w<<1 | last))
		last = w >> 63
	}
	return n
}

// each calls f with the members, ascending.
func (s *chunkSet) each(f func(low uint16)) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			f(uint16(i<<6 | bits.TrailingZeros64(w)))
		}
	}
}

// The serialised form of roaring bitmaps (RoaringFormatSpec), of which a chunk
// is one container with key 0.
const (
	roaringCookie  = 12346 // all containers are arrays or bitmaps
	runsCookie     = 12347 // some are runs
	plainHeader    = 16    // cookie, number of containers, key and cardinality, offset
	runsHeader     = 9     // cookie, flags, key and cardinality
	maxArray       = 4096  // members of an array
	bitmapSize     = 8192
	sizeOfRun      = 4
	sizeOfRunCount = 2
)

// container takes a serialised bitmap apart. ok is false when it is not one
// container with key 0.
func container(b []byte) (data []byte, cardinality int, isRuns, ok bool) {
	if len(b) < runsHeader {
		return nil, 0, false, false
	}
	header := plainHeader
	first := binary.LittleEndian.Uint32(b)
	switch {
	case first == roaringCookie && binary.LittleEndian.Uint32(b[4:]) == 1:
	case first == runsCookie: // with the number of containers, less 1, above
		header, isRuns = runsHeader, b[4]&1 != 0
	default:
		return nil, 0, false, false
	}
	if len(b) < header {
		return nil, 0, false, false
	}
	at := 8
	if header == runsHeader {
		at = 5
	}
	if binary.LittleEndian.Uint16(b[at:]) != 0 {
		return nil, 0, false, false
	}
	return b[header:], int(binary.LittleEndian.Uint16(b[at+2:])) + 1, isRuns, true
}

// addContainer adds the members of what container returned.
func (s *chunkSet) addContainer(data []byte, cardinality int, isRuns bool) error {
	switch {
	case isRuns:
		if len(data) < sizeOfRunCount {
			break
		}
		n := int(binary.LittleEndian.Uint16(data))
		if data = data[sizeOfRunCount:]; len(data) < n*sizeOfRun {
			break
		}
		for ; n > 0; n-- {
			first, more := binary.LittleEndian.Uint16(data), binary.LittleEndian.Uint16(data[2:])
			if int(first)+int(more) > 1<<16-1 {
				return fmt.Errorf("posting bitmap: a run leaves the chunk")
			}
			s.addRange(first, first+more)
			data = data[sizeOfRun:]
		}
		return nil
	case cardinality <= maxArray:
		if len(data) < 2*cardinality {
			break
		}
		for i := range cardinality {
			s.add(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return nil
	case len(data) >= bitmapSize:
		for i := range s {
			s[i] |= binary.LittleEndian.Uint64(data[8*i:])
		}
		return nil
	}
	return fmt.Errorf("posting bitmap is cut short")
}

// appendBitmap appends the set as a serialised bitmap, in the smallest of its forms.
func (s *chunkSet) appendBitmap(dst []byte, cardinality int) []byte {
	le := binary.LittleEndian
	runs := s.runs()
	if runsSize := sizeOfRunCount + sizeOfRun*runs; runsHeader+runsSize < plainHeader+min(2*cardinality, bitmapSize) {
		dst = append(le.AppendUint32(dst, runsCookie), 1)
		dst = le.AppendUint16(le.AppendUint16(dst, 0), uint16(cardinality-1))
		return s.appendRuns(le.AppendUint16(dst, uint16(runs)))
	}
	dst = le.AppendUint32(le.AppendUint32(dst, roaringCookie), 1)
	dst = le.AppendUint16(le.AppendUint16(dst, 0), uint16(cardinality-1))
	dst = le.AppendUint32(dst, plainHeader)
	if cardinality <= maxArray {
		s.each(func(low uint16) { dst = le.AppendUint16(dst, low) })
		return dst
	}
	for _, w := range s {
		dst = le.AppendUint64(dst, w)
	}
	return dst
}

// appendRuns appends first and length less 1 of each run.
func (s *chunkSet) appendRuns(dst []byte) []byte {
	first, next, open := 0, 0, false
	flush := func() {
		dst = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(dst, uint16(first)), uint16(next-1-first))
	}
	for i, w := range s {
		for at := i << 6; w != 0; {
			skip := bits.TrailingZeros64(w)
			w >>= skip
			at += skip
			n := bits.TrailingZeros64(^w) // 64 when all are set
			if !open || at != next {
				if open {
					flush()
				}
				first, open = at, true
			}
			next = at + n
			at += n
			w = w >> (n & 63) &^ (uint64(n>>6) * ^uint64(0))
		}
	}
	if open {
		flush()
	}
	return dst
}
