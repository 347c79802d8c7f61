package rle

import (
	"encoding/binary"

	"salus/dicom/pixel/codec"
)

// Encode compresses a frame whose precision is the 8, 16 or 32 bits allocated of the data set. Rows are packed one by one and segments padded
// to even length (PS3.5 §G.3.1, §G.2). It returns a [codec.Error] if the frame is none, or has another precision.
func Encode(f *codec.Frame) ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	n, err := planes(f.Shape, f.Bits)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headerBytes, headerBytes+len(f.Samples)/2)
	binary.LittleEndian.PutUint32(out, uint32(n))
	step := f.Components * codec.SampleBytes(f.Bits)
	row := make([]byte, f.Columns)
	for i := range n {
		binary.LittleEndian.PutUint32(out[4+4*i:], uint32(len(out)))
		src := plane(f, i)
		for y := range f.Rows {
			gather(row, src[y*f.Columns*step:], step)
			out = pack(out, row)
		}
		if len(out)%2 != 0 {
			out = append(out, 0)
		}
	}
	return out, nil
}

func gather(dst, src []byte, step int) {
	for i := range dst {
		dst[i] = src[i*step]
	}
}

// pack appends the packets of one row (PS3.5 §G.3.1). A pair of equal bytes is worth a packet of its own only if no literal is under way.
func pack(out, row []byte) []byte {
	literal := 0 // where the bytes begin that are not written yet
	for at := 0; at < len(row); {
		n := runLength(row[at:])
		if n < 2 || n == 2 && literal < at {
			at += n
			continue
		}
		out = packLiteral(out, row[literal:at])
		out = append(out, byte(257-n), row[at])
		at += n
		literal = at
	}
	return packLiteral(out, row[literal:])
}

// runLength returns how often the first byte repeats, up to what one packet holds.
func runLength(b []byte) int {
	n := 1
	for n < len(b) && n < maxRun && b[n] == b[0] {
		n++
	}
	return n
}

func packLiteral(out, bytes []byte) []byte {
	for len(bytes) > 0 {
		n := min(len(bytes), maxRun)
		out = append(out, byte(n-1))
		out = append(out, bytes[:n]...)
		bytes = bytes[n:]
	}
	return out
}
