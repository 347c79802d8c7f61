// Package store is the port behind which a FHIR service keeps its resources:
// versions, search indexes and the ordered change log.
//
// It promises, for every engine: a write is atomic and durable when it returns,
// whole or not at all; readers see only whole writes; versions of a resource
// count 1, 2, 3 …, also where superseded ones are dropped; meta.lastUpdated never
// goes back in the order of the change log. The suite in storetest holds an engine to this. Rules of FHIR (what may
// be written, by whom) are left to package interaction.
package store

import (
	"context"
	"iter"
	"time"

	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// Store is one FHIR service's data. It is safe for concurrent use. All errors
// are faults: besides those named below Unavailable after Close, OutOfSpace
// when the disk is full, Internal when the data is damaged.
type Store interface {
	// Read returns the current version of a resource, which may be a deletion
	// (Version.Deleted). NotFound when there never was one or it was purged.
	Read(ctx context.Context, key fhir.Key) (fhir.Version, error)

	// ReadVersion returns version number n, which may be a deletion. NotFound
	// when there is none, or none any more.
	ReadVersion(ctx context.Context, key fhir.Key, n int64) (fhir.Version, error)

	// Write applies all writes or none, in their order, and returns the version
	// that each made (for a Purge one with Number 0; for a Purge of superseded
	// versions the current one without its body, Number 0 when there is none). It
	// returns only when they are durable. All versions that one call makes have the
	// same Updated. A key may occur once. Conflict when an Expect, Require or Unless does not hold. The store keeps
	// none of the caller's bytes.
	Write(ctx context.Context, writes []Write) ([]fhir.Version, error)

	// Search answers a plan over the current versions. Pages chained by
	// Page.Next hold every resource that matched throughout, with the same sort
	// values, exactly once, in order. Without sort keys the order is that of the
	// resources' numbers: of their first mention, by their creation or by a
	// reference to them. Invalid when Plan.After did not come from this store. Asked
	// to explain itself (Plan.Explain), an engine says what it did, and the answer
	// is the same.
	Search(ctx context.Context, plan *search.Plan) (*search.Page, error)

	// History returns versions, newest first unless asked otherwise; an empty
	// page when there are none, also of a resource that never was. Purges do not
	// appear.
	History(ctx context.Context, q HistoryQuery) (*HistoryPage, error)

	// Changes yields the change log after position after (0: from the start)
	// up to what is committed when it is called. It ends after the first error.
	// A purge takes the versions out of the log and leaves one change of method
	// Purge. Superseded versions that are dropped leave the log without a trace:
	// who follows it from behind them sees the resource's next version, with its
	// number, and who has read them is not told. A call sees a version with all
	// that the write which made it did, or without any of it.
	Changes(ctx context.Context, after uint64) iter.Seq2[Change, error]

	// Count returns how many current, undeleted resources each type has. Types
	// without any are absent.
	Count(ctx context.Context) (map[fhir.Type]int64, error)

	// Current returns up to count current, undeleted resources of a type, in the
	// order of their numbers (see Search), from the first with a number above after.
	// Whoever goes on behind the last one it got sees every resource that is there
	// throughout exactly once; numbers outlive the process.
	Current(ctx context.Context, t fhir.Type, after uint64, count int) ([]Current, error)

	// CurrentOf returns a current, undeleted resource as Current does. NotFound when
	// there is none.
	CurrentOf(ctx context.Context, key fhir.Key) (Current, error)

	// LastNumber returns a number that no resource's is above. Resources that come
	// later have higher ones, unless they were mentioned before.
	LastNumber(ctx context.Context) (uint64, error)

	// Reindex replaces the index values of current versions. It makes no version
	// and no entry of the change log. What is not at its position any more is left
	// alone, because the write that came between has its own values. It returns how
	// many it replaced, once they are durable: all or none. A key may occur once.
	Reindex(ctx context.Context, entries []Index) (int, error)

	// State returns what SetState has kept under the names that begin with prefix.
	State(ctx context.Context, prefix string) (map[string][]byte, error)

	// SetState keeps a few small values under names, all of them or none, and
	// returns once they are durable. An empty value removes the name. What they say
	// is the caller's affair.
	SetState(ctx context.Context, values map[string][]byte) error

	// Close ends the store after the writes in work. It may be called twice.
	Close() error
}

// Current is a resource's current version with where it is.
type Current struct {
	Number   uint64 // of the resource
	Position uint64 // of the version in the change log
	fhir.Version
}

// Index is a current version with new index values.
type Index struct {
	Key      fhir.Key
	Position uint64 // of the version that the values are of
	Values   []searchparam.Entry
}

// AnyVersion as Write.Expect accepts whatever the current version is.
const AnyVersion int64 = -1

// Write is one change to make.
type Write struct {
	Key    fhir.Key
	Method fhir.Method // Post, Put or Patch with a Body; Delete makes a deletion, always; Purge removes all versions
	Expect int64       // number of the current version (deletions count), 0 for none, or AnyVersion
	Body   fhir.Body
	Values []searchparam.Entry // what search finds the body by; every search of the type relies on them

	// DropSuperseded says not to keep the version that was current until then, if
	// there was one: it is in no read, history and change log any more, and its
	// number is not given again. With Purge it says to drop all superseded versions
	// and to keep the current one as it is, which may be a deletion; no version and
	// no entry of the change log is made.
	DropSuperseded bool

	// Require names resources that must be there, undeleted, once the call has made
	// all its writes.
	Require []fhir.Key

	// Unless selects what must not be there: the call is a Conflict when a resource
	// that it does not itself write is current and matches one of the branches. All
	// calls that are committed before count, on whatever node they were made, and
	// none that comes after: who has searched in vain and writes with the same
	// branches writes only as long as the answer stands. An engine may hold this by
	// the order of its commits, a lock for each type, or serialisable transactions.
	Unless []search.Branch
}

// HistoryQuery asks for versions of one resource (Type and ID), of a type (Type),
// or of all (neither).
type HistoryQuery struct {
	Type        fhir.Type
	ID          fhir.ID
	Since       time.Time // lastUpdated at or after; zero for no limit
	Before      time.Time // lastUpdated before; zero for no limit
	OldestFirst bool
	Count       int    // page size; 0 asks for the total only
	Total       bool   // an exact total is wanted
	After       []byte // HistoryPage.Next of the page before
}

// HistoryPage is a page of versions.
type HistoryPage struct {
	Versions []fhir.Version
	Total    int64 // -1 when not asked for
	Next     []byte
}

// Change is one entry of the change log.
type Change struct {
	Position uint64 // ascending, without order gaps: a later commit never has a lower one
	fhir.Version
}
