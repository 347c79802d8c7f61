package jpeg

import (
	"bytes"
	"encoding/binary"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

// frameHeader reads SOF0 to SOF3 (T.81 §B.2.2).
func (d *decoder) frameHeader(process Process, at int, body []byte) error {
	if d.components != nil {
		return wrong(at, "there is one frame header")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return wrong(at, "a frame header has three bytes for every component (T.81 §B.2.2)")
	}
	got := codec.Shape{
		Rows:       int(binary.BigEndian.Uint16(body[1:])),
		Columns:    int(binary.BigEndian.Uint16(body[3:])),
		Components: int(body[5]),
	}
	if got != d.want {
		return wrong(at, "the frame header has the rows, columns and components of the data set")
	}
	precision := int(body[0])
	if !process.permits(precision) {
		return wrong(at, "the precision is one of the process (T.81 table B.2)")
	}
	if err := got.Check(precision); err != nil {
		return err
	}
	d.header.Shape, d.header.Process, d.header.Bits = got, process, precision
	blocks := 0
	for b := body[6:]; len(b) > 0; b = b[3:] {
		c := component{Component: Component{ID: b[0], H: int(b[1] >> 4), V: int(b[1] & 15)}, quantizer: int(b[2])}
		if c.H < 1 || c.H > 4 || c.V < 1 || c.V > 4 || c.quantizer > 3 {
			return wrong(at, "sampling factors are 1 to 4 and tables 0 to 3 (T.81 table B.2)")
		}
		if d.find(c.ID) >= 0 {
			return wrong(at, "components have different identifiers")
		}
		d.header.Components = append(d.header.Components, c.Component)
		if got.Components == 1 {
			c.H, c.V = 1, 1 // they have no meaning (T.81 §A.2.2)
		}
		d.components = append(d.components, c)
		blocks += c.H * c.V
	}
	if blocks > 10 {
		return wrong(at, "an MCU has ten blocks at most (T.81 §B.2.3)")
	}
	if process == Lossless && d.header.Subsampled() {
		return wrong(at, "lossless components are not subsampled")
	}
	d.measure()
	if len(d.Data) < d.least() {
		return wrong(len(d.Data), "a sample of a lossless frame, else a block, takes a bit at least (T.81 §F.1.2, §H.1.2.2)")
	}
	return nil
}

// least returns how many bytes the frame has at least, so that a short code stream cannot claim a large one.
func (d *decoder) least() int {
	if d.header.Process == Lossless {
		return d.want.Samples() / 8
	}
	blocks := 0
	for i := range d.components {
		blocks += d.components[i].blocksWide * d.components[i].blocksHigh
	}
	return blocks / 8
}

func (p Process) permits(precision int) bool {
	switch p {
	case Baseline:
		return precision == 8
	case Lossless:
		return precision >= 2 && precision <= 16
	}
	return precision == 8 || precision == 12
}

// find returns the place of a component in the frame, or −1.
func (d *decoder) find(id byte) int {
	for i := range d.components {
		if d.components[i].ID == id {
			return i
		}
	}
	return -1
}

// measure computes the sizes of components in samples and blocks (T.81 §A.1.1, §A.2).
func (d *decoder) measure() {
	h, v := 1, 1
	for _, c := range d.components {
		h, v = max(h, c.H), max(v, c.V)
	}
	d.mcuWide, d.mcuHigh = ceil(d.want.Columns, 8*h), ceil(d.want.Rows, 8*v)
	for i := range d.components {
		c := &d.components[i]
		c.columns, c.rows = ceil(d.want.Columns*c.H, h), ceil(d.want.Rows*c.V, v)
		c.blocksWide, c.blocksHigh = ceil(c.columns, 8), ceil(c.rows, 8)
		c.stride = 8 * d.mcuWide * c.H
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// huffmanTables reads DHT (T.81 §B.2.4.2).
func (d *decoder) huffmanTables(at int, body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return wrong(at, "a Huffman table has sixteen counts (T.81 §B.2.4.2)")
		}
		total := 0
		for _, n := range body[1:17] {
			total += int(n)
		}
		class, number := body[0]>>4, body[0]&15
		if class > 1 || number > 3 || total > 256 || len(body) < 17+total {
			return wrong(at, "Huffman tables are 0 to 3 of two classes and have a symbol for every code word (T.81 §B.2.4.2)")
		}
		table := newHuffman(body[1:17], body[17:17+total])
		if table == nil {
			return wrong(at, "code words of a Huffman table fit in their lengths (T.81 §C.2)")
		}
		if class == 0 {
			d.dc[number] = table
		} else {
			d.ac[number] = table
		}
		body = body[17+total:]
	}
	return nil
}

// quantizationTables reads DQT (T.81 §B.2.4.1).
func (d *decoder) quantizationTables(at int, body []byte) error {
	for len(body) > 0 {
		width, number := int(body[0]>>4)+1, body[0]&15
		if width > 2 || number > 3 || len(body) < 1+width*blockSize {
			return wrong(at, "quantization tables are 0 to 3 and have 64 elements (T.81 §B.2.4.1)")
		}
		var table [blockSize]uint16
		for i := range table {
			if width == 1 {
				table[i] = uint16(body[1+i])
			} else {
				table[i] = binary.BigEndian.Uint16(body[1+2*i:])
			}
		}
		d.quantizers[number] = &table
		body = body[1+width*blockSize:]
	}
	return nil
}

// application takes note of what JFIF and Adobe segments say of colour; any other is skipped.
func (d *decoder) application(m byte, body []byte) {
	switch {
	case m == marker.APP0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
		d.header.JFIF = true
	case m == markerAPP14 && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")) && body[11] <= 2:
		d.header.Adobe = AdobeNone + AdobeTransform(body[11])
	}
}
