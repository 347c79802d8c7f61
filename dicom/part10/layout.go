package part10

import (
	"encoding/binary"
	"slices"
	"strings"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// Layout says where the frames of an instance's pixel data are in its file, so that one frame is one positioned read.
type Layout struct {
	Frames int
	// Native pixel data: frame i begins bits*i after the first byte.
	offset int64
	bits   int64
	// Encapsulated pixel data: frame i has the parts from first[i] to first[i+1].
	parts []Range
	first []int
}

// Range is a run of bytes in a file.
type Range struct{ Offset, Length int64 }

// Encapsulated reports whether frames are code streams in fragments.
func (l *Layout) Encapsulated() bool { return l.parts != nil }

// Frame returns where a frame is, which is counted from 0, and how many bits of the first byte belong to the frame before: frames of one
// bit a sample need not begin at a byte (PS3.5 §8.1.1).
func (l *Layout) Frame(i int) (parts []Range, shift int) {
	if l.Encapsulated() {
		return l.parts[l.first[i]:l.first[i+1]], 0
	}
	from, to := int64(i)*l.bits, int64(i+1)*l.bits
	return []Range{{l.offset + from/8, (to+7)/8 - from/8}}, int(from % 8)
}

// FrameBits returns how many bits a native frame has; 0 when encapsulated.
func (l *Layout) FrameBits() int64 { return l.bits }

// LayoutOf finds the frames of a file. It returns nil when there is no pixel data, and a fault when there is but its frames cannot be told
// apart (PS3.5 §8, §A.4).
func LayoutOf(f *File) (*Layout, error) {
	i := slices.IndexFunc(f.Dataset.Elements, func(e dicom.Element) bool { return e.Tag.PixelData() })
	if i < 0 || f.Dataset.Elements[i].Bulk == nil {
		return nil, nil
	}
	b := f.Dataset.Elements[i].Bulk
	frames := 1
	if n, ok := f.Dataset.Int(tag.NumberOfFrames); ok && n > 0 && n < 1<<31 {
		frames = int(n)
	}
	if b.Fragments != nil {
		return encapsulated(f, b, frames)
	}
	return native(f.Dataset, f.Dataset.Elements[i].Tag, b, frames)
}

func native(d *dicom.Dataset, t dicom.Tag, b *dicom.Bulk, frames int) (*Layout, error) {
	rows, _ := d.Int(tag.Rows)
	columns, _ := d.Int(tag.Columns)
	samples, ok := d.Int(tag.SamplesPerPixel)
	if !ok {
		samples = 1
	}
	bits, ok := d.Int(tag.BitsAllocated)
	switch t {
	case tag.FloatPixelData:
		bits, ok = 32, true
	case tag.DoubleFloatPixelData:
		bits, ok = 64, true
	}
	if !ok || rows <= 0 || columns <= 0 || samples <= 0 || bits <= 0 || samples > 1<<16 || bits > 64 {
		return nil, fault.New(fault.Invalid, "pixel data without Rows, Columns and Bits Allocated (PS3.3 §C.7.6.3)")
	}
	frame := rows * columns * samples * bits
	switch d.String(tag.PhotometricInterpretation) {
	case "YBR_FULL_422", "YBR_PARTIAL_422":
		frame = frame / 3 * 2
	case "YBR_PARTIAL_420":
		frame /= 2
	}
	whole := b.Length * 8 / frame
	if whole == 0 {
		return nil, fault.New(fault.Invalid, "pixel data of %d bytes, but a frame has %d bits (PS3.5 §8.1.1)", b.Length, frame)
	}
	return &Layout{Frames: int(min(int64(frames), whole)), offset: b.Offset, bits: frame}, nil
}

func encapsulated(f *File, b *dicom.Bulk, frames int) (*Layout, error) {
	if len(b.Fragments) < 2 {
		return nil, fault.New(fault.Invalid, "encapsulated pixel data without fragments (PS3.5 §A.4)")
	}
	fragments := b.Fragments[1:]
	l := &Layout{Frames: frames}
	for _, p := range fragments {
		l.parts = append(l.parts, Range{p.Offset, p.Length})
	}
	switch {
	case video(f.TransferSyntax):
		l.Frames = 1 // one stream of pictures, of which none stands alone
		l.first = []int{0, len(fragments)}
		return l, nil
	case frames == 1:
		l.first = []int{0, len(fragments)}
		return l, nil
	case len(fragments) == frames:
		l.first = count(frames)
		return l, nil
	}
	known := [][]int{starts(fragments, extendedOffsets(f.Dataset)), starts(fragments, basicOffsets(b.Table)), codeStreams(fragments)}
	for _, starts := range known {
		if len(starts) == frames && starts[0] == 0 {
			l.first = append(starts, len(fragments))
			return l, nil
		}
	}
	return nil, fault.New(fault.Invalid, "%d fragments for %d frames, and no offset table that tells them apart (PS3.5 §A.4)", len(fragments), frames)
}

func count(n int) []int {
	all := make([]int, n+1)
	for i := range all {
		all[i] = i
	}
	return all
}

// video reports whether a transfer syntax is one of MPEG, H.264 or H.265.
func video(transferSyntax string) bool {
	rest, ok := strings.CutPrefix(transferSyntax, "1.2.840.10008.1.2.4.10")
	return ok && rest != ""
}

// extendedOffsets returns the values of the Extended Offset Table (PS3.3 §C.7.6.3.1.8).
func extendedOffsets(d *dicom.Dataset) []uint64 {
	e := d.Get(tag.ExtendedOffsetTable)
	if e == nil {
		return nil
	}
	var all []uint64
	for b := e.Value; len(b) >= 8; b = b[8:] {
		all = append(all, binary.LittleEndian.Uint64(b))
	}
	return all
}

// basicOffsets returns the entries of a basic offset table (PS3.5 §A.4).
func basicOffsets(table []byte) []uint64 {
	var all []uint64
	for b := table; len(b) >= 4; b = b[4:] {
		all = append(all, uint64(binary.LittleEndian.Uint32(b)))
	}
	return all
}

// starts returns the fragments that begin at offsets, which count from the first fragment's item tag. It returns nil when one does not.
func starts(fragments []dicom.Fragment, offsets []uint64) []int {
	var all []int
	const itemHead = 8
	base := fragments[0].Offset - itemHead
	at := 0
	for _, o := range offsets {
		for at < len(fragments) && uint64(fragments[at].Offset-itemHead-base) < o {
			at++
		}
		if at == len(fragments) || uint64(fragments[at].Offset-itemHead-base) != o {
			return nil
		}
		all = append(all, at)
	}
	return all
}

// codeStreams returns the fragments that begin a JPEG, JPEG-LS, JPEG 2000 or JPEG XL code stream.
func codeStreams(fragments []dicom.Fragment) []int {
	var all []int
	for i, f := range fragments {
		box := f.Head == [4]byte{0, 0, 0, 0x0C} // of JP2 or JPEG XL
		marker := f.Head[0] == 0xFF && (f.Head[1] == 0xD8 || f.Head[1] == 0x4F || f.Head[1] == 0x0A)
		if box || marker {
			all = append(all, i)
		}
	}
	return all
}

// layoutFormat is the version of what Append writes.
const layoutFormat = 1

// Append appends the layout in a form for keeping, of a few bytes for native pixel data and about four for each fragment.
func (l *Layout) Append(b []byte) []byte {
	b = append(b, layoutFormat)
	b = binary.AppendUvarint(b, uint64(l.Frames))
	b = binary.AppendUvarint(b, uint64(l.offset))
	b = binary.AppendUvarint(b, uint64(l.bits))
	b = binary.AppendUvarint(b, uint64(len(l.parts)))
	var end int64
	for _, p := range l.parts {
		b = binary.AppendUvarint(b, uint64(p.Offset-end))
		b = binary.AppendUvarint(b, uint64(p.Length))
		end = p.Offset + p.Length
	}
	if l.Encapsulated() {
		for i := range l.Frames {
			b = binary.AppendUvarint(b, uint64(l.first[i+1]-l.first[i]))
		}
	}
	return b
}

// ParseLayout reads what Append wrote.
func ParseLayout(b []byte) (*Layout, error) {
	r := numbers{b: b}
	if version := r.next(); version != layoutFormat {
		return nil, fault.New(fault.Internal, "a frame layout of format %d, which this version does not know", version)
	}
	l := &Layout{Frames: int(r.next()), offset: int64(r.next()), bits: int64(r.next())}
	n := int(r.next())
	if n > len(b) || l.Frames < 0 || n > 0 && l.Frames > len(b) {
		return nil, fault.New(fault.Internal, "a frame layout is damaged")
	}
	if n > 0 {
		l.parts, l.first = make([]Range, n), make([]int, l.Frames+1)
	}
	var end int64
	for i := range l.parts {
		p := Range{Offset: end + int64(r.next())}
		p.Length = int64(r.next())
		l.parts[i], end = p, p.Offset+p.Length
	}
	for i := range l.first[:max(len(l.first)-1, 0)] {
		l.first[i+1] = l.first[i] + int(r.next())
	}
	if r.short || n > 0 && l.first[l.Frames] != n {
		return nil, fault.New(fault.Internal, "a frame layout is damaged")
	}
	return l, nil
}

// numbers reads one number after the other.
type numbers struct {
	b     []byte
	short bool
}

func (r *numbers) next() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.short, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}
