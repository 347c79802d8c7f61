// Package s3 keeps objects in a bucket of a storage service that speaks the protocol of Amazon S3.
//
// Small objects are sent in one request when they are committed, large ones in parts while they are written; either way the service shows them
// whole or not at all. Small objects are fetched whole when they are opened, and so stay readable when they are deleted; of large ones ranges are
// read, of the version that was opened: when it has gone meanwhile, reading fails and never gives bytes of another.
package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"salus/blob"
	"salus/fault"
)

const (
	partSize = 8 << 20 // of large objects; a part is in memory while it is sent
	small    = 4 << 20 // what is sent in one request
	whole    = 8 << 20 // what is fetched when it is opened
)

// Options say where the bucket is.
type Options struct {
	Endpoint *url.URL // http or https, with the host; nil for Amazon's own
	Region   string
	Bucket   string
	Prefix   string // of the names of all objects, with a slash at the end, or empty
	// AccessKey and SecretKey are the credentials; when they are empty, those of the environment or the machine are used.
	AccessKey, SecretKey string
}

// ParseURL reads s3://bucket/prefix?endpoint=http://host:port&region=name. Credentials are not in it.
func ParseURL(s string) (Options, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil {
		return Options{}, fault.New(fault.Invalid, "this is no address of a bucket: s3://bucket/prefix?endpoint=…&region=…, without credentials")
	}
	o := Options{Bucket: u.Host, Region: u.Query().Get("region")}
	if o.Prefix = strings.Trim(u.Path, "/"); o.Prefix != "" {
		o.Prefix += "/"
	}
	if e := u.Query().Get("endpoint"); e != "" {
		o.Endpoint, err = url.Parse(e)
		if err != nil || o.Endpoint.Host == "" || o.Endpoint.Scheme != "http" && o.Endpoint.Scheme != "https" {
			return Options{}, fault.New(fault.Invalid, "endpoint is no address of a storage service, such as https://storage.example.org")
		}
	}
	return o, nil
}

// Store is a bucket, or a part of one.
type Store struct {
	client *minio.Client
	o      Options
	http   *http.Transport
}

var _ blob.Store = (*Store)(nil)

// Open opens a bucket, which must be there. Errors: Unavailable when it cannot be reached, Forbidden when the credentials are not taken.
func Open(ctx context.Context, o Options) (*Store, error) {
	host, secure := "s3.amazonaws.com", true
	if o.Endpoint != nil {
		host, secure = o.Endpoint.Host, o.Endpoint.Scheme == "https"
	}
	creds := credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	if o.AccessKey == "" {
		creds = credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.IAM{}})
	}
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	client, err := minio.New(host, &minio.Options{Creds: creds, Secure: secure, Region: o.Region, Transport: transport, MaxRetries: 3})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the storage service cannot be used so")
	}
	s := &Store{client, o, transport}
	switch found, err := client.BucketExists(ctx, o.Bucket); {
	case err != nil:
		return nil, s.fault(err)
	case !found:
		return nil, fault.New(fault.Unavailable, "there is no such bucket")
	}
	return s, nil
}

// Close closes idle connections.
func (s *Store) Close() error {
	s.http.CloseIdleConnections()
	return nil
}

// fault says what an error of the service means.
func (s *Store) fault(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fault.Wrap(fault.Canceled, err, "the caller went away")
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f
	}
	switch answer := minio.ToErrorResponse(err); {
	case answer.Code == minio.NoSuchKey || answer.Code == "NoSuchVersion":
		return fault.Wrap(fault.NotFound, err, "there is no such object")
	case answer.Code == minio.AccessDenied || answer.StatusCode == http.StatusForbidden:
		return fault.Wrap(fault.Forbidden, err, "the storage service does not let us in")
	case answer.StatusCode == http.StatusInsufficientStorage || answer.Code == "XMinioStorageFull" || answer.Code == "QuotaExceeded":
		return fault.Wrap(fault.OutOfSpace, err, "the storage service is full")
	case answer.StatusCode == http.StatusPreconditionFailed:
		return fault.Wrap(fault.NotFound, err, "the object is another now")
	}
	return fault.Wrap(fault.Unavailable, err, "the storage service failed")
}

// Create begins an object.
func (s *Store) Create(ctx context.Context, name string) (blob.Writer, error) {
	if err := blob.CheckName(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Canceled, err, "the caller went away")
	}
	return &writer{store: s, ctx: ctx, name: s.o.Prefix + name}, nil
}

// writer holds an object back until it is known to be small, or sends it in parts.
type writer struct {
	store *Store
	ctx   context.Context
	name  string
	held  []byte
	pipe  *io.PipeWriter // of a large object
	sent  chan error
	ended bool
}

func (w *writer) Write(b []byte) (int, error) {
	if w.pipe == nil && len(w.held)+len(b) <= small {
		w.held = append(w.held, b...)
		return len(b), nil
	}
	if w.pipe == nil {
		var r *io.PipeReader
		r, w.pipe = io.Pipe()
		w.sent = make(chan error, 1)
		first := w.held
		w.held = nil
		go func() {
			err := w.store.put(w.ctx, w.name, io.MultiReader(bytes.NewReader(first), r), -1)
			r.CloseWithError(err)
			w.sent <- err
		}()
	}
	n, err := w.pipe.Write(b)
	return n, w.store.fault(err)
}

// put sends an object, of an unknown size when that is -1.
func (s *Store) put(ctx context.Context, name string, r io.Reader, size int64) error {
	// An MD5 goes with each part instead of a signature of its pieces, which not every service understands.
	o := minio.PutObjectOptions{PartSize: partSize, ContentType: "application/octet-stream", NumThreads: 1, SendContentMd5: true, DisableContentSha256: true}
	_, err := s.client.PutObject(ctx, s.o.Bucket, name, r, size, o)
	return s.fault(err)
}

func (w *writer) Commit() error {
	w.ended = true
	if w.pipe == nil {
		if err := w.ctx.Err(); err != nil {
			return fault.Wrap(fault.Canceled, err, "the caller went away")
		}
		return w.store.put(w.ctx, w.name, bytes.NewReader(w.held), int64(len(w.held)))
	}
	if err := w.ctx.Err(); err != nil { // the end of what is written must not be taken for the end of the object
		w.pipe.CloseWithError(err)
		return w.store.fault(errors.Join(context.Canceled, <-w.sent))
	}
	w.pipe.Close()
	return <-w.sent
}

// errAborted ends an upload, whose parts are then removed.
var errAborted = fault.New(fault.Canceled, "the object was given up")

func (w *writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended, w.held = true, nil
	if w.pipe == nil {
		return nil
	}
	w.pipe.CloseWithError(errAborted)
	if err := <-w.sent; err != nil && !fault.Is(err, fault.Canceled) {
		return err
	}
	return nil
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := blob.CheckName(name); err != nil {
		return err
	}
	err := s.fault(s.client.RemoveObject(ctx, s.o.Bucket, s.o.Prefix+name, minio.RemoveObjectOptions{}))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// List lists what is in a folder.
func (s *Store) List(ctx context.Context, folder string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if folder != "" {
			if err := blob.CheckName(folder); err != nil {
				yield(blob.Info{}, err)
				return
			}
			folder += "/"
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for info := range s.client.ListObjectsIter(ctx, s.o.Bucket, minio.ListObjectsOptions{Prefix: s.o.Prefix + folder, Recursive: true}) {
			if info.Err != nil {
				yield(blob.Info{}, s.fault(info.Err))
				return
			}
			if !yield(blob.Info{Name: strings.TrimPrefix(info.Key, s.o.Prefix), Size: info.Size}, nil) {
				return
			}
		}
	}
}
