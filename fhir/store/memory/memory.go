// Package memory is the reference model of the store port: the contract of
// package store and the semantics of package search, written down as plainly as
// they can be and evaluated by brute force.
//
// It promises to be right, not fast. Other packages test against it, and the
// model test of storetest takes it as the oracle for real engines. It keeps
// nothing when the process ends and is not offered to users.
package memory

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// Store is a FHIR service's data in memory.
type Store struct {
	now func() time.Time

	mu        sync.RWMutex
	closed    bool
	resources map[fhir.Key]*resource
	log       []store.Change // by position; without the versions of purged resources
	position  uint64         // of the newest change
	updated   time.Time      // of the newest change
	state     map[string][]byte
}

var _ store.Store = (*Store)(nil)

// resource is everything known of one key that is not purged.
type resource struct {
	created  uint64              // position of its first version: the default order of search
	position uint64              // of the current version
	versions []fhir.Version      // numbers ascend; those that were dropped are missing
	values   []searchparam.Entry // of the current version; none when it is deleted
}

func (r *resource) current() fhir.Version { return r.versions[len(r.versions)-1] }

// New returns an empty store that stamps versions with the time of now.
func New(now func() time.Time) *Store {
	return &Store{now: now, resources: map[fhir.Key]*resource{}, state: map[string][]byte{}}
}

// Reopen closes s and returns a store with its data, as an engine on disk does
// when its directory is opened again.
func (s *Store) Reopen(now func() time.Time) *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return &Store{now: now, resources: s.resources, log: s.log, position: s.position, updated: s.updated, state: s.state}
}

// Close ends the store. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// ready tells why a call cannot be served. The caller holds the lock.
func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return fault.Wrap(fault.Timeout, err, "the request took too long")
		}
		return fault.Wrap(fault.Canceled, err, "the request was canceled")
	}
	if s.closed {
		return fault.New(fault.Unavailable, "the store is closed")
	}
	return nil
}

// Read returns the current version of a resource.
func (s *Store) Read(ctx context.Context, key fhir.Key) (fhir.Version, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return fhir.Version{}, err
	}
	r, ok := s.resources[key]
	if !ok {
		return fhir.Version{}, fault.New(fault.NotFound, "%s is not known", key)
	}
	return r.current(), nil
}

// ReadVersion returns version number n.
func (s *Store) ReadVersion(ctx context.Context, key fhir.Key, n int64) (fhir.Version, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return fhir.Version{}, err
	}
	r, ok := s.resources[key]
	if ok {
		for _, v := range r.versions {
			if v.Number == n {
				return v, nil
			}
		}
	}
	return fhir.Version{}, fault.New(fault.NotFound, "version %d of %s is not known", n, key)
}

// Write applies all writes or none.
func (s *Store) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if err := s.check(writes); err != nil {
		return nil, err
	}
	if now := s.now().UTC().Truncate(time.Millisecond); now.After(s.updated) {
		s.updated = now
	}
	made := make([]fhir.Version, len(writes))
	for i, w := range writes {
		made[i] = s.apply(w)
	}
	return made, nil
}

// check tells why writes cannot be applied, so that nothing can fail half way.
func (s *Store) check(writes []store.Write) error {
	seen := map[fhir.Key]bool{}
	for _, w := range writes {
		if seen[w.Key] {
			return fault.New(fault.Invalid, "%s is written twice at once", w.Key)
		}
		seen[w.Key] = true
		if w.Method < fhir.Post || w.Method > fhir.Purge {
			return fault.New(fault.Invalid, "unknown method of a write to %s", w.Key)
		}
		if w.Expect == store.AnyVersion {
			continue
		}
		var number int64
		if r, ok := s.resources[w.Key]; ok {
			number = r.current().Number
		}
		if number != w.Expect {
			return fault.New(fault.Conflict, "%s is at version %d, not %d", w.Key, number, w.Expect)
		}
	}
	return s.checkConditions(writes)
}

// checkConditions holds writes to their Require and Unless.
func (s *Store) checkConditions(writes []store.Write) error {
	written := map[fhir.Key]store.Write{}
	for _, w := range writes {
		written[w.Key] = w
	}
	for _, w := range writes {
		for _, key := range w.Require {
			_, there := s.live(key)
			if w, ok := written[key]; ok && !(w.Method == fhir.Purge && w.DropSuperseded) {
				there = w.Method != fhir.Delete && w.Method != fhir.Purge
			}
			if !there {
				return fault.New(fault.Conflict, "%s requires a resource that is not there", w.Key)
			}
		}
		for _, match := range slices.Concat(s.ranks(&search.Plan{Branches: w.Unless})...) {
			if _, own := written[match.current().Key]; !own {
				return fault.New(fault.Conflict, "a resource is there that %s must not meet", w.Key)
			}
		}
	}
	return nil
}

// apply makes one version, or removes some or all of a resource.
func (s *Store) apply(w store.Write) fhir.Version {
	if w.Method == fhir.Purge && w.DropSuperseded {
		return s.dropAll(w.Key)
	}
	v := fhir.Version{Key: w.Key, Updated: s.updated, Method: w.Method}
	s.position++
	if w.Method == fhir.Purge {
		s.purge(w.Key)
		s.log = append(s.log, store.Change{Position: s.position, Version: v})
		return v
	}
	r, ok := s.resources[w.Key]
	if !ok {
		r = &resource{created: s.position}
		s.resources[w.Key] = r
	} else {
		v.Number = r.current().Number
	}
	v.Number++
	if ok && w.DropSuperseded {
		s.drop(r.current())
		r.versions = r.versions[:len(r.versions)-1]
	}
	r.values, r.position = nil, s.position
	if !v.Deleted() {
		v.Body = fhir.ReadBody(bytes.Clone(w.Body.JSON), w.Body.Meta)
		r.values = append(r.values, w.Values...)
	}
	r.versions = append(r.versions, v)
	s.log = append(s.log, store.Change{Position: s.position, Version: v})
	return v
}

// purge forgets a resource.
func (s *Store) purge(key fhir.Key) {
	delete(s.resources, key)
	s.keep(func(c store.Change) bool { return c.Key != key || c.Method == fhir.Purge })
}

// dropAll forgets the superseded versions of a resource and returns the current
// one without its body.
func (s *Store) dropAll(key fhir.Key) fhir.Version {
	r, ok := s.resources[key]
	if !ok {
		return fhir.Version{Key: key, Method: fhir.Purge, Updated: s.updated}
	}
	for _, v := range r.versions[:len(r.versions)-1] {
		s.drop(v)
	}
	v := r.current()
	r.versions = []fhir.Version{v}
	v.Body = fhir.Body{}
	return v
}

// drop takes a version out of the log.
func (s *Store) drop(v fhir.Version) {
	s.keep(func(c store.Change) bool { return c.Key != v.Key || c.Number != v.Number })
}

// keep takes out of the log what wanted does not want. The log is built anew,
// because readers of Changes may still hold the old one.
func (s *Store) keep(wanted func(store.Change) bool) {
	var kept []store.Change
	for _, c := range s.log {
		if wanted(c) {
			kept = append(kept, c)
		}
	}
	s.log = kept
}

// Count returns how many current, undeleted resources each type has.
func (s *Store) Count(ctx context.Context) (map[fhir.Type]int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	counts := map[fhir.Type]int64{}
	for key, r := range s.resources {
		if !r.current().Deleted() {
			counts[key.Type]++
		}
	}
	return counts, nil
}
