package jpeg

const (
	fastBits    = 9  // code words up to this length are found in one step
	maxCodeBits = 16 // length of the longest code word (T.81 §B.2.4.2)
)

// huffman is a decoding table.
type huffman struct {
	fast    [1 << fastBits]uint16   // length and symbol by the next bits; zero for longer code words
	limit   [maxCodeBits + 1]uint32 // first 16 bits beyond the code words of a length
	first   [maxCodeBits + 1]int    // what to add to a code word of a length for its place in symbols
	symbols []byte
	largest byte // largest symbol
}

// newHuffman makes a table from the number of code words of each length and their symbols (T.81 §C.2). It returns nil if there are more code
// words than lengths allow.
func newHuffman(counts []byte, symbols []byte) *huffman {
	h := &huffman{symbols: symbols}
	code, k := 0, 0
	for n := 1; n <= maxCodeBits; n++ {
		h.first[n] = k - code
		for range counts[n-1] {
			if code >= 1<<n {
				return nil
			}
			h.largest = max(h.largest, symbols[k])
			if n <= fastBits {
				from := code << (fastBits - n)
				for i := range 1 << (fastBits - n) {
					h.fast[from+i] = uint16(n)<<8 | uint16(symbols[k])
				}
			}
			code++
			k++
		}
		h.limit[n] = uint32(code) << (16 - n)
		code <<= 1
	}
	return h
}
