package searchparam

import (
	"context"
	"sync"
	"sync/atomic"
)

// Source gives the registry that counts now. A Registry is one that never
// changes, a Live one that does. Who needs several answers that agree asks once.
type Source interface {
	Registry() *Registry

	// Enter marks the start of a write that will take its values from a registry of
	// now or later; leave marks that they are stored or given up.
	Enter() (leave func())
}

// Registry returns r.
func (r *Registry) Registry() *Registry { return r }

// Enter does nothing: nobody waits for writers when nothing changes.
func (r *Registry) Enter() (leave func()) { return func() {} }

// Live is the registry that a service follows at the moment. Replacing it makes
// nobody wait. It is safe for concurrent use.
type Live struct {
	now atomic.Pointer[Registry]

	mu      sync.Mutex
	current *reign
	earlier []*reign // replaced, with writers that have not left
}

// reign is the time of one registry, with the writers that came in it.
type reign struct {
	writers int
	over    chan struct{} // closed when it was replaced and the last writer has left
}

// NewLive returns a Live that begins with r.
func NewLive(r *Registry) *Live {
	l := &Live{current: &reign{over: make(chan struct{})}}
	l.now.Store(r)
	return l
}

// Registry returns the registry that counts now.
func (l *Live) Registry() *Registry { return l.now.Load() }

// Replace lets r count from now on.
func (l *Live) Replace(r *Registry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.Store(r)
	before := l.current
	l.current = &reign{over: make(chan struct{})}
	if before.writers > 0 {
		l.earlier = append(l.earlier, before)
	}
}

// Enter implements Source.
func (l *Live) Enter() (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.current
	p.writers++
	return func() { l.leave(p) }
}

func (l *Live) leave(p *reign) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.writers--; p.writers > 0 || p == l.current {
		return
	}
	close(p.over)
	for i, other := range l.earlier {
		if other == p {
			l.earlier = append(l.earlier[:i:i], l.earlier[i+1:]...)
			break
		}
	}
}

// Settle waits until every write that entered before the last Replace has left:
// from then on all that is stored has values of the current registry or is older
// than it. It returns the context's error if that ends first.
func (l *Live) Settle(ctx context.Context) error {
	l.mu.Lock()
	earlier := l.earlier
	l.mu.Unlock()
	for _, p := range earlier {
		select {
		case <-p.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
