package dicom

import (
	"cmp"
	"slices"
)

// Element is one data element: a tag, a VR and a value in one of three forms (PS3.5 §7.1).
type Element struct {
	Tag   Tag
	VR    VR
	Value []byte     // numbers in little-endian order; padding included
	Items []*Dataset // of a sequence
	Bulk  *Bulk      // where the value is that was not read
	// Undefined says that a sequence or item was written with a delimiter instead of a length, which has no meaning
	// but is kept so that the bytes can be written again as they were.
	Undefined bool
}

// Empty reports whether the element has no value, as attributes of type 2 may.
func (e *Element) Empty() bool {
	return len(e.Value) == 0 && len(e.Items) == 0 && (e.Bulk == nil || e.Bulk.Length == 0 && len(e.Bulk.Fragments) == 0)
}

// Bulk is the place of a value that was left in its file.
type Bulk struct {
	Offset int64 // of the value's first byte, from the beginning of the file; of the first item when encapsulated
	Length int64 // bytes of the value; of everything up to the delimiter when encapsulated
	// Fragments are the items of encapsulated pixel data, the first of which is the basic offset table (PS3.5 §A.4); nil otherwise.
	Fragments []Fragment
	// Table is the content of the basic offset table; empty when there is none.
	Table []byte
}

// Fragment is one item of encapsulated pixel data.
type Fragment struct {
	Offset int64   // of its first byte after the item's tag and length, from the beginning of the file
	Length int64   // bytes, always even in good files
	Head   [4]byte // its first bytes, as far as it has them: they tell where a code stream begins
}

// Dataset is a list of elements: a file's, an item's of a sequence, or a message's (PS3.5 §7).
type Dataset struct {
	Elements []Element // ascending by tag, unless the file had another order
	// Undefined says that this item was written with a delimiter instead of a length.
	Undefined bool

	charset  *Charset
	disorder bool // elements are not ascending
}

// New returns a data set of elements in any order.
func New(elements ...Element) *Dataset {
	d := &Dataset{Elements: elements}
	slices.SortStableFunc(d.Elements, byTag)
	return d
}

func byTag(a, b Element) int { return cmp.Compare(a.Tag, b.Tag) }

// Append adds an element at the end, as a reader finds it.
func (d *Dataset) Append(e Element) {
	if n := len(d.Elements); n > 0 && d.Elements[n-1].Tag > e.Tag {
		d.disorder = true
	}
	d.Elements = append(d.Elements, e)
}

// Get returns the element with a tag, or nil. Of several, which the standard forbids, it is the first.
func (d *Dataset) Get(t Tag) *Element {
	if i, found := d.search(t); found {
		return &d.Elements[i]
	}
	return nil
}

func (d *Dataset) search(t Tag) (int, bool) {
	if d.disorder {
		i := slices.IndexFunc(d.Elements, func(e Element) bool { return e.Tag == t })
		return i, i >= 0
	}
	return slices.BinarySearchFunc(d.Elements, t, func(e Element, t Tag) int { return cmp.Compare(e.Tag, t) })
}

// Has reports whether there is an element with a tag, be it empty.
func (d *Dataset) Has(t Tag) bool { return d.Get(t) != nil }

// Set puts an element in its place, instead of one with its tag.
func (d *Dataset) Set(e Element) {
	if e.Tag == specificCharacterSet {
		d.charset = nil
	}
	i, found := d.search(e.Tag)
	switch {
	case found:
		d.Elements[i] = e
	case d.disorder:
		d.Elements = append(d.Elements, e)
	default:
		d.Elements = slices.Insert(d.Elements, i, e)
	}
}

// Remove takes out the elements for which drop is true, at this level.
func (d *Dataset) Remove(drop func(*Element) bool) {
	d.Elements = slices.DeleteFunc(d.Elements, func(e Element) bool { return drop(&e) })
}

// Sort brings the elements into the order of their tags, as the standard demands of what is written (PS3.5 §7.1).
func (d *Dataset) Sort() {
	if d.disorder {
		slices.SortStableFunc(d.Elements, byTag)
		d.disorder = false
	}
}

// Item returns the first item of a sequence, or an empty data set.
func (d *Dataset) Item(t Tag) *Dataset {
	if e := d.Get(t); e != nil && len(e.Items) > 0 {
		return e.Items[0]
	}
	return &Dataset{}
}

// Items returns the items of a sequence.
func (d *Dataset) Items(t Tag) []*Dataset {
	if e := d.Get(t); e != nil {
		return e.Items
	}
	return nil
}

// Charset returns the character set of the data set's own text.
func (d *Dataset) Charset() *Charset {
	if d.charset == nil {
		var names []string
		if e := d.Get(specificCharacterSet); e != nil {
			names = split(string(trimText(e.Value)))
		}
		d.charset = NewCharset(names...)
	}
	return d.charset
}

// Inherit gives an item the character set of the data set that it stands in, unless it names its own (PS3.3 §C.12.1.1.2).
// Readers call it when an item is whole.
func (d *Dataset) Inherit(from *Charset) {
	if !d.Has(specificCharacterSet) {
		d.charset = from
	}
	own := d.Charset()
	for i := range d.Elements {
		for _, item := range d.Elements[i].Items {
			item.Inherit(own)
		}
	}
}

// PrivateCreator returns who reserved the block of a private tag in this data set, or "" (PS3.5 §7.8.1).
func (d *Dataset) PrivateCreator(t Tag) string {
	if c := t.CreatorOf(); c != 0 {
		return d.String(c)
	}
	return ""
}

// Count returns the number of elements in the data set and all items below it.
func (d *Dataset) Count() int {
	n := len(d.Elements)
	for i := range d.Elements {
		for _, item := range d.Elements[i].Items {
			n += item.Count()
		}
	}
	return n
}

// Walk calls f for each element, those of items after the sequence that holds them, until f returns false.
func (d *Dataset) Walk(f func(*Dataset, *Element) bool) bool {
	for i := range d.Elements {
		e := &d.Elements[i]
		if !f(d, e) {
			return false
		}
		for _, item := range e.Items {
			if !item.Walk(f) {
				return false
			}
		}
	}
	return true
}
