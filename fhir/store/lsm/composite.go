package lsm

import (
	"bytes"
	"encoding/binary"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// composite returns the resources with a composite value all of whose given
// parts satisfy op. Where the first part is a token or a reference, its terms
// are known, and the second part, if it is the last that there can be, is
// searched behind each like any other value. Other shapes, which are rare, are
// found by looking at every term.
func (q *query) composite(at place, p *searchparam.Param, op search.Composite) (set, error) {
	if len(op.Parts) == 0 || len(op.Parts) > len(p.Components) {
		return nil, fault.New(fault.Internal, "composite %s with %d parts", p.Code, len(op.Parts))
	}
	firsts, known, err := q.firstTerms(at, op.Parts[0])
	if err != nil {
		return nil, err
	}
	if !known || len(op.Parts) > 1 && len(p.Components) > 2 {
		prefix := at.key(tagComposite)
		return q.gather(prefix, after(prefix), func(term []byte) bool { return q.accepts(term[1:], op.Parts) })
	}
	var parts []set
	for _, first := range firsts {
		var s set
		if len(op.Parts) == 1 {
			s, err = q.terms(first, after(first), func(term []byte) bool { return term[0] == tagComposite })
		} else {
			s, err = q.value(first, op.Parts[1])
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}

// firstTerms returns the places behind each stored term of a composite's first
// component that satisfies op; known is false if they cannot be told so.
func (q *query) firstTerms(at place, op search.Operand) (found []place, known bool, err error) {
	switch op := op.(type) {
	case search.Token:
		if op.AnyCode {
			return nil, false, nil
		}
		if !op.AnySystem {
			return []place{at.key(tagComposite, []byte{tagToken}, appendToken(nil, op.System, op.Code))}, true, nil
		}
		prefix := at.key(tagComposite, []byte{tagToken}, hash8(nil, op.Code))
		heads, err := q.heads(prefix, after(prefix), len(prefix)+8)
		for _, h := range heads {
			found = append(found, h)
		}
		return found, true, err
	case search.Ref:
		types := op.Types
		if op.Type != "" {
			types = []fhir.Type{op.Type}
		}
		if op.URL != "" {
			found = append(found, at.key(tagComposite, []byte{tagURL}, hash12(nil, op.URL)))
		}
		for _, t := range types {
			h, ok, err := q.s.headOf(&q.at, fhir.Key{Type: t, ID: op.ID})
			if err != nil {
				return nil, true, err
			}
			if ok {
				found = append(found, at.key(tagComposite, []byte{tagReference}, appendU32(nil, h.doc)))
			}
			if !op.Here {
				found = append(found, at.key(tagComposite, []byte{tagTail}, hashTail(nil, t, op.ID)))
			}
		}
		return found, true, nil
	}
	return nil, false, nil
}

// accepts reports whether the component terms in b satisfy ops, one by one.
func (q *query) accepts(b []byte, ops []search.Operand) bool {
	for _, op := range ops {
		n := componentLen(b)
		if n < 2 || !q.acceptsTerm(b[:n], op) {
			return false
		}
		b = b[n:]
	}
	return true
}

func (q *query) acceptsTerm(term []byte, op search.Operand) bool {
	tag, body := term[0], term[1:]
	switch op := op.(type) {
	case search.Token:
		if tag != tagToken || len(body) < 16 {
			return false
		}
		system := appendToken(nil, op.System, op.Code)[8:]
		return (op.AnyCode || bytes.Equal(body[:8], hash8(nil, op.Code))) && (op.AnySystem || bytes.Equal(body[8:16], system))
	case search.Number:
		return acceptsNumber(tag == tagNumber, tag == tagNumRange, body, op)
	case search.Quantity:
		if len(body) < 4 {
			return false
		}
		unit := q.s.names.unitOf(binary.BigEndian.Uint32(body))
		in, ok := op.In(unit.system, unit.code)
		return ok && acceptsNumber(tag == tagQuantity, tag == tagQtyRange, body[4:], in)
	case search.Date:
		if tag != tagDate || len(body) < 16 {
			return false
		}
		s, e := dateOf(body)
		return acceptsDate(s, e, op)
	case search.Text:
		text, _ := textOf(body)
		want := trimMark(appendText(nil, cutText(searchparam.Normalize(op.Text))))
		switch op.Mode {
		case search.Contains:
			return tag == tagText && bytes.Contains(text, want)
		case search.Whole:
			return tag == tagText && bytes.Equal(text, want)
		case search.Ends:
			return tag == tagText && bytes.HasSuffix(text, want)
		}
		return tag == tagText && bytes.HasPrefix(text, want)
	case search.URI:
		return tag == tagURI && bytes.Equal(body, appendText(nil, op.Text))
	}
	return false
}

func acceptsNumber(single, stored bool, body []byte, op search.Number) bool {
	if stored {
		return rangeMatches(body, op)
	}
	if !single {
		return false
	}
	n := body[:decimalLen(body)]
	same := append(append([]byte{0}, n...), n...)
	return rangeMatches(same, op)
}

func acceptsDate(s, e searchparam.Ticks, op search.Date) bool {
	switch op.Prefix {
	case search.Ne:
		return s < op.Start || e > op.End
	case search.Lt:
		return s < op.Start
	case search.Le:
		return s <= op.End && (!op.Within || s < op.Start || e <= op.End)
	case search.Gt:
		return e > op.End
	case search.Ge:
		return e >= op.Start && (!op.Within || e > op.End || s >= op.Start)
	case search.Sa:
		return s > op.End
	case search.Eb:
		return e < op.Start
	}
	if op.Within {
		return s >= op.Start && e <= op.End
	}
	return s <= op.End && e >= op.Start
}
