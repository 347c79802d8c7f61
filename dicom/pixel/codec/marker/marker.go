// Package marker reads the markers and marker segments that JPEG and JPEG-LS code streams are made of (ITU-T T.81 §B.1, T.87 §C.1).
//
// It promises to stay within the code stream. What the parameters of a segment mean, and the bits between markers, are left to the codecs.
package marker

import (
	"bytes"
	"encoding/binary"

	"salus/dicom/pixel/codec"
)

// The markers that both standards have (T.81 table B.1), without the leading byte FF.
const (
	SOI   = 0xD8 // start of image
	EOI   = 0xD9 // end of image
	RST0  = 0xD0 // first of eight restart markers
	SOS   = 0xDA // start of scan
	DRI   = 0xDD // restart interval
	COM   = 0xFE // comment
	APP0  = 0xE0 // first of sixteen application segments
	APP15 = 0xEF
)

// Reader is a place in a code stream.
type Reader struct {
	Codec string // name of the codec, for errors
	Data  []byte // the code stream
	Pos   int    // offset of the next byte
}

// Wrong returns a [codec.Error] about a byte of the code stream.
func (r *Reader) Wrong(offset int, rule string) error {
	return &codec.Error{Codec: r.Codec, Offset: offset, Rule: rule}
}

// Start takes the marker SOI, with which a code stream begins.
func (r *Reader) Start() error {
	if len(r.Data) < 2 || r.Data[0] != 0xFF || r.Data[1] != SOI {
		return r.Wrong(0, "a code stream begins with SOI")
	}
	r.Pos = 2
	return nil
}

// Marker takes the next marker with the fill bytes before it (T.81 §B.1.1.2).
func (r *Reader) Marker() (byte, error) {
	at := r.Pos
	for at < len(r.Data) && r.Data[at] == 0xFF {
		at++
	}
	if at == r.Pos || at >= len(r.Data) {
		return 0, r.Wrong(at, "a marker follows")
	}
	r.Pos = at + 1
	return r.Data[at], nil
}

// Segment takes what follows a marker: a length that includes itself, and the parameters that are returned (T.81 §B.1.1.4).
func (r *Reader) Segment() ([]byte, error) {
	rest := r.Data[r.Pos:]
	if len(rest) < 2 {
		return nil, r.Wrong(len(r.Data), "a marker segment has a length")
	}
	n := int(binary.BigEndian.Uint16(rest))
	if n < 2 || n > len(rest) {
		return nil, r.Wrong(r.Pos, "a marker segment lies within the code stream")
	}
	r.Pos += n
	return rest[2:n], nil
}

// Restart takes the restart marker after so many restart intervals, none for the first (T.81 §B.2.1).
func (r *Reader) Restart(intervals int) error {
	if intervals == 0 {
		return nil
	}
	m, err := r.Marker()
	if err != nil {
		return err
	}
	if m != RST0+byte(intervals-1)&7 {
		return r.Wrong(r.Pos, "restart markers count from 0 to 7 (T.81 §B.2.1)")
	}
	return nil
}

// EntropyCoded takes the data up to the next marker, or to the end. A byte FF begins a marker if the byte after it is least or more.
func (r *Reader) EntropyCoded(least byte) []byte {
	start, at := r.Pos, r.Pos
	for {
		i := bytes.IndexByte(r.Data[at:], 0xFF)
		if i < 0 || at+i+1 >= len(r.Data) {
			r.Pos = len(r.Data)
			break
		}
		if at += i + 1; r.Data[at] >= least {
			r.Pos = at - 1
			break
		}
	}
	return r.Data[start:r.Pos]
}

// ContainsFF reports whether one of eight bytes is FF, and so may have a bit or byte stuffed after it.
func ContainsFF(v uint64) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	return (^v-low)&v&high != 0
}
