package lsm

import (
	"math"
	"sync"

	"salus/fault"
	"salus/fhir"
)

// claims gives documents their numbers. A resource gets one at its first
// mention: when it is created or when something refers to it. Between the
// mention and the commit that stores it, the number is in flight, so that
// concurrent writes agree on it.
type claims struct {
	mu       sync.Mutex // protects fields below
	next     docID
	inflight map[string]*claim // by head key
}

// claim is the number of one resource.
type claim struct {
	key    fhir.Key
	typ    uint16
	head   []byte // its head key
	doc    docID
	refs   int  // writes that hold it while it is in flight; protected by claims.mu
	stored bool // its head is in the database; after the claim is made only the committer touches it
}

// claimSet is what one write has claimed.
type claimSet map[fhir.Key]*claim

// claim returns the claim of key for a write, making one if need be. fresh
// says that the resource very likely does not exist.
func (s *Store) claim(set claimSet, key fhir.Key, fresh bool) (*claim, error) {
	if c := set[key]; c != nil {
		return c, nil
	}
	typ, err := s.names.typ(key.Type)
	if err != nil {
		return nil, err
	}
	c := &claim{key: key, typ: typ, head: headKey(make([]byte, 0, 3+len(key.ID)), typ, key.ID)}
	if !fresh {
		h, found, err := readHead(s.db, c.head)
		if err != nil {
			return nil, err
		}
		if found {
			c.doc, c.stored = h.doc, true
			set[key] = c
			return c, nil
		}
	}
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	if other := s.claims.inflight[string(c.head)]; other != nil {
		other.refs++
		set[key] = other
		return other, nil
	}
	// It may have been stored since; under the lock nothing can be stored and
	// leave the table in between.
	h, found, err := readHead(s.db, c.head)
	if err != nil {
		return nil, err
	}
	if found {
		c.doc, c.stored = h.doc, true
	} else {
		if s.claims.next == math.MaxUint32 {
			return nil, fault.New(fault.OutOfSpace, "a store holds at most 4,294,967,295 resources")
		}
		c.doc, c.refs = s.claims.next, 1
		s.claims.next++
		s.claims.inflight[string(c.head)] = c
	}
	set[key] = c
	return c, nil
}

// release gives up the claims of a write that has ended. A number that no write
// has stored by then is not used again.
func (s *Store) release(set claimSet) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	for _, c := range set {
		if c.refs == 0 {
			continue // was in the database from the start
		}
		if c.refs--; c.refs == 0 {
			delete(s.claims.inflight, string(c.head))
		}
	}
}
