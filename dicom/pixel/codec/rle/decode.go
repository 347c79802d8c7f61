package rle

import (
	"encoding/binary"

	"salus/dicom/pixel/codec"
)

// Decode decompresses one frame. The precision of the result is bitsAllocated, which is 8, 16 or 32; with 32 a sample has four bytes.
//
// It returns a [codec.Error] if the header does not have the segments of such a frame or a segment ends early. What follows a complete plane
// is ignored, as padding of any length is found in practice.
func Decode(data []byte, want codec.Shape, bitsAllocated int) (*codec.Frame, error) {
	n, err := planes(want, bitsAllocated)
	if err != nil {
		return nil, err
	}
	starts, err := segments(data, n)
	if err != nil {
		return nil, err
	}
	if (len(data)-headerBytes)*(maxRun/2) < want.Samples()*(bitsAllocated/8) {
		return nil, wrong(len(data), "two bytes stand for 128 at most (PS3.5 §G.3.1)")
	}
	frame, err := codec.NewFrame(want, bitsAllocated)
	if err != nil {
		return nil, err
	}
	pixelBytes := want.Components * codec.SampleBytes(bitsAllocated)
	for i := range n {
		if at, ok := unpack(plane(frame, i), pixelBytes, want.Rows*want.Columns, data[starts[i]:starts[i+1]]); !ok {
			return nil, wrong(starts[i]+at, "a segment has a byte for every pixel (PS3.5 §G.2)")
		}
	}
	return frame, nil
}

// segments returns the offsets of n segments and the end of the last one (PS3.5 §G.5).
func segments(data []byte, n int) ([]int, error) {
	if len(data) < headerBytes {
		return nil, wrong(len(data), "the header has 64 bytes (PS3.5 §G.5)")
	}
	if binary.LittleEndian.Uint32(data) != uint32(n) {
		return nil, wrong(0, "there is a segment for every byte of a pixel (PS3.5 §G.2)")
	}
	starts := make([]int, n+1)
	last := headerBytes
	for i := range n {
		at := binary.LittleEndian.Uint32(data[4+4*i:])
		if uint64(at) < uint64(last) || uint64(at) > uint64(len(data)) {
			return nil, wrong(4+4*i, "offsets of segments ascend within the frame (PS3.5 §G.5)")
		}
		last = int(at)
		starts[i] = last
	}
	starts[n] = len(data)
	return starts, nil
}

// unpack decodes one segment to every step-th byte of dst, count in all (PS3.5 §G.3.2). On failure it returns where the segment ended early.
func unpack(dst []byte, step, count int, src []byte) (int, bool) {
	at, out := 0, 0
	for out < count {
		if at >= len(src) {
			return at, false
		}
		control := int(src[at])
		at++
		switch {
		case control < noOperation:
			n := min(control+1, count-out)
			if len(src)-at < n {
				return at, false
			}
			scatter(dst[out*step:], step, src[at:at+n])
			at, out = at+control+1, out+n
		case control > noOperation:
			if at >= len(src) {
				return at, false
			}
			n := min(257-control, count-out)
			repeat(dst[out*step:], step, n, src[at])
			at, out = at+1, out+n
		}
	}
	return at, true
}

func scatter(dst []byte, step int, src []byte) {
	if step == 1 {
		copy(dst, src)
		return
	}
	for i, b := range src {
		dst[i*step] = b
	}
}

func repeat(dst []byte, step, n int, value byte) {
	dst = dst[:(n-1)*step+1]
	for i := 0; i < len(dst); i += step {
		dst[i] = value
	}
}
