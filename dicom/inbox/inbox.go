// Package inbox stores the files that others put into a folder.
//
// A file is taken when it has not changed for a while, so that what is still being written is left alone. One that is stored, or was there already,
// is moved into the folder .stored of the inbox, and one that is refused into .refused, with a text beside it that says why; nothing is ever deleted. A
// failure of the archive leaves the file where it is, and it is tried again. In a bucket objects are whole when they are there, so that they are taken
// at once, and the folders are named stored and refused.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"

	"salus/dicom/archive"
	"salus/fault"
)

const (
	stored  = ".stored"
	refused = ".refused"
)

// DefaultInterval is how often the folder is looked at, and how long a file must not have changed.
const DefaultInterval = 2 * time.Second

// Archive is where files are stored.
type Archive interface {
	Store(ctx context.Context, r io.Reader, rules archive.Rules) (archive.Outcome, error)
}

// Options are what an inbox needs.
type Options struct {
	Folder    string
	Archive   Archive
	Partition string
	Interval  time.Duration
	Logger    *slog.Logger
}

// Inbox watches a folder.
type Inbox struct {
	o    Options
	root *os.Root
	seen map[string]state // files that were there the last time
}

// state is what changes while a file is written.
type state struct {
	size int64
	at   time.Time
}

// Open opens a folder, which is made when it is missing.
func Open(o Options) (*Inbox, error) {
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the folder cannot be made")
	}
	root, err := os.OpenRoot(o.Folder)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the folder cannot be opened")
	}
	return &Inbox{o, root, map[string]state{}}, nil
}

// Close closes the folder. Run must have ended.
func (in *Inbox) Close() error { return in.root.Close() }

// Run watches until ctx ends.
func (in *Inbox) Run(ctx context.Context) { in.o.every(ctx, in.look) }

// every looks again and again until ctx ends.
func (o *Options) every(ctx context.Context, look func(context.Context) error) {
	tick := time.NewTicker(o.Interval)
	defer tick.Stop()
	for {
		if err := look(ctx); err != nil && ctx.Err() == nil {
			o.Logger.Warn("files of the inbox are not stored now; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look goes through the folder once.
func (in *Inbox) look(ctx context.Context) error {
	now := map[string]state{}
	err := fs.WalkDir(in.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went away meanwhile
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !e.Type().IsRegular():
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil // it went away meanwhile
		}
		s := state{info.Size(), info.ModTime()}
		if in.seen[name] != s {
			now[name] = s
			return nil
		}
		return in.take(ctx, name)
	})
	in.seen = now
	return err
}

// take stores a file and moves it.
func (in *Inbox) take(ctx context.Context, name string) error {
	f, err := in.root.Open(name)
	if err != nil {
		return err
	}
	why, err := in.o.store(ctx, f)
	f.Close()
	switch {
	case err != nil:
		return err
	case why == "":
		return in.move(name, stored, "")
	}
	return in.move(name, refused, why)
}

// store stores a file; why says for what reason it is refused. An error says that it can be tried again.
func (o *Options) store(ctx context.Context, r io.Reader) (why string, err error) {
	out, err := o.Archive.Store(ctx, r, archive.Rules{Partition: o.Partition})
	switch {
	case fault.Is(err, fault.TooLarge):
		return fault.As(err).Message, nil
	case err != nil:
		return "", err
	case out.Failure == 0 || out.Failure == archive.AlreadyExists:
		return "", nil
	}
	return fmt.Sprintf("reason %d (PS3.18 §I.2)\n%s", out.Failure, strings.Join(out.Comments, "\n")), nil
}

// move puts a file into one of the inner folders, under another name when there is one like it, and a text beside it.
func (in *Inbox) move(name, to, why string) error {
	target := to + "/" + name
	for n := 1; ; n++ {
		if _, err := in.root.Lstat(target); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		target = fmt.Sprintf("%s/%s.%d", to, name, n)
	}
	if err := in.root.MkdirAll(path.Dir(target), 0o700); err != nil {
		return err
	}
	if why != "" {
		if err := in.root.WriteFile(target+".reason.txt", []byte(why+"\n"), 0o600); err != nil {
			return err
		}
	}
	return in.root.Rename(name, target)
}
