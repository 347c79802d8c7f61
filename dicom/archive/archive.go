// Package archive is what a DICOM service does with instances: it stores, finds, reads and deletes them, by whatever protocol they come and go
// (PS3.4 annexes B and C, PS3.18 §10).
//
// An instance is first brought to the disk as an object under a name of its own and then made visible together with its entry in the change feed.
// So it is stored wholly or not at all; a process that dies in between leaves an object that nothing knows, which is removed at the next start.
// Objects of deleted instances are removed after they have become invisible.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"salus/blob"
	"salus/dicom/index"
	"salus/fault"
)

// Options are what an archive needs besides its stores.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
	// Base is the path of the service on its server, such as /default/dicom/v2, under which bulk data is addressed in metadata.
	Base string
	// MaxFile is the most bytes that one file may have.
	MaxFile int64
	// Random gives the ids of operations.
	Random io.Reader
	// Exports are where instances can be exported to, by name. They are closed with the archive.
	Exports map[string]blob.Store
}

// DefaultMaxFile is the reference service's limit (4 GB).
const DefaultMaxFile = 4 << 30

// Archive is a DICOM service's store. It is safe for concurrent use.
type Archive struct {
	index   index.Index
	objects blob.Store
	o       Options

	run  int64        // of this process, the first part of its objects' names
	next atomic.Int64 // number of the next object

	cleaning sync.Mutex
	work     chan struct{} // has an element when there may be something to do in the background

	tags     atomic.Pointer[[]index.QueryTag]
	metadata *otter.Cache[int64, index.Attributes] // by watermark

	following sync.Mutex
	news      chan struct{} // closed with the next change
}

// Open makes an archive of an index and a store of objects, both of which it takes over.
func Open(ctx context.Context, x index.Index, objects blob.Store, o Options) (*Archive, error) {
	if o.MaxFile == 0 {
		o.MaxFile = DefaultMaxFile
	}
	run, err := x.NewRun(ctx)
	if err != nil {
		return nil, err
	}
	a := &Archive{index: x, objects: objects, o: o, run: run, work: make(chan struct{}, 1), news: make(chan struct{}), metadata: newMetadata()}
	return a, a.loadTags(ctx)
}

// perFolder is how many objects stand in one folder.
const perFolder = 4096

// name makes the name of a new object: the run, a folder, and a number.
func (a *Archive) name() string {
	n := a.next.Add(1)
	return fmt.Sprintf("%s/%d/%d.dcm", runFolder(a.run), n/perFolder, n)
}

func runFolder(run int64) string { return fmt.Sprintf("run%d", run) }

// Run works in the background until ctx ends: it removes objects of deleted instances and, once, those that an earlier process left, and indexes
// what was stored before a query tag was added.
func (a *Archive) Run(ctx context.Context) {
	a.report("removing objects that an earlier process left", a.sweep(ctx))
	for {
		next, err := a.expire(ctx)
		a.report("deleting studies that have expired", err)
		a.report("removing objects of deleted instances", a.clean(ctx))
		a.report("the operations under way", a.operate(ctx))
		select {
		case <-ctx.Done():
			return
		case <-a.work:
		case <-time.After(next):
		}
	}
}

// lookEvery is how often the archive looks for what has expired when nothing is known to.
const lookEvery = time.Minute

// expire deletes the studies whose time has come, and returns how long to wait for the next.
func (a *Archive) expire(ctx context.Context) (time.Duration, error) {
	for {
		n, next, err := a.index.DeleteExpired(ctx, a.o.Now())
		if n > 0 {
			a.change()
		}
		switch {
		case err != nil || next.IsZero():
			return lookEvery, err
		case n == 0:
			return max(min(next.Sub(a.o.Now()), lookEvery), time.Millisecond), nil
		}
	}
}

func (a *Archive) report(what string, err error) {
	if err != nil && fault.KindOf(err) != fault.Canceled {
		a.o.Logger.Error(what+" failed", "error", err)
	}
}

// sweep removes objects that no instance has. They can only be of runs before this one: of the last one before, in general, but of any that was
// killed while it swept.
func (a *Archive) sweep(ctx context.Context) error {
	folder := ""
	var batch []string
	flush := func() error {
		unknown, err := a.index.Unknown(ctx, batch)
		if err != nil {
			return err
		}
		batch = batch[:0]
		for _, name := range unknown {
			if err := a.objects.Delete(ctx, name); err != nil {
				return err
			}
		}
		return nil
	}
	own := runFolder(a.run)
	for info, err := range a.objects.List(ctx, folder) {
		if err != nil {
			return err
		}
		if top, _, _ := strings.Cut(info.Name, "/"); top == own || path.Ext(info.Name) != ".dcm" {
			continue
		}
		if batch = append(batch, info.Name); len(batch) == 256 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// clean removes the objects of deleted instances.
func (a *Archive) clean(ctx context.Context) error {
	a.cleaning.Lock()
	defer a.cleaning.Unlock()
	for {
		names, err := a.index.Discarded(ctx, 256)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := a.objects.Delete(ctx, name); err != nil {
				return err
			}
		}
		if err := a.index.Removed(ctx, names); err != nil {
			return err
		}
	}
}

// wake says that there may be something to do in the background.
func (a *Archive) wake() {
	select {
	case a.work <- struct{}{}:
	default: // it is known already
	}
}

// changed returns a channel that is closed with the next change.
func (a *Archive) changed() <-chan struct{} {
	a.following.Lock()
	defer a.following.Unlock()
	return a.news
}

// change tells those who follow the change feed.
func (a *Archive) change() {
	a.following.Lock()
	defer a.following.Unlock()
	close(a.news)
	a.news = make(chan struct{})
}

// Check reports whether the stores answer.
func (a *Archive) Check(ctx context.Context) error {
	_, err := a.index.Partitions(ctx)
	return err
}

// Close closes the index and the objects. Run must have ended.
func (a *Archive) Close() error {
	errs := []error{a.index.Close(), a.objects.Close()}
	for _, e := range a.o.Exports {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}
