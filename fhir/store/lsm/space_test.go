package lsm_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/store"
	"salus/fhir/store/lsm"
)

// smallDisk is a file system with little space left.
type smallDisk struct {
	vfs.FS
	free atomic.Uint64
	full atomic.Bool // writes fail
}

func newSmallDisk() *smallDisk {
	d := &smallDisk{FS: vfs.Default}
	d.free.Store(1 << 40)
	return d
}

func (d *smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.free.Load(), TotalBytes: 1 << 41}, nil
}

func (d *smallDisk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, c)
	return fullFile{f, d}, err
}

func (d *smallDisk) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.ReuseForWrite(old, name, c)
	return fullFile{f, d}, err
}

type fullFile struct {
	vfs.File
	disk *smallDisk
}

func (f fullFile) Write(p []byte) (int, error) {
	if f.disk.full.Load() {
		n, err := f.File.Write(p[:len(p)/2]) // as a disk does that fills up in the middle
		if err != nil {
			return n, err
		}
		return n, syscall.ENOSPC
	}
	return f.File.Write(p)
}

func patient(id fhir.ID, text string) store.Write {
	doc, err := fhir.Parse([]byte(`{"resourceType":"Patient","language":"` + text + `"}`))
	if err != nil {
		panic(err)
	}
	return store.Write{Key: fhir.Key{Type: "Patient", ID: id}, Method: fhir.Put, Expect: store.AnyVersion, Body: fhir.NewBody(doc.Root(), id, nil)}
}

func TestOpen_RefusesANewerFormat(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, time.Now).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("salus-fhir-lsm 999\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := lsm.Open(dir, lsm.Options{})
	if !fault.Is(err, fault.Unprocessable) {
		t.Fatalf("open gave %v", err)
	}
}

func TestOpen_RefusesADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, time.Now)
	defer s.Close()
	if other, err := lsm.Open(dir, lsm.Options{}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("second open gave %v, %v", other, err)
	}
}

func TestWrite_RefusedBelowTheReserve(t *testing.T) {
	ctx, disk := context.Background(), newSmallDisk()
	s, err := lsm.Open(t.TempDir(), lsm.Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Write(ctx, []store.Write{patient("a", "one")}); err != nil {
		t.Fatal(err)
	}
	if s.Full() {
		t.Error("the store says that it is full when it is not")
	}
	disk.free.Store(1 << 20)
	if !s.Full() {
		t.Error("the store does not say that it is full")
	}
	if _, err := s.Write(ctx, []store.Write{patient("b", "two")}); !fault.Is(err, fault.OutOfSpace) {
		t.Fatalf("a write without space gave %v", err)
	}
	if _, err := s.Read(ctx, fhir.Key{Type: "Patient", ID: "a"}); err != nil {
		t.Fatalf("a read without space for writes gave %v", err)
	}
	if _, err := s.Read(ctx, fhir.Key{Type: "Patient", ID: "b"}); !fault.Is(err, fault.NotFound) {
		t.Fatalf("the refused write left %v", err)
	}
	disk.free.Store(1 << 40)
	if _, err := s.Write(ctx, []store.Write{patient("b", "two")}); err != nil {
		t.Fatalf("with space again a write gave %v", err)
	}
}

func TestWrite_WaitsWhenTheDiskFillsUpUnderIt(t *testing.T) {
	ctx, disk, dir := context.Background(), newSmallDisk(), t.TempDir()
	s, err := lsm.Open(dir, lsm.Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(ctx, []store.Write{patient("a", "one")}); err != nil {
		t.Fatal(err)
	}
	const writers = 3 // one leads the commit, the others are in it
	together := s.HoldCommits()
	waiting := make(chan error, writers)
	for i := range writers {
		go func() {
			_, err := s.Write(ctx, []store.Write{patient(fhir.ID(fmt.Sprint("b", i)), "two")})
			waiting <- err
		}()
	}
	disk.full.Store(true)
	together(writers)
	for range writers {
		select {
		case err := <-waiting:
			if !fault.Is(err, fault.Unavailable) {
				t.Fatalf("a write in work when the disk filled up gave %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a write in work when the disk filled up has no answer")
		}
	}
	if _, err := s.Write(ctx, []store.Write{patient("c", "three")}); !fault.Is(err, fault.OutOfSpace) {
		t.Fatalf("a write on a full disk gave %v", err)
	}
	if _, err := s.Read(ctx, fhir.Key{Type: "Patient", ID: "a"}); err != nil {
		t.Fatalf("a read on a full disk gave %v", err)
	}
	disk.full.Store(false)
	for { // the engine goes on by itself; it may take a moment to notice
		_, err := s.Write(ctx, []store.Write{patient("d", "four")})
		if err == nil {
			break
		}
		if !fault.Is(err, fault.OutOfSpace) {
			t.Fatalf("with space again a write gave %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, time.Now)
	defer again.Close()
	for _, id := range []fhir.ID{"a", "d"} {
		if _, err := again.Read(ctx, fhir.Key{Type: "Patient", ID: id}); err != nil {
			t.Fatalf("after reopening, Patient/%s gave %v", id, err)
		}
	}
}
