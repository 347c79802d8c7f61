package dicom

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Tag identifies an attribute: its group in the upper, its element in the lower 16 bits (PS3.5 §7.1.1).
type Tag uint32

// The tags that structure a data set (PS3.5 §7.5).
const (
	ItemTag              Tag = 0xFFFEE000
	ItemDelimitation     Tag = 0xFFFEE00D
	SequenceDelimitation Tag = 0xFFFEE0DD
)

// The tags that this package itself reads.
const (
	specificCharacterSet Tag = 0x00080005
	pixelRepresentation  Tag = 0x00280103
	bitsAllocated        Tag = 0x00280100
	PixelDataTag         Tag = 0x7FE00010
	floatPixelData       Tag = 0x7FE00008
	doublePixelData      Tag = 0x7FE00009
	dataSetTrailing      Tag = 0xFFFCFFFC
)

// Group returns the group number.
func (t Tag) Group() uint16 { return uint16(t >> 16) }

// Element returns the number within the group.
func (t Tag) Element() uint16 { return uint16(t) }

// String returns the tag as the standard prints it, such as (0010,0020).
func (t Tag) String() string {
	h := t.Hex()
	return "(" + strings.ToLower(h[:4]) + "," + strings.ToLower(h[4:]) + ")"
}

// Hex returns the tag as DICOM JSON and DICOMweb write it: eight digits in upper case (PS3.18 §F.2.2).
func (t Tag) Hex() string {
	const digits = "0123456789ABCDEF"
	var b [8]byte
	for i := range b {
		b[i] = digits[t>>(28-4*i)&15]
	}
	return string(b[:])
}

// Private reports whether the tag is of a private group (PS3.5 §7.8).
func (t Tag) Private() bool { return t.Group()&1 == 1 }

// Creator reports whether the tag reserves a block of private tags, as (gggg,0010) to (gggg,00FF) do.
func (t Tag) Creator() bool { return t.Private() && t.Element() >= 0x10 && t.Element() <= 0xFF }

// CreatorOf returns the tag of the element that reserves the block of a private tag (PS3.5 §7.8.1), or 0 when there is none.
func (t Tag) CreatorOf() Tag {
	if !t.Private() || t.Element() < 0x1000 {
		return 0
	}
	return t&0xFFFF0000 | t>>8&0xFF
}

// GroupLength reports whether the tag is that of a group's length, which says nothing of the patient or the image.
func (t Tag) GroupLength() bool { return t.Element() == 0 }

// PixelData reports whether the tag is one of the three that hold an image's samples (PS3.3 §C.7.6.3).
func (t Tag) PixelData() bool {
	return t == PixelDataTag || t == floatPixelData || t == doublePixelData
}

// ParseTag reads a keyword, such as PatientID, or eight hexadecimal digits. ok is false for anything else.
func ParseTag(s string) (t Tag, ok bool) {
	if len(s) == 8 {
		if n, err := strconv.ParseUint(s, 16, 32); err == nil {
			return Tag(n), true
		}
	}
	i, found := slices.BinarySearchFunc(byKeyword[:], s, func(at uint16, keyword string) int {
		return cmp.Compare(attributes[at].Keyword, keyword)
	})
	if !found {
		return 0, false
	}
	return attributes[byKeyword[i]].Tag, true
}

// Attribute is what the data dictionary says of a tag.
type Attribute struct {
	Tag     Tag
	VR      VR
	Or      string // further VRs that the standard allows, separated by slashes
	VM      string // how many values, such as 1, 1-n or 2-2n
	Keyword string // empty for tags that the standard took back
	Name    string
	Retired bool
}

// Lookup returns what the dictionary knows of a tag that is not private. Group lengths and private creators are known too.
func Lookup(t Tag) (Attribute, bool) {
	i, found := slices.BinarySearchFunc(attributes[:], t, func(a Attribute, t Tag) int { return cmp.Compare(a.Tag, t) })
	if found {
		return attributes[i], true
	}
	switch {
	case t.Creator():
		return Attribute{Tag: t, VR: LO, VM: "1", Name: "Private Creator"}, true
	case t.GroupLength():
		return Attribute{Tag: t, VR: UL, VM: "1", Name: "Group Length"}, true
	case t.Private():
		return Attribute{}, false
	}
	for i := range repeating {
		if r := &repeating[i]; t&r.mask == r.Tag {
			a := r.Attribute
			a.Tag = t
			return a, true
		}
	}
	return Attribute{}, false
}

// Keyword returns a tag's keyword, or its eight digits where it has none.
func (t Tag) Keyword() string {
	if a, ok := Lookup(t); ok && a.Keyword != "" {
		return a.Keyword
	}
	return t.Hex()
}
