package part10

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// Implementation identifies Salus in the files that it writes (PS3.7 §D.3.3.2). The root is derived from a UUID (PS3.5 §B.2).
const (
	ImplementationClassUID    = "2.25.190716540112862327903474207350962147321"
	ImplementationVersionName = "SALUS_1"
)

// WriteFile writes a file as it is: with its preamble and meta information, and the data set in its transfer syntax. Values that were left
// in their file are copied from there; from may be nil when there are none. A deflated file is to be read whole before, for places in it are those
// of what was inflated. What Read read comes out byte for byte, unless the file broke the
// standard.
func WriteFile(w io.Writer, f *File, from io.ReaderAt) error {
	out := bufio.NewWriterSize(w, readBuffer)
	if f.Preamble != nil {
		out.Write(f.Preamble)
		out.WriteString(signature)
	}
	meta := &writer{out: out, order: binary.LittleEndian}
	if err := meta.elements(f.Meta); err != nil {
		return err
	}
	if err := writeDataset(out, f.Dataset, f.TransferSyntax, from); err != nil {
		return err
	}
	return out.Flush()
}

// WriteDataset writes a data set alone, as in a message. Sequences keep the form of length they were read with.
func WriteDataset(w io.Writer, d *dicom.Dataset, transferSyntax string, from io.ReaderAt) error {
	out := bufio.NewWriterSize(w, readBuffer)
	if err := writeDataset(out, d, transferSyntax, from); err != nil {
		return err
	}
	return out.Flush()
}

func writeDataset(out *bufio.Writer, d *dicom.Dataset, transferSyntax string, from io.ReaderAt) error {
	syntax := SyntaxOf(transferSyntax)
	w := &writer{out: out, syntax: syntax, order: binary.LittleEndian, from: from}
	if syntax.BigEndian {
		w.order = binary.BigEndian
	}
	if !syntax.Deflated {
		return w.elements(d)
	}
	deflate, err := flate.NewWriter(out, flate.DefaultCompression)
	if err != nil {
		return err
	}
	w.out = bufio.NewWriterSize(deflate, readBuffer)
	if err := w.elements(d); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	return deflate.Close()
}

// NewMeta makes the file meta information for a data set (PS3.10 §7.1).
func NewMeta(d *dicom.Dataset, transferSyntax string) (*dicom.Dataset, error) {
	class, err := CheckUID(d, tag.SOPClassUID)
	if err != nil {
		return nil, err
	}
	instance, err := CheckUID(d, tag.SOPInstanceUID)
	if err != nil {
		return nil, err
	}
	m := dicom.New(
		dicom.Element{Tag: tag.FileMetaInformationVersion, VR: dicom.OB, Value: []byte{0, 1}},
		dicom.Text(tag.MediaStorageSOPClassUID, dicom.UI, class),
		dicom.Text(tag.MediaStorageSOPInstanceUID, dicom.UI, instance),
		dicom.Text(tag.TransferSyntaxUID, dicom.UI, transferSyntax),
		dicom.Text(tag.ImplementationClassUID, dicom.UI, ImplementationClassUID),
		dicom.Text(tag.ImplementationVersionName, dicom.SH, ImplementationVersionName),
	)
	SetGroupLength(m)
	return m, nil
}

// Sign notes in file meta information that Salus wrote the file.
func Sign(meta *dicom.Dataset) {
	meta.Set(dicom.Text(tag.ImplementationClassUID, dicom.UI, ImplementationClassUID))
	meta.Set(dicom.Text(tag.ImplementationVersionName, dicom.SH, ImplementationVersionName))
	SetGroupLength(meta)
}

// SetGroupLength sets the length of the file meta information to what its elements take (PS3.10 §7.1).
func SetGroupLength(meta *dicom.Dataset) {
	meta.Remove(func(e *dicom.Element) bool { return e.Tag == tag.FileMetaInformationGroupLength })
	w := &writer{}
	var n int64
	for i := range meta.Elements {
		n += w.size(&meta.Elements[i])
	}
	meta.Elements = slices.Insert(meta.Elements, 0, dicom.Uint32(tag.FileMetaInformationGroupLength, uint32(n)))
}

// writer writes elements.
type writer struct {
	out    *bufio.Writer
	syntax Syntax
	order  binary.AppendByteOrder
	from   io.ReaderAt // where bulk values are
	head   [12]byte
}

// Errors of the buffered writer stay in it until it is flushed; only those of reading are looked at here.
func (w *writer) elements(d *dicom.Dataset) error {
	for i := range d.Elements {
		if err := w.element(&d.Elements[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) element(e *dicom.Element) error {
	length := w.length(e)
	if length > undefined || length == undefined && !e.Undefined {
		return fault.New(fault.TooLarge, "%s: %d bytes do not fit into one element (PS3.5 §7.1)", e.Tag, length)
	}
	if w.short(e) && length > 0xFFFF {
		return fault.New(fault.TooLarge, "%s: %d bytes do not fit into an element of VR %s (PS3.5 §7.1.2)", e.Tag, length, e.VR)
	}
	w.out.Write(w.begin(e, length))
	switch {
	case e.Bulk != nil && e.Bulk.Fragments != nil:
		return w.fragments(e.Bulk)
	case e.Bulk != nil:
		return w.copy(e.Bulk.Offset, e.Bulk.Length)
	case e.Items != nil:
		return w.items(e)
	}
	if width := e.VR.Width(); w.syntax.BigEndian && width > 1 {
		value := slices.Clone(e.Value)
		swap(value, width)
		w.out.Write(value)
		return nil
	}
	w.out.Write(e.Value)
	return nil
}

// short reports whether the length is written in two bytes.
func (w *writer) short(e *dicom.Element) bool { return !w.syntax.Implicit && !e.VR.Long() }

// begin makes the head of an element.
func (w *writer) begin(e *dicom.Element, length int64) []byte {
	b := w.tag(w.head[:0], e.Tag)
	switch {
	case w.syntax.Implicit:
		return w.order.AppendUint32(b, uint32(length))
	case !e.VR.Long():
		return w.order.AppendUint16(append(b, byte(e.VR>>8), byte(e.VR)), uint16(length))
	}
	return w.order.AppendUint32(append(b, byte(e.VR>>8), byte(e.VR), 0, 0), uint32(length))
}

func (w *writer) tag(b []byte, t dicom.Tag) []byte {
	return w.order.AppendUint16(w.order.AppendUint16(b, t.Group()), t.Element())
}

// mark writes the head of an item or a delimiter.
func (w *writer) mark(t dicom.Tag, length int64) {
	w.out.Write(w.order.AppendUint32(w.tag(w.head[:0], t), uint32(length)))
}

func (w *writer) items(e *dicom.Element) error {
	inner := *w
	if e.VR == dicom.UN {
		// Items of what is unknown are implicit VR little endian (PS3.5 §6.2.2 note 4).
		inner.syntax, inner.order = Syntax{Implicit: true}, binary.LittleEndian
	}
	for _, item := range e.Items {
		if item.Undefined {
			inner.mark(dicom.ItemTag, undefined)
		} else {
			inner.mark(dicom.ItemTag, inner.content(item))
		}
		if err := inner.elements(item); err != nil {
			return err
		}
		if item.Undefined {
			inner.mark(dicom.ItemDelimitation, 0)
		}
	}
	if e.Undefined {
		inner.mark(dicom.SequenceDelimitation, 0)
	}
	return nil
}

func (w *writer) fragments(b *dicom.Bulk) error {
	for _, f := range b.Fragments {
		w.mark(dicom.ItemTag, f.Length)
		if err := w.copy(f.Offset, f.Length); err != nil {
			return err
		}
	}
	w.mark(dicom.SequenceDelimitation, 0)
	return nil
}

func (w *writer) copy(offset, length int64) error {
	if length == 0 {
		return nil
	}
	n, err := io.Copy(w.out, io.NewSectionReader(w.from, offset, length))
	if err == nil && n < length {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// length returns what stands in the head of an element: undefined for what ends with a delimiter.
func (w *writer) length(e *dicom.Element) int64 {
	switch {
	case e.Undefined:
		return undefined
	case e.Bulk != nil:
		return e.Bulk.Length
	case e.Items != nil:
		var n int64
		for _, item := range e.Items {
			n += 8 + w.content(item)
			if item.Undefined {
				n += 8
			}
		}
		return n
	}
	return int64(len(e.Value))
}

// content returns how many bytes the elements of an item take.
func (w *writer) content(d *dicom.Dataset) int64 {
	var n int64
	for i := range d.Elements {
		n += w.size(&d.Elements[i])
	}
	return n
}

// size returns how many bytes an element takes with its head and delimiter.
func (w *writer) size(e *dicom.Element) int64 {
	n := int64(8)
	if !w.syntax.Implicit && e.VR.Long() {
		n = 12
	}
	if !e.Undefined {
		return n + w.length(e)
	}
	inner := *w
	if e.VR == dicom.UN {
		inner.syntax.Implicit = true
	}
	for _, item := range e.Items {
		n += 8 + inner.content(item)
		if item.Undefined {
			n += 8
		}
	}
	if e.Bulk != nil {
		for _, f := range e.Bulk.Fragments {
			n += 8 + f.Length
		}
	}
	return n + 8
}
