package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"salus/blob"
	"salus/blob/blobtest"
	"salus/blob/file"
	"salus/fault"
)

func open(t testing.TB, dir string) *file.Store {
	t.Helper()
	s, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, filepath.Join(t.TempDir(), "objects")) })
}

func TestLeftOversAreRemovedAtOpen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	w, err := s.Create(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // as when the process ended
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	left, err := os.ReadDir(filepath.Join(dir, ".incoming"))
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %v %v", left, err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := file.Open(dir); err == nil || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("opened twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNobodyElseCanReadTheFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "objects")
	s := open(t, dir)
	defer s.Close()
	if _, err := blob.Put(t.Context(), s, "a/b", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "a": 0o700, "a/b": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q has mode %v, %v", name, info.Mode(), err)
		}
	}
}

// BenchmarkPut stores objects of half a megabyte.
func BenchmarkPut(b *testing.B) {
	content := strings.Repeat("x", 512<<10)
	for _, writers := range []int{1, 4, 8} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := open(b, b.TempDir())
			defer s.Close()
			b.SetBytes(int64(len(content)))
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					for i := w; i < b.N; i += writers {
						if _, err := blob.Put(context.Background(), s, fmt.Sprintf("d/%d", i), strings.NewReader(content)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
		})
	}
}
