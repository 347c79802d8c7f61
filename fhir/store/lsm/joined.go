package lsm

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// joined is a set of documents that are told by what they are joined with, as
// in a chain or Has, or by what stands in their forward records. Where many
// would have to be loaded and a page needs few, it is asked document by document;
// where few of those asked are members, or all are wanted, it is evaluated as a whole.
type joined struct {
	limits
	around set                             // what the members are among
	sure   bool                            // probe answers no for all that are not in around
	probe  func(doc docID) (answer, error) // asks one document
	whole  func() (set, error)             // evaluates all

	all         set // evaluated; nil before
	yes, no     loaded
	asked, hits int
}

// answer tells whether a document is a member, and of which others of its chunk
// the same is known (nil: of none).
type answer struct {
	is   bool
	same *roaring.Bitmap
}

// limits are where the engine changes from one way to answer to another. They
// decide about speed only.
type limits struct {
	sources    int64   // up to how many resources at the other end of a reference are looked at one by one, instead of asking those at this end
	single     int64   // the same when all that they refer to is wanted, instead of reading all references
	misses     int     // how many documents are asked for their own values before postings are read because few are members
	probes     int     // how many documents a joined set is asked one by one at most before it is evaluated as a whole because few are members
	perHit     int     // how many documents may be asked for each member found
	candidates uint64  // up to how many documents of a chunk are asked one by one when all members among them are wanted
	walk       int64   // how much walking along a sort order value by value is preferred to collecting: 1 when both look at as much
	collect    int64   // up to how many members are collected where the order can be walked by heads
	head       float64 // how much collecting the members of a head is preferred to walking along its values: 1 when both look at as much
	texts      int     // up to how many texts have postings that are read as needed
	buckets    int64   // up to how many buckets of positions are read, instead of asking each resource for its position
}

var usualLimits = limits{
	sources: 64, single: 2048, misses: 64, probes: 1024, perHit: 64, candidates: 256, walk: 1, collect: 256, head: 1, texts: 512, buckets: 4,
}

// against returns the limits of a join with some resources: no more documents
// are asked in vain than it would take to look at all of those.
func (l limits) against(others set) limits {
	l.probes = int(min(int64(l.probes), max(others.size(), 1)))
	return l
}

func (j *joined) evaluate() (set, error) {
	if j.all == nil {
		all, err := j.whole()
		if err != nil {
			return nil, err
		}
		j.all = all
	}
	return j.all, nil
}

func (j *joined) chunk(c uint32) (*roaring.Bitmap, error) {
	all, err := j.evaluate()
	if err != nil {
		return nil, err
	}
	return all.chunk(c)
}

func (j *joined) chunks() ([]uint32, bool) {
	if j.all != nil {
		return j.all.chunks()
	}
	return j.around.chunks()
}

func (j *joined) size() int64 {
	if j.all != nil {
		return j.all.size()
	}
	return j.around.size()
}

func (j *joined) rough() (set, bool) {
	if j.all != nil {
		return j.all.rough()
	}
	r, _ := j.around.rough()
	return r, false
}

func (j *joined) has(doc docID) (bool, error) {
	if j.all == nil && j.asked >= j.probes && j.hits*j.perHit < j.asked {
		if _, err := j.evaluate(); err != nil {
			return false, err
		}
	}
	if j.all != nil {
		return j.all.has(doc)
	}
	if j.no.holds(doc) {
		return false, nil
	}
	if j.sure && j.yes.holds(doc) {
		return true, nil
	}
	if !j.sure {
		if in, err := j.around.has(doc); err != nil || !in {
			return false, err
		}
	}
	j.asked++
	a, err := j.probe(doc)
	if err != nil {
		return false, err
	}
	if a.same != nil {
		j.learn(doc>>16, a)
	} else if a.is {
		j.hits++
	}
	return a.is, nil
}

// learn keeps what an answer tells of other documents.
func (j *joined) learn(c uint32, a answer) {
	if j.yes == nil {
		j.yes, j.no = loaded{}, loaded{}
	}
	known := j.no
	if a.is {
		known = j.yes
		j.hits += int(a.same.GetCardinality())
	}
	if known[c] == nil {
		known[c] = a.same
	} else {
		known[c].Or(a.same)
	}
}

// narrow returns the members of s among those of a chunk.
func narrow(s set, c uint32, among *roaring.Bitmap) (*roaring.Bitmap, error) {
	switch s := s.(type) {
	case *joined:
		if s.all == nil && among.GetCardinality() <= s.candidates && s.asked < s.probes {
			return sift(s, c, among)
		}
	case union:
		found := roaring.New()
		for _, part := range s {
			b, err := narrow(part, c, among)
			if err != nil {
				return nil, err
			}
			found.Or(b)
		}
		return found, nil
	case both:
		for _, part := range s {
			var err error
			if among, err = narrow(part, c, among); err != nil || among.IsEmpty() {
				return among, err
			}
		}
		return among, nil
	case without:
		left, err := narrow(s.from, c, among)
		if err != nil || left.IsEmpty() {
			return left, err
		}
		take, err := narrow(s.take, c, left)
		if err != nil {
			return nil, err
		}
		return roaring.AndNot(left, take), nil
	}
	b, err := s.chunk(c)
	if err != nil || b == nil {
		return roaring.New(), err
	}
	return roaring.And(among, b), nil
}

// sift asks a set about each of some documents of a chunk.
func sift(s set, c uint32, among *roaring.Bitmap) (*roaring.Bitmap, error) {
	found := roaring.New()
	for it := among.Iterator(); it.HasNext(); {
		low := it.Next()
		is, err := s.has(c<<16 | low)
		if err != nil {
			return nil, err
		}
		if is {
			found.Add(low)
		}
	}
	return found, nil
}

// bySize orders sets from small to large, those that are asked document by
// document behind the others.
func bySize(a, b set) int {
	_, x := a.rough()
	_, y := b.rough()
	switch {
	case x != y && x:
		return -1
	case x != y:
		return 1
	case a.size() < b.size():
		return -1
	case a.size() > b.size():
		return 1
	}
	return 0
}

// sampled is how many chunks of a set are looked at to estimate its size.
const sampled = 8

// estimate tells about how many members a set has: exactly when it has few chunks.
func (q *query) estimate(s set) (int64, error) {
	r, exact := s.rough()
	list, all := r.chunks()
	if all {
		list = make([]uint32, q.last>>16+1)
		for i := range list {
			list[i] = uint32(i)
		}
	}
	step := max(1, len(list)/sampled)
	n, looked := int64(0), 0
	asked, hits := 0, 0
	for i := 0; i < len(list); i += step {
		b, err := r.chunk(list[i])
		if err != nil {
			return 0, err
		}
		looked++
		if b == nil || b.IsEmpty() {
			continue
		}
		n += int64(b.GetCardinality())
		if exact {
			continue
		}
		apart := max(1, int(b.GetCardinality())/8)
		for k := 0; k < int(b.GetCardinality()); k += apart {
			low, err := b.Select(uint32(k))
			if err != nil {
				return 0, damaged("a posting")
			}
			is, err := s.has(list[i]<<16 | low)
			if err != nil {
				return 0, err
			}
			if asked++; is {
				hits++
			}
		}
	}
	if looked > 0 {
		n = n * int64(len(list)) / int64(looked)
	}
	if asked > 0 {
		n = n * int64(hits) / int64(asked)
	}
	return n, nil
}

// roughly returns the parts of a set as they are when looked at roughly.
func roughly(parts []set) (rough []set, exact bool) {
	exact = true
	rough = slices.Clone(parts)
	for i, s := range parts {
		r, is := s.rough()
		rough[i], exact = r, exact && is
	}
	return rough, exact
}
