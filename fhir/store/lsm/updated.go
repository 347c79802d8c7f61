package lsm

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// ticksPerMilli of searchparam.Ticks.
const ticksPerMilli = 10_000

// millis returns the Unix milliseconds of t, rounded down.
func millis(t searchparam.Ticks) int64 {
	return int64(t)/ticksPerMilli - secondsToUnixEpoch*1000
}

// updated returns the resources of a type whose lastUpdated satisfies d.
// Positions of the change log have the order of time, so that a range of time
// is a range of positions: whole buckets of them are postings, and only the
// buckets at its ends are looked into.
func (q *query) updated(t fhir.Type, d search.Date) (set, error) {
	start, end := millis(d.Start), millis(d.End)
	if int64(d.Start)%ticksPerMilli != 0 {
		start++ // an instant is a whole millisecond: the first one not before Start
	}
	switch d.Prefix {
	case search.Lt, search.Eb:
		return q.between(t, nil, &start)
	case search.Le:
		end++
		return q.between(t, nil, &end)
	case search.Gt, search.Sa:
		end++
		return q.between(t, &end, nil)
	case search.Ge:
		return q.between(t, &start, nil)
	case search.Ne:
		end++
		before, err := q.between(t, nil, &start)
		if err != nil {
			return nil, err
		}
		later, err := q.between(t, &end, nil)
		return unite(before, later), err
	}
	end++
	return q.between(t, &start, &end)
}

// between returns the resources of a type updated at from (milliseconds) or
// later and before to; nil is no limit.
func (q *query) between(t fhir.Type, from, to *int64) (set, error) {
	typ, ok := q.s.names.knownType(t)
	param, known := q.s.names.knownParam(string(t) + paramUpdated)
	if !ok || !known {
		return loaded{}, nil
	}
	low, high := seqNo(0), seqNo(1)<<62
	var err error
	if from != nil {
		if low, err = q.s.positionAt(q.snap, *from); err != nil {
			return nil, err
		}
	}
	if to != nil {
		if high, err = q.s.positionAt(q.snap, *to); err != nil {
			return nil, err
		}
	}
	if low >= high {
		return loaded{}, nil
	}
	buckets := func() (set, error) { return q.buckets(t, typ, param, low, high) }
	end, err := q.s.end(q.snap)
	if err != nil {
		return nil, err
	}
	if int64((min(high, end)-min(low, end))>>updatedBucket) <= q.s.limits.buckets {
		return buckets()
	}
	live, err := q.live(t)
	return &joined{limits: q.s.limits, around: live, whole: buckets, probe: func(doc docID) (answer, error) {
		d, _, err := q.s.document(&q.at, doc)
		return answer{is: low <= d.seq && d.seq < high}, err
	}}, err
}

// buckets returns the resources of a type whose current version lies at low or
// later and before high.
func (q *query) buckets(t fhir.Type, typ, param uint16, low, high seqNo) (set, error) {
	first, last := low>>updatedBucket, (high-1)>>updatedBucket
	var parts []set
	edge := func(bucket seqNo) error {
		s, err := q.edge(t, typ, bucket, low, high)
		parts = append(parts, s)
		return err
	}
	if low&(1<<updatedBucket-1) != 0 || first == last {
		if err := edge(first); err != nil {
			return nil, err
		}
		if first++; first > last {
			return unite(parts...), nil
		}
	}
	if high&(1<<updatedBucket-1) != 0 {
		if err := edge(last); err != nil {
			return nil, err
		}
		last--
	}
	if first <= last {
		prefix := postingPrefix(nil, param, nil)
		lower := appendU32(append([]byte(nil), prefix...), uint32(min(first, 1<<32-1)))
		upper := after(prefix)
		if last < 1<<32-1 {
			upper = appendU32(append([]byte(nil), prefix...), uint32(last+1))
		}
		middle, err := q.locate(lower, upper)
		if err != nil {
			return nil, err
		}
		parts = append(parts, middle)
	}
	return unite(parts...), nil
}

// bucketOf returns the term of the bucket that a position belongs to.
func bucketOf(seq seqNo) []byte { return appendU32(nil, uint32(seq>>updatedBucket)) }

// edge returns the resources in a bucket whose current version lies at low or
// later and before high. A resource is in the bucket of its current version,
// which is its last one there.
func (q *query) edge(t fhir.Type, typ uint16, bucket, low, high seqNo) (set, error) {
	in, err := q.own(t, paramUpdated, appendU32(nil, uint32(bucket)))
	if err != nil {
		return nil, err
	}
	logged := func(from, to seqNo) (loaded, error) {
		found := loaded{}
		if from >= to {
			return found, nil
		}
		it, err := q.snap.NewIter(&pebble.IterOptions{LowerBound: typeLogKey(nil, typ, from), UpperBound: typeLogKey(nil, typ, to)})
		if err != nil {
			return nil, err
		}
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.ValueAndErr()
			if err != nil {
				return nil, closeAfter(it, err)
			}
			found.add(binary.BigEndian.Uint32(value))
		}
		return found, closeAfter(it, it.Error())
	}
	begin, end := bucket<<updatedBucket, (bucket+1)<<updatedBucket
	inside, err := logged(max(begin, low), min(end, high))
	if err != nil {
		return nil, err
	}
	later, err := logged(min(end, high), end)
	return without{intersect(in, inside), later}, err
}

// end returns the position behind the last one of the change log.
func (s *Store) end(r pebble.Reader) (pos seqNo, err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceVersion}, UpperBound: []byte{spaceVersion + 1}})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		pos = binary.BigEndian.Uint64(it.Key()[1:]) + 1
	}
	return pos, closeAfter(it, it.Error())
}

// positionAt returns the least position of the change log whose time is at or
// after the given milliseconds, or one past the last.
func (s *Store) positionAt(r pebble.Reader, at int64) (pos seqNo, err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceVersion}, UpperBound: []byte{spaceVersion + 1}})
	if err != nil {
		return 0, err
	}
	defer func() { err = closeAfter(it, err) }()
	if !it.Last() {
		return 1, it.Error()
	}
	low, high := seqNo(1), binary.BigEndian.Uint64(it.Key()[1:])+1 // the answer is in [low, high]
	for low < high {
		mid := low + (high-low)/2
		if !it.SeekGE(versionKey(nil, mid)) { // only purged ones from mid to the end
			if err := it.Error(); err != nil {
				return 0, err
			}
			high = mid
			continue
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return 0, err
		}
		if len(value) < recordFixed {
			return 0, damaged("version record")
		}
		if recordTime(value) >= at {
			high = mid
		} else {
			low = binary.BigEndian.Uint64(it.Key()[1:]) + 1
		}
	}
	return low, nil
}
