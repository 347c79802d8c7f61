package jpegls

// bitWriter appends bits to a code stream and puts a zero bit after every byte FF (T.87 §A.1).
type bitWriter struct {
	out     []byte
	bits    uint64 // bits not written yet, the last one lowest
	count   int    // how many, less than 8 between calls
	stuffed bool   // the last byte written was FF
}

// put appends the lowest n bits of v, n being 48 at most and no other bit of v set.
func (w *bitWriter) put(v uint64, n int) {
	w.bits = w.bits<<n | v
	w.count += n
	for {
		width := 8
		if w.stuffed {
			width = 7
		}
		if w.count < width {
			break
		}
		w.count -= width
		b := byte(w.bits>>w.count) & byte(0xFF>>(8-width))
		w.out = append(w.out, b)
		w.stuffed = b == 0xFF
	}
}

// putLimited appends a value in the limited-length Golomb code (T.87 §A.5.3), for the arguments of takeLimited.
func (w *bitWriter) putLimited(v, k, limit, qbpp int) {
	zeros := v >> k
	if zeros < limit {
		w.put(1, zeros+1)
		w.put(uint64(v&(1<<k-1)), k)
		return
	}
	w.put(1, limit+1)
	w.put(uint64(v-1), qbpp)
}

// align fills the last byte with zeros, so that a marker can follow.
func (w *bitWriter) align() {
	if w.count > 0 || w.stuffed {
		width := 8
		if w.stuffed {
			width = 7
		}
		w.put(0, width-w.count)
	}
	w.bits, w.count, w.stuffed = 0, 0, false
}
