package lsm

import (
	"bytes"
	"cmp"
	"slices"

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

// order is a plan's sort made ready for one resource type.
type order struct {
	keys   []search.SortKey
	tags   []byte  // of the ordered terms; 0 for keys that have none
	params []param // of the keys
	lead   int     // how many keys at the front are the same for the whole type
}

// param is a parameter's number, if anything was stored for it.
type param struct {
	number uint16
	known  bool
}

func (q *query) newOrder(keys []search.SortKey, t fhir.Type) (order, error) {
	o := order{keys: keys, tags: make([]byte, len(keys)), params: make([]param, len(keys))}
	for o.lead < len(keys) && keys[o.lead].Type {
		o.lead++
	}
	for i, k := range keys {
		if k.Param == nil {
			if k.Updated && i+1 == len(keys) {
				o.tags[i] = noTagPosition
			}
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
		o.params[i].number, o.params[i].known = q.s.names.knownParam(string(t) + "." + k.Param.Code)
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

// sorted returns a page in the plan's order, out of the members of each branch.
func (q *query) sorted(plan *search.Plan, results []*cached) ([]docID, []byte, error) {
	var from *cursor
	if len(plan.After) > 0 {
		c, err := parseCursor(plan.After, len(plan.Sort))
		if err != nil {
			return nil, nil, err
		}
		from = &c
	}
	branches := make([]int, len(plan.Branches))
	for i := range branches {
		branches[i] = i
	}
	byType := plan.Sort[0].Type
	if byType {
		slices.SortStableFunc(branches, func(a, b int) int {
			c := cmp.Compare(plan.Branches[a].Type, plan.Branches[b].Type)
			if plan.Sort[0].Descending {
				return -c
			}
			return c
		})
	}
	best := top{order: order{keys: plan.Sort}, want: plan.Count + 1, from: from}
	for _, i := range branches {
		found, err := q.sortedBranch(plan, plan.Branches[i].Type, results[i], from)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range found {
			best.add(c)
		}
		if byType && len(best.found) >= best.want {
			break // the types that follow come behind
		}
	}
	found := best.take()
	docs := make([]docID, 0, min(len(found), plan.Count))
	for i := range found[:min(len(found), plan.Count)] {
		docs = append(docs, found[i].doc)
	}
	if len(found) > plan.Count && plan.Count > 0 {
		return docs, found[plan.Count-1].append(nil), nil
	}
	return docs, nil, nil
}

// sortedBranch returns the first members of one type behind from, one more than a
// page. It either collects the values of all members and sorts them, or walks the
// order of the first key and picks the members out of it. Collecting looks at
// every member (m); walking value by value looks at about count × n/m of the n
// resources in the order before a page is full, and the lesser wins. Walking by
// heads costs about the same whatever there is, so that only few members are
// collected then, or those that lie far behind in the order.
func (q *query) sortedBranch(plan *search.Plan, t fhir.Type, result *cached, from *cursor) ([]cursor, error) {
	o, err := q.newOrder(plan.Sort, t)
	if err != nil {
		return nil, err
	}
	if from != nil && o.lead > 0 {
		c := bytes.Compare(from.keys[0].term, []byte(t))
		if o.keys[0].Descending {
			c = -c
		}
		if c > 0 {
			return nil, nil // all of the type came before
		}
		if c < 0 {
			from = nil
		}
	}
	live, err := q.live(t)
	if err != nil {
		return nil, err
	}
	members, err := q.estimate(result)
	if err != nil {
		return nil, err
	}
	walks := members*members*q.s.limits.walk > int64(plan.Count)*live.size()
	if o.lead < len(o.keys) && bucketed(o.tags[o.lead]) {
		walks = members > q.s.limits.collect
	}
	if walks {
		if q.trace != nil {
			q.trace.note("page: %s: walks along the order and picks out members, of which there are about %d among %d", t, members, live.size())
		}
		w := walk{q: q, result: result, typ: t, order: o, from: from, want: plan.Count + 1, patience: q.read.chunks + int(members)/4}
		found, err := w.run()
		if err != nil || !w.tired {
			return found, err
		}
		if q.trace != nil {
			q.trace.note("page: %s: gave the walk up, which led past too much that has no members", t)
		}
	}
	if q.trace != nil {
		q.trace.note("page: %s: reads the sort values of about %d members and sorts them", t, members)
	}
	return q.collect(plan, t, o, result, from)
}

// collect sorts all members that come behind from, and returns one more than a page.
func (q *query) collect(plan *search.Plan, t fhir.Type, o order, result *cached, from *cursor) ([]cursor, error) {
	best := top{order: o, want: plan.Count + 1, from: from}
	err := q.loadThen(result, func(doc docID) (bool, error) {
		c, err := q.sortValues(o, t, doc)
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
		switch {
		case k.Type:
			c.keys[i] = sortValue{true, []byte(t)}
		case k.Param != nil:
			terms = true
		default:
			d, _, err := q.s.document(&q.at, doc)
			if err != nil {
				return c, err
			}
			if k.ID {
				c.keys[i] = sortValue{true, []byte(d.id)}
			} else if c.keys[i], err = q.updatedValue(d.seq, i+1 < len(o.keys)); err != nil {
				return c, err
			}
		}
	}
	if !terms {
		return c, nil
	}
	var b [5]byte
	_, err := get(&q.at, forwardKey(b[:0], doc), func(value []byte) error {
		return eachForward(value, func(number uint16, term []byte) {
			for i := range o.params {
				if o.params[i].known && o.params[i].number == number {
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
	found, err := get(&q.at, versionKey(nil, seq), func(value []byte) error {
		r, err := parseRecord(value)
		at = r.updated
		return err
	})
	if err == nil && !found {
		err = damaged("a current version is missing")
	}
	return sortValue{true, appendU64(nil, uint64(at))}, err
}
