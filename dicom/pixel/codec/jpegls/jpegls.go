// Package jpegls is the JPEG-LS codec (ISO/IEC 14495-1, ITU-T T.87), for the DICOM transfer syntaxes 1.2.840.10008.1.2.4.80 (lossless) and
// 1.2.840.10008.1.2.4.81 (near-lossless).
//
// It promises that lossless decoding is exact, that a near-lossless sample differs by NEAR at most, and that a hostile code stream costs no
// more than the frame that the data set announced, and a few rows and a table of at most 128 KiB for each scan. It covers 2 to 16 bits, the
// three interleave modes, preset parameters and restart intervals, not mapping tables and not subsampled components, which DICOM has no use
// for. The code stream says nothing of colour: what the components mean is left to the caller.
package jpegls

import "salus/dicom/pixel/codec"

// Interleave says how the components of a frame are mixed in the code stream (T.87 §C.2.3, parameter ILV).
type Interleave uint8

// The interleave modes.
const (
	InterleaveNone   Interleave = iota // one scan for each component
	InterleaveLine                     // one scan, row by row
	InterleaveSample                   // one scan, pixel by pixel
)

// Header is what the code stream says of itself.
type Header struct {
	Shape      codec.Shape
	Bits       int        // precision P of a sample, 2 to 16
	Near       int        // largest difference of a sample; zero is lossless. That of the last scan
	Interleave Interleave // that of the last scan
}

// Options choose the form of a code stream. The zero value is lossless, component by component.
type Options struct {
	Near            int        // largest difference of a sample, 0 to 255 and at most half of the largest sample
	Interleave      Interleave // of frames with several components
	RestartInterval int        // rows after which the decoder can resynchronise, 0 to 65535; zero for never
}

// name is the codec's in errors.
const name = "JPEG-LS"

func wrong(offset int, rule string) error {
	return &codec.Error{Codec: name, Offset: offset, Rule: rule}
}

// The markers that JPEG-LS adds (T.87 §C.1.1), without the leading byte FF.
const (
	markerSOF55 = 0xF7
	markerLSE   = 0xF8
)
