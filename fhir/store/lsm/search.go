package lsm

import (
	"context"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// Search implements store.Store.
func (s *Store) Search(ctx context.Context, plan *search.Plan) (page *search.Page, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if asksForWords(plan.Branches) {
		if err := s.readyText(ctx); err != nil {
			return nil, err
		}
	}
	q, err := s.newQuery(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err = q.close(err); err != nil {
			page = nil
		}
	}()
	return q.run(plan)
}

func asksForWords(branches []search.Branch) bool {
	return slices.ContainsFunc(branches, func(b search.Branch) bool { return search.HasContent(b.Filter) })
}

// run answers a plan, with an explanation if it asks for one.
func (q *query) run(plan *search.Plan) (*search.Page, error) {
	if plan.Explain {
		q.trace = newTrace(q.s.now)
	}
	results, err := q.results(plan)
	if err != nil {
		return nil, err
	}
	q.trace.phase("sets")
	page := &search.Page{Total: -1}
	if err := q.answer(plan, results, page); err != nil {
		return nil, err
	}
	if plan.Explain {
		page.Explained, err = q.explained()
	}
	return page, err
}

// answer fills the page out of what each branch selects.
func (q *query) answer(plan *search.Plan, results []*cached, page *search.Page) error {
	if plan.AfterIncluded != nil {
		docs, _, err := q.page(plan, results)
		if err != nil {
			return err
		}
		q.trace.phase("page")
		err = q.includeMore(plan, docs, page)
		q.trace.phase("includes")
		return err
	}
	if plan.Total || plan.Count == 0 {
		page.Total = 0
		for _, r := range results {
			n, err := count(r, q.last)
			if err != nil {
				return err
			}
			page.Total += n
		}
		q.trace.phase("total")
	}
	if plan.Count == 0 {
		return nil
	}
	docs, next, err := q.page(plan, results)
	if err != nil {
		return err
	}
	q.trace.phase("page")
	page.Next = next
	page.Matches = slices.Grow(page.Matches, len(docs))
	for _, doc := range docs {
		if err := q.canceled(); err != nil {
			return err
		}
		v, ok, err := q.current(doc)
		if err != nil {
			return err
		}
		if !ok {
			return damaged("the index names a resource without a version")
		}
		page.Matches = append(page.Matches, v)
	}
	q.trace.phase("bodies")
	err = q.include(plan, docs, page)
	q.trace.phase("includes")
	return err
}

// current reads the current version of a document; ok is false when there is
// none or it is a deletion.
func (q *query) current(doc docID) (v fhir.Version, ok bool, err error) {
	d, found, err := q.s.document(&q.at, doc)
	if err != nil || !found || d.seq == 0 {
		return v, false, err
	}
	v, found, err = q.s.version(&q.at, d.seq, fhir.Key{Type: q.s.names.typeName(d.typ), ID: d.id})
	return v, found && !v.Deleted(), err
}

// page returns the documents of the plan's page, in order, and the cursor of
// the next one.
func (q *query) page(plan *search.Plan, results []*cached) ([]docID, []byte, error) {
	if len(plan.Sort) > 0 {
		return q.sorted(plan, results)
	}
	var parts []set
	for _, r := range results {
		if l, is := r.set.(loaded); !is || len(l) > 0 {
			parts = append(parts, r)
		}
	}
	result := unite(parts...)
	if q.trace != nil {
		q.trace.note("page: goes through the members in the order of their numbers until it is full")
	}
	from := docID(0)
	if len(plan.After) > 0 {
		c, err := parseCursor(plan.After, 0)
		if err != nil {
			return nil, nil, err
		}
		if c.doc >= q.last {
			return nil, nil, nil
		}
		from = c.doc + 1
	}
	docs := make([]docID, 0, min(plan.Count, 64))
	more := false
	err := each(result, from, q.last, func(doc docID) (bool, error) {
		if more = len(docs) == plan.Count; !more {
			docs = append(docs, doc)
		}
		return !more, nil
	})
	if err != nil || !more {
		return docs, nil, err
	}
	return docs, cursor{doc: docs[len(docs)-1]}.append(nil), nil
}

// cursor is the place of the last document of a page in the order.
type cursor struct {
	keys []sortValue // one for each sort key
	doc  docID
}

// cursorForm is the version of the encoding below.
const cursorForm = 1

func (c cursor) append(dst []byte) []byte {
	dst = appendU32(append(dst, cursorForm), c.doc)
	for _, k := range c.keys {
		present := byte(0)
		if k.present {
			present = 1
		}
		dst = appendUvarint(append(dst, present), uint64(len(k.term)))
		dst = append(dst, k.term...)
	}
	return dst
}

// parseCursor reads a cursor with n keys.
func parseCursor(b []byte, n int) (cursor, error) {
	bad := fault.New(fault.Invalid, "the continuation does not belong to this search")
	if len(b) < 5 || b[0] != cursorForm {
		return cursor{}, bad
	}
	c := cursor{doc: docID(b[1])<<24 | docID(b[2])<<16 | docID(b[3])<<8 | docID(b[4])}
	for b = b[5:]; len(b) > 0; {
		present, size, rest, ok := uvarint2(b)
		if !ok || present > 1 || size > uint64(len(rest)) {
			return cursor{}, bad
		}
		c.keys = append(c.keys, sortValue{present == 1, rest[:size:size]})
		b = rest[size:]
	}
	if len(c.keys) != n {
		return cursor{}, bad
	}
	return c, nil
}
