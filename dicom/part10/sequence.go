package part10

import (
	"salus/dicom"
)

// adapt finds out at the beginning of a data set or item whether its elements have VRs: some writers put items of one kind into a data set
// of the other.
func (r *reader) adapt() {
	if r.looksImplicit() {
		r.syntax.Implicit = true
	} else if r.syntax.Implicit && r.looksExplicit() {
		r.syntax.Implicit = false
	}
}

// looksImplicit reports whether the next element has no VR although one is due.
func (r *reader) looksImplicit() bool {
	b, ok := r.in.peek(8)
	if !ok || r.syntax.Implicit || r.tag(b).Group() == 0xFFFE {
		return false
	}
	vr := dicom.VR(b[4])<<8 | dicom.VR(b[5])
	// A VR that is zero, blank or marked as unknown is read as such; see head.
	return !vr.Letters() && !blank(b[4])
}

// looksExplicit reports whether the next element has a VR although none is due.
func (r *reader) looksExplicit() bool {
	b, ok := r.in.peek(8)
	if !ok || r.tag(b).Group() == 0xFFFE {
		return false
	}
	vr := dicom.VR(b[4])<<8 | dicom.VR(b[5])
	if !vr.Known() {
		return false
	}
	a, found := dicom.Lookup(r.tag(b))
	return found && a.VR == vr
}

// delimited reads the value of an element that ends with a delimiter: a sequence, encapsulated pixel data, or a sequence of which only the
// reader does not know that it is one (PS3.5 §6.2.2, §7.5, §A.4).
func (r *reader) delimited(e *dicom.Element) error {
	e.Undefined = true
	switch e.VR {
	case dicom.OB, dicom.OW, dicom.OD, dicom.OF, dicom.OL, dicom.OV:
		if !r.syntax.Implicit {
			return r.fragments(e)
		}
	case dicom.SQ:
		return r.items(e, -1)
	case dicom.UN:
		if r.syntax.Implicit {
			e.VR = dicom.SQ
			return r.items(e, -1)
		}
		// What was UN in explicit VR was implicit VR little endian before (PS3.5 §6.2.2 note 4).
		before := r.syntax
		r.use(Syntax{Implicit: true})
		err := r.items(e, -1)
		r.use(before)
		return err
	}
	return broken(r.in.pos, e.Tag, "VR %s cannot have an undefined length (PS3.5 §7.1.2)", e.VR)
}

// items reads the items of a sequence to where it ends, or to its delimiter when end is -1 (PS3.5 §7.5).
func (r *reader) items(e *dicom.Element, end int64) error {
	if r.depth++; r.depth > maxDepth {
		return broken(r.in.pos, e.Tag, "sequences are nested more than %d deep", maxDepth)
	}
	defer func() { r.depth-- }()
	e.Items = []*dicom.Dataset{}
	for end < 0 || r.in.pos < end {
		b, ok := r.in.peek(8)
		if !ok {
			return r.failed(e.Tag)
		}
		t, length := r.tag(b), int64(r.order.Uint32(b[4:]))
		switch {
		case t == dicom.SequenceDelimitation:
			r.in.skip(8)
			if end < 0 {
				return nil
			}
			continue // a delimiter within a length delimits nothing
		case t == dicom.ItemDelimitation && length == 0:
			r.in.skip(8) // of an item that had a length
			continue
		case t != dicom.ItemTag:
			return broken(r.in.pos, e.Tag, "%s stands where an item is due (PS3.5 §7.5)", t)
		case end >= 0 && length != undefined && length > end-r.in.pos-8:
			return broken(r.in.pos, e.Tag, "an item's length of %d goes beyond its sequence (PS3.5 §7.5)", length)
		}
		r.in.skip(8)
		item, err := r.item(e.Tag, length, end)
		if err != nil {
			return err
		}
		e.Items = append(e.Items, item)
	}
	return nil
}

// item reads one item of a sequence that ends at limit, or anywhere when that is -1.
func (r *reader) item(sequence dicom.Tag, length, limit int64) (*dicom.Dataset, error) {
	if r.used += elementCost; r.used > r.options.Memory {
		return nil, r.tooMuch(sequence)
	}
	d := &dicom.Dataset{Undefined: length == undefined}
	end := limit
	if length != undefined {
		end = r.in.pos + length
	}
	if length == 0 {
		return d, nil
	}
	before := r.syntax
	r.adapt()
	defer r.use(before)
	for end < 0 || r.in.pos < end {
		b, ok := r.in.peek(8)
		if !ok {
			return nil, r.failed(sequence)
		}
		switch t := r.tag(b); {
		case t == dicom.ItemDelimitation:
			r.in.skip(8)
			if length == undefined {
				return d, nil
			}
			continue
		case t == dicom.SequenceDelimitation && length == undefined:
			return d, nil // the item's own delimiter is missing
		}
		e, err := r.element(d, end)
		if err != nil {
			return nil, err
		}
		d.Append(e)
	}
	return d, nil
}

// fragments reads the places of encapsulated pixel data (PS3.5 §A.4).
func (r *reader) fragments(e *dicom.Element) error {
	e.Bulk = &dicom.Bulk{Offset: r.in.pos, Fragments: []dicom.Fragment{}}
	for {
		b, ok := r.in.peek(8)
		if !ok {
			return r.failed(e.Tag)
		}
		t, length := r.tag(b), int64(r.order.Uint32(b[4:]))
		switch {
		case t == dicom.SequenceDelimitation:
			e.Bulk.Length = r.in.pos - e.Bulk.Offset
			r.in.skip(8)
			return nil
		case t != dicom.ItemTag:
			return broken(r.in.pos, e.Tag, "%s stands where a fragment is due (PS3.5 §A.4)", t)
		case length == undefined:
			return broken(r.in.pos, e.Tag, "a fragment has no length (PS3.5 §A.4)")
		}
		r.in.skip(8)
		if r.used += elementCost; r.used > r.options.Memory {
			return r.tooMuch(e.Tag)
		}
		f := dicom.Fragment{Offset: r.in.pos, Length: length}
		head, _ := r.in.peek(int(min(length, int64(len(f.Head)))))
		copy(f.Head[:], head)
		if err := r.fragment(e, length); err != nil {
			return err
		}
		e.Bulk.Fragments = append(e.Bulk.Fragments, f)
	}
}

// fragment passes over a fragment's bytes, but keeps those of the first, which are the basic offset table.
func (r *reader) fragment(e *dicom.Element, length int64) error {
	if len(e.Bulk.Fragments) == 0 {
		var table dicom.Element
		err := r.value(&table, length)
		e.Bulk.Table = table.Value
		return err
	}
	if !r.in.skip(length) {
		return r.failed(e.Tag)
	}
	return nil
}
