package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"salus/blob"
	"salus/dicom"
	"salus/dicom/gzipped"
	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/dicom/uid"
	"salus/fault"
)

// Reasons of failures and warnings (PS3.18 §I.2, and the reference service's).
const (
	ProcessingFailure  uint16 = 272   // 0110: also a file that cannot be read
	ValidationFailure  uint16 = 43264 // A900
	AlreadyExists      uint16 = 45070 // B00E
	ClassMismatch      uint16 = 45063 // B007: the data set does not match its SOP class
	CoercionOfElements uint16 = 1     // stored, but some attributes did not validate
)

// Rules are what Store demands of an instance.
type Rules struct {
	Partition string
	Study     string // the study that it must belong to; empty for any
	Replace   bool   // it takes the place of one with the same UIDs
	// Strict refuses an instance when an attribute that searches compare is invalid, as version 1 of the reference service does; otherwise it is
	// stored with a warning.
	Strict bool
	// Expires is when the study is to be deleted; zero for never. What is stored last into a study decides.
	Expires time.Time
}

// Outcome says what became of an instance.
type Outcome struct {
	index.UIDs
	SOPClass string
	Failure  uint16   // 0 when it is stored
	Warning  uint16   // 0 when there is none
	Comments []string // what was wrong with its attributes
	Multiple bool     // an attribute that searches compare has several values, of which they see the first

	invalid map[*dicom.Element]bool // those that are left out of the metadata
}

// Store reads a DICOM file and stores it. What is wrong with the file is in the outcome; an error says that storing failed, or reading r.
func (a *Archive) Store(ctx context.Context, r io.Reader, rules Rules) (Outcome, error) {
	name := a.name()
	w, err := a.objects.Create(ctx, name)
	if err != nil {
		return Outcome{}, err
	}
	f, size, err := receive(r, w, a.o.MaxFile)
	if err != nil {
		return a.unread(w, err)
	}
	out := a.examine(f, rules)
	if out.Failure != 0 {
		return out, w.Abort()
	}
	e, err := a.entry(f, size, name, out.invalid)
	if err != nil {
		return out, errors.Join(err, w.Abort())
	}
	e.Expires = rules.Expires
	if !rules.Replace {
		// Asked before the costly part; whether it holds is decided when the instance is added.
		if has, err := a.index.Has(ctx, rules.Partition, e.UIDs); err != nil || has {
			out.Failure, out.Warning = AlreadyExists, 0
			return out, errors.Join(err, w.Abort())
		}
	}
	if err := w.Commit(); err != nil {
		return out, err
	}
	if err := a.add(ctx, f, e, rules); err != nil {
		return a.unadded(ctx, out, name, err)
	}
	if rules.Replace || !rules.Expires.IsZero() {
		a.wake()
	}
	a.change()
	return out, nil
}

// add makes an instance visible, with its values of the query tags that there are at that moment.
func (a *Archive) add(ctx context.Context, f *part10.File, e *index.Entry, rules Rules) error {
	for {
		_, err := a.index.Add(ctx, rules.Partition, e, rules.Replace)
		if err == nil && slices.ContainsFunc(e.Values, func(v index.Value) bool { return v.Error != "" }) {
			return a.loadTags(ctx) // the error may have taken the tag out of searches
		}
		if !fault.Is(err, fault.Busy) {
			return err
		}
		if err := a.loadTags(ctx); err != nil {
			return err
		}
		e.Values = tagValues(f.Dataset, *a.tags.Load())
	}
}

// unread makes the outcome for a file that could not be read.
func (a *Archive) unread(w blob.Writer, err error) (Outcome, error) {
	abort := w.Abort()
	if abort == nil && fault.KindOf(err) == fault.Invalid {
		return Outcome{Failure: ProcessingFailure, Comments: []string{fault.As(err).Message}}, nil
	}
	return Outcome{}, errors.Join(err, abort)
}

// unadded removes the object of an instance that did not become visible.
func (a *Archive) unadded(ctx context.Context, out Outcome, name string, err error) (Outcome, error) {
	remove := a.objects.Delete(context.WithoutCancel(ctx), name)
	if fault.KindOf(err) == fault.Conflict && remove == nil {
		out.Failure, out.Warning = AlreadyExists, 0
		return out, nil
	}
	return out, errors.Join(err, remove)
}

// pieces are buffers for what is written: senders give files in small pieces, each of which would be a call of the system.
var pieces = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 256<<10) }}

// receive reads a file of at most some bytes while it writes it, and returns its size.
func receive(r io.Reader, w io.Writer, most int64) (*part10.File, int64, error) {
	out := pieces.Get().(*bufio.Writer)
	out.Reset(w)
	defer pieces.Put(out)
	in := &incoming{r: r, w: out, left: most}
	f, err := in.read()
	if err == nil {
		err = out.Flush()
	}
	return f, in.size, err
}

// incoming is a file on its way into an object: it is read while it is written.
type incoming struct {
	r    io.Reader
	w    io.Writer
	left int64 // bytes that may come
	size int64
}

const (
	preamble  = 128
	signature = "DICM"
)

// read reads the file to its end. The preamble, which can hold anything, is stored as zeros (as the reference service does; PS3.10 §7.1).
func (in *incoming) read() (*part10.File, error) {
	head := make([]byte, preamble+len(signature))
	n, err := io.ReadFull(in.r, head)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, fault.New(fault.Invalid, "the file is empty (PS3.10 §7.1)")
	case errors.Is(err, io.ErrUnexpectedEOF) || err == nil && string(head[preamble:]) != signature:
		return nil, fault.New(fault.Invalid, "this is no DICOM file: DICM does not stand at byte 128 (PS3.10 §7.1)")
	case err != nil:
		return nil, err
	}
	clear(head[:preamble])
	all := io.TeeReader(io.MultiReader(bytes.NewReader(head), in), counted{in.w, &in.size})
	f, err := part10.Read(all, part10.Options{})
	if err != nil {
		return nil, err
	}
	// A deflated data set ends before its padding.
	if _, err := io.Copy(io.Discard, all); err != nil {
		return nil, err
	}
	if part10.SyntaxOf(f.TransferSyntax).Deflated {
		f.Size = in.size
	}
	return f, nil
}

// Read hands the rest of the file on, up to the limit.
func (in *incoming) Read(b []byte) (int, error) {
	n, err := in.r.Read(b)
	if in.left -= int64(n); in.left < 0 {
		return 0, fault.New(fault.TooLarge, "the file is larger than this service takes")
	}
	return n, err
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n *int64
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	*c.n += int64(n)
	return n, err
}

// entry makes what the index keeps of an instance.
func (a *Archive) entry(f *part10.File, size int64, object string, invalid map[*dicom.Element]bool) (*index.Entry, error) {
	d := f.Dataset
	e := &index.Entry{Stored: index.Stored{
		UIDs:     uidsOf(d),
		SOPClass: d.String(tag.SOPClassUID), TransferSyntax: f.TransferSyntax, Object: object, Size: size, Start: f.Start,
	}}
	if layout, err := part10.LayoutOf(f); err == nil && layout != nil && !part10.SyntaxOf(f.TransferSyntax).Deflated {
		e.Layout = layout.Append(nil)
	} // without one, frames are found when they are asked for, or said not to be
	e.Matched = map[dicom.Tag]string{}
	for _, k := range index.Keys {
		if v, ok := comparable(d, k); ok {
			e.Matched[k.Tag] = v
		}
	}
	for level, tags := range shown {
		e.Shown[level] = pick(d, tags)
	}
	o := jsonmodel.Options{Skip: skipped(f, invalid), BulkDataURI: a.bulkDataURI(e.UIDs)}
	piece, err := gzipped.Compress(jsonmodel.Append(make([]byte, 0, 8<<10), d, o))
	if err != nil {
		return nil, err
	}
	e.Metadata = index.Part(piece)
	e.Values = tagValues(d, *a.tags.Load())
	return e, nil
}

func uidsOf(d *dicom.Dataset) index.UIDs {
	return index.UIDs{Study: d.String(tag.StudyInstanceUID), Series: d.String(tag.SeriesInstanceUID), Instance: d.String(tag.SOPInstanceUID)}
}

// comparable returns the first value of an attribute in the form in which it is compared; ok is false when it has none or it is invalid.
func comparable(d *dicom.Dataset, k index.Key) (string, bool) {
	e := d.Get(k.Tag)
	if e == nil || e.VR != k.VR {
		return "", false
	}
	v := d.String(k.Tag)
	if v == "" || checkValue(k.VR, v) != nil {
		return "", false
	}
	return Canonical(k.VR, v), true
}

// pick makes the DICOM JSON of attributes that are there.
func pick(d *dicom.Dataset, tags []dicom.Tag) index.Attributes {
	var all index.Attributes
	for _, t := range tags {
		e := d.Get(t)
		if e == nil {
			continue
		}
		if b, ok := jsonmodel.AppendValue(nil, d, e, jsonmodel.Options{}); ok {
			all = append(all, index.Attribute{Tag: t, JSON: b})
		}
	}
	return all
}

// skipped says which elements are not in the metadata: private ones whose VR nobody knows, and values that are against their VR, which would
// not be read back.
func skipped(f *part10.File, invalid map[*dicom.Element]bool) func(*dicom.Element) bool {
	implicit := f.TransferSyntax == uid.ImplicitVRLittleEndian || f.TransferSyntax == part10.PrivateGE
	return func(e *dicom.Element) bool { return invalid[e] || implicit && e.VR == dicom.UN && e.Tag.Private() }
}

// bulkDataURI addresses values that metadata leaves out (PS3.18 §F.2.6). Addresses are paths on the server, so that they hold behind every proxy
// that keeps paths, and whichever way the metadata was asked for.
func (a *Archive) bulkDataURI(u index.UIDs) func(string) string {
	base := fmt.Sprintf("%s/studies/%s/series/%s/instances/%s/bulkdata/", a.o.Base, u.Study, u.Series, u.Instance)
	return func(path string) string { return base + path }
}
