package lsm

import (
	"bytes"
	"encoding/binary"

	"salus/fhir"
	"salus/fhir/search"
)

// chain returns the resources of type t that refer to one of the target's.
func (q *query) chain(t fhir.Type, f search.Chain) (set, error) {
	param, ok := q.s.names.knownParam(f.Param.Name())
	if !ok {
		return loaded{}, nil
	}
	targets, err := q.filter(f.Target, f.Filter)
	if err != nil {
		return nil, err
	}
	whole := func() (set, error) { return q.referring(param, targets) }
	if targets.size() <= q.s.limits.sources {
		return whole()
	}
	live, err := q.live(t)
	prefix := place(postingPrefix(nil, param, nil)).key(tagReference)
	l := q.s.limits.against(targets)
	if _, exact := targets.rough(); !exact {
		l.probes /= 4 // each asks on
	}
	return &joined{limits: l, around: live, sure: true, whole: whole, probe: func(doc docID) (answer, error) {
		refs, err := q.targets(doc, param)
		for _, r := range refs {
			is, err := targets.has(r)
			if err != nil {
				return answer{}, err
			}
			if !is && !f.Param.Single {
				continue // another reference may decide about those that share this one
			}
			same, err := q.postingAt(appendU32(prefix[:len(prefix):len(prefix)], r), doc>>16)
			return answer{is, same}, err
		}
		return answer{}, err
	}}, err
}

// referring returns the resources that refer to one of targets. Targets and
// the reference's postings are walked together in the order of documents, each
// leaping over what the other lacks.
func (q *query) referring(param uint16, targets set) (set, error) {
	found := loaded{}
	prefix := place(postingPrefix(nil, param, nil)).key(tagReference)
	upper := after(prefix)
	at, seek := docID(0), true // at: the document whose posting the iterator stands at
	ok := true
	n := 0
	err := q.loadThen(targets, func(doc docID) (bool, error) {
		if n++; n%1024 == 0 {
			if err := q.canceled(); err != nil {
				return false, err
			}
		}
		if seek || at < doc {
			if ok = q.iter.SeekGE(appendU32(bytes.Clone(prefix), doc)); !ok {
				return false, q.iter.Error()
			}
			seek = false
		}
		for ; ok && bytes.Compare(q.iter.Key(), upper) < 0; ok = q.iter.Next() {
			if at = binary.BigEndian.Uint32(q.iter.Key()[len(prefix):]); at != doc {
				return true, nil
			}
			value, err := q.iter.ValueAndErr()
			if err != nil {
				return false, err
			}
			b, err := decodePosting(value)
			if err != nil {
				return false, err
			}
			found.unite(chunkOf(q.iter.Key()), b)
		}
		return false, q.iter.Error()
	})
	return found, err
}

// loadThen brings s into memory, since reading it moves the iterator, and then
// calls f with its members.
func (q *query) loadThen(s set, f func(docID) (bool, error)) error {
	l, err := load(s, q.last)
	if err != nil {
		return err
	}
	return each(l, 0, q.last, f)
}

// has returns the resources of type t to which a resource refers for which the
// filter holds.
func (q *query) has(t fhir.Type, f search.Has) (set, error) {
	param, ok := q.s.names.knownParam(f.Param.Name())
	if !ok {
		return loaded{}, nil
	}
	selected, err := q.filter(f.Param.Type, f.Filter)
	if err != nil {
		return nil, err
	}
	live, err := q.live(t)
	if err != nil {
		return nil, err
	}
	whole := func() (set, error) {
		found, err := q.referredTo(param, selected)
		if err != nil {
			return nil, err
		}
		return intersect(found, live), nil
	}
	if selected.size() <= q.s.limits.sources {
		return whole()
	}
	selected = &cached{set: selected, seen: loaded{}}
	prefix := place(postingPrefix(nil, param, nil)).key(tagReference)
	return &joined{limits: q.s.limits.against(selected), around: live, whole: whole, probe: func(doc docID) (answer, error) {
		sources, err := q.posting(appendU32(prefix[:len(prefix):len(prefix)], doc))
		if err != nil {
			return answer{}, err
		}
		is, err := some(intersect(sources, selected), q.last)
		return answer{is: is}, err
	}}, nil
}

// referredTo returns what one of the selected resources refers to.
func (q *query) referredTo(param uint16, selected set) (loaded, error) {
	sources, err := load(selected, q.last)
	if err != nil {
		return nil, err
	}
	found := loaded{}
	if sources.size() <= q.s.limits.single {
		err = each(sources, 0, q.last, func(doc docID) (bool, error) {
			targets, err := q.targets(doc, param)
			for _, d := range targets {
				found.add(d)
			}
			return true, err
		})
	} else {
		prefix := place(postingPrefix(nil, param, nil)).key(tagReference)
		err = q.scanKeys(prefix, after(prefix), func(key, value []byte) error {
			target, from := binary.BigEndian.Uint32(key[len(prefix):]), sources[chunkOf(key)]
			if from == nil || found.holds(target) {
				return nil
			}
			b, err := decodePosting(value)
			if err == nil && b.Intersects(from) {
				found.add(target)
			}
			return err
		})
	}
	return found, err
}

// targets returns the documents to which a document refers by a parameter.
func (q *query) targets(doc docID, param uint16) ([]docID, error) {
	var found []docID
	var b [5]byte
	_, err := get(&q.at, forwardKey(b[:0], doc), func(value []byte) error {
		return eachForward(value, func(p uint16, term []byte) {
			if p == param && len(term) == 5 && term[0] == tagReference {
				found = append(found, binary.BigEndian.Uint32(term[1:]))
			}
		})
	})
	return found, err
}
