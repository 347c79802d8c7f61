package lsm

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
)

// updatedBucket is how many neighbouring positions of the change log share a
// posting of the parameter #updated, as a power of two.
const updatedBucket = 12

// postings gathers the changes of a group to the index, so that a posting
// that several documents touch is written once.
type postings struct {
	changes []postingChange
	arena   []byte
	scratch []byte
	terms   [2][]indexTerm
}

type postingChange struct {
	key    []byte // posting key without chunk
	doc    docID
	order  uint32
	remove bool
}

// keptPostings is up to how many bytes of keys the memory of one group's
// changes is kept for the next group.
const keptPostings = 4 << 20

// reset forgets the changes of the group before.
func (p *postings) reset() {
	if cap(p.arena) > keptPostings {
		*p = postings{}
	}
	p.changes, p.arena = p.changes[:0], p.arena[:0]
}

func (p *postings) change(param uint16, term []byte, doc docID, remove bool) {
	start := len(p.arena)
	p.arena = postingPrefix(p.arena, param, term)
	p.changes = append(p.changes, postingChange{p.arena[start:len(p.arena):len(p.arena)], doc, uint32(len(p.changes)), remove})
}

// replace changes the terms of a document from before to now.
func (p *postings) replace(doc docID, before, now []indexTerm) {
	if len(before) == 0 {
		for _, t := range now {
			p.each(t, func(term []byte) { p.change(t.param, term, doc, false) })
		}
		return
	}
	a, b := p.expand(0, before), p.expand(1, now)
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = compareTerms(a[0], b[0])
		}
		if order < 0 {
			p.change(a[0].param, a[0].term, doc, true)
		} else if order > 0 {
			p.change(b[0].param, b[0].term, doc, false)
		}
		if order <= 0 {
			a = a[1:]
		}
		if order >= 0 {
			b = b[1:]
		}
	}
}

// each calls f for every posting that a term belongs to: its own, unless it is
// for the forward record only, and those of the terms derived from it.
func (p *postings) each(t indexTerm, f func(term []byte)) {
	if len(t.term) == 0 {
		f(t.term)
		return
	}
	if t.term[0] == tagOverflow {
		return
	}
	f(t.term)
	p.scratch = derive(nil, t.term, p.scratch, f)
}

// expand returns terms with the derived ones, sorted, each once.
func (p *postings) expand(slot int, terms []indexTerm) []indexTerm {
	all := p.terms[slot][:0]
	for _, t := range terms {
		p.each(t, func(term []byte) { all = append(all, indexTerm{t.param, bytes.Clone(term)}) })
	}
	slices.SortFunc(all, compareTerms)
	all = slices.CompactFunc(all, func(a, b indexTerm) bool { return compareTerms(a, b) == 0 })
	p.terms[slot] = all
	return all
}

// updated moves a document to the bucket of its current version's position.
func (p *postings) updated(s *Store, c *claim, old, now head) error {
	param, err := s.names.param(string(c.key.Type) + paramUpdated)
	if err != nil {
		return err
	}
	from, to := old.seq>>updatedBucket, now.seq>>updatedBucket
	if old.live() && now.live() && from == to {
		return nil
	}
	if old.live() {
		p.change(param, appendU32(nil, uint32(from)), now.doc, true)
	}
	if now.live() {
		p.change(param, appendU32(nil, uint32(to)), now.doc, false)
	}
	return nil
}

// changeKey is change for a posting by its key without chunk.
func (p *postings) changeKey(key []byte, doc docID, remove bool) {
	start := len(p.arena)
	p.arena = append(p.arena, key...)
	p.changes = append(p.changes, postingChange{p.arena[start:len(p.arena):len(p.arena)], doc, uint32(len(p.changes)), remove})
}

// flush passes the gathered changes to write, one entry for each posting. Key
// and value are only valid during the call.
func (p *postings) flush(write func(key, value []byte) error) error {
	slices.SortFunc(p.changes, func(x, y postingChange) int {
		if c := bytes.Compare(x.key, y.key); c != 0 {
			return c
		}
		if x.doc != y.doc {
			return cmp.Compare(x.doc, y.doc)
		}
		return cmp.Compare(x.order, y.order)
	})
	var key, adds, removes, value []byte
	for i := 0; i < len(p.changes); {
		first := &p.changes[i]
		chunk := first.doc >> 16
		adds, removes = adds[:0], removes[:0]
		for ; i < len(p.changes) && p.changes[i].doc>>16 == chunk && bytes.Equal(p.changes[i].key, first.key); i++ {
			c := &p.changes[i]
			if j := i + 1; j < len(p.changes) && p.changes[j].doc == c.doc && bytes.Equal(p.changes[j].key, c.key) {
				continue // the last change of a document counts
			}
			if c.remove {
				removes = appendU16(removes, uint16(c.doc))
			} else {
				adds = appendU16(adds, uint16(c.doc))
			}
		}
		key = appendU32(append(key[:0], first.key...), chunk)
		if len(removes) == 0 {
			value = append(append(value[:0], postingList), adds...)
		} else {
			value = appendU16(append(value[:0], postingDelta), uint16(len(adds)/2))
			value = append(append(value, adds...), removes...)
		}
		if err := write(key, value); err != nil {
			return err
		}
	}
	return nil
}

// foldAfter is after how many operands a posting is folded by the writer.
// Operands pile up in the write buffer until it is flushed, and every read of
// the posting would have to fold them all.
const foldAfter = 128

// heat counts operands by a hash of their key since the posting was last folded.
type heat struct {
	counts [1 << 16]uint8
}

var heatSeed = maphash.MakeSeed()

// writePosting appends a change to a posting, as a merge operand or, when
// there have been many, folded with what is there.
func (s *Store) writePosting(b changes, key, value []byte) error {
	if _, ingests := b.(*tables); ingests {
		return b.Merge(key, value, nil) // past the write buffer
	}
	n := &s.heat.counts[uint16(maphash.Bytes(heatSeed, key))]
	if *n++; *n < foldAfter {
		return b.Merge(key, value, nil)
	}
	*n = 0
	var m fold
	if err := m.newer(value); err != nil {
		return err
	}
	if _, err := get(s.db, key, m.older); err != nil {
		return err
	}
	value = m.encode(true)
	m.free()
	if len(value) == 1 { // an empty list
		return b.Delete(key, nil)
	}
	return b.Set(key, value, nil)
}
