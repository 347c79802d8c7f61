package s3

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/minio/minio-go/v7"

	"salus/blob"
	"salus/fault"
)

// Open opens an object.
func (s *Store) Open(ctx context.Context, name string) (blob.Object, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	o := &object{store: s, ctx: context.WithoutCancel(ctx), name: s.o.Prefix + name}
	head, err := s.client.GetObject(ctx, s.o.Bucket, o.name, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.fault(err)
	}
	defer head.Close()
	info, err := head.Stat()
	if err != nil {
		return nil, s.fault(err)
	}
	o.size, o.tag = info.Size, info.ETag
	if o.size > whole {
		return o, nil
	}
	o.window = make([]byte, o.size)
	if _, err := io.ReadFull(head, o.window); err != nil {
		return nil, s.fault(err)
	}
	return o, nil
}

// object is an open one. What was read last is kept, since readers go from front to back.
type object struct {
	store *Store
	ctx   context.Context // of the reader, who may close the object but not take back what was begun
	name  string
	tag   string // of the version
	size  int64

	mu     sync.Mutex
	at     int64
	window []byte // what stands from at on
}

func (o *object) Size() int64 { return o.size }

func (o *object) Close() error { return nil }

// ahead is how much is read at a time.
const ahead = 1 << 20

func (o *object) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, fault.New(fault.Invalid, "a place before the beginning")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(b) {
		place := at + int64(n)
		if place >= o.size {
			return n, io.EOF
		}
		if place < o.at || place >= o.at+int64(len(o.window)) {
			if err := o.fetch(place, len(b)-n); err != nil {
				return n, err
			}
		}
		n += copy(b[n:], o.window[place-o.at:])
	}
	return n, nil
}

// fetch reads a range into the window.
func (o *object) fetch(at int64, length int) error {
	end := min(at+int64(max(length, ahead)), o.size)
	var options minio.GetObjectOptions
	if err := options.SetRange(at, end-1); err != nil {
		return err
	}
	if err := options.SetMatchETag(o.tag); err != nil {
		return err
	}
	r, info, _, err := (&minio.Core{Client: o.store.client}).GetObject(o.ctx, o.store.o.Bucket, o.name, options)
	if err != nil {
		return o.store.fault(err)
	}
	defer r.Close()
	if info.ETag != o.tag { // not every service knows the condition
		return fault.New(fault.NotFound, "the object is another now")
	}
	var b bytes.Buffer
	b.Grow(int(end - at))
	if n, err := io.Copy(&b, io.LimitReader(r, end-at)); err != nil || n < end-at {
		return fault.Wrap(fault.Unavailable, err, "the storage service broke off")
	}
	o.at, o.window = at, b.Bytes()
	return nil
}
