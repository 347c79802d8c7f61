// Package blob is the port for objects: DICOM files, exports, everything that is bytes under a name.
//
// An object is there whole or not at all, and is on the disk or with the storage service when Commit returns. Objects are not changed; what
// is new gets a new name. The engines are in blob/file and others beside it, and all pass blob/blobtest.
package blob

import (
	"context"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"salus/fault"
)

// Store keeps objects. It is safe for concurrent use. Errors: NotFound for a name without object, Invalid for a name that is none, OutOfSpace,
// and Unavailable when the storage cannot be reached.
type Store interface {
	// Create begins an object, which nobody sees before it is committed.
	Create(ctx context.Context, name string) (Writer, error)
	// Open opens an object. It stays readable until it is closed, also when it is deleted meanwhile.
	Open(ctx context.Context, name string) (Object, error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// List yields the objects whose names begin with a folder's name, in no particular order.
	List(ctx context.Context, folder string) iter.Seq2[Info, error]
	// Close releases what the store holds. Nothing may be under way.
	Close() error
}

// Writer takes the bytes of a new object. One of Commit and Abort ends it; Abort after Commit does nothing.
type Writer interface {
	io.Writer
	// Commit makes the object visible, in place of one with the same name.
	Commit() error
	// Abort forgets what was written.
	Abort() error
}

// Object is an object that is open for reading.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Info is what a list says of an object.
type Info struct {
	Name string
	Size int64
}

// CheckName returns a fault when a name is none: segments of letters, digits and ._- that do not begin with a dot, joined by slashes, with at
// most 512 bytes.
func CheckName(name string) error {
	if name == "" || len(name) > 512 || !utf8.ValidString(name) {
		return fault.New(fault.Invalid, "the name of an object must have 1 to 512 characters")
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == "" || segment[0] == '.' || len(segment) > 200 {
			return fault.New(fault.Invalid, "the name of an object has a segment that is empty, too long, or begins with a dot")
		}
		for i := range len(segment) {
			c := segment[i]
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '.' || c == '_' || c == '-' {
				continue
			}
			return fault.New(fault.Invalid, "the name of an object has a character that is no letter, digit, dot, hyphen or underscore")
		}
	}
	return nil
}

// Put stores what r gives under a name.
func Put(ctx context.Context, s Store, name string, r io.Reader) (size int64, err error) {
	w, err := s.Create(ctx, name)
	if err != nil {
		return 0, err
	}
	if size, err = io.Copy(w, r); err != nil {
		if abort := w.Abort(); abort != nil {
			err = fault.Wrap(fault.KindOf(err), err, "storing failed, and what was written of it could not be removed")
		}
		return 0, err
	}
	return size, w.Commit()
}

// NewReader reads a range of an object from its beginning to its end.
func NewReader(o Object, offset, length int64) *io.SectionReader {
	return io.NewSectionReader(o, offset, length)
}
