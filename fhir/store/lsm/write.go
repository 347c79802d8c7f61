package lsm

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// pending is a call of Write or Reindex on its way through the commit queue.
type pending struct {
	writes   []store.Write
	index    []store.Index // of Reindex, which has no writes
	prepared []prepared    // for each of writes or index
	claims   claimSet
	size     int // bytes of bodies and terms, roughly
	purges   bool
	searches bool    // a write has an Unless
	tables   *tables // where its changes go instead of a batch; nil for a batch

	versions  []fhir.Version
	replaced  int // of index
	err       error
	lead      chan struct{} // closed when this call has to lead the next commit
	committed atomic.Bool   // a commit has dealt with it
	done      chan struct{} // closed when versions or err is set for good
}

// prepared is one write with all that can be computed before its turn.
type prepared struct {
	claim *claim
	terms []indexTerm // sorted; none for a deletion
	body  packedBody
}

// Write implements store.Store. Everything that does not depend on other
// writes — numbers, terms, compression — happens here, in the caller's
// goroutine; the rest happens in a commit, which concurrent calls share.
func (s *Store) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	return s.write(ctx, writes, false)
}

func (s *Store) write(ctx context.Context, writes []store.Write, ingest bool) ([]fhir.Version, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for i := range writes {
		if asksForWords(writes[i].Unless) {
			if err := s.readyText(ctx); err != nil {
				return nil, err
			}
			break
		}
	}
	p := &pending{writes: writes, claims: make(claimSet, len(writes)), done: make(chan struct{}), lead: make(chan struct{})}
	defer func() { s.release(p.claims) }()
	if ingest {
		p.tables = &tables{}
	}
	if err := s.prepare(p); err != nil {
		return nil, err
	}
	if err := s.space.check(p.size); err != nil {
		return nil, err
	}
	if len(writes) == 0 {
		return nil, nil
	}
	s.queue.join(p)
	return s.await(p)
}

// fullPatience is how long a call waits for its commit before it asks whether
// the disk has filled up.
const fullPatience = 250 * time.Millisecond

// await returns what became of a call in the queue, which it leads when it is
// its turn. A commit is always made durable unless the disk is full: then the
// caller is told that nobody can say yet. A call that is not committed cannot
// leave, because others rely on its claims and on its taking its turn.
func (s *Store) await(p *pending) ([]fhir.Version, error) {
	timer := time.NewTimer(fullPatience)
	defer timer.Stop()
	lead := p.lead
	for {
		select {
		case <-lead:
			lead = nil
			s.lead()
		case <-p.done:
			return p.versions, p.err
		case <-timer.C:
			if p.committed.Load() && s.space.full() {
				return nil, fault.New(fault.Unavailable, "the disk filled up while the write was being made durable: whether it is kept shows once there is space")
			}
			timer.Reset(fullPatience)
		}
	}
}

func (s *Store) prepare(p *pending) error {
	p.prepared = make([]prepared, len(p.writes))
	for i := range p.writes {
		w := &p.writes[i]
		c, err := s.claim(p.claims, w.Key, w.Expect == 0)
		if err != nil {
			return err
		}
		p.prepared[i].claim = c
	}
	if len(p.claims) < len(p.writes) {
		return fault.New(fault.Invalid, "a resource occurs twice in one write")
	}
	enc := s.encoder(p)
	for i := range p.writes {
		w, q := &p.writes[i], &p.prepared[i]
		p.searches = p.searches || len(w.Unless) > 0
		for _, key := range w.Require {
			if _, err := s.claim(p.claims, key, false); err != nil {
				return err
			}
		}
		switch w.Method {
		case fhir.Delete:
		case fhir.Purge:
			p.purges = true
		default:
			if err := s.prepareBody(w, q, &enc); err != nil {
				return err
			}
			p.size += len(q.body.data) + 24*len(q.terms)
		}
	}
	return nil
}

// encoder returns an encoder whose references are claims of p.
func (s *Store) encoder(p *pending) encoder {
	return encoder{names: s.names, target: func(key fhir.Key) (docID, error) {
		c, err := s.claim(p.claims, key, false)
		if err != nil {
			return 0, err
		}
		return c.doc, nil
	}}
}

// prepareTerms computes the terms of index values, with those of the engine's own.
func (s *Store) prepareTerms(t fhir.Type, values []searchparam.Entry, q *prepared, enc *encoder) error {
	terms, err := enc.encode(values)
	if err != nil {
		return err
	}
	hash, err := s.names.signature(q.claim.typ, terms)
	if err != nil {
		return err
	}
	present, err := s.names.param(string(t) + paramPresent)
	if err != nil {
		return err
	}
	live, err := s.names.param(string(t) + paramLive)
	if err != nil {
		return err
	}
	q.terms = append(terms, indexTerm{present, signatureTerm(hash)}, indexTerm{live, nil})
	slices.SortFunc(q.terms, compareTerms)
	return nil
}

func (s *Store) prepareBody(w *store.Write, q *prepared, enc *encoder) error {
	if err := s.prepareTerms(w.Key.Type, w.Values, q, enc); err != nil {
		return err
	}
	if dict := s.bodies.sample(w.Key.Type, w.Body); dict != nil {
		if err := s.storeDictionary(dict); err != nil {
			return err
		}
	}
	q.body = s.bodies.pack(w.Body)
	return nil
}
