// Package rle is the RLE Lossless codec of DICOM (PS3.5 Annex G), transfer syntax 1.2.840.10008.1.2.5.
//
// It promises that Decode returns exactly what Encode was given, and that a hostile code stream costs no more than the frame that the data set
// announced. A frame is one fragment; finding the fragments, and the byte order and sign of samples beyond their bit pattern, are left to the
// caller.
package rle

import (
	"salus/dicom/pixel/codec"
)

const (
	headerBytes = 64 // number of segments and fifteen offsets, each four bytes (PS3.5 §G.5)
	maxSegments = 15
	maxRun      = 128 // bytes that one packet stands for, at most (PS3.5 §G.3.1)
	noOperation = 128 // the control byte −128
)

func wrong(offset int, rule string) error {
	return &codec.Error{Codec: "RLE", Offset: offset, Rule: rule}
}

// planes returns how many byte planes, and so segments, a frame has (PS3.5 §G.2).
func planes(want codec.Shape, bitsAllocated int) (int, error) {
	if bitsAllocated != 8 && bitsAllocated != 16 && bitsAllocated != 32 {
		return 0, wrong(codec.Nowhere, "bits allocated is 8, 16 or 32")
	}
	if err := want.Check(bitsAllocated); err != nil {
		return 0, err
	}
	n := want.Components * bitsAllocated / 8
	if n > maxSegments {
		return 0, wrong(codec.Nowhere, "a frame has 15 segments at most (PS3.5 §G.5)")
	}
	return n, nil
}

// plane returns where the bytes of a segment stand in the frame: segments go component by component, most significant byte first (PS3.5
// §G.2), the frame has the least significant first.
func plane(f *codec.Frame, segment int) []byte {
	width := codec.SampleBytes(f.Bits)
	component, significance := segment/width, segment%width
	return f.Samples[component*width+width-1-significance:]
}
