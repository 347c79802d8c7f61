package lsm

import (
	"bytes"
	"slices"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// indexTerm is a term of a parameter.
type indexTerm struct {
	param uint16
	term  []byte
}

func compareTerms(a, b indexTerm) int {
	if a.param != b.param {
		return int(a.param) - int(b.param)
	}
	return bytes.Compare(a.term, b.term)
}

// encoder turns index values into primary terms.
type encoder struct {
	names  *catalogue
	target func(fhir.Key) (docID, error) // the number of a referred resource
	terms  []indexTerm
	buf    []byte
}

// encode returns the primary terms of entries, sorted and each once.
func (e *encoder) encode(entries []searchparam.Entry) ([]indexTerm, error) {
	e.terms = make([]indexTerm, 0, len(entries)+len(entries)/2)
	e.buf = make([]byte, 0, 24*cap(e.terms))
	var last *searchparam.Param
	var number uint16
	for i := range entries {
		p := entries[i].Param
		if p != last {
			n, err := e.names.param(p.Name())
			if err != nil {
				return nil, err
			}
			last, number = p, n
		}
		if err := e.value(number, p, &entries[i].Value); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(e.terms, compareTerms)
	return slices.CompactFunc(e.terms, func(a, b indexTerm) bool { return compareTerms(a, b) == 0 }), nil
}

// add keeps what was appended to e.buf from start as a term.
func (e *encoder) add(param uint16, start int) {
	e.terms = append(e.terms, indexTerm{param, e.buf[start:len(e.buf):len(e.buf)]})
}

func (e *encoder) value(param uint16, p *searchparam.Param, v *searchparam.Value) error {
	start := len(e.buf)
	switch p.Kind {
	case searchparam.String:
		text := searchparam.Normalize(v.Text)
		e.buf = appendText(append(e.buf, tagText), text)
		e.add(param, start)
		start = len(e.buf)
		e.buf = hash12(append(e.buf, tagExact), v.Text)
		e.add(param, start)
		e.overflow(param, text)
		return nil
	case searchparam.URI:
		e.buf = appendText(append(e.buf, tagURI), v.Text)
		e.add(param, start)
		e.overflow(param, v.Text)
		return nil
	case searchparam.Reference:
		return e.reference(param, v)
	case searchparam.Position:
		if cell, ok := search.CellOf(v.Low, v.High); ok {
			e.buf = appendU64(append(e.buf, tagPosition), uint64(cell))
			e.add(param, start)
		}
		return nil
	case searchparam.Composite:
		return e.composite(param, p, v)
	case searchparam.Token:
		if len(v.Parts) == 2 {
			e.buf = hashOfType(append(e.buf, tagOfType), v.Parts[0].System, v.Parts[0].Code, v.Parts[1].Code)
			e.add(param, start)
			return nil
		}
		if v.Text != "" {
			text := searchparam.Normalize(v.Text)
			e.buf = appendText(append(e.buf, tagText), text)
			e.add(param, start)
			e.overflow(param, text)
		}
		if v.Code == "" && v.System == "" {
			return nil
		}
		start = len(e.buf)
	}
	if err := e.part(p.Kind, v); err != nil {
		return err
	}
	if len(e.buf) > start {
		e.add(param, start)
	}
	return nil
}

// composite adds the terms of the components, one behind the other; where one
// is an absolute reference, also with what stands for its end.
func (e *encoder) composite(param uint16, p *searchparam.Param, v *searchparam.Value) error {
	parts := v.Parts[:min(len(v.Parts), len(p.Components))]
	absolute := false
	start := len(e.buf)
	e.buf = append(e.buf, tagComposite)
	for i := range parts {
		absolute = absolute || p.Components[i].Kind == searchparam.Reference && parts[i].Ref.Base != ""
		if err := e.part(p.Components[i].Kind, &parts[i]); err != nil {
			return err
		}
	}
	e.add(param, start)
	for i := range parts {
		switch p.Components[i].Kind {
		case searchparam.String:
			e.overflow(param, searchparam.Normalize(parts[i].Text))
		case searchparam.URI:
			e.overflow(param, parts[i].Text)
		}
	}
	if !absolute {
		return nil
	}
	start = len(e.buf)
	e.buf = append(e.buf, tagComposite)
	for i := range parts {
		if ref := &parts[i].Ref; p.Components[i].Kind == searchparam.Reference && ref.Base != "" {
			e.buf = hashTail(append(e.buf, tagTail), ref.Type, ref.ID)
		} else if err := e.part(p.Components[i].Kind, &parts[i]); err != nil {
			return err
		}
	}
	e.add(param, start)
	return nil
}

// overflow keeps a text that its term could not hold whole.
func (e *encoder) overflow(param uint16, text string) {
	if len(text) <= maxText {
		return
	}
	start := len(e.buf)
	e.buf = append(append(e.buf, tagOverflow), text...)
	e.add(param, start)
}

// part appends the one term of a value that may stand in a composite.
func (e *encoder) part(kind searchparam.Kind, v *searchparam.Value) error {
	switch kind {
	case searchparam.Token:
		e.buf = appendToken(append(e.buf, tagToken), v.System, v.Code)
	case searchparam.Date:
		e.buf = appendDate(append(e.buf, tagDate), v.Start, v.End)
	case searchparam.Number:
		if v.OpenLow || v.OpenHigh || v.Low.Cmp(v.High) != 0 {
			e.buf = appendBounds(append(e.buf, tagNumRange), v)
		} else {
			e.buf = v.Low.AppendOrdered(append(e.buf, tagNumber))
		}
	case searchparam.Quantity:
		unit, err := e.names.unit(v.System, v.Code)
		if err != nil {
			return err
		}
		if v.OpenLow || v.OpenHigh || v.Low.Cmp(v.High) != 0 {
			e.buf = appendBounds(appendU32(append(e.buf, tagQtyRange), unit), v)
		} else {
			e.buf = v.Low.AppendOrdered(appendU32(append(e.buf, tagQuantity), unit))
		}
	case searchparam.String:
		e.buf = appendText(append(e.buf, tagText), searchparam.Normalize(v.Text))
	case searchparam.URI:
		e.buf = appendText(append(e.buf, tagURI), v.Text)
	case searchparam.Reference:
		if v.Ref.Local() {
			doc, err := e.target(v.Ref.Key())
			if err != nil {
				return err
			}
			e.buf = appendU32(append(e.buf, tagReference), doc)
		} else {
			e.buf = hash12(append(e.buf, tagURL), v.Ref.String())
		}
	}
	return nil
}

// reference adds the terms by which a reference is found: the document it
// names, or its text; for one that is an id alone that id, and for an absolute
// one its end and, when it names a version, its text without that.
func (e *encoder) reference(param uint16, v *searchparam.Value) error {
	if v.System != "" || v.Code != "" {
		start := len(e.buf)
		e.buf = appendToken(append(e.buf, tagIdentifier), v.System, v.Code)
		e.add(param, start)
	}
	ref := &v.Ref
	if *ref == (fhir.Reference{}) {
		return nil
	}
	start := len(e.buf)
	if err := e.part(searchparam.Reference, v); err != nil {
		return err
	}
	e.add(param, start)
	start = len(e.buf)
	switch {
	case ref.Base != "":
		e.buf = hashTail(append(e.buf, tagTail), ref.Type, ref.ID)
		e.add(param, start)
		if ref.Version != "" {
			start = len(e.buf)
			e.buf = hash12(append(e.buf, tagURL), unversioned(ref))
			e.add(param, start)
		}
	case ref.ID != "" && ref.Type == "":
		e.buf = hash12(append(e.buf, tagID), string(ref.ID))
		e.add(param, start)
	}
	return nil
}

func unversioned(ref *fhir.Reference) string {
	whole := *ref
	whole.Version = ""
	return whole.String()
}

// appendForward renders terms for the forward record: for each the parameter,
// the length and the bytes.
func appendForward(dst []byte, terms []indexTerm) []byte {
	for _, t := range terms {
		dst = appendUvarint(appendUvarint(dst, uint64(t.param)), uint64(len(t.term)))
		dst = append(dst, t.term...)
	}
	return dst
}

// eachForward calls f for the terms of a forward record. They share b.
func eachForward(b []byte, f func(param uint16, term []byte)) error {
	for len(b) > 0 {
		param, n, rest, ok := uvarint2(b)
		if !ok || n > uint64(len(rest)) || param > 1<<16-1 {
			return damaged("forward record")
		}
		f(uint16(param), rest[:n:n])
		b = rest[n:]
	}
	return nil
}

// parseForward reads a forward record; the terms share b.
func parseForward(b []byte) ([]indexTerm, error) {
	terms := make([]indexTerm, 0, len(b)/14)
	err := eachForward(b, func(param uint16, term []byte) { terms = append(terms, indexTerm{param, term}) })
	return terms, err
}
