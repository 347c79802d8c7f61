package lsm

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// The text index says which documents have a word. It is not there until the
// first search for one; from then on it follows the change log, from search to
// search, so that writing costs nothing for it. What the log has and the index
// not yet is read from the bodies.
//
// In the space of words stand, behind the position up to which it follows (key 0),
// postings by kind, word, an end mark and chunk. A document's own words are kept
// to be taken away again.
const (
	wordContent   = 'c'
	wordNarrative = 'n'
	wordEnd       = 0
)

// textBatch is how many entries of the change log are indexed at a time.
const textBatch = 512

// textIndex follows the change log in a goroutine while there is something to follow.
type textIndex struct {
	stop     context.CancelFunc
	ctx      context.Context // ends when the store is closed
	patience time.Duration   // of a search for the index
	work     sync.WaitGroup

	mu      sync.Mutex // protects running
	running *textRun   // nil when nobody follows
}

// textRun is one way from where the text index was to the end of the log.
type textRun struct {
	done chan struct{}
	err  error // once done is closed
}

func (x *textIndex) open(patience time.Duration) {
	x.patience = patience
	x.ctx, x.stop = context.WithCancel(context.Background())
}

// runText starts a run unless there is one, and returns it.
func (s *Store) runText() *textRun {
	s.text.mu.Lock()
	defer s.text.mu.Unlock()
	if r := s.text.running; r != nil {
		return r
	}
	r := &textRun{done: make(chan struct{})}
	s.text.running = r
	s.text.work.Go(func() {
		for more := true; more && r.err == nil; {
			if r.err = canceled(s.text.ctx); r.err == nil {
				more, r.err = s.indexText()
			}
		}
		s.text.mu.Lock()
		s.text.running = nil
		s.text.mu.Unlock()
		close(r.done)
	})
	return r
}

// readyText brings the text index up to the change log as it was at the call, or
// nearly: what is written meanwhile is found by query.content. It is Unavailable
// when that takes too long; the work goes on.
func (s *Store) readyText(ctx context.Context) error {
	timer := time.NewTimer(s.text.patience)
	defer timer.Stop()
	for range 2 { // a run that has begun may have passed over the last writes
		r := s.runText()
		select {
		case <-r.done:
			if r.err != nil {
				return r.err
			}
		case <-timer.C:
			f := fault.New(fault.Unavailable, "the text index is being built, as this service is searched for words for the first time or has changed a lot: try again later")
			f.RetryAfter = 5 * time.Second
			return f
		case <-ctx.Done():
			return canceled(ctx)
		}
	}
	return nil
}

func textKey() []byte { return []byte{spaceWord, 0} }

// wordKey is the beginning of the keys of a word's postings, or of those of all
// words that begin with it.
func wordKey(dst []byte, kind byte, w search.Word) []byte {
	dst = append(append(dst, spaceWord, kind), w.Text...)
	if w.Prefix {
		return dst
	}
	return append(dst, wordEnd)
}

func wordsKey(doc docID) []byte { return appendU32([]byte{spaceWords}, doc) }

// textPosition returns up to where the text index follows the change log; on
// is false as long as nobody has searched for words.
func textPosition(r pebble.Reader) (at seqNo, on bool, err error) {
	on, err = get(r, textKey(), func(value []byte) error {
		if len(value) != 8 {
			return damaged("position of the text index")
		}
		at = binary.BigEndian.Uint64(value)
		return nil
	})
	return at, on, err
}

// indexText indexes the next entries of the change log. more is false at its end.
func (s *Store) indexText() (more bool, err error) {
	snap := s.db.NewSnapshot()
	defer func() { err = closeSnapshot(snap, err) }()
	at, on, err := textPosition(snap)
	if err != nil {
		return false, err
	}
	posts, b := &postings{}, s.db.NewBatch()
	defer b.Close() //nolint:errcheck // a batch's Close fails only when called twice
	n, end := 0, at
	err = s.changedSince(snap, at, func(seq seqNo, doc docID, v *fhir.Version) (bool, error) {
		n, end = n+1, seq
		if v == nil {
			return n < textBatch, nil
		}
		return n < textBatch, s.putWords(snap, b, posts, doc, *v)
	})
	if err != nil || n == 0 && on {
		return false, err
	}
	if err := s.space.check(b.Len()); err != nil {
		return false, err
	}
	err = posts.flush(func(key, value []byte) error { return b.Merge(key, value, nil) })
	if err == nil {
		err = b.Set(textKey(), appendU64(nil, end), nil)
	}
	if err == nil {
		err = b.Commit(pebble.NoSync) // behind the entries that it is about, in the database's log too
	}
	return n == textBatch, err
}

// changedSince calls f for the entries of the change log after a position, until
// it returns false: with the version where that is the document's current one,
// with a deletion where the document is purged, else with nil.
func (s *Store) changedSince(snap *pebble.Snapshot, at seqNo, f func(seqNo, docID, *fhir.Version) (bool, error)) error {
	it, err := snap.NewIter(&pebble.IterOptions{LowerBound: versionKey(nil, at+1), UpperBound: []byte{spaceVersion + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		seq := binary.BigEndian.Uint64(it.Key()[1:])
		value, err := it.ValueAndErr()
		if err != nil {
			return closeAfter(it, err)
		}
		rec, err := parseRecord(value)
		if err != nil {
			return closeAfter(it, err)
		}
		d, found, err := s.document(snap, rec.doc)
		if err == nil && !found {
			err = damaged("document entry is missing")
		}
		if err != nil {
			return closeAfter(it, err)
		}
		var v *fhir.Version
		key := fhir.Key{Type: s.names.typeName(d.typ), ID: d.id}
		switch d.seq {
		case seq:
			current, err := s.toVersion(&rec, key)
			if err != nil {
				return closeAfter(it, err)
			}
			v = &current
		case 0:
			v = &fhir.Version{Key: key, Method: fhir.Purge}
		}
		goOn, err := f(seq, rec.doc, v)
		if err != nil || !goOn {
			return closeAfter(it, err)
		}
	}
	return closeAfter(it, it.Error())
}

// putWords replaces a document's words by those of a version.
func (s *Store) putWords(snap *pebble.Snapshot, b *pebble.Batch, posts *postings, doc docID, v fhir.Version) error {
	var before, now []string
	key := wordsKey(doc)
	if _, err := get(snap, key, func(value []byte) error { before = splitWords(string(value)); return nil }); err != nil {
		return err
	}
	content, narrative, err := wordsOf(v)
	if err != nil {
		return err
	}
	for _, w := range content {
		now = append(now, string(wordContent)+w)
	}
	for _, w := range narrative {
		now = append(now, string(wordNarrative)+w)
	}
	slices.Sort(now)
	now = slices.Compact(now)
	change := func(word string, remove bool) {
		posts.changeKey(append(append([]byte{spaceWord}, word...), wordEnd), doc, remove)
	}
	for _, word := range before {
		if _, still := slices.BinarySearch(now, word); !still {
			change(word, true)
		}
	}
	for _, word := range now {
		if _, had := slices.BinarySearch(before, word); !had {
			change(word, false)
		}
	}
	if len(now) == 0 {
		return b.Delete(key, nil)
	}
	return b.Set(key, []byte(strings.Join(now, string(rune(wordEnd)))), nil)
}

func splitWords(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, string(rune(wordEnd)))
}

// wordsOf returns the words of a version, none for a deletion.
func wordsOf(v fhir.Version) (content, narrative []string, err error) {
	if v.Deleted() {
		return nil, nil, nil
	}
	d, err := fhir.Parse(v.Body.JSON)
	if err != nil {
		return nil, nil, damaged("a body is no JSON")
	}
	content, narrative = searchparam.Words(nil, nil, d.Root())
	return content, narrative, nil
}

// content returns the resources of a type whose words satisfy f: by the text
// index, and for what has changed since by their bodies.
func (q *query) content(t fhir.Type, f search.Content) (set, error) {
	at, on, err := textPosition(q.snap)
	if err != nil {
		return nil, err
	}
	if !on {
		return nil, fault.New(fault.Unavailable, "the text index is not there yet: search for words first")
	}
	changed, matching := loaded{}, loaded{}
	err = q.s.changedSince(q.snap, at, func(_ seqNo, doc docID, v *fhir.Version) (bool, error) {
		changed.add(doc)
		if v == nil || v.Type != t {
			return true, q.canceled()
		}
		words, narrative, err := wordsOf(*v)
		if f.Narrative {
			words = narrative
		}
		if err == nil && f.In(words) {
			matching.add(doc)
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	live, err := q.live(t)
	if err != nil {
		return nil, err
	}
	parts := []set{matching}
	for _, all := range f.Any {
		have := []set{live}
		for _, w := range all {
			s, err := q.word(f.Narrative, w)
			if err != nil {
				return nil, err
			}
			have = append(have, s)
		}
		parts = append(parts, without{intersect(have...), changed})
	}
	return unite(parts...), nil
}

// word returns the documents that the text index knows to have a word.
func (q *query) word(narrative bool, w search.Word) (loaded, error) {
	kind := byte(wordContent)
	if narrative {
		kind = wordNarrative
	}
	found := loaded{}
	prefix := wordKey(nil, kind, w)
	n := 0
	return found, scan(q.snap, prefix, func(key, value []byte) error {
		if n++; n%4096 == 0 {
			if err := q.canceled(); err != nil {
				return err
			}
		}
		if !w.Prefix && len(key) != len(prefix)+4 || w.Prefix && bytes.IndexByte(key[2:], wordEnd) < 0 {
			return damaged("a word of the text index")
		}
		b, err := decodePosting(value)
		if err == nil {
			found.unite(chunkOf(key), b)
		}
		return err
	})
}
