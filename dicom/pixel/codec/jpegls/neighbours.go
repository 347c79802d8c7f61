package jpegls

import "salus/dicom/pixel/codec"

// rowPair is the row under way of a component and the one above it, both as the decoder reconstructs them. Place 0 and the last place are the
// neighbours beyond the edges, so pixel x stands at x+1 (T.87 §A.2.1, figure A.1).
type rowPair struct {
	above, current []int
}

// neighbours are the rows that a scan of some components looks at, with the run index of each (T.87 §B.2).
type neighbours struct {
	pairs   []rowPair
	indexes []int
}

func newNeighbours(columns, components int) neighbours {
	n := neighbours{pairs: make([]rowPair, components), indexes: make([]int, components)}
	for i := range n.pairs {
		n.pairs[i] = rowPair{above: make([]int, columns+2), current: make([]int, columns+2)}
	}
	return n
}

// clear makes the next row the first one: all above is zero.
func (n *neighbours) clear() {
	for _, p := range n.pairs {
		clear(p.above)
		clear(p.current)
	}
	clear(n.indexes)
}

// begin sets what lies beyond the edges of a row.
func (p *rowPair) begin() {
	last := len(p.above) - 1
	p.above[last] = p.above[last-1]
	p.current[0] = p.above[1]
}

// advance makes the current rows the ones above.
func (n *neighbours) advance() {
	for i := range n.pairs {
		p := &n.pairs[i]
		p.above, p.current = p.current, p.above
	}
}

// store writes the current row of a component to the frame.
func (p *rowPair) store(f *codec.Frame, scratch []uint16, row, component int) {
	for x := range scratch {
		scratch[x] = uint16(p.current[x+1])
	}
	f.SetRow(scratch, row, component)
}

// flat reports whether every component of the pixel at place x has an even neighbourhood.
func (m *model) flat(n *neighbours, x int) bool {
	for _, p := range n.pairs {
		if m.neighbourhood(p.current[x-1], p.above[x], p.above[x-1], p.above[x+1]) != 0 {
			return false
		}
	}
	return true
}
