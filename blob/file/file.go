// Package file keeps objects as files below one directory.
//
// A file is written under a temporary name, brought to the disk, given its name, and its directory is brought to the disk. Commits at the same
// time share the last step. What a process that was killed left under temporary names is removed when the store is opened.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"salus/blob"
	"salus/fault"
)

const (
	incoming = ".incoming" // folder of files that are being written
	lockFile = ".lock"
)

// Store keeps objects in a directory, which one process at a time has open.
type Store struct {
	root *os.Root
	lock *os.File
	next atomic.Int64 // number of the next temporary file

	mu      sync.Mutex
	folders map[string]*folder // those that are known to be there
}

// Open opens the store in a directory, which is made with mode 0700 when it is missing. Errors: Unavailable when another process has it open.
func Open(dir string) (_ *Store, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of objects cannot be made")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the directory of objects cannot be opened")
	}
	s := &Store{root: root, folders: map[string]*folder{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.lock, err = root.OpenFile(lockFile, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, kind(err)
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "another process has the objects open")
	}
	if err := root.RemoveAll(incoming); err != nil {
		return nil, kind(err)
	}
	if err := root.Mkdir(incoming, 0o700); err != nil {
		return nil, kind(err)
	}
	return s, nil
}

// Close lets another process open the directory.
func (s *Store) Close() error {
	var errs []error
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.folders {
		errs = append(errs, f.dir.Close())
	}
	s.folders = map[string]*folder{}
	return errors.Join(append(errs, s.root.Close())...)
}

// kind makes a fault of an error of the file system.
func kind(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.NotFound, err, "there is no such object")
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fault.Wrap(fault.OutOfSpace, err, "the disk is full")
	}
	return fault.Wrap(fault.Unavailable, err, "the storage failed")
}

// Create begins a file.
func (s *Store) Create(ctx context.Context, name string) (blob.Writer, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Canceled, err, "the caller went away")
	}
	temporary := fmt.Sprintf("%s/%d", incoming, s.next.Add(1))
	f, err := s.root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, kind(err)
	}
	return &writer{store: s, ctx: ctx, file: f, temporary: temporary, name: name}, nil
}

// writer is a file under a temporary name.
type writer struct {
	store           *Store
	ctx             context.Context
	file            *os.File
	temporary, name string
	ended           bool
}

func (w *writer) Write(b []byte) (int, error) {
	n, err := w.file.Write(b)
	return n, kind(err)
}

func (w *writer) Commit() error {
	if err := w.ctx.Err(); err != nil {
		return errors.Join(fault.Wrap(fault.Canceled, err, "the caller went away"), w.Abort())
	}
	if err := w.file.Sync(); err != nil {
		return errors.Join(kind(err), w.Abort())
	}
	w.ended = true
	if err := w.file.Close(); err != nil {
		return errors.Join(kind(err), w.remove())
	}
	dir, err := w.store.folder(path.Dir(w.name))
	if err != nil {
		return errors.Join(err, w.remove())
	}
	if err := w.store.root.Rename(w.temporary, w.name); err != nil {
		return errors.Join(kind(err), w.remove())
	}
	return kind(dir.sync())
}

func (w *writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended = true
	return errors.Join(kind(w.file.Close()), w.remove())
}

func (w *writer) remove() error { return kind(w.store.root.Remove(w.temporary)) }

// folder returns a directory that is on the disk, and makes it and those above it when they are missing.
func (s *Store) folder(name string) (*folder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.folders[name]; ok {
		return f, nil
	}
	if len(s.folders) >= maxFolders {
		for old, f := range s.folders {
			if f.idle() {
				delete(s.folders, old)
				if err := f.dir.Close(); err != nil {
					return nil, kind(err)
				}
				break
			}
		}
	}
	if name != "." {
		if err := s.makeFolder(name); err != nil {
			return nil, err
		}
	}
	dir, err := s.root.Open(name)
	if err != nil {
		return nil, kind(err)
	}
	f := &folder{dir: dir}
	s.folders[name] = f
	return f, nil
}

// maxFolders bounds how many directories are kept open for bringing them to the disk.
const maxFolders = 64

// makeFolder makes a directory with all above it, each of which is on the disk before the next.
func (s *Store) makeFolder(name string) error {
	if _, err := s.root.Stat(name); err == nil {
		return nil
	}
	above := path.Dir(name)
	if above != "." {
		if err := s.makeFolder(above); err != nil {
			return err
		}
	}
	if err := s.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return kind(err)
	}
	dir, err := s.root.Open(above)
	if err != nil {
		return kind(err)
	}
	return kind(errors.Join(dir.Sync(), dir.Close()))
}

// Open opens a file.
func (s *Store) Open(ctx context.Context, name string) (blob.Object, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, kind(err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fault.New(fault.NotFound, "there is no such object"), f.Close())
	}
	return &object{f, info.Size()}, nil
}

// object is an open file. Its ReadFrom-friendly *os.File lets net/http send it without copying.
type object struct {
	*os.File
	size int64
}

func (o *object) Size() int64 { return o.size }

// Delete removes a file.
func (s *Store) Delete(_ context.Context, name string) error {
	if err := blob.CheckName(name); err != nil {
		return err
	}
	if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kind(err)
	}
	return nil
}

// List walks a directory.
func (s *Store) List(ctx context.Context, folder string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if folder == "" {
			folder = "."
		} else if err := blob.CheckName(folder); err != nil {
			yield(blob.Info{}, err)
			return
		}
		err := fs.WalkDir(s.root.FS(), folder, func(name string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // deleted meanwhile, or no such folder
			case err != nil:
				return err
			case ctx.Err() != nil:
				return fault.Wrap(fault.Canceled, ctx.Err(), "the caller went away")
			case strings.HasPrefix(e.Name(), ".") && name != ".":
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			case e.IsDir():
				return nil
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if !yield(blob.Info{Name: filepath.ToSlash(name), Size: info.Size()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(blob.Info{}, kind(err))
		}
	}
}
