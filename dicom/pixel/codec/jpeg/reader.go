package jpeg

import (
	"encoding/binary"

	"salus/dicom/pixel/codec/marker"
)

// bitReader takes bits from the entropy-coded data between two markers, where a byte 00 follows every byte FF (T.81 §F.1.2.3). Past the end it
// gives zeros, which failed reports.
type bitReader struct {
	data    []byte
	pos     int    // next byte to load
	bits    uint64 // loaded bits, the next one on top
	count   int    // how many of them are valid
	missing int    // bits that were made up
	invalid bool   // a code word was none of its table
}

// enough is the number of valid bits that a code word and the bits after it may take.
const enough = 32

// load fills the accumulator to more than 56 bits. Bits below the valid ones may be set; they are those that the next load puts there.
func (r *bitReader) load() {
	if r.pos+8 <= len(r.data) {
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
	for r.count <= 56 {
		var b byte
		if r.pos < len(r.data) {
			b = r.data[r.pos]
			r.pos++
			if b == 0xFF {
				r.pos++
			}
		} else {
			r.missing += 8
		}
		r.bits |= uint64(b) << (56 - r.count)
		r.count += 8
	}
}

// need loads unless there are enough bits.
func (r *bitReader) need() {
	if r.count < enough {
		r.load()
	}
}

// peeked takes n of the bits that need has made sure of; n may be zero.
func (r *bitReader) peeked(n int) int {
	v := int(r.bits >> 1 >> (63 - n))
	r.bits <<= n
	r.count -= n
	return v
}

// take returns the next n bits, at most 16.
func (r *bitReader) take(n int) int {
	r.need()
	return r.peeked(n)
}

// failed reports whether more bits were taken than there are, or a code word was invalid.
func (r *bitReader) failed() bool { return r.invalid || r.missing > r.count }

// extended takes a number of n bits in the form of T.81 §F.2.2.1: the smaller half stands for negative values.
func (r *bitReader) extended(n int) int {
	v := r.peeked(n)
	if v < 1<<n>>1 {
		v += -1<<n + 1
	}
	return v
}

// symbol takes a code word after need and returns what it stands for (T.81 §F.2.2.3).
func (r *bitReader) symbol(h *huffman) int {
	e := h.fast[r.bits>>(64-fastBits)]
	if e == 0 {
		return r.longSymbol(h)
	}
	r.bits <<= e >> 8
	r.count -= int(e >> 8)
	return int(e & 0xFF)
}

func (r *bitReader) longSymbol(h *huffman) int {
	word := uint32(r.bits >> 48)
	for n := fastBits + 1; n <= maxCodeBits; n++ {
		if word < h.limit[n] {
			r.peeked(n)
			return int(h.symbols[h.first[n]+int(word>>(16-n))])
		}
	}
	r.invalid = true
	return 0
}
