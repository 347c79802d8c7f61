package file

import (
	"os"
	"sync"
)

// folder is a directory whose entries are brought to the disk. Those who ask while this is being done wait for the next time, which then counts
// for all of them: one that began before they came may have missed their entry.
type folder struct {
	dir *os.File

	mu      sync.Mutex
	running bool
	next    *round // the round that those who come now are part of; nil when nobody waits
}

// round is one call of fsync for everyone who came before it began.
type round struct {
	done chan struct{}
	err  error
}

func (f *folder) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.running && f.next == nil
}

// sync returns when every entry that was there when it was called is on the disk.
func (f *folder) sync() error {
	f.mu.Lock()
	r := f.next
	if r == nil {
		r = &round{done: make(chan struct{})}
		f.next = r
	}
	if f.running {
		f.mu.Unlock()
		<-r.done
		return r.err
	}
	f.running = true
	for f.next != nil {
		now := f.next
		f.next = nil
		f.mu.Unlock()
		now.err = f.dir.Sync()
		close(now.done)
		f.mu.Lock()
	}
	f.running = false
	f.mu.Unlock()
	return r.err
}
