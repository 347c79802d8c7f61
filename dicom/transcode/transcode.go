// Package transcode writes DICOM files and single frames in another transfer syntax (PS3.5 annex A, PS3.18 §8.7.3).
//
// What is native is turned into each other while it passes; compressed frames are decoded and encoded one by one. Pixels keep their values, unless
// the target is lossy, which the data set then says. JPEG 2000, HTJ2K, video and whatever is not known pass through unchanged or not at all.
package transcode

import (
	"io"

	"salus/dicom"
	"salus/dicom/part10"
	"salus/dicom/pixel"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// native are the transfer syntaxes whose pixel data is not compressed.
var native = map[string]bool{
	uid.ImplicitVRLittleEndian: true, uid.ExplicitVRLittleEndian: true, uid.ExplicitVRBigEndian: true, uid.DeflatedExplicitVRLittleEndian: true,
}

// targets are those that can be written.
var targets = map[string]bool{
	uid.ImplicitVRLittleEndian: true, uid.ExplicitVRLittleEndian: true, uid.RLELossless: true, uid.JPEGLossless: true, uid.JPEGLosslessSV1: true,
	uid.JPEGLSLossless: true, uid.JPEGBaseline8Bit: true,
}

// Can reports whether instances in one transfer syntax can be written in another. For a lossy target it depends on the instance besides.
func Can(from, to string) bool {
	return from == to || targets[to] && (native[from] || pixel.Decodes(from))
}

// SameFrames reports whether the bytes of frames are the same in two transfer syntaxes.
func SameFrames(from, to string) bool {
	return from == to || native[from] && native[to] && from != uid.ExplicitVRBigEndian && to != uid.ExplicitVRBigEndian
}

// Frame writes one frame, which is given as its file has it, in another transfer syntax. f is the file's data set. Faults are NotAcceptable.
func Frame(f *part10.File, data []byte, to string) ([]byte, error) {
	if SameFrames(f.TransferSyntax, to) {
		return data, nil
	}
	if !Can(f.TransferSyntax, to) {
		return nil, fault.New(fault.NotAcceptable, "frames in transfer syntax %s cannot be written as %s", f.TransferSyntax, to)
	}
	decoded, err := pixel.Decode(f, data)
	if err != nil {
		return nil, err
	}
	if native[to] {
		return decoded.Native(), nil
	}
	return encode(decoded, to)
}

// To writes a file in another transfer syntax. Faults are NotAcceptable when that is not possible, and may come after something was written.
func To(w io.Writer, src io.ReaderAt, size int64, to string) error {
	f, from, err := converted(src, size, to)
	if err != nil {
		return err
	}
	f.Meta.Set(dicom.Text(tag.TransferSyntaxUID, dicom.UI, to))
	part10.SetGroupLength(f.Meta)
	f.TransferSyntax = to
	return part10.WriteFile(w, f, from)
}

// DatasetTo writes only the data set of a file, as messages have it (PS3.7 §6.3.2).
func DatasetTo(w io.Writer, src io.ReaderAt, size int64, to string) error {
	f, from, err := converted(src, size, to)
	if err != nil {
		return err
	}
	return part10.WriteDataset(w, f.Dataset, to, from)
}

// converted reads a file and makes its data set one in another transfer syntax, whose bulk values are then in what is returned beside it.
func converted(src io.ReaderAt, size int64, to string) (*part10.File, io.ReaderAt, error) {
	f, err := part10.Read(io.NewSectionReader(src, 0, size), part10.Options{})
	if err != nil {
		return nil, nil, err
	}
	if !Can(f.TransferSyntax, to) {
		return nil, nil, fault.New(fault.NotAcceptable, "transfer syntax %s cannot be written as %s", f.TransferSyntax, to)
	}
	if part10.SyntaxOf(f.TransferSyntax).Deflated {
		// Places in a deflated file are in what was inflated.
		if f, err = part10.Read(io.NewSectionReader(src, 0, size), part10.Options{Whole: true}); err != nil {
			return nil, nil, err
		}
	}
	from, err := convert(f, src, to)
	return f, from, err
}

// convert changes the data set for another transfer syntax, and returns from where its bulk values are then to be read.
func convert(f *part10.File, src io.ReaderAt, to string) (io.ReaderAt, error) {
	e := f.Dataset.Get(tag.PixelData)
	switch {
	case f.TransferSyntax == to:
		return src, nil
	case native[f.TransferSyntax] && native[to]:
		if part10.SyntaxOf(f.TransferSyntax).BigEndian {
			return swapped(f.Dataset, src), nil
		}
		return src, nil
	case e == nil:
		return src, nil // there is nothing to compress or decompress
	}
	layout, err := part10.LayoutOf(f)
	if err != nil {
		return nil, fault.Wrap(fault.NotAcceptable, err, "%s", fault.As(err).Message)
	}
	if layout == nil {
		return src, nil
	}
	p := &pixels{src: src, file: f, layout: layout, to: to}
	if p.source = *f; native[f.TransferSyntax] && e.Bulk == nil {
		p.whole = e.Value // of a deflated file
	}
	return p.replace(e)
}
