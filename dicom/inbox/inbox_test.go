package inbox_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"salus/blob"
	"salus/blob/file"
	"salus/dicom/archive"
	"salus/dicom/inbox"
	"salus/fault"
)

// shelf is an archive that takes files which begin with good, has those that begin with old, and fails once for each that begins with later.
type shelf struct {
	mu     sync.Mutex
	taken  []string
	failed map[string]bool
}

func (s *shelf) Store(_ context.Context, r io.Reader, rules archive.Rules) (archive.Outcome, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return archive.Outcome{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch text := string(b); {
	case strings.HasPrefix(text, "old"):
		return archive.Outcome{Failure: archive.AlreadyExists}, nil
	case strings.HasPrefix(text, "later") && !s.failed[text]:
		s.failed[text] = true
		return archive.Outcome{}, fault.New(fault.Unavailable, "not now")
	case strings.HasPrefix(text, "good"), strings.HasPrefix(text, "later"):
		s.taken = append(s.taken, text+" in "+rules.Partition)
		return archive.Outcome{}, nil
	case strings.HasPrefix(text, "huge"):
		return archive.Outcome{}, fault.New(fault.TooLarge, "the file is larger than this service takes")
	}
	return archive.Outcome{Failure: archive.ProcessingFailure, Comments: []string{"this is no DICOM file"}}, nil
}

func TestFilesAreTaken(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.dcm", "good 1")
	write("case 7/b.dcm", "good 2")
	write("c", "old")
	write("d", "text")
	write("e", "later")
	write("f", "huge")
	write(".stored/a.dcm", "of the same name, from before")
	write(".hidden", "good, but hidden")
	s := &shelf{failed: map[string]bool{}}
	in, err := inbox.Open(inbox.Options{Folder: dir, Archive: s, Partition: "P", Interval: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { in.Run(ctx) })
	// A file that grows is left alone until it does not.
	grown := "good"
	for range 10 {
		grown += " and more"
		write("g", grown)
		time.Sleep(10 * time.Millisecond)
	}
	want := []string{
		".hidden", ".refused/d", ".refused/d.reason.txt", ".refused/f", ".refused/f.reason.txt",
		".stored/a.dcm", ".stored/a.dcm.1", ".stored/c", ".stored/case 7/b.dcm", ".stored/e", ".stored/g",
	}
	var got []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !slices.Equal(got, want); time.Sleep(20 * time.Millisecond) {
		got = list(t, dir)
	}
	cancel()
	running.Wait()
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %v, want %v", got, want)
	}
	slices.Sort(s.taken)
	if wanted := []string{"good 1 in P", "good 2 in P", grown + " in P", "later in P"}; !slices.Equal(s.taken, wanted) {
		t.Errorf("taken %q, want %q", s.taken, wanted)
	}
	if why, err := os.ReadFile(filepath.Join(dir, ".refused/d.reason.txt")); err != nil || !bytes.Contains(why, []byte("272")) || !bytes.Contains(why, []byte("no DICOM file")) {
		t.Errorf("%q, %v", why, err)
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, rel)
		}
		return nil // files move while they are listed
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestObjectsAreTaken(t *testing.T) {
	b, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, content string) {
		t.Helper()
		if _, err := blob.Put(t.Context(), b, name, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	put("a.dcm", "good 1")
	put("case7/b.dcm", "later")
	put("c", "text")
	put("stored/old", "good, but from before")
	s := &shelf{failed: map[string]bool{}}
	in := inbox.NewBucket(b, inbox.Options{Archive: s, Partition: "P", Interval: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { in.Run(ctx) })
	want := []string{"refused/c", "refused/c.reason.txt", "stored/a.dcm", "stored/case7/b.dcm", "stored/old"}
	var got []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !slices.Equal(got, want); time.Sleep(10 * time.Millisecond) {
		got = nil
		for info, err := range b.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, info.Name)
		}
		slices.Sort(got)
	}
	cancel()
	running.Wait()
	if !slices.Equal(got, want) || !slices.Equal(s.taken, []string{"good 1 in P", "later in P"}) {
		t.Errorf("the bucket has %v, want %v; taken %q", got, want, s.taken)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
}
