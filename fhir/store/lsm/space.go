package lsm

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"salus/fault"
)

// spaceGuard keeps a full disk from harming the database, which cannot go on
// after a failed write to its log. It has two lines of defence. Writes are
// refused while less than the reserve is free, so that the log and compactions
// always find room. And should the disk fill up all the same, because something
// else on it grows, a file write waits for space instead of failing; until then
// further writes are refused and reads are served.
type spaceGuard struct {
	vfs.FS
	dir     string
	reserve uint64
	log     *slog.Logger
	waiting atomic.Int32 // file writes that wait for space
	syncs   atomic.Int64 // of the log since the start
}

// retrySpace is how often a waiting file write tries again.
const retrySpace = 50 * time.Millisecond

func newSpaceGuard(o Options, dir string) *spaceGuard {
	return &spaceGuard{FS: o.FS, dir: dir, reserve: o.Reserve, log: o.Logger}
}

// check returns an OutOfSpace fault when there is no room for a commit of size bytes.
func (g *spaceGuard) check(size int) error {
	full := g.full()
	if !full {
		if u, err := g.FS.GetDiskUsage(g.dir); err == nil { // where usage is unknown the second line remains
			full = u.AvailBytes < g.reserve+4*uint64(size)
		}
	}
	if full {
		return fault.New(fault.OutOfSpace, "the disk is full: nothing was written; reads are served, writes again once there is space")
	}
	return nil
}

// full reports whether a file write waits for space.
func (g *spaceGuard) full() bool { return g.waiting.Load() > 0 }

// Create implements vfs.FS.
func (g *spaceGuard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := wait(g, func() (vfs.File, error) { return g.FS.Create(name, c) })
	return g.wrap(name, f, err)
}

// ReuseForWrite implements vfs.FS.
func (g *spaceGuard) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := wait(g, func() (vfs.File, error) { return g.FS.ReuseForWrite(old, name, c) })
	return g.wrap(name, f, err)
}

// OpenReadWrite implements vfs.FS.
func (g *spaceGuard) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := g.FS.OpenReadWrite(name, c, o...)
	return g.wrap(name, f, err)
}

func (g *spaceGuard) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &patientFile{f, g, strings.HasSuffix(name, ".log")}, nil
}

// Unwrap implements vfs.FS.
func (g *spaceGuard) Unwrap() vfs.FS { return g.FS }

// wait calls f until it ends otherwise than for lack of space.
func wait[T any](g *spaceGuard, f func() (T, error)) (T, error) {
	v, err := f()
	if !noSpace(err) {
		return v, err
	}
	if g.waiting.Add(1) == 1 {
		g.log.Warn("the disk is full: waiting for space")
	}
	defer func() {
		if g.waiting.Add(-1) == 0 {
			g.log.Info("the disk has space again")
		}
	}()
	for noSpace(err) {
		time.Sleep(retrySpace)
		v, err = f()
	}
	return v, err
}

func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// patientFile waits for space instead of failing.
type patientFile struct {
	vfs.File
	guard *spaceGuard
	log   bool // it is a log file, whose syncs are commits
}

func (f *patientFile) countSync() {
	if f.log {
		f.guard.syncs.Add(1)
	}
}

// Write implements vfs.File. After a partial write it goes on with the rest.
func (f *patientFile) Write(p []byte) (int, error) {
	done := 0
	_, err := wait(f.guard, func() (int, error) {
		n, err := f.File.Write(p[done:])
		done += n
		return n, err
	})
	return done, err
}

// WriteAt implements vfs.File.
func (f *patientFile) WriteAt(p []byte, off int64) (int, error) {
	return wait(f.guard, func() (int, error) { return f.File.WriteAt(p, off) })
}

// maxPreallocate bounds how much of a new log file is reserved ahead of use.
// The database asks for the size of the write buffer for each of several logs,
// which would let a small store take hundreds of megabytes.
const maxPreallocate = 2 << 20

// Preallocate implements vfs.File. It is a hint, so that lack of space does not matter.
func (f *patientFile) Preallocate(offset, length int64) error {
	if err := f.File.Preallocate(offset, min(length, maxPreallocate)); err != nil && !noSpace(err) {
		return err
	}
	return nil
}

// Sync implements vfs.File.
func (f *patientFile) Sync() error {
	f.countSync()
	_, err := wait(f.guard, func() (struct{}, error) { return struct{}{}, f.File.Sync() })
	return err
}

// SyncData implements vfs.File.
func (f *patientFile) SyncData() error {
	f.countSync()
	_, err := wait(f.guard, func() (struct{}, error) { return struct{}{}, f.File.SyncData() })
	return err
}
