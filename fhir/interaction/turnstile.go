package interaction

import (
	"context"
	"slices"
	"sync"
)

// turnstiles let one holder at a time through for each name. The zero value is ready.
type turnstiles struct {
	mu   sync.Mutex // protects fields below
	open map[string]*turnstile
}

type turnstile struct {
	token chan struct{} // holds one token while the way is free
	users int           // holder and waiters
}

// enter waits for all names and returns what gives them back. Names are taken
// in order, so that holders of several cannot block each other for good.
func (t *turnstiles) enter(ctx context.Context, names []string) (leave func(), err error) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	for i, name := range names {
		if err := t.enterOne(ctx, name); err != nil {
			t.leave(names[:i])
			return nil, err
		}
	}
	return func() { t.leave(names) }, nil
}

func (t *turnstiles) enterOne(ctx context.Context, name string) error {
	t.mu.Lock()
	w := t.open[name]
	if w == nil {
		if t.open == nil {
			t.open = make(map[string]*turnstile)
		}
		w = &turnstile{token: make(chan struct{}, 1)}
		w.token <- struct{}{}
		t.open[name] = w
	}
	w.users++
	t.mu.Unlock()
	select {
	case <-w.token:
		return nil
	case <-ctx.Done():
		t.mu.Lock()
		t.drop(name, w)
		t.mu.Unlock()
		return interrupted(ctx)
	}
}

func (t *turnstiles) leave(names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		w := t.open[name]
		w.token <- struct{}{}
		t.drop(name, w)
	}
}

func (t *turnstiles) drop(name string, w *turnstile) {
	if w.users--; w.users == 0 {
		delete(t.open, name)
	}
}
