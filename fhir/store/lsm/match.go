package lsm

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// place is where terms of one kind stand in the index: behind a parameter and,
// in a composite, behind the terms of the components before.
type place []byte

func (at place) key(tag byte, parts ...[]byte) []byte {
	k := append(slices.Clone(at), tag)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

// match returns the resources that have a value of p which satisfies op.
func (q *query) match(p *searchparam.Param, op search.Operand) (set, error) {
	param, ok := q.s.names.knownParam(p.Name())
	if !ok {
		return loaded{}, nil
	}
	at := place(postingPrefix(nil, param, nil))
	switch op := op.(type) {
	case search.Composite:
		return q.composite(at, p, op)
	case search.Date:
		if op.Prefix != search.Eq && op.Prefix != search.Ap {
			return q.asked(p.Type, param, op, func() (set, error) { return q.date(at, op) })
		}
	case search.Token:
		if p.Kind == searchparam.Reference {
			return q.token(at, tagIdentifier, op)
		}
	}
	return q.value(at, op)
}

// asked returns the resources that have a value which satisfies op, for which
// there are often very many postings and members: they are asked one by one for
// what a page needs, unless few are members. whole returns them by their postings.
func (q *query) asked(t fhir.Type, param uint16, op search.Operand, whole func() (set, error)) (set, error) {
	live, err := q.live(t)
	l := q.s.limits
	l.probes = min(l.probes, l.misses)
	return &joined{limits: l, around: live, sure: true, whole: whole, probe: func(doc docID) (a answer, err error) {
		var b [5]byte
		_, err = get(&q.at, forwardKey(b[:0], doc), func(value []byte) error {
			return eachForward(value, func(p uint16, term []byte) {
				a.is = a.is || p == param && len(term) > 0 && q.acceptsTerm(term, op)
			})
		})
		return a, err
	}}, err
}

func (q *query) value(at place, op search.Operand) (set, error) {
	switch op := op.(type) {
	case search.Token:
		return q.token(at, tagToken, op)
	case search.Text:
		return q.text(at, op)
	case *search.Concepts:
		return q.tokens(at, op.Codes)
	case search.OfType:
		return q.posting(at.key(tagOfType, hashOfType(nil, op.System, op.Code, op.Value)))
	case search.URI:
		return q.uri(at, op)
	case search.Date:
		return q.date(at, op)
	case search.Number:
		return q.number(at.key(tagNumber), at.key(tagNumberHead), at.key(tagNumRange), op)
	case search.Quantity:
		return q.quantity(at, op)
	case search.Ref:
		return q.reference(at, op)
	case search.Near:
		return q.near(at, op)
	}
	return nil, fault.New(fault.Internal, "unknown operand %T", op)
}

func (q *query) token(at place, tag byte, op search.Token) (set, error) {
	switch {
	case op.AnyCode:
		system := hash8(nil, op.System)
		if tag == tagToken && len(at) == 3 { // not within a composite
			return q.posting(at.key(tagSystem, system))
		}
		prefix := at.key(tag)
		return q.terms(prefix, after(prefix), func(term []byte) bool {
			end := len(at) - 3 + 17
			return len(term) >= end && bytes.Equal(term[end-8:end], system)
		})
	case op.AnySystem:
		prefix := at.key(tag, hash8(nil, op.Code))
		return q.postings(prefix, after(prefix), len(prefix)+8)
	}
	return q.posting(at.key(tag, appendToken(nil, op.System, op.Code)))
}

// tokens returns the resources with any of codes. It leaps to and fro between
// the codes wanted and those that occur, at the cost of the fewer of them.
func (q *query) tokens(at place, codes []search.Token) (set, error) {
	wanted := make([][]byte, len(codes))
	for i, c := range codes {
		wanted[i] = at.key(tagToken, appendToken(nil, c.System, c.Code))
	}
	slices.SortFunc(wanted, bytes.Compare)
	upper := after(at.key(tagToken))
	few := loaded{}
	parts := []set{few}
	for n := 0; len(wanted) > 0; n++ {
		if n%1024 == 1023 {
			if err := q.canceled(); err != nil {
				return nil, err
			}
		}
		if !q.iter.SeekGE(wanted[0]) || bytes.Compare(q.iter.Key(), upper) >= 0 {
			break
		}
		there := bytes.Clone(q.iter.Key()[:min(len(q.iter.Key()), len(wanted[0]))])
		i, found := slices.BinarySearchFunc(wanted, there, bytes.Compare)
		if wanted = wanted[i:]; !found {
			continue
		}
		s, err := q.posting(there)
		if err != nil {
			return nil, err
		}
		if l, ok := s.(loaded); ok {
			for c, b := range l {
				few.unite(c, b)
			}
		} else {
			parts = append(parts, s)
		}
		wanted = wanted[1:]
	}
	return unite(parts...), q.iter.Error()
}

func (q *query) text(at place, op search.Text) (set, error) {
	if op.Mode == search.Exact {
		if len(at) == 3 {
			return q.posting(at.key(tagExact, hash12(nil, op.Text)))
		}
		op.Mode = search.Starts // composites keep normalised text only
	}
	want := searchparam.Normalize(op.Text)
	switch op.Mode {
	case search.Contains:
		return q.scanned(at, want, bytes.Contains, strings.Contains)
	case search.Ends:
		return q.scanned(at, want, bytes.HasSuffix, strings.HasSuffix)
	case search.Whole:
		if len(want) <= maxText {
			return q.posting(at.key(tagText, appendText(nil, want)))
		}
		return q.verified(at, at.key(tagText, markedCut(want)), func(text string) bool { return text == want })
	}
	if len(want) <= maxText {
		prefix := at.key(tagText, trimMark(appendText(nil, want)))
		return q.terms(prefix, after(prefix), nil)
	}
	prefix := at.key(tagText, markedCut(want))
	return q.verified(at, prefix, func(text string) bool { return strings.HasPrefix(text, want) })
}

// trimMark removes the end mark of a text that was not cut.
func trimMark(b []byte) []byte { return b[:len(b)-1] }

// markedCut returns the beginning that all terms share whose text is cut like s.
func markedCut(s string) []byte {
	b := appendText(nil, s)
	return b[:len(b)-12]
}

// scanned returns the resources with a text that holds want in the way that
// inTerm and inText tell, of texts that were not cut and of those that were.
func (q *query) scanned(at place, want string, inTerm func(text, want []byte) bool, inText func(text, want string) bool) (set, error) {
	prefix := at.key(tagText)
	skip := len(prefix) - 3
	sub := trimMark(appendText(nil, cutText(want)))
	found, err := q.terms(prefix, after(prefix), func(term []byte) bool {
		text, cut := textOf(term[skip:])
		return !cut && len(want) <= maxText && inTerm(text, sub)
	})
	if err != nil {
		return nil, err
	}
	long, err := q.verified(at, prefix, func(text string) bool { return inText(text, want) })
	return unite(found, long), err
}

// verified returns the resources with a cut text below prefix whose whole text
// passes. Whole texts are in the forward records.
func (q *query) verified(at place, prefix []byte, pass func(string) bool) (set, error) {
	skip := len(at) + 1 - 3
	candidates, err := q.terms(prefix, after(prefix), func(term []byte) bool {
		_, cut := textOf(term[skip:])
		return cut
	})
	if err != nil {
		return nil, err
	}
	param := binary.BigEndian.Uint16(at[1:])
	head := prefix[3 : len(at)+1]
	found := loaded{}
	return found, each(candidates, 0, q.last, func(doc docID) (bool, error) {
		terms, err := q.forward(doc)
		for _, t := range terms {
			if t.param != param || len(t.term) == 0 || t.term[0] != tagOverflow {
				continue
			}
			if text := string(t.term[1:]); pass(text) && (len(at) == 3 || holds(terms, param, appendText(slices.Clone(head), text))) {
				found.add(doc)
			}
		}
		return true, err
	})
}

// holds tells of a long text of a composite whether it stands behind the
// components that were asked for, and not behind others.
func holds(terms []indexTerm, param uint16, term []byte) bool {
	return slices.ContainsFunc(terms, func(t indexTerm) bool { return t.param == param && bytes.Equal(t.term, term) })
}

// forward reads the terms of a document.
func (q *query) forward(doc docID) ([]indexTerm, error) {
	var b [5]byte
	var terms []indexTerm
	_, err := get(&q.at, forwardKey(b[:0], doc), func(value []byte) (err error) {
		terms, err = parseForward(bytes.Clone(value))
		return err
	})
	return terms, err
}

func (q *query) uri(at place, op search.URI) (set, error) {
	switch op.Mode {
	case search.Below:
		if strings.HasPrefix(op.Text, "urn:") {
			return loaded{}, nil
		}
		whole := func(text string) bool {
			return strings.HasPrefix(text, op.Text) && (!op.Segments || search.EndsSegment(text, len(op.Text)))
		}
		if len(op.Text) > maxText {
			return q.verified(at, at.key(tagURI, markedCut(op.Text)), whole)
		}
		prefix := at.key(tagURI, trimMark(appendText(nil, op.Text)))
		found, err := q.terms(prefix, after(prefix), func(term []byte) bool {
			text, cut := textOf(term[len(at)+1-3:])
			return !bytes.HasPrefix(text, []byte("urn:")) && (!op.Segments || !cut && search.EndsSegment(string(text), len(op.Text)))
		})
		if err != nil || !op.Segments {
			return found, err
		}
		long, err := q.verified(at, prefix, whole)
		return unite(found, long), err
	case search.Above:
		if strings.HasPrefix(op.Text, "urn:") {
			return loaded{}, nil
		}
		var parts []set
		for n := 1; n <= min(len(op.Text), maxText); n++ {
			if op.Segments && !search.EndsSegment(op.Text, n) {
				continue
			}
			s, err := q.posting(at.key(tagURI, appendText(nil, op.Text[:n])))
			if err != nil {
				return nil, err
			}
			parts = append(parts, s)
		}
		if len(op.Text) <= maxText {
			return unite(parts...), nil
		}
		long, err := q.verified(at, at.key(tagURI, markedCut(op.Text)), func(text string) bool {
			return strings.HasPrefix(op.Text, text) && (!op.Segments || search.EndsSegment(op.Text, len(text)))
		})
		return unite(append(parts, long)...), err
	}
	return q.posting(at.key(tagURI, appendText(nil, op.Text)))
}

func (q *query) reference(at place, op search.Ref) (set, error) {
	var parts []set
	add := func(prefix []byte) error {
		s, err := q.posting(prefix)
		parts = append(parts, s)
		return err
	}
	local := func(key fhir.Key) error {
		h, found, err := q.s.headOf(&q.at, key)
		if err != nil || !found {
			return err
		}
		return add(at.key(tagReference, appendU32(nil, h.doc)))
	}
	if op.URL != "" {
		return q.posting(at.key(tagURL, hash12(nil, op.URL)))
	}
	types := op.Types
	if op.Type != "" {
		types = []fhir.Type{op.Type}
	}
	for _, t := range types {
		if err := local(fhir.Key{Type: t, ID: op.ID}); err != nil {
			return nil, err
		}
		if op.Here {
			continue
		}
		if err := add(at.key(tagTail, hashTail(nil, t, op.ID))); err != nil {
			return nil, err
		}
	}
	if op.Type != "" {
		return unite(parts...), nil
	}
	err := add(at.key(tagID, hash12(nil, string(op.ID))))
	return unite(parts...), err
}

func (q *query) quantity(at place, op search.Quantity) (set, error) {
	matching := q.s.names.unitsFor(op)
	if len(matching) > 8 { // leave out the units that do not occur here
		var err error
		if matching, err = q.unitsAt(at, matching); err != nil {
			return nil, err
		}
	}
	var parts []set
	for _, unit := range matching {
		u := appendU32(nil, unit)
		name := q.s.names.unitOf(unit)
		in, ok := op.In(name.system, name.code)
		if !ok {
			continue
		}
		s, err := q.number(at.key(tagQuantity, u), at.key(tagQtyHead, u), at.key(tagQtyRange, u), in)
		if err != nil {
			return nil, err
		}
		parts = append(parts, s)
	}
	return unite(parts...), nil
}

// unitsAt returns those of units that occur at a place, given ascending.
func (q *query) unitsAt(at place, units []uint32) ([]uint32, error) {
	var here []uint32
	for _, tag := range []byte{tagQuantity, tagQtyRange} {
		prefix := at.key(tag)
		heads, err := q.heads(prefix, after(prefix), len(prefix)+4)
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			unit := binary.BigEndian.Uint32(h[len(prefix):])
			if _, wanted := slices.BinarySearch(units, unit); wanted {
				here = append(here, unit)
			}
		}
	}
	slices.Sort(here)
	return slices.Compact(here), nil
}
