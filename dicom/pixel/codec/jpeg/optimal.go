package jpeg

import (
	"encoding/binary"
	"slices"
)

// encoding is a Huffman table for encoding, made for the symbols that occur.
type encoding struct {
	frequency [257]int // of each symbol; the last one reserves the code word of ones
	counts    [maxCodeBits]byte
	symbols   []byte // in the order of their code words
	code      [256]uint16
	length    [256]uint8
}

// count takes note of a symbol.
func (e *encoding) count(symbol int) { e.frequency[symbol]++ }

// put writes a symbol's code word and n bits after it.
func (e *encoding) put(w *bitWriter, symbol int, low uint64, n int) {
	w.put(uint64(e.code[symbol])<<n|low, int(e.length[symbol])+n)
}

// build chooses the code words (T.81 §K.2, §C.2) after all symbols were counted.
func (e *encoding) build() {
	lengths := e.lengths()
	perLength := limitLengths(lengths)
	longest := slices.Max(lengths[:])
	for n := 1; n <= longest; n++ {
		for symbol, length := range lengths[:256] {
			if length == n {
				e.symbols = append(e.symbols, byte(symbol))
			}
		}
	}
	code, k := 0, 0
	for i, count := range perLength {
		e.counts[i] = byte(count)
		for range count {
			symbol := e.symbols[k]
			e.code[symbol], e.length[symbol] = uint16(code), uint8(i+1)
			code++
			k++
		}
		code <<= 1
	}
}

// lengths finds the length of each symbol's code word by joining the two rarest trees again and again (T.81 figure K.1).
func (e *encoding) lengths() (lengths [257]int) {
	e.frequency[256] = 1
	weight := e.frequency
	var tree [257]int // of which symbol is the root for its tree
	for symbol := range tree {
		tree[symbol] = symbol
	}
	for {
		rarest, second := -1, -1
		for symbol, w := range weight {
			switch {
			case w == 0:
			case rarest < 0 || w <= weight[rarest]:
				rarest, second = symbol, rarest
			case second < 0 || w <= weight[second]:
				second = symbol
			}
		}
		if second < 0 {
			return lengths
		}
		weight[rarest] += weight[second]
		weight[second] = 0
		for symbol, root := range tree {
			if root == rarest || root == second {
				tree[symbol] = rarest
				lengths[symbol]++
			}
		}
	}
}

// limitLengths returns how many code words each length has after the longer ones were brought to sixteen bits (T.81 figure K.3), without the
// reserved one. The order of symbols by length stays.
func limitLengths(lengths [257]int) (counts [maxCodeBits]int) {
	var perLength [258]int
	for _, n := range lengths {
		perLength[n]++
	}
	for n := len(perLength) - 1; n > maxCodeBits; n-- {
		for perLength[n] > 0 {
			shorter := n - 2
			for perLength[shorter] == 0 {
				shorter--
			}
			perLength[n] -= 2
			perLength[n-1]++
			perLength[shorter+1] += 2
			perLength[shorter]--
		}
	}
	longest := maxCodeBits
	for perLength[longest] == 0 {
		longest--
	}
	perLength[longest]--
	copy(counts[:], perLength[1:])
	return counts
}

// appendTable appends the table as DHT (T.81 §B.2.4.2).
func (e *encoding) appendTable(out []byte, class, number byte) []byte {
	out = append(out, 0xFF, markerDHT)
	out = binary.BigEndian.AppendUint16(out, uint16(19+len(e.symbols)))
	out = append(out, class<<4|number)
	out = append(out, e.counts[:]...)
	return append(out, e.symbols...)
}
