package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
	"salus/fhir/store/memory"
)

// RunModel applies random operations to the engine and to the model in package
// memory and compares every answer. The flags of package rapid set how many
// sequences there are and how long they get; a failing one is made small and
// can be repeated with -rapid.seed.
func RunModel(t *testing.T, open Factory) {
	rapid.Check(t, func(r *rapid.T) {
		c := newClock()
		m := &model{
			outer: t, open: open, dir: t.TempDir(), clock: c,
			want: memory.New(c.now), log: map[fhir.Key][]int64{}, early: map[fhir.Key]bool{},
		}
		m.got = open(t, m.dir, c.now)
		defer func() { m.close(r) }()
		r.Repeat(map[string]func(*rapid.T){
			"write":       m.write,
			"write again": m.write, // named twice to be taken more often
			"search":      m.search,
			"search more": m.search,
			"match":       m.match,
			"order":       m.order,
			"join":        m.join,
			"history":     m.history,
			"reindex":     m.reindex,
			"reopen":      m.reopen,
			"":            m.check,
		})
	})
}

// model drives an engine and the model of it side by side.
type model struct {
	outer *testing.T
	open  Factory
	dir   string
	clock *clock
	got   store.Store
	want  *memory.Store

	log   map[fhir.Key][]int64 // numbers of the versions of each key since its last purge, dropped ones too
	early map[fhir.Key]bool    // referred to before their creation, or purged once: an engine may put them elsewhere in the default order
	floor time.Time            // the clock does not go back behind a refused write, which an engine may or may not remember
}

func (m *model) close(r *rapid.T) {
	if err := m.got.Close(); err != nil {
		r.Errorf("close: %v", err)
	}
}

func (m *model) reopen(r *rapid.T) {
	m.close(r)
	m.got = m.open(m.outer, m.dir, m.clock.now)
}

// write applies the same random writes to both. They may conflict.
func (m *model) write(r *rapid.T) {
	step := rapid.SampledFrom([]time.Duration{0, time.Microsecond, time.Second, time.Second, 24 * time.Hour, -time.Hour}).Draw(r, "clock")
	if m.clock.now().Add(step).After(m.floor) {
		m.clock.advance(step)
	}
	writes := drawWrites(r, func(k fhir.Key) int64 { return int64(len(m.log[k])) })
	if len(writes) == 0 {
		r.Skip("nothing to write")
	}
	ctx := context.Background()
	want, wantErr := m.want.Write(ctx, writes)
	got, err := m.got.Write(ctx, writes)
	if wantErr != nil {
		m.floor = m.clock.now()
		if !fault.Is(err, fault.KindOf(wantErr)) {
			r.Fatalf("write: %v, want %v", err, wantErr)
		}
		return
	}
	if err != nil {
		r.Fatalf("write: %v", err)
	}
	same(r, "written versions", got, want)
	for i, w := range writes {
		m.note(w, want[i])
	}
}

// reindex gives some of the current resources other index values, and some of
// the positions are not theirs. Numbers and positions are each engine's own.
func (m *model) reindex(r *rapid.T) {
	ctx := context.Background()
	t := pick(r, "type", allTypes)
	read := func(s store.Store) map[fhir.Key]store.Current {
		all, err := s.Current(ctx, t, 0, 1000)
		if err != nil {
			r.Fatalf("current: %v", err)
		}
		byKey := map[fhir.Key]store.Current{}
		for _, c := range all {
			byKey[c.Key] = c
		}
		return byKey
	}
	want, got := read(m.want), read(m.got)
	var wanted, entries []store.Index
	for _, w := range drawWrites(r, func(fhir.Key) int64 { return 0 }) {
		a, ok := want[w.Key]
		if !ok || w.Method == fhir.Delete || w.Method == fhir.Purge {
			continue
		}
		stale := uint64(0)
		if rapid.IntRange(0, 3).Draw(r, "stale") == 0 {
			stale = 1
		}
		wanted = append(wanted, store.Index{Key: w.Key, Position: a.Position - stale, Values: w.Values})
		entries = append(entries, store.Index{Key: w.Key, Position: got[w.Key].Position - stale, Values: w.Values})
		m.mention(w.Values)
	}
	a, wantErr := m.want.Reindex(ctx, wanted)
	b, err := m.got.Reindex(ctx, entries)
	if wantErr != nil || err != nil || a != b {
		r.Fatalf("reindex: %d, %v, want %d, %v", b, err, a, wantErr)
	}
}

// note keeps what is needed to draw and to judge what comes later.
func (m *model) note(w store.Write, v fhir.Version) {
	if w.Method == fhir.Purge && w.DropSuperseded {
		m.floor = m.clock.now() // it leaves no time in the change log
		return
	}
	if v.Method == fhir.Purge {
		delete(m.log, v.Key)
		m.early[v.Key] = true
		return
	}
	m.log[v.Key] = append(m.log[v.Key], v.Number)
	m.mention(w.Values)
}

// mention notes what index values refer to that is not there.
func (m *model) mention(values []searchparam.Entry) {
	for _, e := range values {
		refs := []fhir.Reference{e.Value.Ref}
		for _, p := range e.Value.Parts {
			refs = append(refs, p.Ref)
		}
		for _, ref := range refs {
			if ref.Local() && len(m.log[ref.Key()]) == 0 {
				m.early[ref.Key()] = true
			}
		}
	}
}

// match asks every type for single operands, so that each kind of value meets
// each kind of operand more often than in deep filters.
func (m *model) match(r *rapid.T) {
	for range 12 {
		c := pick(r, "code", valueCodes)
		operand := drawOperand(r, c)
		plan := search.Plan{Count: 100}
		for _, t := range allTypes {
			plan.Branches = append(plan.Branches, search.Branch{Type: t, Filter: matchOn(t, c, operand)})
		}
		m.compare(r, plan)
	}
}

// order asks for whole types, sorted and with what belongs to them.
func (m *model) order(r *rapid.T) {
	for range 4 {
		plan := drawPlan(r)
		for i := range plan.Branches {
			plan.Branches[i].Filter = nil
		}
		m.compare(r, plan)
	}
}

// join asks what is referred to and what refers, with little else in the way.
func (m *model) join(r *rapid.T) {
	for range 6 {
		from, to := pick(r, "from", allTypes), pick(r, "to", allTypes)
		var forward, back search.Filter
		if chance(r, "conditional", 70) {
			forward, back = drawFilter(r, to, 0), drawFilter(r, from, 0)
		}
		if forward != nil && chance(r, "negated", 50) {
			forward, back = search.Not{Filter: forward}, search.Not{Filter: back}
		}
		m.compare(r, search.Plan{Count: 100, Branches: []search.Branch{
			{Type: from, Filter: search.Chain{Param: params[from][subject], Target: to, Filter: forward}},
		}})
		m.compare(r, search.Plan{Count: 100, Branches: []search.Branch{
			{Type: to, Filter: search.Has{Param: params[from][subject], Filter: back}},
		}})
	}
}

// search compares all pages of a random plan.
func (m *model) search(r *rapid.T) { m.compare(r, drawPlan(r)) }

func (m *model) compare(r *rapid.T, plan search.Plan) {
	ctx := context.Background()
	whole := plan
	whole.Count, whole.Includes, whole.RevIncludes = 10_000, nil, nil
	ranks := m.want.Ranks(&whole)
	total := int64(len(slices.Concat(ranks...)))
	var got []fhir.Version
	for {
		page, err := m.got.Search(ctx, &plan)
		if err != nil {
			r.Fatalf("search: %v", err)
		}
		wantTotal := int64(-1)
		if plan.Total || plan.Count == 0 {
			wantTotal = total
		}
		if page.Total != wantTotal {
			r.Fatalf("%s\ntotal is %d, want %d", describePlan(plan), page.Total, wantTotal)
		}
		if len(page.Matches) > plan.Count || page.Next != nil && len(page.Matches) != plan.Count {
			r.Fatalf("%s\npage of %d matches, more: %t", describePlan(plan), len(page.Matches), page.Next != nil)
		}
		if len(page.Matches) == 0 && plan.After != nil {
			r.Fatalf("%s\na page announced another, which is empty", describePlan(plan))
		}
		m.checkIncluded(r, plan, page)
		got = append(got, page.Matches...)
		if page.Next == nil {
			break
		}
		plan.After = page.Next
	}
	if plan.Count > 0 {
		m.checkRanks(r, plan, got, ranks)
	}
}

// checkRanks compares matches with those of the model. Within equal sort values
// the order is that of creation, as far as the contract goes.
func (m *model) checkRanks(r *rapid.T, plan search.Plan, got []fhir.Version, ranks [][]fhir.Version) {
	want := slices.Concat(ranks...)
	if len(got) != len(want) {
		r.Fatalf("%s\nmatches %s\nwant    %s", describePlan(plan), inGivenOrder(got), inGivenOrder(want))
	}
	byTime := slices.ContainsFunc(plan.Sort, func(k search.SortKey) bool { return k.Updated })
	for _, rank := range ranks {
		tied := slices.Clone(got[:len(rank)])
		got = got[len(rank):]
		if names(tied) != names(rank) {
			r.Fatalf("%s\nmatches of one rank %s\nwant                %s\nof all %s",
				describePlan(plan), names(tied), names(rank), inGivenOrder(want))
		}
		free := func(v fhir.Version) bool { return byTime || m.early[v.Key] }
		if a, b := inGivenOrder(slices.DeleteFunc(slices.Clone(tied), free)), inGivenOrder(slices.DeleteFunc(slices.Clone(rank), free)); a != b {
			r.Fatalf("%s\norder of ties %s\nwant          %s", describePlan(plan), a, b)
		}
		sortByName(tied)
		rank = slices.Clone(rank)
		sortByName(rank)
		same(r, "matches", tied, rank)
	}
}

// checkIncluded compares what a page includes with what the model includes for
// the same matches.
func (m *model) checkIncluded(r *rapid.T, plan search.Plan, page *search.Page) {
	all := &search.Plan{Count: 10_000, Includes: plan.Includes, RevIncludes: plan.RevIncludes, MaxIncludes: 10_000}
	byType := map[fhir.Type]search.IDs{}
	for _, v := range page.Matches {
		byType[v.Type] = append(byType[v.Type], v.ID)
	}
	for t, list := range byType {
		all.Branches = append(all.Branches, search.Branch{Type: t, Filter: list})
	}
	want, err := m.want.Search(context.Background(), all)
	if err != nil {
		r.Fatalf("model: %v", err)
	}
	size := min(len(want.Included), plan.MaxIncludes)
	if len(page.Included) != size || page.Truncated != (size < len(want.Included)) {
		r.Fatalf("%s\n%d included, truncated %t, want %d of %d: %s", describePlan(plan),
			len(page.Included), page.Truncated, size, len(want.Included), names(want.Included))
	}
	included := page.Included
	for page.NextIncluded != nil {
		plan.AfterIncluded = page.NextIncluded
		if page, err = m.got.Search(context.Background(), &plan); err != nil {
			r.Fatalf("more included: %v", err)
		}
		included = append(included, page.Included...)
	}
	if size == plan.MaxIncludes && size < len(want.Included) && !plan.Iterates() && len(included) != len(want.Included) {
		r.Fatalf("%s\n%d included on all pages, want %d", describePlan(plan), len(included), len(want.Included))
	}
	seen := map[fhir.Key]bool{}
	for _, v := range included {
		i := slices.IndexFunc(want.Included, func(w fhir.Version) bool { return w.Key == v.Key })
		if i < 0 || seen[v.Key] {
			r.Fatalf("%s\n%s is included, twice: %t, want %s", describePlan(plan), v.Key, seen[v.Key], names(want.Included))
		}
		same(r, "included", v, want.Included[i])
		seen[v.Key] = true
	}
}

// history compares all pages of a random history.
func (m *model) history(r *rapid.T) {
	q := drawHistory(r, m.clock.now())
	wantQ := q // continuations are each store's own
	for {
		got, err := m.got.History(context.Background(), q)
		want, wantErr := m.want.History(context.Background(), wantQ)
		if err != nil || wantErr != nil {
			r.Fatalf("history: %v, %v", err, wantErr)
		}
		same(r, fmt.Sprintf("history %+v", q), got.Versions, want.Versions)
		if got.Total != want.Total || (got.Next == nil) != (want.Next == nil) {
			r.Fatalf("history %+v: total %d, more %t, want %d, %t", q, got.Total, got.Next != nil, want.Total, want.Next != nil)
		}
		if got.Next == nil {
			return
		}
		q.After, wantQ.After = got.Next, want.Next
	}
}

// check compares what can be read without a question.
func (m *model) check(r *rapid.T) {
	ctx := context.Background()
	got, err := m.got.Count(ctx)
	want, wantErr := m.want.Count(ctx)
	if err != nil || wantErr != nil {
		r.Fatalf("count: %v, %v", err, wantErr)
	}
	same(r, "counts", got, want)
	log, err := changes(ctx, m.got, 0)
	wantLog, wantErr := changes(ctx, m.want, 0)
	if err != nil || wantErr != nil {
		r.Fatalf("changes: %v, %v", err, wantErr)
	}
	same(r, "changes", versions(log), versions(wantLog))
	if half := len(log) / 2; half > 0 {
		rest, err := changes(ctx, m.got, log[half-1].Position)
		if err != nil {
			r.Fatalf("changes: %v", err)
		}
		same(r, "changes after a position", rest, log[half:])
	}
	for _, k := range universe {
		v, err := m.got.Read(ctx, k)
		w, wantErr := m.want.Read(ctx, k)
		sameOutcome(r, "read "+k.String(), v, err, w, wantErr)
		newest := int64(len(m.log[k]))
		for _, n := range []int64{newest/2 + 1, newest - 1, newest} {
			v, err = m.got.ReadVersion(ctx, k, n)
			w, wantErr = m.want.ReadVersion(ctx, k, n)
			sameOutcome(r, fmt.Sprintf("read %s version %d", k, n), v, err, w, wantErr)
		}
	}
}

func sameOutcome(r *rapid.T, what string, got fhir.Version, err error, want fhir.Version, wantErr error) {
	r.Helper()
	if wantErr != nil {
		if !fault.Is(err, fault.KindOf(wantErr)) {
			r.Fatalf("%s: %v, want %v", what, err, wantErr)
		}
		return
	}
	if err != nil {
		r.Fatalf("%s: %v", what, err)
	}
	same(r, what, got, want)
}

func same(r *rapid.T, what string, got, want any) {
	r.Helper()
	if d := diff(got, want); d != "" {
		r.Fatalf("%s (-got +want):\n%s", what, d)
	}
}
