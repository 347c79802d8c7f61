// Package part10 reads and writes DICOM files (PS3.10 §7) and the data sets in them and in messages (PS3.5 §7, annex A).
//
// Reading is one pass over a stream with memory that depends on the elements and not on the pixels: values above a limit, and pixel
// data of any size, are passed over and known by their place. No length that a file claims is believed before its bytes have come. Files
// that break the standard in ways that are common and harmless are read; what was odd is kept, so that a file can be written again
// byte for byte. A file that cannot be understood gives a fault that names the byte, the tag and the rule, and never a value.
//
// Frames of pixel data are found here, but not decoded: see pixel.
package part10

import (
	"fmt"

	"salus/dicom"
	"salus/dicom/uid"
	"salus/fault"
)

// File is what was read of a DICOM file.
type File struct {
	Preamble       []byte         // the 128 bytes before DICM; nil when the file has none
	Meta           *dicom.Dataset // group 0002; empty when the file has none
	TransferSyntax string         // of the data set; found out from the bytes when the file does not say
	Dataset        *dicom.Dataset
	Start          int64 // where the data set begins, in bytes from the beginning of the file
	Size           int64 // bytes read; of the data set inflated when it is deflated
}

// Options change how much is read.
type Options struct {
	// Large is the number of bytes above which a value is left where it is; 0 means DefaultLarge. Pixel data is always left, unless
	// Whole is set.
	Large int64
	// Whole keeps every value in memory, up to Memory; encapsulated pixel data is left also then.
	Whole bool
	// Memory bounds the bytes that elements take; 0 means DefaultMemory.
	Memory int64
	// Until ends reading before the first element at the top with this tag or a greater one; 0 reads all.
	Until dicom.Tag
}

// Limits that hold when Options do not say otherwise.
const (
	DefaultLarge  = 64 << 10
	DefaultMemory = 512 << 20
	maxDepth      = 64 // sequences in sequences
)

// Syntax is how a transfer syntax writes elements (PS3.5 annex A).
type Syntax struct {
	Implicit     bool // VRs are not written
	BigEndian    bool
	Deflated     bool
	Encapsulated bool // pixel data is in fragments
}

// SyntaxOf returns how a transfer syntax writes elements. Those that are not known encapsulate, as every one since 1996 does.
func SyntaxOf(transferSyntax string) Syntax {
	switch transferSyntax {
	case uid.ImplicitVRLittleEndian, PrivateGE:
		return Syntax{Implicit: true}
	case uid.ExplicitVRLittleEndian:
		return Syntax{}
	case uid.ExplicitVRBigEndian:
		return Syntax{BigEndian: true}
	case uid.DeflatedExplicitVRLittleEndian, uid.JPIPReferencedDeflate, uid.JPIPHTJ2KReferencedDeflate:
		return Syntax{Deflated: true}
	case uid.JPIPReferenced, uid.JPIPHTJ2KReferenced:
		return Syntax{}
	}
	return Syntax{Encapsulated: true}
}

// PrivateGE is a transfer syntax of one maker: implicit VR, little endian but for native pixel data, which is big endian.
const PrivateGE = "1.2.840.113619.5.2"

// broken makes the fault for bytes that break a rule.
func broken(at int64, t dicom.Tag, format string, args ...any) error {
	f := fault.New(fault.Invalid, format, args...)
	where := fmt.Sprintf("byte %d", at)
	if t != 0 {
		where += ", " + t.String()
	}
	f.Message = where + ": " + f.Message
	f.Issues = []fault.Issue{{Severity: fault.Error, Code: "structure", Text: f.Message, Location: where}}
	return f
}
