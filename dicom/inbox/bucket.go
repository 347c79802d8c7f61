package inbox

import (
	"context"
	"io"
	"strings"

	"salus/blob"
	"salus/fault"
)

// Bucket watches a store of objects.
type Bucket struct {
	o Options
	b blob.Store
}

// NewBucket makes an inbox of a store, which it takes over. Options.Folder is not looked at.
func NewBucket(b blob.Store, o Options) *Bucket { return &Bucket{o, b} }

// Close closes the store. Run must have ended.
func (in *Bucket) Close() error { return in.b.Close() }

// Run watches until ctx ends.
func (in *Bucket) Run(ctx context.Context) { in.o.every(ctx, in.look) }

// look goes through the store once.
func (in *Bucket) look(ctx context.Context) error {
	var names []string
	for info, err := range in.b.List(ctx, "") {
		if err != nil {
			return err
		}
		top, _, _ := strings.Cut(info.Name, "/")
		if "."+top != stored && "."+top != refused && blob.CheckName(info.Name) == nil {
			names = append(names, info.Name)
		}
	}
	for _, name := range names {
		if err := in.take(ctx, name); err != nil && !fault.Is(err, fault.NotFound) { // it may have gone meanwhile
			return err
		}
	}
	return nil
}

// take stores an object and puts it into another folder. What was copied and not deleted, because the process ended, is there already the next time.
func (in *Bucket) take(ctx context.Context, name string) error {
	o, err := in.b.Open(ctx, name)
	if err != nil {
		return err
	}
	defer o.Close()
	why, err := in.o.store(ctx, io.NewSectionReader(o, 0, o.Size()))
	if err != nil {
		return err
	}
	to := strings.TrimPrefix(stored, ".") + "/" + name
	if why != "" {
		to = strings.TrimPrefix(refused, ".") + "/" + name
		if _, err := blob.Put(ctx, in.b, to+".reason.txt", strings.NewReader(why+"\n")); err != nil {
			return err
		}
	}
	if _, err := blob.Put(ctx, in.b, to, io.NewSectionReader(o, 0, o.Size())); err != nil {
		return err
	}
	return in.b.Delete(ctx, name)
}
