package lsm

import (
	"encoding/binary"
	"slices"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
)

// member is a document with its type.
type member struct {
	doc docID
	typ fhir.Type
}

// including gathers what a page's matches include.
type including struct {
	q    *query
	plan *search.Plan
	page *search.Page
	seen loaded // matches and what is included already
	done map[*search.Include]bool
}

// include adds to a page what its matches refer to and what refers to them.
func (q *query) include(plan *search.Plan, matches []docID, page *search.Page) error {
	if len(plan.Includes)+len(plan.RevIncludes) == 0 {
		return nil
	}
	from := make([]member, len(matches))
	for i, doc := range matches {
		from[i] = member{doc, page.Matches[i].Type}
	}
	if plan.Iterates() {
		return q.newIncluding(plan, from, page).iterate(from)
	}
	return q.newIncluding(plan, from, page).once(from, 0)
}

// includeMore goes on with the included resources behind plan.AfterIncluded.
func (q *query) includeMore(plan *search.Plan, matches []docID, page *search.Page) error {
	if len(plan.AfterIncluded) != 5 || plan.AfterIncluded[0] != cursorForm || plan.Iterates() {
		return fault.New(fault.Invalid, "the continuation does not belong to this search")
	}
	last := binary.BigEndian.Uint32(plan.AfterIncluded[1:])
	from := make([]member, len(matches))
	for i, doc := range matches {
		d, _, err := q.s.document(&q.at, doc)
		if err != nil {
			return err
		}
		from[i] = member{doc, q.s.names.typeName(d.typ)}
	}
	if last >= q.last {
		return nil
	}
	return q.newIncluding(plan, from, page).once(from, last+1)
}

func (q *query) newIncluding(plan *search.Plan, matches []member, page *search.Page) *including {
	x := &including{q: q, plan: plan, page: page, seen: loaded{}, done: map[*search.Include]bool{}}
	for _, m := range matches {
		x.seen.add(m.doc)
	}
	return x
}

// once adds what the matches include, in the order of documents from first on,
// until the page is full.
func (x *including) once(matches []member, first docID) error {
	set, err := x.around(matches, func(*search.Include) bool { return true })
	if err != nil {
		return err
	}
	last := docID(0)
	_, err = x.add(without{set, x.seen}, first, func(doc docID, full bool) {
		if full {
			x.page.NextIncluded = appendU32([]byte{cursorForm}, last)
		}
		last = doc
	})
	return err
}

// iterate adds round by round what matches and included resources include.
func (x *including) iterate(from []member) error {
	for round := 0; len(from) > 0 && !x.page.Truncated; round++ {
		set, err := x.around(from, func(i *search.Include) bool { return (round == 0 || i.Iterate) && !x.done[i] })
		if err != nil {
			return err
		}
		x.finish(from)
		found, err := load(without{set, x.seen}, x.q.last)
		if err != nil {
			return err
		}
		if from, err = x.add(found, 0, func(doc docID, full bool) {
			if !full {
				x.seen.add(doc)
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// finish notes which includes that are followed once have been followed now.
func (x *including) finish(from []member) {
	note := func(list []search.Include, starts func(search.Include) []fhir.Type) {
		for n := range list {
			if i := &list[n]; i.Once && slices.ContainsFunc(from, func(m member) bool { return slices.Contains(starts(*i), m.typ) }) {
				x.done[i] = true
			}
		}
	}
	note(x.plan.Includes, search.Include.From)
	note(x.plan.RevIncludes, search.Include.To)
}

// add adds the current resources of a set from document first on to the page
// and returns them. It calls see with every one, and with the first for which
// there was no room any more.
func (x *including) add(s set, first docID, see func(doc docID, full bool)) ([]member, error) {
	var added []member
	err := each(s, first, x.q.last, func(doc docID) (bool, error) {
		if err := x.q.canceled(); err != nil {
			return false, err
		}
		v, ok, err := x.q.current(doc)
		if err != nil || !ok {
			return true, err
		}
		x.page.Truncated = len(x.page.Included) >= x.plan.MaxIncludes
		see(doc, x.page.Truncated)
		if x.page.Truncated {
			return false, nil
		}
		x.page.Included = append(x.page.Included, v)
		added = append(added, member{doc, v.Type})
		return true, nil
	})
	return added, err
}

// around returns what the includes that apply lead to from some documents.
func (x *including) around(from []member, apply func(*search.Include) bool) (set, error) {
	byTarget := map[fhir.Type]loaded{}
	forward := x.forward(apply)
	for _, m := range from {
		if err := x.targets(m, forward[m.typ], byTarget); err != nil {
			return nil, err
		}
	}
	var parts []set
	for target, found := range byTarget {
		if target == "" {
			parts = append(parts, found)
			continue
		}
		live, err := x.q.live(target)
		if err != nil {
			return nil, err
		}
		parts = append(parts, intersect(found, live))
	}
	for n := range x.plan.RevIncludes {
		inc := &x.plan.RevIncludes[n]
		param, ok := x.q.s.names.knownParam(inc.Param.Name())
		if !ok || !apply(inc) {
			continue
		}
		prefix := place(postingPrefix(nil, param, nil)).key(tagReference)
		for _, m := range from {
			if inc.Target != "" && inc.Target != m.typ {
				continue
			}
			sources, err := x.q.posting(appendU32(prefix[:len(prefix):len(prefix)], m.doc))
			if err != nil {
				return nil, err
			}
			parts = append(parts, sources)
		}
	}
	return unite(parts...), nil
}

// path is a parameter to follow, and the only type at its end that counts, if any.
type path struct {
	param  uint16
	target fhir.Type
}

// forward sorts the includes that apply by the type that they start from.
func (x *including) forward(apply func(*search.Include) bool) map[fhir.Type][]path {
	paths := map[fhir.Type][]path{}
	for n := range x.plan.Includes {
		inc := &x.plan.Includes[n]
		if param, ok := x.q.s.names.knownParam(inc.Param.Name()); ok && apply(inc) {
			paths[inc.Param.Type] = append(paths[inc.Param.Type], path{param, inc.Target})
		}
	}
	return paths
}

// targets adds what a document refers to along the paths.
func (x *including) targets(m member, paths []path, byTarget map[fhir.Type]loaded) error {
	if len(paths) == 0 {
		return nil
	}
	var b [5]byte
	_, err := get(&x.q.at, forwardKey(b[:0], m.doc), func(value []byte) error {
		return eachForward(value, func(number uint16, term []byte) {
			if len(term) != 5 || term[0] != tagReference {
				return
			}
			for _, p := range paths {
				if p.param == number {
					if byTarget[p.target] == nil {
						byTarget[p.target] = loaded{}
					}
					byTarget[p.target].add(binary.BigEndian.Uint32(term[1:]))
				}
			}
		})
	})
	return err
}
