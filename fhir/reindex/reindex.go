// Package reindex keeps a service's search parameters and brings its index up to
// them: parameters that clients define, switch off or remove, and those that a
// newer program has other values of (FHIR R4 searchparameter §5.7).
//
// It promises that a definition is checked before it is stored and counts from
// the moment it is; that a parameter is searched by only when every resource has
// its values; that no write ever waits for indexing; and that indexing goes on
// where it was after the process has ended in any way. What resources are
// indexed by is kept with the data, so all that is derived here follows from the
// store alone. Compiling and extracting are left to package searchparam, the
// wire to package rest.
package reindex

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/spec"
	"salus/fhir/store"
)

// Options are the parts of an Indexer. Store and Params are needed.
type Options struct {
	Store     store.Store
	Params    *searchparam.Registry // of FHIR's own definitions
	Integrity bool                  // the service keeps referential integrity: references are indexed wherever they stand
	Now       func() time.Time      // time.Now when nil
	Logger    *slog.Logger          // progress; discarded when nil
	Batch     int                   // resources that are indexed at a time; 64 when 0

	// Pause lets others work after a batch that took so long. When nil, the pause is
	// as long as the batch, so that indexing takes half of one processor at most.
	Pause func(ctx context.Context, busy time.Duration)
}

// Indexer is the search parameters of one service and the work on its index. It
// is safe for concurrent use.
type Indexer struct {
	store     store.Store
	own       *searchparam.Registry
	integrity bool
	live      *searchparam.Live
	now       func() time.Time
	log       *slog.Logger
	batch     int
	pause     func(context.Context, time.Duration)
	wake      chan struct{} // holds a token when there may be work
	base      atomic.Pointer[string]

	changing sync.Mutex // one change of definitions at a time, from its check to its commit

	mu      sync.Mutex // protects fields below; never held during a commit of resources
	custom  map[fhir.ID]*definition
	without map[string]bool // URLs that are switched off
	wanted  *searchparam.Registry
	marks   map[fhir.Type]marks
	bases   []string
	jobs    []*Job // the newest last
	nextID  int64
}

// definition is a SearchParameter resource.
type definition struct {
	sp  *spec.SearchParam
	err error // why it cannot be used
}

// Open reads what a store has of search parameters. Nothing is indexed before
// Run. Resources that are there but break a rule stay, without effect.
func Open(ctx context.Context, o Options) (*Indexer, error) {
	x := &Indexer{
		store: o.Store, own: o.Params, integrity: o.Integrity, now: o.Now, log: o.Logger, batch: o.Batch, pause: o.Pause,
		wake: make(chan struct{}, 1), custom: map[fhir.ID]*definition{}, without: map[string]bool{}, nextID: 1,
	}
	if x.now == nil {
		x.now = time.Now
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if x.batch == 0 {
		x.batch = 64
	}
	if x.pause == nil {
		x.pause = rest
	}
	x.live = searchparam.NewLive(o.Params)
	if err := x.load(ctx); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	changed := x.settleMarks(nil)
	if err := x.emptyTypes(ctx, changed); err != nil {
		return nil, err
	}
	if err := x.keepMarks(ctx, changed); err != nil {
		return nil, err
	}
	x.publish()
	x.plan()
	return x, nil
}

// rest waits as long as the work before it took.
func rest(ctx context.Context, busy time.Duration) {
	t := time.NewTimer(busy)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Live returns the registry that searches and writes follow.
func (x *Indexer) Live() *searchparam.Live { return x.live }

// load reads definitions and state.
func (x *Indexer) load(ctx context.Context) error {
	if err := x.loadState(ctx); err != nil {
		return err
	}
	var read []*definition
	var ids []fhir.ID
	for plan := (&search.Plan{Branches: []search.Branch{{Type: parameterType}}, Count: 200}); ; {
		page, err := x.store.Search(ctx, plan)
		if err != nil {
			return err
		}
		for _, v := range page.Matches {
			sp, err := define(v.Body)
			if err != nil {
				return err
			}
			read, ids = append(read, &definition{sp: sp}), append(ids, v.ID)
		}
		if plan.After = page.Next; plan.After == nil {
			break
		}
	}
	// Composites need their components to be there first.
	order := make([]int, 0, len(read))
	for i := range read {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return min(1, len(read[a].sp.Components)) - min(1, len(read[b].sp.Components)) })
	for _, i := range order {
		read[i].err = x.registry(x.custom, nil).Check(read[i].sp)
		if read[i].err != nil {
			x.log.Warn("a stored search parameter is not used", "resource", string(parameterType)+"/"+string(ids[i]), "error", read[i].err.Error())
		}
		x.custom[ids[i]] = read[i]
	}
	return nil
}

// parameterType is the resource type that defines search parameters.
const parameterType fhir.Type = "SearchParameter"

// define reads a definition out of a body.
func define(b fhir.Body) (*spec.SearchParam, error) {
	d, err := fhir.Parse(b.JSON)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a stored search parameter is damaged")
	}
	return searchparam.Define(d.Root()), nil
}

// registry derives the registry of some definitions. incomplete may be nil.
func (x *Indexer) registry(custom map[fhir.ID]*definition, incomplete func(fhir.Type, *spec.SearchParam) bool) *searchparam.Registry {
	s := searchparam.Selection{Without: x.without, Incomplete: incomplete}
	for _, d := range custom {
		if d.err == nil {
			s.Custom = append(s.Custom, d.sp)
		}
	}
	slices.SortFunc(s.Custom, func(a, b *spec.SearchParam) int { return strings.Compare(a.URL, b.URL) })
	return x.own.With(s, x.wanted)
}

// publish lets searches and writes follow the definitions and marks of now. The
// caller holds mu.
func (x *Indexer) publish() {
	next := x.registry(x.custom, x.incomplete)
	x.live.Replace(next)
}

// Reached notes a base URL under which the service is reached: references below
// it are to its own resources, also when they are indexed anew.
func (x *Indexer) Reached(ctx context.Context, base string) error {
	if last := x.base.Load(); base == "" || last != nil && *last == base {
		return nil
	}
	const most = 16 // whoever names the host must not fill the store
	x.mu.Lock()
	defer x.mu.Unlock()
	x.base.Store(&base)
	if slices.Contains(x.bases, base) || len(x.bases) >= most {
		return nil
	}
	x.bases = append(slices.Clone(x.bases), base)
	return x.keep(ctx, stateBases, x.bases)
}

// plural writes a number of things.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
