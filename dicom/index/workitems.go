package index

import "context"

// Workitem is a unified procedure step as it is kept (PS3.4 annex CC).
type Workitem struct {
	UID      string
	JSON     []byte // all its attributes as DICOM JSON
	Number   int64  // of its creation, greater than those of all before it
	Revision int64  // rises with each change
	Values   []WorkitemValue
}

// WorkitemValue is a value that searches compare.
type WorkitemValue struct {
	Path string // the tags that lead to it, as 0040A370.00080050
	Text string // in the form in which it is compared
}

// WorkitemMatch is a condition on the values of a path, of which one must match.
type WorkitemMatch struct {
	Path string
	Match
}

// Subscription says that an application wants to know of changes (PS3.4 §CC.2.3).
type Subscription struct {
	Workitem string // its UID, or one of the two that stand for all and for those of a filter
	AETitle  string
	// Off takes away one workitem from a subscription to all.
	Off          bool
	DeletionLock bool
	Filter       string // of a filtered subscription, as who wrote it reads it
	// Until is the number after which new workitems are not subscribed to any more; 0 for never.
	Until int64
}

// Workitems is the port of the worklist. Errors: NotFound, Conflict for a workitem that is there already, Busy for one that was changed by another
// meanwhile.
type Workitems interface {
	AddWorkitem(ctx context.Context, partition string, w Workitem) error
	Workitem(ctx context.Context, partition, uid string) (Workitem, error)
	// ChangeWorkitem writes a workitem whose Revision is still the one that was read.
	ChangeWorkitem(ctx context.Context, partition string, w Workitem) error
	// FindWorkitems returns what matches, newest first.
	FindWorkitems(ctx context.Context, partition string, matches []WorkitemMatch, limit, offset int) ([]Workitem, error)

	// Subscribe adds a subscription, or takes the place of the application's to the same workitem.
	Subscribe(ctx context.Context, partition string, s Subscription) error
	// Unsubscribe takes away an application's subscription to a workitem; with every, all that it has.
	Unsubscribe(ctx context.Context, partition, workitem, aeTitle string, every bool) error
	// Subscriptions returns those to one of some workitems, by application.
	Subscriptions(ctx context.Context, partition string, workitems ...string) ([]Subscription, error)
	// LastWorkitem is the highest number of a workitem.
	LastWorkitem(ctx context.Context) (int64, error)
}
