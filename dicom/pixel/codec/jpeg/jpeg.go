// Package jpeg is the codec of ITU-T T.81 (ISO/IEC 10918-1) as DICOM uses it: baseline and extended sequential DCT of 8 and 12 bits
// (1.2.840.10008.1.2.4.50 and .51), lossless with Huffman coding (.57 and .70), and for decoding progressive DCT too (retired in DICOM).
//
// It promises that lossless decoding is exact, that a DCT sample is the one of the integer transform that most decoders share, and that a
// hostile code stream costs no more than a few times the frame that the data set announced. Arithmetic coding, hierarchical frames and
// subsampled lossless components are refused. Components come as they are coded: whether they are YCbCr is the photometric interpretation's
// affair, thus the caller's, who is given the markers that speak of it and asks for the conversion.
package jpeg

import "salus/dicom/pixel/codec"

// Process is a coding process, by its start of frame marker (T.81 §B.2.2, table B.1).
type Process uint8

// The processes that are decoded. All have Huffman coding.
const (
	Baseline    Process = 0xC0 // sequential DCT, 8 bits
	Extended    Process = 0xC1 // sequential DCT, 8 or 12 bits
	Progressive Process = 0xC2 // progressive DCT, 8 or 12 bits
	Lossless    Process = 0xC3 // prediction, 2 to 16 bits
)

// Component is one component as the frame header has it (T.81 §B.2.2).
type Component struct {
	ID   byte
	H, V int // sampling factors, 1 to 4
}

// AdobeTransform is the colour transform that an Adobe APP14 segment names.
type AdobeTransform uint8

// The values of the colour transform.
const (
	NoAdobe    AdobeTransform = iota // there is no such segment
	AdobeNone                        // RGB or CMYK
	AdobeYCbCr                       // YCbCr
	AdobeYCCK                        // YCCK
)

// Header is what a code stream says of itself.
type Header struct {
	Shape           codec.Shape
	Process         Process
	Bits            int // precision P of a sample
	Components      []Component
	JFIF            bool           // there is a JFIF APP0 segment
	Adobe           AdobeTransform // what an APP14 segment says
	RestartInterval int            // in MCU; zero for none
	Predictor       int            // selection value of a lossless scan, 1 to 7; that of the last scan
	PointTransform  int            // lowest bits that a lossless scan has dropped; that of the last scan
}

// YCbCr reports whether the code stream itself claims to be YCbCr: by JFIF, else by Adobe's segment, else by component identifiers other than
// R, G and B. In DICOM the photometric interpretation goes before (PS3.5 §8.2.1); lossless streams of RGB often have such identifiers.
func (h *Header) YCbCr() bool {
	if h.Shape.Components != 3 {
		return false
	}
	switch {
	case h.JFIF:
		return true
	case h.Adobe != NoAdobe:
		return h.Adobe == AdobeYCbCr
	}
	return h.Components[0].ID != 'R' || h.Components[1].ID != 'G' || h.Components[2].ID != 'B'
}

// Subsampled reports whether components have different sampling factors.
func (h *Header) Subsampled() bool {
	for _, c := range h.Components {
		if c.H != h.Components[0].H || c.V != h.Components[0].V {
			return true
		}
	}
	return false
}

// name is the codec's in errors.
const name = "JPEG"

func wrong(offset int, rule string) error {
	return &codec.Error{Codec: name, Offset: offset, Rule: rule}
}

// The markers that JPEG-LS has not (T.81 table B.1), but for those of a Process, and Adobe's. The leading byte FF is left out.
const (
	markerDHT   = 0xC4
	markerDQT   = 0xDB
	markerAPP14 = 0xEE
)

const blockSize = 64

// zigzag is the place in a block, row by row, of each coefficient in the order of the code stream (T.81 §A.3.6).
var zigzag = [blockSize]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
