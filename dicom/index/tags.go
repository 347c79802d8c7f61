package index

import (
	"context"
	"time"

	"salus/dicom"
)

// QueryTag is an attribute that the service was told to search by, besides its own (the reference service's extended query tags).
type QueryTag struct {
	Tag       dicom.Tag
	Creator   string // of a private tag
	VR        dicom.VR
	Level     Level
	Status    TagStatus
	Enabled   bool   // searches may use it
	Errors    int    // instances whose value could not be indexed
	Operation string // that indexes what was stored before; empty when there is none
}

// TagStatus is how far a query tag is.
type TagStatus uint8

// The statuses.
const (
	Adding   TagStatus = iota // what was stored before is being indexed
	Ready                     // everything is indexed
	Deleting                  // its values are being removed
)

// TagError is an instance whose value of a query tag could not be indexed.
type TagError struct {
	Partition string
	UIDs
	Created time.Time
	Message string // without the value
}

// Value is what an instance has for a query tag, or why it cannot be indexed.
type Value struct {
	Tag   dicom.Tag
	Text  string // as it is compared; empty when the instance has none
	Error string
}

// Source is an instance that is to be indexed again.
type Source struct {
	Watermark int64
	Metadata  Part
}

// Tags is the port of query tags. Errors: NotFound, Conflict for a tag that is there already, Busy while another operation indexes tags.
type Tags interface {
	// AddTags adds tags and the operation that indexes what is there. It returns the running operation's id with a Busy fault when there is one.
	AddTags(ctx context.Context, tags []QueryTag, id string) (running string, err error)
	// QueryTags returns all, by tag.
	QueryTags(ctx context.Context) ([]QueryTag, error)
	// EnableTag lets searches use a tag, or not.
	EnableTag(ctx context.Context, t dicom.Tag, enabled bool) error
	// DeleteTag takes away a tag and its values.
	DeleteTag(ctx context.Context, t dicom.Tag) error
	// TagErrors returns instances whose values could not be indexed, oldest first.
	TagErrors(ctx context.Context, t dicom.Tag, limit, offset int) ([]TagError, error)

	// Sources returns instances after a watermark and up to another, at most count.
	Sources(ctx context.Context, after, end int64, count int) ([]Source, error)
	// Reindex writes the values of instances, by watermark, and how far the operation is with them. Instances that are gone are passed over.
	Reindex(ctx context.Context, o Operation, values map[int64][]Value) error
}
