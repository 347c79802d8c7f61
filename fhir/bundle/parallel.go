package bundle

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls work(0) … work(n-1) on at most width goroutines (0: one per
// processor) and returns when all are done. A panic of one ends up in the caller.
func each(n, width int, work func(i int)) {
	if width == 0 {
		width = runtime.GOMAXPROCS(0)
	}
	if width = min(width, n); width <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var (
		next     atomic.Int64
		wg       sync.WaitGroup
		panicked atomic.Pointer[any]
	)
	for range width {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked.CompareAndSwap(nil, &p)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n && panicked.Load() == nil; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
}
