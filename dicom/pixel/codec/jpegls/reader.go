package jpegls

import (
	"encoding/binary"
	"math/bits"

	"salus/dicom/pixel/codec/marker"
)

// bitReader takes bits from the entropy-coded data between two markers, where a zero bit follows every byte FF (T.87 §A.1). Past the end it
// gives zeros, which overrun reports.
type bitReader struct {
	data    []byte
	pos     int    // next byte to load
	bits    uint64 // loaded bits, the next one on top
	count   int    // how many of them are valid
	missing int    // bits that were made up
	stuffed bool   // the last byte loaded was FF
}

// minLoaded is the number of bits that load guarantees.
const minLoaded = 57

// load fills the accumulator. Bits below the valid ones may be set; they are those that the next load puts there.
func (r *bitReader) load() {
	if r.pos+8 <= len(r.data) && !r.stuffed {
		next := binary.BigEndian.Uint64(r.data[r.pos:])
		if !marker.ContainsFF(next) {
			n := (64 - r.count) >> 3
			r.bits |= next >> r.count
			r.pos += n
			r.count += n << 3
			return
		}
	}
	r.loadSlowly()
}

func (r *bitReader) loadSlowly() {
	r.bits &= ^(^uint64(0) >> r.count)
	for r.count < minLoaded {
		if r.pos >= len(r.data) {
			r.count += 8
			r.missing += 8
			continue
		}
		b := r.data[r.pos]
		r.pos++
		width := 8
		if r.stuffed {
			width = 7
		}
		r.bits |= uint64(b) << (64 - width) >> r.count
		r.count += width
		r.stuffed = b == 0xFF
	}
}

func (r *bitReader) skip(n int) {
	r.bits <<= n
	r.count -= n
}

// take returns the next n bits, 1 to 32.
func (r *bitReader) take(n int) int {
	if r.count < n {
		r.load()
	}
	v := int(r.bits >> (64 - n))
	r.skip(n)
	return v
}

// takeBit reports whether the next bit is set.
func (r *bitReader) takeBit() bool { return r.take(1) == 1 }

// overrun reports whether more bits were taken than there are.
func (r *bitReader) overrun() bool { return r.missing > r.count }

// takeLimited returns the next value in the limited-length Golomb code (T.87 §A.5.3). As many zeros as limit announce a value as it is, in qbpp
// bits.
func (r *bitReader) takeLimited(k, limit, qbpp int) int {
	if r.count < minLoaded {
		r.load()
	}
	zeros := bits.LeadingZeros64(r.bits)
	if zeros < limit {
		r.skip(zeros + 1)
		if k == 0 {
			return zeros
		}
		return zeros<<k | r.take(k)
	}
	r.skip(limit + 1)
	return r.take(qbpp) + 1
}
