package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/store"
)

// found is what a reopened store holds, by its change log.
type found struct {
	versions map[fhir.Key][]fhir.Version // numbers ascend; dropped ones are missing
	ops      map[fhir.Key][]int64        // that made them; 0 of a deletion
}

// due is a version that must be there, as a ledger says.
type due struct {
	number  int64
	method  fhir.Method
	op      int64
	updated time.Time
}

// verify holds a reopened store to the contract.
func (a *acknowledged) verify(ctx context.Context, s store.Store, writers int) error {
	log, err := changes(ctx, s, 0)
	if err != nil {
		return fmt.Errorf("change log: %w", err)
	}
	f, err := collect(log)
	if err != nil {
		return fmt.Errorf("change log: %w", err)
	}
	known := 0 // keys that a ledger accounts for
	for writer := range writers {
		n, err := f.audit(writer)
		if err != nil {
			return err
		}
		known += n
		opAt := func(k fhir.Key, n int64) int64 { return f.ops[k][n-1] } // of resources that drop nothing
		if err := a.keep(writer, f.newest(ledgerKey(writer)), f.newest(singleKey(writer)), opAt); err != nil {
			return err
		}
	}
	if known != len(f.versions) {
		return fmt.Errorf("the change log has %d resources, but ledgers account for %d", len(f.versions), known)
	}
	if err := f.checkReads(ctx, s, writers); err != nil {
		return err
	}
	return f.checkIndex(ctx, s)
}

// collect sorts a change log by resource and checks that numbers ascend, that
// purges have taken everything before them, and that bodies are whole.
func collect(log []store.Change) (*found, error) {
	f := &found{versions: map[fhir.Key][]fhir.Version{}, ops: map[fhir.Key][]int64{}}
	for _, c := range log {
		k, all := c.Key, f.versions[c.Key]
		if c.Method == fhir.Purge {
			if len(all) > 0 {
				return nil, fmt.Errorf("%d versions of %s are left before its purge", len(all), k)
			}
			continue
		}
		if last := newestOf(all); c.Number <= last {
			return nil, fmt.Errorf("version %d of %s follows %d", c.Number, k, last)
		}
		var op int64
		if !c.Deleted() {
			page, err := readPage(c.Version)
			if err != nil {
				return nil, err
			}
			if want := crashBody(k, page.Op, page.List); diff(c.Body, want) != "" {
				return nil, fmt.Errorf("version %d of %s has another body than was written", c.Number, k)
			}
			op = page.Op
		}
		f.versions[k] = append(all, c.Version)
		f.ops[k] = append(f.ops[k], op)
	}
	return f, nil
}

// newestOf returns the number of the last of a resource's versions, 0 when there is none.
func newestOf(all []fhir.Version) int64 {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Number
}

// newest is the current version of a resource as a promise.
func (f *found) newest(k fhir.Key) promise {
	n := len(f.versions[k])
	if n == 0 {
		return promise{}
	}
	return promise{newestOf(f.versions[k]), f.ops[k][n-1]}
}

// audit replays a writer's ledger and compares the outcome with what is there.
// It returns how many resources the ledger accounts for.
func (f *found) audit(writer int) (int, error) {
	want, err := f.replay(writer)
	if err != nil {
		return 0, err
	}
	accounted := 0
	for i := range ownedByWriter {
		k := ownedKey(writer, i)
		if len(want[k]) > 0 {
			accounted++
		}
		var got []due
		for j, v := range f.versions[k] {
			got = append(got, due{v.Number, v.Method, f.ops[k][j], v.Updated})
		}
		if !slices.Equal(got, want[k]) {
			return 0, fmt.Errorf("%s has %d versions, the ledger %d, or others", k, len(got), len(want[k]))
		}
	}
	for _, k := range []fhir.Key{ledgerKey(writer), singleKey(writer)} {
		if all := f.versions[k]; len(all) > 0 {
			accounted++
			if newestOf(all) != int64(len(all)) {
				return 0, fmt.Errorf("%s has %d versions up to %d, but drops none", k, len(all), newestOf(all))
			}
		}
	}
	return accounted, nil
}

// replay tells what versions there must be of what a writer's ledger lists.
func (f *found) replay(writer int) (map[fhir.Key][]due, error) {
	want := map[fhir.Key][]due{}
	for _, v := range f.versions[ledgerKey(writer)] {
		page, err := readPage(v)
		if err != nil {
			return nil, err
		}
		for _, line := range page.List {
			k := fhir.Key{Type: line.Type, ID: line.ID}
			all := want[k]
			newest := int64(0)
			if len(all) > 0 {
				newest = all[len(all)-1].number
			}
			switch {
			case line.Method == fhir.Purge && line.Drop:
				want[k] = all[max(len(all)-1, 0):]
				continue
			case line.Method == fhir.Purge:
				delete(want, k)
				continue
			case line.Number != newest+1:
				return nil, fmt.Errorf("operation %d of writer %d made version %d of %s, the ledger before has %d",
					page.Op, writer, line.Number, k, newest)
			case line.Drop:
				all = all[:max(len(all)-1, 0)]
			}
			d := due{line.Number, line.Method, page.Op, v.Updated}
			if line.Method == fhir.Delete {
				d.op = 0
			}
			want[k] = append(all, d)
		}
	}
	return want, nil
}

// checkReads compares reads and counts with the change log.
func (f *found) checkReads(ctx context.Context, s store.Store, writers int) error {
	live := map[fhir.Type]int64{}
	for k, all := range f.versions {
		current := all[len(all)-1]
		if !current.Deleted() {
			live[k.Type]++
		}
		if v, err := s.Read(ctx, k); err != nil || diff(v, current) != "" {
			return fmt.Errorf("read %s: %v %s", k, err, diff(v, current))
		}
		for _, want := range []fhir.Version{all[0], all[len(all)/2]} {
			if v, err := s.ReadVersion(ctx, k, want.Number); err != nil || diff(v, want) != "" {
				return fmt.Errorf("read version %d of %s: %v %s", want.Number, k, err, diff(v, want))
			}
		}
		for n := int64(1); n <= current.Number+1; n++ {
			there := slices.ContainsFunc(all, func(v fhir.Version) bool { return v.Number == n })
			if _, err := s.ReadVersion(ctx, k, n); !there && !fault.Is(err, fault.NotFound) {
				return fmt.Errorf("read version %d of %s, which is not in the change log: %v", n, k, err)
			}
		}
		history, err := s.History(ctx, store.HistoryQuery{Type: k.Type, ID: k.ID, OldestFirst: true, Count: len(all) + 1})
		if err != nil || diff(history.Versions, all) != "" {
			return fmt.Errorf("history of %s: %v is not the change log", k, err)
		}
	}
	for writer := range writers {
		for i := range ownedByWriter {
			k := ownedKey(writer, i)
			if _, err := s.Read(ctx, k); len(f.versions[k]) == 0 && !fault.Is(err, fault.NotFound) {
				return fmt.Errorf("read %s, which is not in the change log: %v", k, err)
			}
		}
	}
	counts, err := s.Count(ctx)
	if err != nil || diff(counts, live) != "" {
		return fmt.Errorf("counts (-got +want): %v %s", err, diff(counts, live))
	}
	return nil
}

// checkIndex compares searches with the live resources of the change log.
func (f *found) checkIndex(ctx context.Context, s store.Store) error {
	match := func(t fhir.Type, code string, operand search.Operand) search.Filter {
		return search.Match{Param: params[t][code], Operand: operand}
	}
	for _, t := range []fhir.Type{patient, observation, encounter} {
		type question struct {
			filter search.Filter
			keep   func(op int64) bool
		}
		questions := []question{
			{nil, func(int64) bool { return true }},
			{hasCode(t, "all"), func(int64) bool { return true }},
			{missing(t, number), func(int64) bool { return false }},
			{match(t, number, numberIs(search.Ge, "40")), func(op int64) bool { return op >= 40 }},
			{match(t, date, dateIs(search.Eb, "2015")), func(op int64) bool { return op%30 < 15 }},
			{match(t, name, search.Text{Text: "TEXT 2"}), func(op int64) bool { return op%4 == 2 }},
		}
		for n := range int64(5) {
			questions = append(questions,
				question{hasCode(t, fmt.Sprint(n)), func(op int64) bool { return op%5 == n }},
				question{match(t, subject, search.Ref{Type: patient, ID: fhir.ID(fmt.Sprint("t", n))}), func(op int64) bool { return op%3 == n }},
			)
		}
		for _, q := range questions {
			if err := f.checkQuestion(ctx, s, t, q.filter, q.keep); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *found) checkQuestion(ctx context.Context, s store.Store, t fhir.Type, filter search.Filter, keep func(int64) bool) error {
	page, err := s.Search(ctx, &search.Plan{Branches: []search.Branch{{Type: t, Filter: filter}}, Count: 10_000, Total: true})
	if err != nil {
		return fmt.Errorf("search %s: %w", describe(filter), err)
	}
	var want []fhir.Version
	for k, all := range f.versions {
		if current := all[len(all)-1]; k.Type == t && !current.Deleted() && keep(f.ops[k][len(all)-1]) {
			want = append(want, current)
		}
	}
	if page.Total != int64(len(want)) {
		return fmt.Errorf("search %s %s: total %d, want %d", t, describe(filter), page.Total, len(want))
	}
	sortByName(page.Matches)
	sortByName(want)
	if d := diff(page.Matches, want); d != "" {
		return fmt.Errorf("search %s %s (-got +want):\n%s", t, describe(filter), d)
	}
	return nil
}
