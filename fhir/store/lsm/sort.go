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
	keys   []search.SortKey
	tags   []byte                // of the ordered terms; 0 for lastUpdated
	params map[fhir.Type][]param // of the keys, for each type searched
}

// param is a parameter's number, if anything was stored for it.
type param struct {
	number uint16
	known  bool
}

func (q *query) newOrder(plan *search.Plan) (order, error) {
	o := order{keys: plan.Sort, tags: make([]byte, len(plan.Sort)), params: map[fhir.Type][]param{}}
	for _, b := range plan.Branches {
		o.params[b.Type] = make([]param, len(plan.Sort))
	}
	for i, k := range plan.Sort {
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
		for t, params := range o.params {
			params[i].number, params[i].known = q.s.names.knownParam(string(t) + "." + k.Param.Code)
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

// top gathers the first of many documents in an order.
type top struct {
	order order
	want  int
	from  *cursor // only what comes behind it counts; nil for all
	found []cursor
}

func (t *top) add(c cursor) {
	if t.from != nil && t.order.compare(&c, t.from) <= 0 {
		return
	}
	if t.found = append(t.found, c); len(t.found) >= 4*t.want+1024 {
		t.found = t.take()
	}
}

// take returns the first ones, in order.
func (t *top) take() []cursor {
	slices.SortFunc(t.found, func(a, b cursor) int { return t.order.compare(&a, &b) })
	return t.found[:min(len(t.found), t.want)]
}

// sorted returns a page in the plan's order. It either collects the values of
// all members and sorts them, or walks the order of the first key and picks the
// members out of it. Collecting looks at every member (m); walking looks at about
// count × n/m of the n resources in the order before a page is full. The lesser wins.
func (q *query) sorted(plan *search.Plan, result *cached) ([]docID, []byte, error) {
	o, err := q.newOrder(plan)
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
	// Instants that are equal are told apart by further keys only when collected.
	canWalk := len(plan.Branches) == 1 && o.tags[0] != tagQuantity && (o.tags[0] != 0 || len(o.keys) == 1)
	var found []cursor
	if canWalk && members*members > int64(plan.Count)*all {
		w := walk{q: q, result: result, typ: plan.Branches[0].Type, order: o, from: from, want: plan.Count + 1}
		found, err = w.run()
	} else {
		found, err = q.collect(plan, o, result, from)
	}
	if err != nil {
		return nil, nil, err
	}
	docs := make([]docID, 0, min(len(found), plan.Count))
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
	best := top{order: o, want: plan.Count + 1, from: from}
	typ := plan.Branches[0].Type
	err := q.loadThen(result, func(doc docID) (bool, error) {
		if len(plan.Branches) > 1 {
			d, _, err := q.s.document(q.snap, doc)
			if err != nil {
				return false, err
			}
			typ = q.s.names.typeName(d.typ)
		}
		c, err := q.sortValues(o, typ, doc)
		if err != nil {
			return false, err
		}
		best.add(c)
		return true, q.canceled()
	})
	return best.take(), err
}

// sortValues reads what a document of type t is ordered by.
func (q *query) sortValues(o order, t fhir.Type, doc docID) (cursor, error) {
	c := cursor{doc: doc, keys: make([]sortValue, len(o.keys))}
	terms := false
	for i, k := range o.keys {
		if !k.Updated {
			terms = true
			continue
		}
		d, _, err := q.s.document(q.snap, doc)
		if err != nil {
			return c, err
		}
		if c.keys[i], err = q.updatedValue(d.seq, len(o.keys) > 1); err != nil {
			return c, err
		}
	}
	if !terms {
		return c, nil
	}
	params := o.params[t]
	var b [5]byte
	_, err := get(q.snap, forwardKey(b[:0], doc), func(value []byte) error {
		return eachForward(value, func(number uint16, term []byte) {
			for i := range params {
				if params[i].known && params[i].number == number {
					c.keys[i].improve(term, o.tags[i], o.keys[i].Descending)
				}
			}
		})
	})
	return c, err
}

// improve takes a document's term in place of v when it comes before it in the
// order: the least of several values counts, or the greatest. A quantity is
// ordered by its value, whatever the unit.
func (v *sortValue) improve(term []byte, tag byte, greatest bool) {
	if len(term) == 0 || term[0] != tag {
		return
	}
	if term = term[1:]; tag == tagQuantity {
		term = term[4:]
	}
	if c := bytes.Compare(term, v.term); !v.present || greatest && c > 0 || !greatest && c < 0 {
		*v = sortValue{true, append(v.term[:0], term...)}
	}
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

// walk goes along the order of the first key and picks out the members of a
// result. Members that are equal under it are ordered by the keys that follow.
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

// lacking picks the members without a value under the first key.
func (w *walk) lacking(key search.SortKey) error {
	if w.from != nil && w.from.keys[0].present && !key.Descending {
		return nil // they came first
	}
	present, err := w.q.withTerms(w.typ, key, w.order.tags[0])
	if err != nil {
		return err
	}
	return w.equals(without{w.result, present}, sortValue{})
}

// equals picks those of s that have value under the first key.
func (w *walk) equals(s set, value sortValue) error {
	first := docID(0)
	single := len(w.order.keys) == 1
	if single && w.from != nil && w.from.keys[0].compare(value) == 0 {
		if first = w.from.doc + 1; first == 0 {
			return nil
		}
	}
	best := top{order: w.order, want: w.want - len(w.found), from: w.from}
	err := each(s, first, w.q.last, func(doc docID) (bool, error) {
		c, err := w.q.sortValues(w.order, w.typ, doc)
		if err != nil {
			return false, err
		}
		if c.keys[0].compare(value) != 0 {
			return true, nil // another of its values is the one it is ordered by
		}
		best.add(c)
		return !single || len(best.found) < best.want, w.q.canceled()
	})
	w.found = append(w.found, best.take()...)
	return err
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
		s, err := w.q.posting(at)
		if err == nil {
			err = w.equals(intersect(s, w.result), sortValue{true, at[len(prefix):]})
		}
		if err != nil || len(w.found) >= w.want {
			return err
		}
	}
	return it.Error()
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
