package part10

import (
	"compress/flate"
	"encoding/binary"
	"errors"

	"salus/dicom"
	"salus/dicom/tag"
)

// elementCost is what an element takes in memory besides its value, for the limit.
const elementCost = 96

// reader reads elements of one data set.
type reader struct {
	in      *source
	syntax  Syntax
	order   binary.ByteOrder
	options Options
	depth   int
	used    int64  // memory that elements took
	arena   []byte // room for small values
	signed  bool   // samples are signed, for VRs that depend on it
}

func newReader(in *source, syntax Syntax, o Options) *reader {
	if o.Large == 0 {
		o.Large = DefaultLarge
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	r := &reader{in: in, options: o}
	r.use(syntax)
	return r
}

func (r *reader) use(s Syntax) {
	r.syntax, r.order = s, binary.LittleEndian
	if s.BigEndian {
		r.order = binary.BigEndian
	}
}

// top reads the data set of a file or message, to the end of the stream.
func (r *reader) top() (*dicom.Dataset, error) {
	d := &dicom.Dataset{Elements: make([]dicom.Element, 0, 128)}
	r.adapt()
	for {
		t, more, err := r.next()
		if err != nil {
			return nil, err
		}
		if !more || r.options.Until != 0 && t >= r.options.Until {
			break
		}
		if t == dicom.ItemDelimitation || t == dicom.SequenceDelimitation {
			// A delimiter that delimits nothing is a slip of some writers; it says nothing and is passed over.
			r.in.skip(8)
			continue
		}
		e, err := r.element(d, -1)
		if err != nil {
			return nil, err
		}
		d.Append(e)
	}
	d.Inherit(d.Charset())
	return d, nil
}

// next looks at the next tag; more is false at the end of the stream. A tail of zeros that is too short for an element is padding.
func (r *reader) next() (t dicom.Tag, more bool, err error) {
	head, ok := r.in.peek(8)
	if r.in.err != nil {
		return 0, false, r.failed(0)
	}
	if !ok {
		for _, b := range head {
			if b != 0 {
				return 0, false, broken(r.in.pos, 0, "the file ends within the head of an element (PS3.5 §7.1)")
			}
		}
		r.in.skip(int64(len(head)))
		return 0, false, nil
	}
	return r.tag(head), true, nil
}

func (r *reader) tag(b []byte) dicom.Tag {
	return dicom.Tag(r.order.Uint16(b))<<16 | dicom.Tag(r.order.Uint16(b[2:]))
}

// failed makes the error for a stream that ended or broke off within an element.
func (r *reader) failed(t dicom.Tag) error {
	if err := r.in.err; err != nil {
		if corrupt := flate.CorruptInputError(0); errors.As(err, &corrupt) {
			return broken(r.in.pos, t, "the deflated data set cannot be inflated (PS3.5 §A.5)")
		}
		return err
	}
	return broken(r.in.pos, t, "the file ends within the element")
}

// element reads one element of d, of which the stream has at least eight bytes. end is where the item ends that holds it; -1 when that
// is not known.
func (r *reader) element(d *dicom.Dataset, end int64) (dicom.Element, error) {
	start := r.in.pos
	e, length, err := r.head(d)
	if err != nil {
		return e, err
	}
	if end >= 0 && length != undefined && length > end-r.in.pos {
		return e, broken(start, e.Tag, "its length of %d goes beyond the item that holds it (PS3.5 §7.5)", length)
	}
	if r.used += elementCost; r.used > r.options.Memory {
		return e, r.tooMuch(e.Tag)
	}
	switch {
	case length == undefined:
		return e, r.delimited(&e)
	case e.VR == dicom.SQ:
		return e, r.items(&e, r.in.pos+length)
	case r.leave(&e, length):
		e.Bulk = &dicom.Bulk{Offset: r.in.pos, Length: length}
		if !r.in.skip(length) {
			return e, r.failed(e.Tag)
		}
		return e, nil
	}
	return e, r.value(&e, length)
}

// leave reports whether a value is passed over instead of read.
func (r *reader) leave(e *dicom.Element, length int64) bool {
	return !r.options.Whole && (length > r.options.Large || e.Tag.PixelData() && r.depth == 0 && length > 0)
}

func (r *reader) tooMuch(t dicom.Tag) error {
	return broken(r.in.pos, t, "the elements before take more than the %d bytes of memory that are allowed", r.options.Memory)
}

// value reads a value into memory. Large ones are read in steps, so that what is allocated has arrived.
func (r *reader) value(e *dicom.Element, length int64) error {
	if length == 0 {
		return nil
	}
	if r.used += length; r.used > r.options.Memory {
		return r.tooMuch(e.Tag)
	}
	const step = 1 << 20
	e.Value = r.room(int(min(length, step)))
	if !r.in.fill(e.Value) {
		return r.failed(e.Tag)
	}
	for have := int64(len(e.Value)); have < length; have = int64(len(e.Value)) {
		more := make([]byte, min(length-have, max(step, have)))
		if !r.in.fill(more) {
			return r.failed(e.Tag)
		}
		e.Value = append(e.Value, more...)
	}
	if r.syntax.BigEndian {
		swap(e.Value, e.VR.Width())
	}
	if e.Tag == tag.PixelRepresentation && len(e.Value) > 0 {
		r.signed = e.Value[0] == 1
	}
	return nil
}

// room returns n bytes; small values share one allocation.
func (r *reader) room(n int) []byte {
	const chunk = 8 << 10
	if n > chunk/4 {
		return make([]byte, n)
	}
	if n > len(r.arena) {
		r.arena = make([]byte, chunk)
	}
	b := r.arena[:n:n]
	r.arena = r.arena[n:]
	return b
}

// swap turns the order of bytes of each number of a width.
func swap(b []byte, width int) {
	if width == 1 {
		return
	}
	for ; len(b) >= width; b = b[width:] {
		for i, j := 0, width-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// head reads tag, VR and length of an element (PS3.5 §7.1.2, §7.1.3).
func (r *reader) head(d *dicom.Dataset) (e dicom.Element, length int64, err error) {
	b, ok := r.in.peek(8)
	if !ok {
		return e, 0, r.failed(0)
	}
	e.Tag = r.tag(b)
	if e.Tag == dicom.ItemTag || e.Tag == dicom.ItemDelimitation || e.Tag == dicom.SequenceDelimitation {
		return e, 0, broken(r.in.pos, e.Tag, "an item or delimiter stands where an element is due (PS3.5 §7.5)")
	}
	if r.syntax.Implicit {
		length = int64(r.order.Uint32(b[4:]))
		e.VR = r.resolve(d, e.Tag)
		r.in.skip(8)
		return e, length, nil
	}
	e.VR = dicom.VR(b[4])<<8 | dicom.VR(b[5])
	switch {
	case !e.VR.Letters():
		if e.VR = r.resolve(d, e.Tag); blank(b[4]) {
			length = int64(r.order.Uint16(b[6:]))
		} else {
			length = int64(r.order.Uint32(b[4:])) // the VR was left out, as in implicit VR
		}
		r.in.skip(8)
		return e, length, nil
	case !e.VR.Long():
		length = int64(r.order.Uint16(b[6:]))
		r.in.skip(8)
		return e, length, nil
	}
	if b, ok = r.in.peek(12); !ok {
		return e, 0, r.failed(e.Tag)
	}
	length = int64(r.order.Uint32(b[8:]))
	r.in.skip(12)
	return e, length, nil
}

// blank reports whether a VR that begins so was written by one who did not know it; two bytes of length follow such.
func blank(b byte) bool { return b == ' ' || b == '?' || b == '-' }

func (r *reader) resolve(d *dicom.Dataset, t dicom.Tag) dicom.VR {
	vr := d.Resolve(t)
	if vr == dicom.US && r.signed {
		if a, _ := dicom.Lookup(t); a.Or == "SS" || a.Or == "SS/OW" {
			return dicom.SS
		}
	}
	return vr
}
