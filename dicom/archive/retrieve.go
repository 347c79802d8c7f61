package archive

import (
	"bytes"
	"context"
	"io"
	"time"

	"salus/blob"
	"salus/dicom"
	"salus/dicom/index"
	"salus/dicom/part10"
	"salus/dicom/tag"
	"salus/fault"
)

// Instances returns what is stored below UIDs, oldest first.
func (a *Archive) Instances(ctx context.Context, partition string, u index.UIDs) ([]index.Stored, error) {
	return a.index.Instances(ctx, partition, u, false)
}

// Originals returns what Instances does, as it was before it was changed in place.
func (a *Archive) Originals(ctx context.Context, partition string, u index.UIDs) ([]index.Stored, error) {
	return a.index.Instances(ctx, partition, u, true)
}

// Instance returns one instance.
func (a *Archive) Instance(ctx context.Context, partition string, u index.UIDs) (index.Stored, error) {
	all, err := a.index.Instances(ctx, partition, u, false)
	if err != nil {
		return index.Stored{}, err
	}
	return all[0], nil
}

// Open opens an instance's file. One that was deleted meanwhile is NotFound.
func (a *Archive) Open(ctx context.Context, s index.Stored) (blob.Object, error) {
	return a.objects.Open(ctx, s.Object)
}

// Version returns what changes with each change below UIDs.
func (a *Archive) Version(ctx context.Context, partition string, u index.UIDs) (watermark int64, instances int, err error) {
	return a.index.Version(ctx, partition, u)
}

// Metadata calls f with the metadata of each instance below UIDs, oldest first; with originals as it was before it was changed in place.
func (a *Archive) Metadata(ctx context.Context, partition string, u index.UIDs, originals bool, f func(index.Part) error) error {
	return a.index.Metadata(ctx, partition, u, originals, f)
}

// Delete takes away everything below UIDs (PS3.18 has no such service; the reference service's).
func (a *Archive) Delete(ctx context.Context, partition string, u index.UIDs) error {
	if err := a.index.Delete(ctx, partition, u); err != nil {
		return err
	}
	a.wake()
	a.change()
	return nil
}

// Changes returns entries of the change feed, and Latest the last one.
func (a *Archive) Changes(ctx context.Context, q index.ChangeQuery) ([]index.Change, error) {
	return a.index.Changes(ctx, q)
}

// Latest returns the last entry of the change feed; ok is false when there is none.
func (a *Archive) Latest(ctx context.Context, byTime bool) (c index.Change, ok bool, err error) {
	return a.index.Latest(ctx, byTime)
}

// Follow returns up to count entries of the change feed after the place that a follower has come to, and waits for one when there is none. What
// was followed is noted by Followed.
func (a *Archive) Follow(ctx context.Context, follower string, count int64) ([]index.Change, error) {
	after, err := a.index.Cursor(ctx, follower)
	if err != nil {
		return nil, err
	}
	for {
		changed := a.changed()
		last, some, err := a.index.Latest(ctx, false)
		if err != nil {
			return nil, err
		}
		for some && after < last.Sequence {
			// Numbers can be missing, so windows can be empty.
			all, err := a.index.Changes(ctx, index.ChangeQuery{Window: true, Offset: after, Limit: count})
			if err != nil || len(all) > 0 {
				return all, err
			}
			after += count
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-time.After(followEvery): // what another process wrote
		}
	}
}

// followEvery is how often the change feed is looked at when nothing is known to have changed.
const followEvery = 5 * time.Second

// Followed notes how far a follower of the change feed has come.
func (a *Archive) Followed(ctx context.Context, follower string, sequence int64) error {
	return a.index.SetCursor(ctx, follower, sequence)
}

// MetadataOf returns the metadata of a version.
func (a *Archive) MetadataOf(ctx context.Context, watermark int64) (index.Part, error) {
	return a.index.MetadataOf(ctx, watermark)
}

// Partitions returns those that have been used.
func (a *Archive) Partitions(ctx context.Context) ([]index.Partition, error) {
	return a.index.Partitions(ctx)
}

// Frames gives access to the frames of one instance, until it is closed.
type Frames struct {
	Stored index.Stored
	object blob.Object
	layout *part10.Layout
	file   *part10.File // read when it is asked for
}

// Frames opens an instance for reading its frames. An instance without pixel data is NotFound; one whose frames cannot be told apart is
// NotAcceptable.
func (a *Archive) Frames(ctx context.Context, s index.Stored) (*Frames, error) {
	o, err := a.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	f := &Frames{Stored: s, object: o}
	if s.Layout == nil {
		err = f.find()
	} else {
		f.layout, err = part10.ParseLayout(s.Layout)
	}
	if err != nil {
		return nil, joined(err, o.Close())
	}
	return f, nil
}

func joined(err, closing error) error {
	if err == nil {
		return closing
	}
	return err
}

// find reads the file for what the index does not have of it: why it has no frames, or those of a deflated one.
func (f *Frames) find() error {
	file, err := part10.Read(io.NewSectionReader(f.object, 0, f.object.Size()), part10.Options{Whole: part10.SyntaxOf(f.Stored.TransferSyntax).Deflated})
	if err != nil {
		return err
	}
	layout, err := part10.LayoutOf(file)
	switch {
	case err != nil:
		return fault.Wrap(fault.NotAcceptable, err, "%s", fault.As(err).Message)
	case layout == nil:
		return fault.New(fault.NotFound, "the instance has no pixel data")
	}
	return fault.New(fault.NotAcceptable, "frames of a deflated instance are not served one by one")
}

// File returns the instance's data set without its pixel data, for those who decode frames.
func (f *Frames) File() (_ *part10.File, err error) {
	if f.file == nil {
		o := part10.Options{Until: tag.FloatPixelData}
		if part10.SyntaxOf(f.Stored.TransferSyntax).BigEndian {
			o.Until = 0 // the VR of pixel data says how it is written
		}
		f.file, err = part10.Read(io.NewSectionReader(f.object, 0, f.object.Size()), o)
	}
	return f.file, err
}

// Close ends reading.
func (f *Frames) Close() error { return f.object.Close() }

// Count returns how many frames there are.
func (f *Frames) Count() int { return f.layout.Frames }

// Size returns how many bytes a frame has, which is counted from 0.
func (f *Frames) Size(i int) (n int64) {
	if bits := f.layout.FrameBits(); bits > 0 {
		return (bits + 7) / 8
	}
	parts, _ := f.layout.Frame(i)
	for _, p := range parts {
		n += p.Length
	}
	return n
}

// Frame returns a reader of a frame as it is stored, which is counted from 0.
func (f *Frames) Frame(i int) (io.Reader, error) {
	parts, shift := f.layout.Frame(i)
	odd := f.layout.FrameBits() % 8
	switch {
	case shift != 0 || odd != 0:
		return f.bits(parts[0], shift, int(odd), f.Size(i))
	case len(parts) == 1:
		return io.NewSectionReader(f.object, parts[0].Offset, parts[0].Length), nil
	}
	all := make([]io.Reader, len(parts))
	for i, p := range parts {
		all[i] = io.NewSectionReader(f.object, p.Offset, p.Length)
	}
	return io.MultiReader(all...), nil
}

// bits reads a frame that does not begin or end at a byte, whose first bit then becomes the first of the answer (PS3.5 §8.1.1).
func (f *Frames) bits(p part10.Range, shift, odd int, size int64) (io.Reader, error) {
	b := make([]byte, p.Length)
	if _, err := f.object.ReadAt(b, p.Offset); err != nil {
		return nil, err
	}
	for i := range b {
		b[i] >>= shift
		if i+1 < len(b) && shift > 0 {
			b[i] |= b[i+1] << (8 - shift)
		}
	}
	if b = b[:size]; odd != 0 {
		b[size-1] &= 1<<odd - 1
	}
	return bytes.NewReader(b), nil
}

// BulkData is a value that metadata left out.
type BulkData struct {
	io.Reader
	Size int64
	VR   dicom.VR
	// Encapsulated says that it is the fragments of compressed pixel data, one after the other.
	Encapsulated bool
	close        func() error
}

// Close ends reading.
func (b *BulkData) Close() error { return b.close() }

// BulkData opens a value by the path in its address: tags, with items between them that are counted from 1 (PS3.18 §10.4.1.1.5).
func (a *Archive) BulkData(ctx context.Context, s index.Stored, path string) (*BulkData, error) {
	o, err := a.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	deflated := part10.SyntaxOf(s.TransferSyntax).Deflated
	f, err := part10.Read(io.NewSectionReader(o, 0, o.Size()), part10.Options{Whole: deflated})
	if err != nil {
		return nil, joined(err, o.Close())
	}
	e := f.Dataset.At(path)
	if e == nil || e.Items != nil {
		return nil, joined(fault.New(fault.NotFound, "the instance has no such bulk data"), o.Close())
	}
	b := &BulkData{VR: e.VR, close: o.Close}
	switch {
	case e.Bulk == nil:
		b.Reader, b.Size = bytes.NewReader(e.Value), int64(len(e.Value))
	case e.Bulk.Fragments == nil:
		b.Reader, b.Size = io.NewSectionReader(o, e.Bulk.Offset, e.Bulk.Length), e.Bulk.Length
	default:
		var all []io.Reader
		for _, p := range e.Bulk.Fragments[1:] {
			all = append(all, io.NewSectionReader(o, p.Offset, p.Length))
			b.Size += p.Length
		}
		if b.Reader, b.Encapsulated = io.MultiReader(all...), true; len(all) == 1 {
			b.Reader = all[0] // which can be read in ranges
		}
	}
	return b, nil
}
