package jpegls

import (
	"bytes"
	"encoding/binary"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

// Decode decompresses one frame. It returns a [codec.Error] if the code stream is not one of the expected shape, has a feature that the package
// does not cover, or ends before every sample is known. A missing EOI marker and what follows it are ignored.
func Decode(data []byte, want codec.Shape) (*codec.Frame, Header, error) {
	d := decoder{Reader: marker.Reader{Codec: name, Data: data}, want: want}
	if err := d.stream(); err != nil {
		return nil, Header{}, err
	}
	return d.frame, d.header, nil
}

// decoder holds the state of a code stream that is being decoded.
type decoder struct {
	marker.Reader
	want    codec.Shape
	header  Header
	ids     []byte // of the components, in the order of the frame header
	known   []bool // components that were decoded
	preset  preset
	restart int // rows of a restart interval; zero for none
	frame   *codec.Frame
}

// stream reads marker segments up to the end of the last scan (T.87 §C.1).
func (d *decoder) stream() error {
	if err := d.Start(); err != nil {
		return err
	}
	for {
		m, err := d.Marker()
		if err != nil {
			return err
		}
		if m == marker.EOI {
			return wrong(d.Pos, "there is a scan for every component before EOI")
		}
		at := d.Pos
		body, err := d.Segment()
		if err != nil {
			return err
		}
		if m != marker.SOS {
			if err := d.miscellaneous(m, at, body); err != nil {
				return err
			}
			continue
		}
		if err := d.scan(at, body); err != nil {
			return err
		}
		if d.complete() {
			return nil
		}
	}
}

// miscellaneous reads any marker segment but a scan header.
func (d *decoder) miscellaneous(m byte, at int, body []byte) error {
	switch {
	case m == markerSOF55:
		return d.frameHeader(at, body)
	case m == markerLSE:
		return d.presetParameters(at, body)
	case m == marker.DRI:
		return d.restartInterval(at, body)
	case m == marker.APP0+8 && bytes.HasPrefix(body, []byte("mrfx")) && !bytes.Equal(body, []byte("mrfx\x00")):
		return wrong(at, "no colour transform is outside the standard")
	case m >= marker.APP0 && m <= marker.APP15, m == marker.COM:
		return nil
	}
	return wrong(at, "a marker is one of T.87 §C.1.1")
}

// frameHeader reads SOF55 (T.87 §C.2.2).
func (d *decoder) frameHeader(at int, body []byte) error {
	if d.ids != nil {
		return wrong(at, "there is one frame header")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return wrong(at, "a frame header has three bytes for every component (T.87 §C.2.2)")
	}
	got := codec.Shape{
		Rows:       int(binary.BigEndian.Uint16(body[1:])),
		Columns:    int(binary.BigEndian.Uint16(body[3:])),
		Components: int(body[5]),
	}
	if got != d.want {
		return wrong(at, "the frame header has the rows, columns and components of the data set")
	}
	if len(d.Data) < got.Rows/8 {
		return wrong(len(d.Data), "a row takes a bit at least (T.87 §A.7.1)")
	}
	d.header.Shape, d.header.Bits = got, int(body[0])
	if d.header.Bits < 2 || d.header.Bits > 16 {
		return wrong(at, "the precision is 2 to 16 (T.87 §C.2.2)")
	}
	for c := body[6:]; len(c) > 0; c = c[3:] {
		if bytes.IndexByte(d.ids, c[0]) >= 0 {
			return wrong(at, "components have different identifiers")
		}
		if c[1] != 0x11 && got.Components > 1 {
			return wrong(at, "components are not subsampled (PS3.5 §8.2.3)")
		}
		d.ids = append(d.ids, c[0])
	}
	d.known = make([]bool, len(d.ids))
	return got.Check(d.header.Bits)
}

// presetParameters reads LSE (T.87 §C.2.4.1).
func (d *decoder) presetParameters(at int, body []byte) error {
	if len(body) != 11 || body[0] != 1 {
		return wrong(at, "LSE has coding parameters, not mapping tables or a larger size (T.87 §C.2.4.1)")
	}
	value := func(i int) int { return int(binary.BigEndian.Uint16(body[1+2*i:])) }
	d.preset = preset{maxVal: value(0), t1: value(1), t2: value(2), t3: value(3), reset: value(4)}
	return nil
}

// restartInterval reads DRI, whose value has two to four bytes and counts rows (T.87 §C.2.5).
func (d *decoder) restartInterval(at int, body []byte) error {
	if len(body) < 2 || len(body) > 4 {
		return wrong(at, "DRI has a value of two to four bytes (T.87 §C.2.5)")
	}
	d.restart = 0
	for _, b := range body {
		d.restart = d.restart<<8 | int(b)
	}
	return nil
}

func (d *decoder) complete() bool {
	for _, known := range d.known {
		if !known {
			return false
		}
	}
	return true
}

// scan reads a scan header (T.87 §C.2.3) and the data after it.
func (d *decoder) scan(at int, body []byte) error {
	if d.ids == nil {
		return wrong(at, "a frame header comes before the first scan")
	}
	if len(body) < 1 || len(body) != 4+2*int(body[0]) {
		return wrong(at, "a scan header has two bytes for every component (T.87 §C.2.3)")
	}
	components, err := d.scanComponents(at, body[1:len(body)-3])
	if err != nil {
		return err
	}
	near, mode, transform := int(body[len(body)-3]), Interleave(body[len(body)-2]), body[len(body)-1]
	if transform != 0 {
		return wrong(at, "there is no point transform")
	}
	if mode > InterleaveSample || len(components) > 1 && mode == InterleaveNone {
		return wrong(at, "components of one scan are interleaved by line or sample (T.87 §C.2.3)")
	}
	if len(components) == 1 {
		mode = InterleaveNone
	}
	resolved, ok := d.preset.resolve(d.header.Bits, near)
	if !ok {
		return wrong(at, "coding parameters are in the range of T.87 §C.2.4.1.1")
	}
	if d.frame == nil {
		if d.frame, err = codec.NewFrame(d.want, d.header.Bits); err != nil {
			return err
		}
	}
	d.header.Near, d.header.Interleave = near, mode
	return d.entropyCoded(newScanDecoder(newParameters(resolved, near), d.want.Columns, len(components)), components, mode)
}

// scanComponents returns the places in the frame of the components that a scan selects.
func (d *decoder) scanComponents(at int, selectors []byte) ([]int, error) {
	var components []int
	for ; len(selectors) > 0; selectors = selectors[2:] {
		i := bytes.IndexByte(d.ids, selectors[0])
		if i < 0 || d.known[i] {
			return nil, wrong(at, "each component of the frame is in one scan")
		}
		if selectors[1] != 0 {
			return nil, wrong(at, "there is no mapping table")
		}
		d.known[i] = true
		components = append(components, i)
	}
	if components == nil {
		return nil, wrong(at, "a scan has a component")
	}
	return components, nil
}

// entropyCoded decodes the restart intervals of a scan.
func (d *decoder) entropyCoded(s *scanDecoder, components []int, mode Interleave) error {
	step := d.want.Rows
	if d.restart > 0 {
		step = min(step, d.restart)
	}
	for row, interval := 0, 0; row < d.want.Rows; row, interval = row+step, interval+1 {
		if err := d.Restart(interval); err != nil {
			return err
		}
		if !s.decode(d.frame, components, row, min(row+step, d.want.Rows), d.EntropyCoded(0x80), mode) {
			return wrong(d.Pos, "a scan has every sample of its components")
		}
	}
	return nil
}
