package jpeg

import (
	"encoding/binary"
	"math/bits"

	"salus/dicom/pixel/codec/marker"
)

// bitWriter appends bits to a code stream and puts a byte 00 after every byte FF (T.81 §F.1.2.3).
type bitWriter struct {
	out   []byte
	bits  uint64 // bits not written yet, the last one lowest
	count int    // how many, less than 32 between calls
}

// put appends the lowest n bits of v, n being 32 at most and no other bit of v set.
func (w *bitWriter) put(v uint64, n int) {
	w.bits = w.bits<<n | v
	w.count += n
	if w.count >= 32 {
		w.flush()
	}
}

// flush writes the first 32 bits.
func (w *bitWriter) flush() {
	w.count -= 32
	word := uint32(w.bits >> w.count)
	if (^word-0x01010101)&word&0x80808080 == 0 { // no byte is FF
		w.out = binary.BigEndian.AppendUint32(w.out, word)
		return
	}
	for shift := 24; shift >= 0; shift -= 8 {
		w.byte(byte(word >> shift))
	}
}

func (w *bitWriter) byte(b byte) {
	w.out = append(w.out, b)
	if b == 0xFF {
		w.out = append(w.out, 0)
	}
}

// align writes what is left and fills the last byte with ones, so that a marker can follow.
func (w *bitWriter) align() {
	if n := -w.count & 7; n > 0 {
		w.bits = w.bits<<n | 0xFF>>(8-n)
		w.count += n
	}
	for w.count > 0 {
		w.count -= 8
		w.byte(byte(w.bits >> w.count))
	}
	w.bits = 0
}

// restart ends a restart interval, of which number have been before.
func (w *bitWriter) restart(number int) {
	w.align()
	w.out = append(w.out, 0xFF, marker.RST0+byte(number)&7)
}

// category returns the number of bits of a difference or coefficient, and those bits (T.81 §F.1.2.1, inverse of extended).
func category(v int) (n int, low uint64) {
	if v < 0 {
		n = bits.Len(uint(-v))
		return n, uint64(v + 1<<n - 1)
	}
	return bits.Len(uint(v)), uint64(v)
}
