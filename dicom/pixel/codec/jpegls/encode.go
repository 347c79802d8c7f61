package jpegls

import (
	"encoding/binary"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

// Encode compresses a frame of 2 to 16 bits with the default coding parameters (T.87 §C.2.4.1.1.1). It returns a [codec.Error] if the frame is
// none, or an option is not in its range.
func Encode(f *codec.Frame, o Options) ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	if f.Bits < 2 || f.Bits > 16 {
		return nil, wrong(codec.Nowhere, "the precision is 2 to 16 (T.87 §C.2.2)")
	}
	resolved, ok := preset{}.resolve(f.Bits, o.Near)
	if !ok || o.Near < 0 {
		return nil, wrong(codec.Nowhere, "NEAR is 0 to 255 and at most half of the largest sample (T.87 §C.2.3)")
	}
	if o.Interleave > InterleaveSample {
		return nil, wrong(codec.Nowhere, "the interleave mode is none, line or sample (T.87 §C.2.3)")
	}
	if o.RestartInterval < 0 || o.RestartInterval > 0xFFFF {
		return nil, wrong(codec.Nowhere, "a restart interval has up to 65535 rows")
	}
	if f.Components == 1 {
		o.Interleave = InterleaveNone
	}
	out := appendHeaders(make([]byte, 0, len(f.Samples)/2+256), f, o)
	p := newParameters(resolved, o.Near)
	for _, components := range scans(f.Components, o.Interleave) {
		out = appendScan(out, f, p, components, o)
	}
	return append(out, 0xFF, marker.EOI), nil
}

// scans returns the components of each scan.
func scans(components int, mode Interleave) [][]int {
	var each [][]int
	var all []int
	for c := range components {
		each = append(each, []int{c})
		all = append(all, c)
	}
	if mode == InterleaveNone {
		return each
	}
	return [][]int{all}
}

// appendHeaders appends SOI, the frame header (T.87 §C.2.2) and DRI.
func appendHeaders(out []byte, f *codec.Frame, o Options) []byte {
	out = append(out, 0xFF, marker.SOI, 0xFF, markerSOF55)
	out = binary.BigEndian.AppendUint16(out, uint16(8+3*f.Components))
	out = append(out, byte(f.Bits))
	out = binary.BigEndian.AppendUint16(out, uint16(f.Rows))
	out = binary.BigEndian.AppendUint16(out, uint16(f.Columns))
	out = append(out, byte(f.Components))
	for c := range f.Components {
		out = append(out, byte(c+1), 0x11, 0)
	}
	if o.RestartInterval > 0 {
		out = append(out, 0xFF, marker.DRI, 0, 4)
		out = binary.BigEndian.AppendUint16(out, uint16(o.RestartInterval))
	}
	return out
}

// appendScan appends a scan header (T.87 §C.2.3) and its restart intervals.
func appendScan(out []byte, f *codec.Frame, p parameters, components []int, o Options) []byte {
	out = append(out, 0xFF, marker.SOS)
	out = binary.BigEndian.AppendUint16(out, uint16(6+2*len(components)))
	out = append(out, byte(len(components)))
	for _, c := range components {
		out = append(out, byte(c+1), 0)
	}
	out = append(out, byte(o.Near), byte(o.Interleave), 0)
	s := newScanEncoder(p, f.Columns, len(components), out)
	step := f.Rows
	if o.RestartInterval > 0 {
		step = o.RestartInterval
	}
	for row, interval := 0, 0; row < f.Rows; row, interval = row+step, interval+1 {
		if interval > 0 {
			s.writer.out = append(s.writer.out, 0xFF, marker.RST0+byte(interval-1)&7)
		}
		s.encode(f, components, row, min(row+step, f.Rows), o.Interleave)
	}
	return s.writer.out
}
