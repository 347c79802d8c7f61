package lsm

import (
	"context"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
)

// commitQueue lets one call at a time commit for all that wait (group commit).
// While the leader's batch is made durable, the next leader already builds the
// next batch; the database puts their syncs together too.
type commitQueue struct {
	mu      sync.Mutex // protects fields below
	waiting []*pending
	busy    bool
}

// maxGroup bounds the bytes of one group, so that no batch outgrows the write buffer.
const maxGroup = 8 << 20

// join adds p to the queue. It has to lead the next commit if nobody else does.
func (q *commitQueue) join(p *pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, p)
	if !q.busy {
		q.busy = true
		close(p.lead)
	}
}

// lead commits for the calls that wait.
func (s *Store) lead() {
	group := s.queue.take()
	batch, err := s.commit(group)
	for _, g := range group {
		g.committed.Store(true)
	}
	s.queue.hand()
	s.syncing.Go(func() { settle(batch, group, err) })
}

// settle waits until a group's batch is durable and then answers its calls.
func settle(batch *pebble.Batch, group []*pending, err error) {
	if batch != nil {
		if err == nil {
			err = batch.SyncWait()
		}
		if cerr := batch.Close(); err == nil {
			err = cerr
		}
	}
	for _, g := range group {
		if err != nil && g.err == nil {
			g.versions, g.err = nil, fault.Wrap(fault.Internal, err, "the write could not be committed")
		}
		close(g.done)
	}
}

// alone reports whether a call has a group of its own: one that purges reads
// what others of the group would only just write, one with tables has no batch.
func (p *pending) alone() bool { return p.purges || p.tables != nil }

// take removes the next group from the queue. A call that searches comes first
// in its group, because a search does not see what the group has not yet written.
func (q *commitQueue) take() []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.waiting) && (n == 0 || !q.waiting[n].alone() && !q.waiting[n].searches && size+q.waiting[n].size <= maxGroup) {
		size += q.waiting[n].size
		if n++; q.waiting[n-1].alone() {
			break
		}
	}
	group := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return group
}

// hand makes the first waiting call the next leader.
func (q *commitQueue) hand() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.busy, q.waiting = false, nil
		return
	}
	close(q.waiting[0].lead)
}

// commit applies a group to the database, so that it is visible when commit
// returns and durable after the returned batch's SyncWait. Tables are durable at once, and
// there is no batch.
func (s *Store) commit(group []*pending) (*pebble.Batch, error) {
	s.posts.reset()
	c := &committer{
		s: s, seq: s.seq, updated: max(s.updated, s.now().UnixMilli()),
		heads: map[docID]head{}, forwards: map[docID][]indexTerm{}, posts: &s.posts,
	}
	var batch *pebble.Batch
	apply := func() error { return s.ingest(context.Background(), group[0].tables) } // past the point where a caller may leave
	if c.b = group[0].tables; group[0].tables == nil {
		batch = s.db.NewBatch()
		c.b = batch
		apply = func() error { return s.db.ApplyNoSyncWait(batch, pebble.Sync) }
	}
	err := c.commit(group)
	if err == nil {
		err = apply()
	}
	if err != nil {
		for _, claim := range c.stored { // other calls may hold it
			claim.stored = false
		}
		return batch, err
	}
	if c.seq > s.seq { // what stands in the change log is what a new start knows the time from
		s.seq, s.updated = c.seq, c.updated
	}
	s.stats.commits.Add(1)
	s.stats.writes.Add(int64(len(group)))
	s.stats.versions.Add(int64(c.versions))
	return batch, nil
}

// committer builds the batch of one group. It sees the writes of the group
// that came before: their heads and terms are in its maps.
type committer struct {
	s        *Store
	b        changes
	seq      seqNo
	updated  int64
	versions int
	heads    map[docID]head
	forwards map[docID][]indexTerm
	stored   []*claim // whose heads are new
	posts    *postings
	key, val []byte
}

func (c *committer) commit(group []*pending) error {
	for _, p := range group {
		if p.err = c.apply(p); p.err != nil && !fault.Is(p.err, fault.Conflict) {
			return p.err // what it has put into the batch must not be committed
		}
	}
	return c.posts.flush(func(key, value []byte) error { return c.s.writePosting(c.b, key, value) })
}

// apply puts one call's writes into the batch, or none of them and a Conflict.
func (c *committer) apply(p *pending) error {
	if len(p.index) > 0 {
		return c.applyIndex(p)
	}
	heads := make([]head, len(p.writes))
	for i := range p.writes {
		h, err := c.head(p.prepared[i].claim)
		if err != nil {
			return err
		}
		if want := p.writes[i].Expect; want != store.AnyVersion && want != h.version {
			return fault.New(fault.Conflict, "%s has another version than expected: %d", p.writes[i].Key.Type, h.version)
		}
		heads[i] = h
	}
	if err := c.hold(p, heads); err != nil {
		return err
	}
	p.versions = make([]fhir.Version, len(p.writes))
	for i := range p.writes {
		var err error
		switch w := &p.writes[i]; {
		case w.Method != fhir.Purge:
			p.versions[i], err = c.put(w, &p.prepared[i], heads[i])
		case w.DropSuperseded:
			p.versions[i], err = c.dropSuperseded(w.Key, p.prepared[i].claim, heads[i])
		default:
			err = c.purge(p.prepared[i].claim, heads[i])
			p.versions[i] = fhir.Version{Key: w.Key, Updated: c.time(), Method: fhir.Purge}
		}
		if err != nil {
			return err
		}
	}
	return c.storeMentioned(p.claims)
}

// storeMentioned writes the numbers of what is referred to, but not there.
func (c *committer) storeMentioned(claims claimSet) error {
	for _, claim := range claims {
		if !claim.stored {
			if err := c.store(claim, head{doc: claim.doc}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *committer) time() time.Time { return time.UnixMilli(c.updated).UTC() }

func (c *committer) head(claim *claim) (head, error) {
	if h, ok := c.heads[claim.doc]; ok {
		return h, nil
	}
	if !claim.stored {
		return head{doc: claim.doc}, nil
	}
	h, found, err := readHead(c.s.db, claim.head)
	if err == nil && !found {
		err = damaged("head of a known resource is missing")
	}
	return h, err
}

// store writes a resource's head and document entry.
func (c *committer) store(claim *claim, h head) error {
	if !claim.stored {
		claim.stored = true
		c.stored = append(c.stored, claim)
	}
	c.heads[claim.doc] = h
	c.val = h.append(c.val[:0])
	if err := c.b.Set(claim.head, c.val, nil); err != nil {
		return err
	}
	c.key = documentKey(c.key[:0], claim.doc)
	c.val = document{typ: claim.typ, seq: h.seq, id: claim.key.ID}.append(c.val[:0])
	return c.b.Set(c.key, c.val, nil)
}

// put adds a version to a resource.
func (c *committer) put(w *store.Write, q *prepared, old head) (fhir.Version, error) {
	c.seq++
	c.versions++
	h := head{doc: old.doc, method: w.Method, version: old.version + 1, seq: c.seq}
	r := record{method: w.Method, typ: q.claim.typ, doc: h.doc, updated: c.updated, version: h.version, packed: q.body}
	v := fhir.Version{Key: w.Key, Number: h.version, Updated: c.time(), Method: w.Method, Body: w.Body}
	if err := c.supersede(q.claim, old, w.DropSuperseded); err != nil {
		return v, err
	}
	if err := c.reindex(q.claim, old, h, q.terms); err != nil {
		return v, err
	}
	if err := c.store(q.claim, h); err != nil {
		return v, err
	}
	c.val = r.append(c.val[:0])
	c.key = versionKey(c.key[:0], c.seq)
	if err := c.b.Set(c.key, c.val, nil); err != nil {
		return v, err
	}
	c.key = typeLogKey(c.key[:0], q.claim.typ, c.seq)
	return v, c.b.Set(c.key, appendU32(nil, h.doc), nil)
}

// reindex changes the postings from what they are under the old head to the
// terms of the new one.
func (c *committer) reindex(claim *claim, old, h head, terms []indexTerm) error {
	var before []indexTerm
	if old.live() {
		var err error
		if before, err = c.terms(h.doc); err != nil {
			return err
		}
	}
	c.posts.replace(h.doc, before, terms)
	if err := c.posts.updated(c.s, claim, old, h); err != nil {
		return err
	}
	c.forwards[h.doc] = terms
	c.key = forwardKey(c.key[:0], h.doc)
	if len(terms) == 0 {
		return c.b.Delete(c.key, nil)
	}
	c.val = appendForward(c.val[:0], terms)
	return c.b.Set(c.key, c.val, nil)
}

// terms returns the terms that the live version of a document has.
func (c *committer) terms(doc docID) ([]indexTerm, error) {
	if t, ok := c.forwards[doc]; ok {
		return t, nil
	}
	var b [5]byte
	var terms []indexTerm
	_, err := get(c.s.db, forwardKey(b[:0], doc), func(value []byte) (err error) {
		terms, err = parseForward(append([]byte(nil), value...))
		return err
	})
	return terms, err
}
