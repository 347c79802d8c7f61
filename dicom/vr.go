package dicom

// VR is a value representation (PS3.5 §6.2): its two letters, the first in the upper byte. Zero means that none is known.
type VR uint16

// The value representations.
const (
	AE VR = 'A'<<8 | 'E' // application entity
	AS VR = 'A'<<8 | 'S' // age
	AT VR = 'A'<<8 | 'T' // attribute tag
	CS VR = 'C'<<8 | 'S' // code
	DA VR = 'D'<<8 | 'A' // date
	DS VR = 'D'<<8 | 'S' // decimal as text
	DT VR = 'D'<<8 | 'T' // date and time
	FD VR = 'F'<<8 | 'D' // double
	FL VR = 'F'<<8 | 'L' // float
	IS VR = 'I'<<8 | 'S' // integer as text
	LO VR = 'L'<<8 | 'O' // long string
	LT VR = 'L'<<8 | 'T' // long text
	OB VR = 'O'<<8 | 'B' // bytes
	OD VR = 'O'<<8 | 'D' // doubles
	OF VR = 'O'<<8 | 'F' // floats
	OL VR = 'O'<<8 | 'L' // 32-bit words
	OV VR = 'O'<<8 | 'V' // 64-bit words
	OW VR = 'O'<<8 | 'W' // 16-bit words
	PN VR = 'P'<<8 | 'N' // person name
	SH VR = 'S'<<8 | 'H' // short string
	SL VR = 'S'<<8 | 'L' // signed 32 bits
	SQ VR = 'S'<<8 | 'Q' // sequence of items
	SS VR = 'S'<<8 | 'S' // signed 16 bits
	ST VR = 'S'<<8 | 'T' // short text
	SV VR = 'S'<<8 | 'V' // signed 64 bits
	TM VR = 'T'<<8 | 'M' // time
	UC VR = 'U'<<8 | 'C' // unlimited characters
	UI VR = 'U'<<8 | 'I' // unique identifier
	UL VR = 'U'<<8 | 'L' // unsigned 32 bits
	UN VR = 'U'<<8 | 'N' // unknown
	UR VR = 'U'<<8 | 'R' // URI
	US VR = 'U'<<8 | 'S' // unsigned 16 bits
	UT VR = 'U'<<8 | 'T' // unlimited text
	UV VR = 'U'<<8 | 'V' // unsigned 64 bits
)

// vrTraits is what the standard says of a value representation.
type vrTraits uint8

const (
	known      vrTraits = 1 << iota
	long                // four bytes of length in explicit VR (PS3.5 §7.1.2)
	text                // characters
	extendable          // characters of the set that the data set names (PS3.5 §6.1.2.2)
	single              // a backslash is a character like any other
	bulk                // bytes or words without a meaning of their own
)

var traits = map[VR]vrTraits{
	AE: text, AS: text, CS: text, DA: text, DS: text, DT: text, IS: text, TM: text, UI: text,
	LO: text | extendable, PN: text | extendable, SH: text | extendable, UC: text | extendable | long,
	LT: text | extendable | single, ST: text | extendable | single, UT: text | extendable | single | long, UR: text | single | long,
	AT: 0, FD: 0, FL: 0, SL: 0, SS: 0, UL: 0, US: 0, SV: long, UV: long, SQ: long,
	OB: bulk | long, OD: bulk | long, OF: bulk | long, OL: bulk | long, OV: bulk | long, OW: bulk | long, UN: bulk | long,
}

// traitsOf is traits by a perfect hash of two capital letters, since every element that is read asks.
var traitsOf = func() (t [32 * 32]vrTraits) {
	for vr, is := range traits {
		t[vrSlot(vr)] = is | known
	}
	return t
}()

func vrSlot(v VR) int { return int(v>>8&31)<<5 | int(v&31) }

func (v VR) is(t vrTraits) bool { return v.letters() && traitsOf[vrSlot(v)]&t != 0 }

func (v VR) letters() bool { return v>>8 >= 'A' && v>>8 <= 'Z' && v&0xFF >= 'A' && v&0xFF <= 'Z' }

// Known reports whether the standard has this VR.
func (v VR) Known() bool { return v.is(known) }

// Letters reports whether the VR is two capital letters, as all are, also those that later editions may add.
func (v VR) Letters() bool { return v.letters() }

// Long reports whether explicit VR writes the length in four bytes after two reserved ones (PS3.5 §7.1.2). VRs that are not known do.
func (v VR) Long() bool { return v.is(long) || !v.Known() }

// Text reports whether values are characters.
func (v VR) Text() bool { return v.is(text) }

// Extendable reports whether the characters are of the set that Specific Character Set names.
func (v VR) Extendable() bool { return v.is(extendable) }

// Single reports whether an element has only one value, in which a backslash is a character like any other.
func (v VR) Single() bool { return v.is(single) }

// Bulk reports whether values are bytes or words, or unknown: what DICOM JSON does not write as values (PS3.18 §F.2.6).
func (v VR) Bulk() bool { return v.is(bulk) }

// Width returns how many bytes one number takes whose order of bytes matters; 1 for everything else (PS3.5 §7.3).
func (v VR) Width() int {
	switch v {
	case SS, US, OW, AT:
		return 2
	case FL, OF, SL, UL, OL:
		return 4
	case FD, OD, SV, UV, OV:
		return 8
	}
	return 1
}

// Padding returns the byte that makes an odd value even (PS3.5 §6.2).
func (v VR) Padding() byte {
	if v.Text() && v != UI {
		return ' '
	}
	return 0
}

// String returns the two letters.
func (v VR) String() string { return string([]byte{byte(v >> 8), byte(v)}) }

// ParseVR reads the two letters of a VR that the standard has.
func ParseVR(s string) (VR, bool) {
	if len(s) != 2 {
		return 0, false
	}
	v := VR(s[0])<<8 | VR(s[1])
	return v, v.Known()
}
