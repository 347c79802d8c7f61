package jpeg

import (
	"encoding/binary"

	"salus/dicom/pixel/codec"
	"salus/dicom/pixel/codec/marker"
)

// DecodeOptions choose the form of a decoded frame. The zero value leaves components as they are coded.
type DecodeOptions struct {
	RGB bool // convert three components from YCbCr to RGB (JFIF §7)
}

// maxScans is how many scans a progressive frame may have, since each can cost the work of a whole frame. Encoders make about ten.
const maxScans = 200

// Decode decompresses one frame. Subsampled components are brought to full size, linearly if the factor is two.
//
// It returns a [codec.Error] if the code stream is not one of the expected shape, has a feature that the package does not cover, or ends before
// every sample is known. A missing EOI marker and what follows it are ignored.
func Decode(data []byte, want codec.Shape, o DecodeOptions) (*codec.Frame, Header, error) {
	d := decoder{Reader: marker.Reader{Codec: name, Data: data}, want: want}
	if err := d.stream(); err != nil {
		return nil, Header{}, err
	}
	if d.header.Process != Lossless {
		d.output(o.RGB && want.Components == 3)
	} else if o.RGB && want.Components == 3 {
		frameToRGB(d.frame)
	}
	return d.frame, d.header, nil
}

// decoder holds the state of a code stream that is being decoded.
type decoder struct {
	marker.Reader
	want       codec.Shape
	header     Header
	components []component
	mcuWide    int // MCU of an interleaved scan in a row
	mcuHigh    int
	quantizers [4]*[blockSize]uint16 // in the order of the code stream
	dc, ac     [4]*huffman
	scans      int
	frame      *codec.Frame
}

// component is a component with what has been decoded of it.
type component struct {
	Component
	quantizer    int                // number of its quantization table
	table        *[blockSize]uint16 // that table, from the first scan on
	columns      int                // its size in samples (T.81 §A.1.1)
	rows         int
	blocksWide   int // its size in blocks, as a scan of its own has them
	blocksHigh   int
	stride       int // samples of a row of its plane, which is as wide as interleaved MCU are
	plane        []uint16
	coefficients []int16 // of a progressive frame, in the order of blocks and of the code stream
	known        bool    // there was a scan
}

// stream reads marker segments up to EOI, or up to the last scan of a frame that is not progressive (T.81 §B.2.1).
func (d *decoder) stream() error {
	if err := d.Start(); err != nil {
		return err
	}
	for {
		if d.complete() && (d.header.Process != Progressive || d.Pos >= len(d.Data)) {
			return nil
		}
		m, err := d.Marker()
		if err != nil {
			return err
		}
		if m == marker.EOI {
			if d.complete() {
				return nil
			}
			return wrong(d.Pos, "there is a scan for every component before EOI")
		}
		at := d.Pos
		body, err := d.Segment()
		if err != nil {
			return err
		}
		if m == marker.SOS {
			err = d.scan(at, body)
		} else {
			err = d.miscellaneous(m, at, body)
		}
		if err != nil {
			return err
		}
	}
}

// complete reports whether every component had a scan.
func (d *decoder) complete() bool {
	for i := range d.components {
		if !d.components[i].known {
			return false
		}
	}
	return len(d.components) > 0
}

// miscellaneous reads any marker segment but a scan header.
func (d *decoder) miscellaneous(m byte, at int, body []byte) error {
	switch {
	case m >= byte(Baseline) && m <= byte(Lossless):
		return d.frameHeader(Process(m), at, body)
	case m == markerDHT:
		return d.huffmanTables(at, body)
	case m == markerDQT:
		return d.quantizationTables(at, body)
	case m == marker.DRI:
		if len(body) != 2 {
			return wrong(at, "DRI has two bytes (T.81 §B.2.4.4)")
		}
		d.header.RestartInterval = int(binary.BigEndian.Uint16(body))
		return nil
	case m >= marker.APP0 && m <= marker.APP15:
		d.application(m, body)
		return nil
	case m == marker.COM:
		return nil
	}
	return wrong(at, "a marker is one of a process with Huffman coding that is not hierarchical (T.81 §B.1.1.3)")
}
