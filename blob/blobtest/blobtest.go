// Package blobtest is the suite that every store of objects passes.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"salus/blob"
	"salus/fault"
)

// Run runs the suite on fresh stores.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, test := range map[string]func(*testing.T, blob.Store){
		"what is put is there, in ranges too":            ranges,
		"an object that is not committed is not there":   uncommitted,
		"a writer that is canceled leaves nothing":       canceled,
		"a reader that fails leaves nothing":             failing,
		"an object replaces another whole":               replaced,
		"what is deleted is gone, but not for who reads": deleted,
		"names that are none are refused":                names,
		"lists have what is in a folder":                 list,
		"many write at once":                             concurrent,
		"a large object takes little memory":             large,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func put(t *testing.T, s blob.Store, name, content string) {
	t.Helper()
	if n, err := blob.Put(t.Context(), s, name, strings.NewReader(content)); err != nil || n != int64(len(content)) {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

func content(t *testing.T, s blob.Store, name string) (string, error) {
	t.Helper()
	o, err := s.Open(t.Context(), name)
	if err != nil {
		return "", err
	}
	defer o.Close()
	b, err := io.ReadAll(blob.NewReader(o, 0, o.Size()))
	return string(b), err
}

func ranges(t *testing.T, s blob.Store) {
	put(t, s, "a/b/c.dcm", "0123456789")
	o, err := s.Open(t.Context(), "a/b/c.dcm")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if o.Size() != 10 {
		t.Errorf("size %d", o.Size())
	}
	b := make([]byte, 4)
	if n, err := o.ReadAt(b, 3); n != 4 || err != nil || string(b) != "3456" {
		t.Errorf("%d %v %q", n, err, b)
	}
	if n, err := o.ReadAt(b, 8); n != 2 || !errors.Is(err, io.EOF) || string(b[:n]) != "89" {
		t.Errorf("over the end: %d %v %q", n, err, b[:n])
	}
	if n, err := o.ReadAt(b, 20); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d %v", n, err)
	}
	put(t, s, "empty", "")
	if got, err := content(t, s, "empty"); got != "" || err != nil {
		t.Errorf("empty: %q %v", got, err)
	}
}

func uncommitted(t *testing.T, s blob.Store) {
	w, err := s.Create(t.Context(), "x/y")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	absent(t, s, "x/y")
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	absent(t, s, "x/y")
	for i, err := range s.List(t.Context(), "") {
		t.Errorf("left over: %v %v", i, err)
	}
}

func absent(t *testing.T, s blob.Store, name string) {
	t.Helper()
	if _, err := content(t, s, name); fault.KindOf(cmpErr(err)) != fault.NotFound {
		t.Errorf("%s: %v, want that it is not found", name, err)
	}
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("it is there")
	}
	return err
}

func canceled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := s.Create(ctx, "c")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := w.Commit(); fault.KindOf(cmpErr(err)) != fault.Canceled {
		t.Errorf("commit: %v", err)
	}
	absent(t, s, "c")
}

func failing(t *testing.T, s blob.Store) {
	broke := errors.New("the line broke")
	_, err := blob.Put(t.Context(), s, "f", io.MultiReader(strings.NewReader("abc"), broken{broke}))
	if !errors.Is(err, broke) {
		t.Errorf("%v", err)
	}
	absent(t, s, "f")
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func replaced(t *testing.T, s blob.Store) {
	put(t, s, "r", "the first and longer one")
	put(t, s, "r", "second")
	if got, err := content(t, s, "r"); got != "second" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func deleted(t *testing.T, s blob.Store) {
	put(t, s, "d/e", "still here")
	o, err := s.Open(t.Context(), "d/e")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for range 2 {
		if err := s.Delete(t.Context(), "d/e"); err != nil {
			t.Fatal(err)
		}
	}
	absent(t, s, "d/e")
	if b, err := io.ReadAll(blob.NewReader(o, 0, o.Size())); string(b) != "still here" || err != nil {
		t.Errorf("who had it open reads %q, %v", b, err)
	}
}

func names(t *testing.T, s blob.Store) {
	for _, name := range []string{"", "/a", "a/", "a//b", "..", "a/../b", ".hidden", "a\\b", "a b", "ä", strings.Repeat("x", 300), "a\x00"} {
		if _, err := s.Create(t.Context(), name); fault.KindOf(cmpErr(err)) != fault.Invalid {
			t.Errorf("creating %q: %v", name, err)
		}
		if _, err := s.Open(t.Context(), name); fault.KindOf(cmpErr(err)) != fault.Invalid {
			t.Errorf("opening %q: %v", name, err)
		}
		if err := s.Delete(t.Context(), name); fault.KindOf(cmpErr(err)) != fault.Invalid {
			t.Errorf("deleting %q: %v", name, err)
		}
	}
}

func list(t *testing.T, s blob.Store) {
	for _, name := range []string{"l/1", "l/2", "l/m/3", "lx", "k/4"} {
		put(t, s, name, name)
	}
	for folder, want := range map[string][]string{
		"": {"k/4", "l/1", "l/2", "l/m/3", "lx"}, "l": {"l/1", "l/2", "l/m/3"}, "l/m": {"l/m/3"}, "none": nil,
	} {
		var got []string
		for i, err := range s.List(t.Context(), folder) {
			if err != nil {
				t.Fatal(err)
			}
			if i.Size != int64(len(i.Name)) {
				t.Errorf("%s has size %d", i.Name, i.Size)
			}
			got = append(got, i.Name)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q has %v, want %v", folder, got, want)
		}
	}
}

func concurrent(t *testing.T, s blob.Store) {
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 20 {
				name := fmt.Sprintf("p%d/%d", i%3, w*100+i)
				if _, err := blob.Put(context.Background(), s, name, strings.NewReader(name)); err != nil {
					t.Error(err)
				}
				if _, err := blob.Put(context.Background(), s, "same/name", strings.NewReader(strings.Repeat(name, 10))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	n := 0
	for i, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if got, err := content(t, s, i.Name); err != nil || i.Name != "same/name" && got != i.Name {
			t.Errorf("%s has %q, %v", i.Name, got, err)
		}
		n++
	}
	if n != 161 {
		t.Errorf("%d objects, want 161", n)
	}
}

func large(t *testing.T, s blob.Store) {
	const size = 64 << 20
	block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := io.LimitReader(&repeat{block: block}, size)
			if n, err := blob.Put(context.Background(), s, "large", r); err != nil || n != size {
				b.Fatal(n, err)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > size/2 {
		t.Errorf("%d bytes allocated for an object of %d", got, size)
	}
	o, err := s.Open(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	tail := make([]byte, 16)
	if _, err := o.ReadAt(tail, size-16); err != nil || string(tail) != "0123456789abcdef" || o.Size() != size {
		t.Errorf("it ends with %q, %v", tail, err)
	}
}

// repeat gives a block again and again.
type repeat struct {
	block []byte
	at    int
}

func (r *repeat) Read(b []byte) (int, error) {
	n := copy(b, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}
