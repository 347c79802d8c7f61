package part10

import (
	"bytes"
	"compress/flate"
	"io"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

const (
	undefined  = 0xFFFFFFFF // length of what ends with a delimiter (PS3.5 §7.1.1)
	preamble   = 128
	signature  = "DICM"
	metaGroup  = 0x0002
	readBuffer = 32 << 10
)

// Read reads a DICOM file from its beginning. Files without preamble, or without file meta information, are read too: their transfer
// syntax is found out. When r is at its end before the first element, the fault says that there is nothing.
func Read(r io.Reader, o Options) (*File, error) {
	in := newSource(r)
	f := &File{Meta: &dicom.Dataset{}}
	head, _ := in.peek(preamble + len(signature))
	switch {
	case len(head) == 0:
		if err := in.err; err != nil && err != io.EOF {
			return nil, err
		}
		return nil, broken(0, 0, "the file is empty (PS3.10 §7.1)")
	case len(head) == preamble+len(signature) && string(head[preamble:]) == signature:
		f.Preamble = bytes.Clone(head[:preamble])
		in.skip(preamble + int64(len(signature)))
	case bytes.HasPrefix(head, []byte(signature)):
		in.skip(int64(len(signature)))
	}
	if err := readMeta(in, f, o); err != nil {
		return nil, err
	}
	f.Start = in.pos

	syntax := SyntaxOf(f.TransferSyntax)
	if f.TransferSyntax == "" {
		var err error
		if f.TransferSyntax, err = guess(in, f.Preamble != nil); err != nil {
			return nil, err
		}
		syntax = SyntaxOf(f.TransferSyntax)
	}
	if syntax.Deflated {
		// What comes before is not deflated, and places are counted in the data set as it is inflated.
		in = newSource(flate.NewReader(in.buffered))
	}
	d, err := newReader(in, syntax, o).top()
	if err != nil {
		return nil, err
	}
	f.Dataset, f.Size = d, in.pos
	return f, nil
}

// ReadDataset reads a data set that stands alone, as in a message (PS3.5 §7). Places of bulk values are from its first byte.
func ReadDataset(r io.Reader, transferSyntax string, o Options) (*dicom.Dataset, error) {
	syntax := SyntaxOf(transferSyntax)
	in := newSource(r)
	if syntax.Deflated {
		in = newSource(flate.NewReader(in.buffered))
	}
	return newReader(in, syntax, o).top()
}

// readMeta reads the file meta information, which is always explicit VR little endian, by its group and not by the length that it
// claims, since that is often wrong (PS3.10 §7.1).
func readMeta(in *source, f *File, o Options) error {
	o.Until = 0
	r := newReader(in, Syntax{}, o)
	for {
		head, _ := in.peek(4)
		if len(head) < 4 || head[0] != metaGroup || head[1] != 0 {
			break
		}
		if len(f.Meta.Elements) == 0 {
			r.syntax.Implicit = r.looksImplicit()
		}
		e, err := r.element(f.Meta, -1)
		if err != nil {
			return err
		}
		f.Meta.Append(e)
	}
	f.TransferSyntax = f.Meta.String(tag.TransferSyntaxUID)
	return nil
}

// guess finds out how a data set is written whose file does not say (PS3.5 §A): by its first element. Sure says that it is a DICOM file
// by its beginning, so that it is implicit VR when nothing speaks against it.
func guess(in *source, sure bool) (string, error) {
	head, _ := in.peek(8)
	if len(head) < 8 {
		return "", broken(in.pos, 0, "this is no DICOM file: there is neither a preamble with DICM nor a data element (PS3.10 §7.1)")
	}
	big := head[0] == 0 && head[1] != 0 && head[1] < 0x30
	explicit := dicom.VR(head[4])<<8|dicom.VR(head[5]) != 0 && (dicom.VR(head[4])<<8 | dicom.VR(head[5])).Known()
	first := dicom.Tag(head[1])<<24 | dicom.Tag(head[0])<<16 | dicom.Tag(head[3])<<8 | dicom.Tag(head[2])
	if big {
		first = dicom.Tag(head[0])<<24 | dicom.Tag(head[1])<<16 | dicom.Tag(head[2])<<8 | dicom.Tag(head[3])
	}
	_, known := dicom.Lookup(first)
	switch {
	case explicit && big:
		return uid.ExplicitVRBigEndian, nil
	case explicit:
		return uid.ExplicitVRLittleEndian, nil
	case (known || sure) && !big:
		return uid.ImplicitVRLittleEndian, nil
	}
	return "", broken(in.pos, 0, "this is no DICOM file: there is neither a preamble with DICM nor a data element (PS3.10 §7.1)")
}

// CheckUID returns a fault when a UID that structures the archive is missing or malformed.
func CheckUID(d *dicom.Dataset, t dicom.Tag) (string, error) {
	s := d.String(t)
	if !dicom.ValidUID(s) {
		return "", fault.New(fault.Invalid, "%s is missing or is no UID (PS3.5 §9.1)", t)
	}
	return s, nil
}
