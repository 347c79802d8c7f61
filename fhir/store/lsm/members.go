package lsm

import "slices"

// each calls f with the members from document from on, ascending, until f
// returns false. last is the greatest number given so far.
func each(s set, from, last docID, f func(docID) (bool, error)) error {
	visit := func(c uint32) (bool, error) {
		look, exact := s.rough() // which may change underway
		b, err := look.chunk(c)
		if err != nil || b == nil {
			return true, err
		}
		it := b.Iterator()
		if c == from>>16 {
			it.AdvanceIfNeeded(from & 0xffff)
		}
		for it.HasNext() {
			doc := c<<16 | it.Next()
			if !exact {
				if is, err := s.has(doc); err != nil {
					return false, err
				} else if !is {
					continue
				}
			}
			if goOn, err := f(doc); err != nil || !goOn {
				return false, err
			}
		}
		return true, nil
	}
	look, _ := s.rough()
	if list, all := look.chunks(); !all {
		at, _ := slices.BinarySearch(list, from>>16)
		for _, c := range list[at:] {
			if goOn, err := visit(c); err != nil || !goOn {
				return err
			}
		}
		return nil
	}
	for c := from >> 16; c <= last>>16; c++ {
		if goOn, err := visit(c); err != nil || !goOn {
			return err
		}
	}
	return nil
}

// some reports whether there are members.
func some(s set, last docID) (is bool, err error) {
	err = each(s, 0, last, func(docID) (bool, error) {
		is = true
		return false, nil
	})
	return is, err
}

// count returns how many members there are.
func count(s set, last docID) (int64, error) {
	if m, is := s.(*cached); is && len(m.seen) == 0 {
		s = m.set
	}
	if p, is := s.(*spread); is && len(p.keys) == 1 {
		return p.q.countPosting(p.keys[0])
	}
	list, all := s.chunks()
	if all {
		list = make([]uint32, last>>16+1)
		for i := range list {
			list[i] = uint32(i)
		}
	}
	n := int64(0)
	for _, c := range list {
		b, err := s.chunk(c)
		if err != nil {
			return 0, err
		}
		if b != nil {
			n += int64(b.GetCardinality())
		}
	}
	return n, nil
}

// load brings a whole set into memory.
func load(s set, last docID) (loaded, error) {
	if l, ok := s.(loaded); ok {
		return l, nil
	}
	list, all := s.chunks()
	if all {
		list = make([]uint32, last>>16+1)
		for i := range list {
			list[i] = uint32(i)
		}
	}
	l := make(loaded, len(list))
	for _, c := range list {
		b, err := s.chunk(c)
		if err != nil {
			return nil, err
		}
		if b != nil && !b.IsEmpty() {
			l[c] = b
		}
	}
	return l, nil
}
