package storetest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"salus/fhir"
	"salus/fhir/store"
	"salus/fhir/store/memory"
	"salus/fhir/store/storetest"
)

// journal is the least engine that survives a kill: the memory store with a
// file of all calls that is read at the start. It proves that the crash harness
// can pass; its defects prove that it can fail.
type journal struct {
	store.Store
	mu     sync.Mutex
	at     *time.Time // what the memory store takes for now
	now    func() time.Time
	file   *os.File
	defect string
	held   []byte // calls that the defect "early" has not written yet
	calls  int
}

// call is one entry: so many writes at a time.
type call struct {
	At     time.Time
	Writes []write
}

// write is a store.Write without index values, which follow from the body: gob
// cannot encode decimals.
type write struct {
	Key    fhir.Key
	Method fhir.Method
	Body   fhir.Body
	Drop   bool
}

func openJournal(defect string) storetest.Factory {
	return func(t testing.TB, dir string, now func() time.Time) store.Store {
		j := &journal{at: new(time.Time), now: now, defect: defect}
		j.Store = memory.New(func() time.Time { return *j.at })
		var err error
		if j.file, err = os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := j.replay(); err != nil {
			t.Fatal(err)
		}
		return j
	}
}

// replay applies what is whole and cuts off a torn end.
func (j *journal) replay() error {
	all, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	whole := int64(0)
	for rest := all; len(rest) >= 8; {
		n := int(binary.BigEndian.Uint32(rest))
		if len(rest) < 8+n || crc32.ChecksumIEEE(rest[8:8+n]) != binary.BigEndian.Uint32(rest[4:]) {
			break
		}
		var c call
		if err := gob.NewDecoder(bytes.NewReader(rest[8 : 8+n])).Decode(&c); err != nil {
			return err
		}
		var writes []store.Write
		for _, w := range c.Writes {
			writes = append(writes, store.Write{
				Key: w.Key, Method: w.Method, Expect: store.AnyVersion, Body: w.Body, Values: storetest.CrashValues(w.Key.Type, w.Body),
				DropSuperseded: w.Drop,
			})
		}
		if j.defect == "stale index" && len(writes) > 1 {
			writes[1].Values = nil
		}
		*j.at = c.At
		if _, err := j.Store.Write(context.Background(), writes); err != nil {
			return err
		}
		rest = rest[8+n:]
		whole += int64(8 + n)
	}
	if err := j.file.Truncate(whole); err != nil {
		return err
	}
	_, err = j.file.Seek(whole, io.SeekStart)
	return err
}

func (j *journal) Write(ctx context.Context, writes []store.Write) ([]fhir.Version, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	*j.at = j.now()
	made, err := j.Store.Write(ctx, writes)
	if err != nil {
		return nil, err
	}
	batch := writes
	if j.defect == "torn" { // each write an entry of its own
		batch = writes[:1]
		for i := range writes[1:] {
			j.append(writes[1+i : 2+i])
		}
	}
	j.append(batch)
	if j.calls++; j.defect == "early" && j.calls%5 != 0 {
		return made, nil // acknowledged, but still held
	}
	if j.defect == "torn" {
		for _, b := range j.held { // many small steps, so that a kill comes between two
			if _, err := j.file.Write([]byte{b}); err != nil {
				return nil, err
			}
		}
	} else if _, err := j.file.Write(j.held); err != nil {
		return nil, err
	}
	j.held = j.held[:0]
	return made, nil
}

func (j *journal) append(writes []store.Write) {
	c := call{At: *j.at}
	for _, w := range writes {
		c.Writes = append(c.Writes, write{w.Key, w.Method, w.Body, w.DropSuperseded})
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(c); err != nil {
		panic(err)
	}
	j.held = binary.BigEndian.AppendUint32(j.held, uint32(b.Len()))
	j.held = binary.BigEndian.AppendUint32(j.held, crc32.ChecksumIEEE(b.Bytes()))
	j.held = append(j.held, b.Bytes()...)
}

func (j *journal) Close() error { return errors.Join(j.Store.Close(), j.file.Close()) }
