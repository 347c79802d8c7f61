package serve

import (
	"context"
	"sync"
)

// small is how much of a body is not counted: what small requests need is
// bounded by their number, and they are not to wait behind large ones.
const small = 64 << 10

// account is what one request has taken of the memory for bodies.
type account struct {
	gate *Gate

	mu    sync.Mutex // protects fields below
	taken int64
	whole bool // enough was taken for the request's body; what is read of it again is not counted
}

// reserve takes memory for a body that is up to size bytes long, and waits for
// it as requests wait for work. Bodies of known length take it once, others, such
// as inflated ones, fourfold at each step. Errors are faults of kind Throttled
// and Canceled.
func (a *account) reserve(ctx context.Context, size int64) error {
	if a == nil || size <= small {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	size = min(size, a.gate.o.Bytes) // one that is larger than the memory has it alone
	more := size - a.taken
	if a.whole || more <= 0 {
		return nil
	}
	if err := a.gate.wait(ctx, a.gate.bodies, more); err != nil {
		return err
	}
	a.taken = size
	a.gate.bytes.Add(more)
	return nil
}

// settled ends the counting: the body has been read.
func (a *account) settled() {
	if a != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.whole = true
	}
}

// close gives everything back.
func (a *account) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taken > 0 {
		a.gate.bytes.Add(-a.taken)
		a.gate.bodies.Release(a.taken)
		a.taken = 0
	}
}
