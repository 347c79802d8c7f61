package lsm

import "runtime"

// SkipTo makes the next document number at least n, so that tests cross from
// one chunk to the next without writing 65,536 resources.
func (s *Store) SkipTo(n uint32) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.claims.next = max(s.claims.next, n)
}

// Skip leaves out the next n document numbers, so that few resources lie in many chunks.
func (s *Store) Skip(n uint32) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.claims.next += n
}

// HoldCommits holds back the commit of calls of Write. The function that it
// returns waits for n calls and lets them go on, in one commit.
func (s *Store) HoldCommits() (together func(n int)) {
	s.queue.mu.Lock()
	s.queue.busy = true
	s.queue.mu.Unlock()
	return func(n int) {
		for waiting := 0; waiting < n; runtime.Gosched() {
			s.queue.mu.Lock()
			waiting = len(s.queue.waiting)
			s.queue.mu.Unlock()
		}
		s.queue.hand()
	}
}

// HoldText makes it look as if the text index were at work until release.
func (s *Store) HoldText() (release func()) {
	r := &textRun{done: make(chan struct{})}
	s.text.mu.Lock()
	s.text.running = r
	s.text.mu.Unlock()
	return func() {
		s.text.mu.Lock()
		s.text.running = nil
		s.text.mu.Unlock()
		close(r.done)
	}
}

// AwaitText brings the text index to the end of the change log.
func (s *Store) AwaitText() { <-s.runText().done }

// TextPosition returns up to where the text index follows the change log.
func (s *Store) TextPosition() uint64 {
	at, _, err := textPosition(s.db)
	if err != nil {
		panic(err)
	}
	return at
}

// Impatient makes a store ask about joins document by document from the start and
// walk along every sort order, as it else does when there are very many resources.
// It gives up asking early, so that tests see that too.
func (s *Store) Impatient() {
	s.limits = limits{sources: -1, single: -1, misses: 3, probes: 3, perHit: 2, candidates: 2, walk: 1 << 20, collect: -1, head: 0, texts: 1 << 20, buckets: -1}
}
