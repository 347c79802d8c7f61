package lsm

// SkipTo makes the next document number at least n, so that tests cross from
// one chunk to the next without writing 65,536 resources.
func (s *Store) SkipTo(n uint32) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	s.claims.next = max(s.claims.next, n)
}
