package lsm_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
	"salus/fhir/store/lsm"
	"salus/fhir/store/storetest"
)

// reserve lets tests run where little disk space is left.
const reserve = 1 << 20

func open(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	s, err := lsm.Open(dir, lsm.Options{Now: now, Reserve: reserve})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// openAtBoundary opens a store whose numbers are about to leave the first chunk.
func openAtBoundary(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	s := open(t, dir, now)
	s.(*lsm.Store).SkipTo(1<<16 - 3)
	return s
}

// scattered lays what calls write far apart, into many chunks.
type scattered struct{ *lsm.Store }

func (s scattered) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	s.Skip(30_011)
	return s.Store.Write(ctx, writes)
}

func openScattered(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	return scattered{open(t, dir, now).(*lsm.Store)}
}

// openLarge opens a store that answers as if it were large.
func openLarge(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	s := openScattered(t, dir, now)
	s.(scattered).Impatient()
	return s
}

// slowly leaves out of short runs, which look for races, what runs the same
// code side by side as other tests do.
func slowly(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT COVERED in short mode: the suite once more, with other ways to write and to answer")
	}
}

func TestStore(t *testing.T) { storetest.Run(t, open) }

func TestStore_AcrossChunks(t *testing.T) { storetest.Run(t, openAtBoundary) }

// ingesting writes everything that can be by tables.
type ingesting struct{ *lsm.Store }

func (s ingesting) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	if slices.ContainsFunc(writes, func(w store.Write) bool { return w.Method == fhir.Purge }) {
		return s.Store.Write(ctx, writes)
	}
	return s.Ingest(ctx, writes)
}

func openIngesting(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	return ingesting{open(t, dir, now).(*lsm.Store)}
}

// memories are file systems by directory: what is tested in them is not the
// disk, which many small tables would keep busy.
var memories sync.Map

func openIngestingInMemory(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	memory, _ := memories.LoadOrStore(dir, vfs.NewMem())
	s, err := lsm.Open(dir, lsm.Options{Now: now, FS: memory.(vfs.FS)})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return ingesting{s}
}

func TestStore_Ingesting(t *testing.T) {
	slowly(t)
	storetest.Run(t, openIngestingInMemory)
}

func TestModel_Ingesting(t *testing.T) {
	slowly(t)
	storetest.RunModel(t, openIngestingInMemory)
}

func TestCrash_Ingesting(t *testing.T) {
	storetest.RunCrash(t, openIngesting, storetest.CrashOptions{})
}

func TestModel(t *testing.T) { storetest.RunModel(t, open) }

func TestModel_AcrossChunks(t *testing.T) {
	slowly(t)
	storetest.RunModel(t, openAtBoundary)
}

func TestModel_Scattered(t *testing.T) {
	slowly(t)
	storetest.RunModel(t, openScattered)
}

func TestModel_AnsweringAsIfLarge(t *testing.T) {
	slowly(t)
	storetest.RunModel(t, openLarge)
}

func TestStore_AnsweringAsIfLarge(t *testing.T) {
	slowly(t)
	storetest.Run(t, openLarge)
}

func TestCrash(t *testing.T) { storetest.RunCrash(t, open, storetest.CrashOptions{}) }

// A killed process loses nothing that it gave to the operating system, synced
// or not. This loses power: only what was synced is there afterwards.
func TestWrite_SurvivesLossOfPower(t *testing.T) {
	ctx, disk := context.Background(), vfs.NewCrashableMem()
	s, err := lsm.Open("data", lsm.Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if _, err := s.Write(ctx, []store.Write{patient(fhir.ID(fmt.Sprint("p", i%40)), fmt.Sprint("l", i))}); err != nil {
			t.Fatal(err)
		}
		if i%60 != 59 {
			continue
		}
		after := disk.CrashClone(vfs.CrashCloneCfg{})
		again, err := lsm.Open("data", lsm.Options{FS: after})
		if err != nil {
			t.Fatalf("after write %d: %v", i, err)
		}
		for k := range min(i+1, 40) {
			last := i - (i-k)%40
			v, err := again.Read(ctx, fhir.Key{Type: "Patient", ID: fhir.ID(fmt.Sprint("p", k))})
			if err != nil || v.Number != int64(last/40+1) {
				t.Fatalf("after write %d: Patient/p%d is %d, %v", i, k, v.Number, err)
			}
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// What Reindex and SetState have returned from survives a loss of power, between
// any two batches.
func TestReindex_SurvivesLossOfPower(t *testing.T) {
	ctx, disk := context.Background(), vfs.NewCrashableMem()
	s, err := lsm.Open("data", lsm.Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	const patients, batch = 12, 3
	language := &searchparam.Param{Type: "Patient", Code: "language", Kind: searchparam.String}
	values := func(text string) []searchparam.Entry {
		return []searchparam.Entry{{Param: language, Value: searchparam.Value{Text: text}}}
	}
	for i := range patients {
		w := patient(fhir.ID(fmt.Sprint("p", i)), "old")
		w.Values = values("old")
		if _, err := s.Write(ctx, []store.Write{w}); err != nil {
			t.Fatal(err)
		}
	}
	for done, after := 0, uint64(0); done < patients; {
		page, err := s.Current(ctx, "Patient", after, batch)
		if err != nil || len(page) != batch {
			t.Fatalf("%d resources, %v", len(page), err)
		}
		var entries []store.Index
		for _, c := range page {
			entries = append(entries, store.Index{Key: c.Key, Position: c.Position, Values: values("new")})
			after = c.Number
		}
		if _, err := s.Reindex(ctx, entries); err != nil {
			t.Fatal(err)
		}
		if err := s.SetState(ctx, map[string][]byte{"after": fmt.Append(nil, after)}); err != nil {
			t.Fatal(err)
		}
		done += batch
		again, err := lsm.Open("data", lsm.Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"new": done, "old": patients - done} {
			filter := search.Match{Param: language, Operand: search.Text{Mode: search.Exact, Text: name}}
			page, err := again.Search(ctx, &search.Plan{Branches: []search.Branch{{Type: "Patient", Filter: filter}}, Total: true})
			if err != nil || page.Total != int64(want) {
				t.Fatalf("after %d: %d patients are %s, want %d, %v", done, page.Total, name, want, err)
			}
		}
		state, err := again.State(ctx, "")
		if err != nil || string(state["after"]) != fmt.Sprint(after) {
			t.Fatalf("after %d: state %q, %v", done, state, err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A reader that uses the store while it follows the change log must not wait
// for a Close that waits for the reader.
func TestClose_RefusesCallsWithinACall(t *testing.T) {
	s := open(t, t.TempDir(), time.Now)
	if _, err := s.Write(t.Context(), []store.Write{patient("a", "one")}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	for c, err := range s.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		go func() { closed <- s.Close() }()
		for {
			if _, err := s.Read(t.Context(), c.Key); fault.Is(err, fault.Unavailable) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-closed:
			t.Fatal("the store closed under a reader")
		default:
		}
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
}

func TestChanges_AfterTheLastPositionThereCanBe(t *testing.T) {
	s := open(t, t.TempDir(), time.Now)
	defer s.Close()
	if _, err := s.Write(t.Context(), []store.Write{patient("a", "one")}); err != nil {
		t.Fatal(err)
	}
	for c, err := range s.Changes(t.Context(), math.MaxUint64) {
		t.Errorf("changes gave position %d, %v", c.Position, err)
	}
}

func BenchmarkWrite(b *testing.B) { storetest.BenchmarkWrite(b, open, 100) }

func BenchmarkSearch(b *testing.B) { storetest.BenchmarkSearch(b, open, 3000) }
