// Package index is the port for what is known of stored instances besides their files: who they belong to, what they can be found by, where
// their parts are, and in which order they came and went; and for the workitems and operations that are kept beside them.
//
// An instance is visible whole or not at all, and each change of it stands in the change feed with it. Files are not kept here, only the names of
// their objects; those that no instance has any more are listed until somebody has removed them.
package index

import (
	"context"
	"time"

	"salus/dicom"
)

// Level is one of study, series and instance (PS3.3 §A.1.2).
type Level uint8

// The levels, from the top.
const (
	Study Level = iota
	Series
	Instance
)

// UIDs name an instance, or with empty ones at the end all of a series, a study, or everything.
type UIDs struct{ Study, Series, Instance string }

// Level returns the lowest level that is named.
func (u UIDs) Level() Level {
	switch {
	case u.Instance != "":
		return Instance
	case u.Series != "":
		return Series
	}
	return Study
}

// Stored is a version of an instance.
type Stored struct {
	UIDs
	Watermark      int64 // number of the version, greater than those of all before it
	SOPClass       string
	TransferSyntax string
	Object         string // name of its file
	Size           int64  // of the file in bytes
	Start          int64  // where the data set begins in it
	Layout         []byte // of the frames, as part10.Layout appends it; nil without pixel data
}

// Attributes are attributes with their DICOM JSON, in the order of their tags.
type Attributes []Attribute

// Attribute is one attribute as DICOM JSON: an object with vr and values.
type Attribute struct {
	Tag  dicom.Tag
	JSON []byte
}

// Part is the metadata of an instance, a JSON object, as a piece of a gzip stream; see package gzipped.
type Part struct {
	Deflated []byte
	CRC      uint32
	Size     int64 // inflated
}

// Entry is an instance to be added.
type Entry struct {
	Stored
	// Matched are the values that searches compare, by tag: the first value of each, as text and not folded.
	Matched map[dicom.Tag]string
	// Shown are the attributes of each level that searches return.
	Shown    [Instance + 1]Attributes
	Metadata Part
	// Values are what it has for query tags, one for each.
	Values []Value
	// Expires is when its study is to be deleted, as the last one says that is added to it; zero for never.
	Expires time.Time
}

// Index is the port. Errors: NotFound for what is not there, Conflict for an instance that is there already.
type Index interface {
	// Add makes an instance visible, newest of its study and series, which take over its attributes. With replace an instance with the same UIDs
	// gives way; without, it is a Conflict. It is Busy
	// when the entry has not one value for each query tag, because one came or went meanwhile.
	Add(ctx context.Context, partition string, e *Entry, replace bool) (watermark int64, err error)
	// ReplaceStudy puts other versions in the places of all instances of a study, at once. It is Busy when the study has other versions than old,
	// which are in the order of the entries. What an instance was at first is kept as its original.
	ReplaceStudy(ctx context.Context, partition string, old []Stored, entries []*Entry) error
	// Has reports whether there is an instance.
	Has(ctx context.Context, partition string, u UIDs) (bool, error)
	// Instances returns those below UIDs, oldest first; with originals as they were before they were first replaced in their study.
	Instances(ctx context.Context, partition string, u UIDs, originals bool) ([]Stored, error)
	// Version returns the newest watermark and the number of instances below UIDs, which together change with each change.
	Version(ctx context.Context, partition string, u UIDs) (watermark int64, instances int, err error)
	// Metadata calls f for each instance below UIDs, oldest first, or for the originals.
	Metadata(ctx context.Context, partition string, u UIDs, originals bool, f func(Part) error) error
	// MetadataOf returns the metadata of a version that is visible.
	MetadataOf(ctx context.Context, watermark int64) (Part, error)
	// Delete takes away everything below UIDs.
	Delete(ctx context.Context, partition string, u UIDs) error
	// DeleteExpired takes away studies whose time has come, a few at a time, and returns how many, and when the next one's comes; zero for none.
	DeleteExpired(ctx context.Context, now time.Time) (n int, next time.Time, err error)
	// Search returns what matches, newest first.
	Search(ctx context.Context, q Query) ([]Result, error)
	// Changes returns entries of the change feed.
	Changes(ctx context.Context, q ChangeQuery) ([]Change, error)
	// Latest returns the last entry; ok is false when there is none.
	Latest(ctx context.Context, byTime bool) (c Change, ok bool, err error)
	// Cursor returns the sequence number up to which a follower of the change feed has come, 0 at first, and SetCursor notes it.
	Cursor(ctx context.Context, name string) (int64, error)
	SetCursor(ctx context.Context, name string, sequence int64) error
	// Partitions returns those that have been used, by name.
	Partitions(ctx context.Context) ([]Partition, error)

	// NewRun returns a number that no caller had before, for naming objects.
	NewRun(ctx context.Context) (int64, error)
	// Unknown returns those of some objects that no instance has.
	Unknown(ctx context.Context, objects []string) ([]string, error)
	// Discarded returns objects that no instance has any more, at most count.
	Discarded(ctx context.Context, count int) ([]string, error)
	// Removed says that objects are gone.
	Removed(ctx context.Context, objects []string) error
	Close() error

	Tags
	Operations
}

// Partition is a space of instances of its own.
type Partition struct {
	Key     int64
	Name    string
	Created time.Time
}

// Action is what happened to an instance.
type Action uint8

// The actions.
const (
	Create Action = iota
	Update
	Remove
)

// Change is an entry of the change feed.
type Change struct {
	UIDs
	Sequence  int64
	Partition string
	Action    Action
	At        time.Time
	Watermark int64
	Current   int64 // watermark of the version that is visible; 0 when the instance is gone
}

// ChangeQuery says which entries of the change feed are wanted.
type ChangeQuery struct {
	// Window asks for the entries with numbers after Offset up to Offset+Limit. Otherwise entries are in the order of their times, Limit of them
	// after the first Offset.
	Window        bool
	Offset, Limit int64
	From, To      time.Time // at or after, and before; zero means no limit
}
