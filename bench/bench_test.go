package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/client"
)

func TestPercentile_IsTheNearestRank(t *testing.T) {
	t.Parallel()
	s := &sample{}
	for i := 100; i >= 1; i-- {
		s.each = append(s.each, time.Duration(i)*time.Millisecond)
	}
	for p, want := range map[float64]int{0: 1, 1: 1, 50: 50, 95: 95, 99: 99, 99.5: 100, 100: 100} {
		if got := s.percentile(p); got != time.Duration(want)*time.Millisecond {
			t.Errorf("percentile %v of 1…100 ms is %v, want %d ms", p, got, want)
		}
	}
	if got := (&sample{}).percentile(50); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestRepeat_IsBoundedInNumberAndTime(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	op := func(context.Context, *rand.Rand) error { calls.Add(1); return nil }
	s, err := repeat(t.Context(), 3, time.Hour, 50, op)
	if err != nil || len(s.each) < 50 || len(s.each) > 53 || int64(len(s.each)) != calls.Load() {
		t.Errorf("%d measured of %d calls (%v), want 50 and up to one more per client", len(s.each), calls.Load(), err)
	}
	s, err = repeat(t.Context(), 2, 10*time.Millisecond, 1e9, func(context.Context, *rand.Rand) error {
		time.Sleep(30 * time.Millisecond)
		return nil
	})
	if err != nil || len(s.each) != 2 || s.percentile(50) < 30*time.Millisecond {
		t.Errorf("%v, %v: want one slow operation per client", s.each, err)
	}
}

func TestRepeat_EndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := repeat(t.Context(), 4, time.Minute, 1e9, func(ctx context.Context, r *rand.Rand) error {
		if r.IntN(10) == 0 {
			return broken
		}
		return ctx.Err()
	})
	if !errors.Is(err, broken) {
		t.Errorf("%v, want the operation's error", err)
	}
}

func TestReadCounters_SumsOverLabels(t *testing.T) {
	t.Parallel()
	got, err := readCounters(strings.NewReader("# HELP a b\na{x=\"1\"} 2\na{x=\"with space 3\"} 3.5\nb 1e3\n\n"))
	if err != nil || got["a"] != 5.5 || got["b"] != 1000 || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := readCounters(strings.NewReader("a b\n")); err == nil {
		t.Error("a value that is no number was read")
	}
}

func TestParseFlags_RefusesWhatMeansNothing(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-patients", "0"}, {"-only", "load,serch"}, {"-time", "0s"}, {"extra"}, {"-nonsense"}} {
		if _, err := parseFlags(args, io.Discard); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	s, err := parseFlags([]string{"-only", "search,raw"}, io.Discard)
	if err != nil || !s.wants("raw") || s.wants("write") {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTable_Aligns(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table(&b, [][]string{{"name", "n"}, {"a–b", "100"}, nil, {"c", "1"}}, "lr")
	if want := "name    n\na–b   100\n\nc       1\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestFacts_KeepAnEvenSample(t *testing.T) {
	t.Parallel()
	f := newFacts()
	var entries []client.Entry
	for i := range 3 * keptIDs {
		id := fhir.ID("early")
		if i >= keptIDs {
			id = "late"
		}
		entries = append(entries, client.Entry{Location: fhir.Key{Type: "Patient", ID: id}})
	}
	if err := f.learn(nil, entries, false); err != nil {
		t.Fatal(err)
	}
	late := 0
	for _, id := range f.IDs["Patient"] {
		if id == "late" {
			late++
		}
	}
	if n := len(f.IDs["Patient"]); n != keptIDs || late < n*6/10 || late > n*7/10+n/50 {
		t.Errorf("%d of %d are late, want two thirds", late, n)
	}
}

func TestStartServer_TellsWhyItEnded(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\necho the disk is on fire >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := startServer(t.Context(), bin, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "the disk is on fire") {
		t.Errorf("%v", err)
	}
}

func TestBaseline_ReadsBackWhatItWrote(t *testing.T) {
	t.Parallel()
	s, err := openBaseline(t.TempDir(), 5)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.write([][]byte{[]byte("one"), []byte("two")}); err != nil {
		t.Fatal(err)
	}
	iter, err := s.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ok := iter.First(); ok; ok = iter.Next() {
		n++
	}
	if err := iter.Close(); err != nil {
		t.Fatal(err)
	}
	if n != 2*(1+5) {
		t.Errorf("%d keys, want a body and five keys for each of two", n)
	}
}

// The whole program, small: it must measure every part, find something with
// every search, and leave nothing behind.
func TestRun_MeasuresEverythingAndCleansUp(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT COVERED in short mode: a whole run against the built server")
	}
	t.Parallel()
	dir := t.TempDir()
	s, err := parseFlags([]string{
		"-patients", "80", "-time", "100ms", "-reps", "5", "-data", dir, "-json", filepath.Join(t.TempDir(), "out.json"), "-limit", "5m",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	if err := run(t.Context(), s, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v was left behind (%v)", left, err)
	}
	b, err := os.ReadFile(s.json)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	measured := map[string]int{}
	for _, x := range r.Rows {
		measured[x.Part]++
		if x.Rate <= 0 || x.Count < 1 || strings.HasPrefix(x.Note, "NOTHING FOUND") {
			t.Errorf("%s, %s: %+v", x.Part, x.Name, x)
		}
	}
	want := map[string]int{"load": 1, "read": len(readClients), "search": len(shapes) + 1, "write": len(writeClients), "raw": 1 + len(readClients) + len(writeClients)}
	for part, n := range want {
		if measured[part] != n {
			t.Errorf("%d measurements of %s, want %d", measured[part], part, n)
		}
	}
	for _, x := range r.Figures {
		if x.Value <= 0 {
			t.Errorf("figure %s is %v", x.Name, x.Value)
		}
	}
	if !strings.Contains(out.String(), "disk per resource") {
		t.Errorf("the report lacks its figures:\n%s", out.String())
	}
}

func TestRun_ComparesScales(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT COVERED in short mode: a whole run against the built server")
	}
	t.Parallel()
	dir := t.TempDir()
	s, err := parseFlags([]string{
		"-patients", "20", "-scales", "1,3", "-time", "20ms", "-reps", "2", "-data", dir, "-json", filepath.Join(t.TempDir(), "out.json"), "-limit", "5m",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	if err := run(t.Context(), s, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	b, err := os.ReadFile(s.json)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Growths) != len(shapes)+1 {
		t.Errorf("%d shapes were compared, want %d", len(r.Growths), len(shapes)+1)
	}
	for _, g := range r.Growths {
		if len(g.P95) != 2 || g.P95[1] <= 0 || g.Ratio <= 0 {
			t.Errorf("%+v", g)
		}
	}
	if !strings.Contains(out.String(), "ratio of p95") {
		t.Errorf("the report lacks its ratios:\n%s", out.String())
	}
}

func TestParseScales_TakesAscendingNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "1": 1, "1,8,64": 3, "0": -1, "2,2": -1, "8,1": -1, "x": -1, "1,": -1} {
		got, err := parseScales(text)
		if (err != nil) != (want < 0) || err == nil && len(got) != want {
			t.Errorf("%q gives %v, %v", text, got, err)
		}
	}
}
