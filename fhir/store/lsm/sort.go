package lsm

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// sortValue is what a document is ordered by under one key: an ordered term,
// or nothing.
type sortValue struct {
	present bool
	term    []byte
}

// compare orders values ascending: nothing comes first, so that it comes last
// when the order is turned round.
func (v sortValue) compare(o sortValue) int {
	if v.present != o.present {
		if o.present {
			return -1
		}
		return 1
	}
	return bytes.Compare(v.term, o.term)
}

// order is a plan's sort made ready.
type order struct {
	keys []search.SortKey
	tags []byte // of the ordered terms; 0 for lastUpdated
}

func newOrder(keys []search.SortKey) (order, error) {
	o := order{keys: keys, tags: make([]byte, len(keys))}
	for i, k := range keys {
		if k.Updated {
			continue
		}
		switch k.Param.Kind {
		case searchparam.Date:
			o.tags[i] = tagDate
		case searchparam.String:
			o.tags[i] = tagText
		case searchparam.URI:
			o.tags[i] = tagURI
		case searchparam.Number:
			o.tags[i] = tagNumber
		case searchparam.Quantity:
			o.tags[i] = tagQuantity
		default:
			return o, fault.New(fault.Invalid, "results cannot be sorted by parameter %s, which has no order", k.Param.Code)
		}
	}
	return o, nil
}

func (o order) compare(a, b *cursor) int {
	for i, k := range o.keys {
		c := a.keys[i].compare(b.keys[i])
		if k.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(a.doc, b.doc)
}

// sorted returns a page in the plan's order. It either collects the values of
// all members and sorts them, or walks the order and picks the members out of
// it. Collecting looks at every member (m); walking looks at about count × n/m
// of the n resources in the order before a page is full. The lesser wins.
func (q *query) sorted(plan *search.Plan, result *cached) ([]docID, []byte, error) {
	o, err := newOrder(plan.Sort)
	if err != nil {
		return nil, nil, err
	}
	var from *cursor
	if len(plan.After) > 0 {
		c, err := parseCursor(plan.After, len(plan.Sort))
		if err != nil {
			return nil, nil, err
		}
		from = &c
	}
	members, err := count(result, q.last)
	if err != nil {
		return nil, nil, err
	}
	all := int64(0)
	for _, b := range plan.Branches {
		live, err := q.live(b.Type)
		if err != nil {
			return nil, nil, err
		}
		all += live.size()
	}
	var found []cursor
	single := len(plan.Sort) == 1 && len(plan.Branches) == 1 && o.tags[0] != tagQuantity
	if single && members*members > int64(plan.Count)*all {
		w := walk{q: q, result: result, typ: plan.Branches[0].Type, order: o, from: from, want: plan.Count + 1}
		found, err = w.run()
	} else {
		found, err = q.collect(plan, o, result, from)
	}
	if err != nil {
		return nil, nil, err
	}
	docs := make([]docID, 0, plan.Count)
	for i := range found[:min(len(found), plan.Count)] {
		docs = append(docs, found[i].doc)
	}
	if len(found) > plan.Count && plan.Count > 0 {
		return docs, found[plan.Count-1].append(nil), nil
	}
	return docs, nil, nil
}

// collect sorts all members that come behind from, and returns one more than a page.
func (q *query) collect(plan *search.Plan, o order, result *cached, from *cursor) ([]cursor, error) {
	want := plan.Count + 1
	var found []cursor
	less := func(a, b cursor) int { return o.compare(&a, &b) }
	err := q.loadThen(result, func(doc docID) (bool, error) {
		c, err := q.sortValues(o, doc)
		if err != nil {
			return false, err
		}
		if from != nil && o.compare(&c, from) <= 0 {
			return true, nil
		}
		if found = append(found, c); len(found) >= 4*want+1024 { // keep only what can be on the page
			slices.SortFunc(found, less)
			found = found[:want]
		}
		return true, q.canceled()
	})
	slices.SortFunc(found, less)
	return found[:min(len(found), want)], err
}

// sortValues reads what a document is ordered by.
func (q *query) sortValues(o order, doc docID) (cursor, error) {
	c := cursor{doc: doc, keys: make([]sortValue, len(o.keys))}
	d, found, err := q.s.document(q.snap, doc)
	if err != nil || !found {
		return c, err
	}
	var terms []indexTerm
	for i, k := range o.keys {
		if k.Updated {
			if c.keys[i], err = q.updatedValue(d.seq, len(o.keys) > 1); err != nil {
				return c, err
			}
			continue
		}
		if terms == nil {
			if terms, err = q.forward(doc); err != nil {
				return c, err
			}
		}
		if param, ok := q.s.names.knownParam(string(q.s.names.typeName(d.typ)) + "." + k.Param.Code); ok {
			c.keys[i] = extreme(terms, param, o.tags[i], k.Descending)
		}
	}
	return c, nil
}

// updatedValue returns what a version is ordered by under lastUpdated: its
// position, or the time itself where versions of one instant have to be told
// apart by further keys.
func (q *query) updatedValue(seq seqNo, instant bool) (sortValue, error) {
	if !instant {
		return sortValue{true, appendU64(nil, seq)}, nil
	}
	var at int64
	found, err := get(q.snap, versionKey(nil, seq), func(value []byte) error {
		r, err := parseRecord(value)
		at = r.updated
		return err
	})
	if err == nil && !found {
		err = damaged("a current version is missing")
	}
	return sortValue{true, appendU64(nil, uint64(at))}, err
}

// extreme returns the least or the greatest term of a parameter. A quantity is
// ordered by its value, whatever the unit.
func extreme(terms []indexTerm, param uint16, tag byte, greatest bool) sortValue {
	var v sortValue
	for _, t := range terms {
		if t.param != param || len(t.term) == 0 || t.term[0] != tag {
			continue
		}
		term := t.term[1:]
		if tag == tagQuantity {
			term = term[4:]
		}
		if c := bytes.Compare(term, v.term); !v.present || greatest && c > 0 || !greatest && c < 0 {
			v = sortValue{true, term}
		}
	}
	return v
}

// walk goes along one ordered key and picks out the members of a result.
type walk struct {
	q      *query
	result *cached
	typ    fhir.Type
	order  order
	from   *cursor
	want   int
	found  []cursor
}

func (w *walk) run() ([]cursor, error) {
	key := w.order.keys[0]
	if key.Updated {
		return w.found, w.byPosition(key.Descending)
	}
	steps := []func(search.SortKey) error{w.lacking, w.terms}
	if key.Descending {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(key); err != nil || len(w.found) >= w.want {
			return w.found, err
		}
	}
	return w.found, nil
}

// lacking picks the members without a value, in the order of documents.
func (w *walk) lacking(key search.SortKey) error {
	first := docID(0)
	if w.from != nil {
		if w.from.keys[0].present {
			if !key.Descending {
				return nil // they came first
			}
		} else {
			first = w.from.doc + 1
		}
	}
	present, err := w.q.withTerms(w.typ, key, w.order.tags[0])
	if err != nil {
		return err
	}
	return each(without{w.result, present}, first, w.q.last, func(doc docID) (bool, error) {
		w.found = append(w.found, cursor{keys: make([]sortValue, 1), doc: doc})
		return len(w.found) < w.want, nil
	})
}

// withTerms returns the resources that have a value to order by.
func (q *query) withTerms(t fhir.Type, key search.SortKey, tag byte) (set, error) {
	name := string(t) + "." + key.Param.Code
	if tag != tagNumber { // every value of these kinds has an ordered term
		return q.present(t, name)
	}
	param, ok := q.s.names.knownParam(name)
	if !ok {
		return loaded{}, nil
	}
	head := place(postingPrefix(nil, param, nil)).key(tagNumberHead)
	return q.headPostings(head, after(head), len(head))
}

// terms picks the members in the order of their terms.
func (w *walk) terms(key search.SortKey) error {
	param, ok := w.q.s.names.knownParam(string(w.typ) + "." + key.Param.Code)
	if !ok {
		return nil
	}
	prefix := place(postingPrefix(nil, param, nil)).key(w.order.tags[0])
	lower, upper := prefix, after(prefix)
	it := w.q.iter
	if w.from != nil {
		if !w.from.keys[0].present {
			if key.Descending {
				return nil // those with a value came first
			}
		} else if at := append(bytes.Clone(prefix), w.from.keys[0].term...); key.Descending {
			upper = after(at) // the term itself again, for the rest of its documents
		} else {
			lower = at
		}
	}
	seek := func() bool {
		if key.Descending {
			return it.SeekLT(upper)
		}
		return it.SeekGE(lower)
	}
	for n := 0; seek() && bytes.Compare(it.Key(), lower) >= 0 && bytes.Compare(it.Key(), upper) < 0; n++ {
		if n%256 == 0 {
			if err := w.q.canceled(); err != nil {
				return err
			}
		}
		at := bytes.Clone(it.Key()[:len(it.Key())-4])
		if key.Descending {
			upper = at
		} else {
			lower = after(at)
		}
		if err := w.term(at, sortValue{true, at[len(prefix):]}, key); err != nil || len(w.found) >= w.want {
			return err
		}
	}
	return it.Error()
}

// term picks the members with one term, provided that it is the one they are
// ordered by: others of theirs are passed over.
func (w *walk) term(at []byte, value sortValue, key search.SortKey) error {
	s, err := w.q.posting(at)
	if err != nil {
		return err
	}
	first := docID(0)
	if w.from != nil && w.from.keys[0].compare(value) == 0 {
		first = w.from.doc + 1
	}
	return each(intersect(s, w.result), first, w.q.last, func(doc docID) (bool, error) {
		terms, err := w.q.forward(doc)
		if err != nil {
			return false, err
		}
		param := binary.BigEndian.Uint16(at[1:])
		if extreme(terms, param, w.order.tags[0], key.Descending).compare(value) == 0 {
			w.found = append(w.found, cursor{keys: []sortValue{value}, doc: doc})
		}
		return len(w.found) < w.want, nil
	})
}

// byPosition picks the members in the order of their current versions.
func (w *walk) byPosition(descending bool) error {
	typ, ok := w.q.s.names.knownType(w.typ)
	if !ok {
		return nil
	}
	opt := &pebble.IterOptions{LowerBound: typeLogKey(nil, typ, 0), UpperBound: after(appendU16([]byte{spaceTypeLog}, typ))}
	if w.from != nil {
		if len(w.from.keys[0].term) != 8 {
			return fault.New(fault.Invalid, "the continuation does not belong to this search")
		}
		seq := binary.BigEndian.Uint64(w.from.keys[0].term)
		if descending {
			opt.UpperBound = typeLogKey(nil, typ, seq)
		} else {
			opt.LowerBound = typeLogKey(nil, typ, seq+1)
		}
	}
	it, err := w.q.snap.NewIter(opt)
	if err != nil {
		return err
	}
	step, start := it.Next, it.First
	if descending {
		step, start = it.Prev, it.Last
	}
	for ok := start(); ok && len(w.found) < w.want; ok = step() {
		value, err := it.ValueAndErr()
		if err != nil {
			return closeAfter(it, err)
		}
		doc := binary.BigEndian.Uint32(value)
		member, err := w.result.has(doc)
		if err != nil {
			return closeAfter(it, err)
		}
		if !member {
			continue
		}
		seq := binary.BigEndian.Uint64(it.Key()[3:])
		d, _, err := w.q.s.document(w.q.snap, doc)
		if err != nil {
			return closeAfter(it, err)
		}
		if d.seq == seq { // otherwise an older version
			w.found = append(w.found, cursor{keys: []sortValue{{true, appendU64(nil, seq)}}, doc: doc})
		}
	}
	return closeAfter(it, it.Error())
}
