package codectest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"salus/dicom/pixel/codec"
)

// Image is the pixel data of a DICOM file in explicit VR little endian.
type Image struct {
	Path           string
	TransferSyntax string
	Shape          codec.Shape
	BitsAllocated  int
	BitsStored     int
	Photometric    string
	Planar         int      // planar configuration
	Fragments      [][]byte // of encapsulated pixel data, without the basic offset table
	Native         []byte   // of pixel data that is not encapsulated
}

// The elements of an Image, by group and element.
const (
	tagSyntax      = 0x00020010
	tagComponents  = 0x00280002
	tagPhotometric = 0x00280004
	tagPlanar      = 0x00280006
	tagRows        = 0x00280010
	tagColumns     = 0x00280011
	tagAllocated   = 0x00280100
	tagStored      = 0x00280101
	tagHighBit     = 0x00280102
	tagSigned      = 0x00280103
	tagPixelData   = 0x7FE00010
	tagItem        = 0xFFFEE000
	tagItemEnd     = 0xFFFEE00D
	tagSequenceEnd = 0xFFFEE0DD
)

const undefined = 0xFFFFFFFF

// ReadImage reads a file whose data set is explicit VR little endian, as every encapsulated one is (PS3.5 §A.4).
func ReadImage(path string) (*Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < 132 || string(data[128:132]) != "DICM" {
		return nil, fmt.Errorf("%s has no preamble", path)
	}
	r := elements{data: data, pos: 132}
	image := &Image{Path: path, Shape: codec.Shape{Components: 1}}
	for r.next() && r.tag != tagPixelData {
		image.set(r.tag, r.value)
	}
	if r.tag != tagPixelData {
		return nil, fmt.Errorf("%s has no pixel data that this reader finds", path)
	}
	if r.length != undefined {
		image.Native = r.value
		return image, nil
	}
	image.Fragments = r.fragments()
	return image, nil
}

func (m *Image) set(tag uint32, value []byte) {
	number := func() int {
		if len(value) < 2 {
			return 0
		}
		return int(binary.LittleEndian.Uint16(value))
	}
	text := func() string { return strings.TrimRight(string(value), " \x00") }
	switch tag {
	case tagSyntax:
		m.TransferSyntax = text()
	case tagComponents:
		m.Shape.Components = number()
	case tagPhotometric:
		m.Photometric = text()
	case tagPlanar:
		m.Planar = number()
	case tagRows:
		m.Shape.Rows = number()
	case tagColumns:
		m.Shape.Columns = number()
	case tagAllocated:
		m.BitsAllocated = number()
	case tagStored:
		m.BitsStored = number()
	}
}

// Streams returns the code streams of so many frames: each is a fragment, or a single one is in all of them. It is nil if there is another
// number of fragments.
func (m *Image) Streams(frames int) [][]byte {
	switch frames {
	case len(m.Fragments):
		return m.Fragments
	case 1:
		return [][]byte{bytes.Join(m.Fragments, nil)}
	}
	return nil
}

// FrameBytes returns the size of one frame that is not compressed.
func (m *Image) FrameBytes() int { return m.Shape.Samples() * m.BitsAllocated / 8 }

// elements walks over the top level of a data set.
type elements struct {
	data   []byte
	pos    int
	tag    uint32
	length uint32
	value  []byte // of a defined length
}

func (r *elements) next() bool {
	if r.pos+12 > len(r.data) {
		return false
	}
	head := r.data[r.pos:]
	r.tag = tagAt(head)
	r.length, r.pos = uint32(binary.LittleEndian.Uint16(head[6:])), r.pos+8
	if strings.Contains("OB OD OF OL OV OW SQ SV UC UN UR UT UV", string(head[4:6])) {
		r.length, r.pos = binary.LittleEndian.Uint32(head[8:]), r.pos+4
	}
	if r.length == undefined {
		return r.tag == tagPixelData || r.skipItems()
	}
	end := uint64(r.pos) + uint64(r.length)
	if end > uint64(len(r.data)) {
		return false
	}
	r.value, r.pos = r.data[r.pos:end], int(end)
	return true
}

// skipItems passes over a sequence of undefined length.
func (r *elements) skipItems() bool {
	for r.pos+8 <= len(r.data) {
		tag, length := tagAt(r.data[r.pos:]), binary.LittleEndian.Uint32(r.data[r.pos+4:])
		r.pos += 8
		switch {
		case tag == tagSequenceEnd:
			r.tag = 0
			return true
		case length != undefined:
			r.pos += int(length)
			continue
		}
		for r.pos+8 <= len(r.data) && tagAt(r.data[r.pos:]) != tagItemEnd {
			if !r.next() {
				return false
			}
		}
		r.pos += 8
	}
	return false
}

// fragments returns the items of encapsulated pixel data after the first, which is the basic offset table (PS3.5 §A.4).
func (r *elements) fragments() [][]byte {
	var items [][]byte
	for r.pos+8 <= len(r.data) && tagAt(r.data[r.pos:]) == tagItem {
		length := int(binary.LittleEndian.Uint32(r.data[r.pos+4:]))
		r.pos += 8
		items = append(items, r.data[r.pos:r.pos+length])
		r.pos += length
	}
	return items[1:]
}

func tagAt(b []byte) uint32 {
	return uint32(binary.LittleEndian.Uint16(b))<<16 | uint32(binary.LittleEndian.Uint16(b[2:]))
}

// Write writes the image as a file of one frame: its only fragment if it has one, else its native pixel data.
func (m *Image) Write(path string) error {
	const secondaryCapture, instance = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
	file := append(make([]byte, 128), "DICM"...)
	file = appendElement(file, 0x00020002, "UI", secondaryCapture)
	file = appendElement(file, 0x00020003, "UI", instance)
	file = appendElement(file, tagSyntax, "UI", m.TransferSyntax)
	file = appendElement(file, 0x00080016, "UI", secondaryCapture)
	file = appendElement(file, 0x00080018, "UI", instance)
	file = appendNumber(file, tagComponents, m.Shape.Components)
	file = appendElement(file, tagPhotometric, "CS", m.Photometric)
	if m.Shape.Components > 1 {
		file = appendNumber(file, tagPlanar, m.Planar)
	}
	file = appendNumber(file, tagRows, m.Shape.Rows)
	file = appendNumber(file, tagColumns, m.Shape.Columns)
	file = appendNumber(file, tagAllocated, m.BitsAllocated)
	file = appendNumber(file, tagStored, m.BitsStored)
	file = appendNumber(file, tagHighBit, m.BitsStored-1)
	file = appendNumber(file, tagSigned, 0)
	if m.Fragments == nil {
		return os.WriteFile(path, appendBytes(append(file, "\xE0\x7F\x10\x00OW\x00\x00"...), m.Native), 0o600)
	}
	file = append(file, "\xE0\x7F\x10\x00OB\x00\x00\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\x00\x00\x00\x00\xFE\xFF\x00\xE0"...)
	file = appendBytes(file, m.Fragments[0])
	file = append(file, "\xFE\xFF\xDD\xE0\x00\x00\x00\x00"...)
	return os.WriteFile(path, file, 0o600)
}

// appendBytes appends a length and bytes, padded to even length.
func appendBytes(file, value []byte) []byte {
	file = binary.LittleEndian.AppendUint32(file, uint32(len(value)+len(value)%2))
	return append(append(file, value...), make([]byte, len(value)%2)...)
}

// appendElement appends an element with a short length in explicit VR little endian (PS3.5 §7.1.2).
func appendElement(file []byte, tag uint32, vr, value string) []byte {
	if len(value)%2 != 0 && vr == "UI" {
		value += "\x00"
	} else if len(value)%2 != 0 {
		value += " "
	}
	file = binary.LittleEndian.AppendUint16(file, uint16(tag>>16))
	file = binary.LittleEndian.AppendUint16(file, uint16(tag))
	file = append(file, vr...)
	file = binary.LittleEndian.AppendUint16(file, uint16(len(value)))
	return append(file, value...)
}

func appendNumber(file []byte, tag uint32, v int) []byte {
	return appendElement(file, tag, "US", string([]byte{byte(v), byte(v >> 8)}))
}
