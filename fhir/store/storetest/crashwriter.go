package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// Each writer owns some resources, so that what they must look like follows
// from its ledger alone: a resource that it writes in each call that has
// several writes, and that lists the others. Calls with one write go to a
// resource that counts by itself. Bodies and index values follow from the key
// and the number of the operation.

const ownedByWriter = 12

func ledgerKey(writer int) fhir.Key {
	return fhir.Key{Type: patient, ID: fhir.ID(fmt.Sprintf("w%d-ledger", writer))}
}

func singleKey(writer int) fhir.Key {
	return fhir.Key{Type: patient, ID: fhir.ID(fmt.Sprintf("w%d-single", writer))}
}

func ownedKey(writer, i int) fhir.Key {
	return fhir.Key{Type: []fhir.Type{observation, encounter}[i%2], ID: fhir.ID(fmt.Sprintf("w%d-%d", writer, i))}
}

// crashBody is the body that operation op gives to a resource. list is what a
// ledger has in addition.
func crashBody(k fhir.Key, op int64, list []ledgerLine) fhir.Body {
	pad := strings.Repeat(fmt.Sprintf("%x ", uint64(op)*0x9e3779b97f4a7c15), int(op%50))
	text, err := json.Marshal(list)
	if err != nil {
		panic("storetest: " + err.Error()) // plain structs of strings and numbers do marshal
	}
	return body(k, fmt.Sprintf(`"op":%d,"pad":%q,"list":%s`, op, pad, text))
}

// crashValues are the index values that operation op gives to a resource.
func crashValues(t fhir.Type, op int64) []searchparam.Entry {
	values := []searchparam.Entry{
		token("crash|all"), token(fmt.Sprint("crash|", op%5)), num(fmt.Sprint(op)), ref(fmt.Sprint("Patient/t", op%3)),
		when(fmt.Sprint(2000 + op%30)), text(fmt.Sprint("text ", op%4)),
	}
	for i := range values {
		values[i].Param = params[t][values[i].Param.Code]
	}
	return values
}

// ledgerLine is one write of a call.
type ledgerLine struct {
	Type   fhir.Type
	ID     fhir.ID
	Method fhir.Method
	Number int64 // of the version that it makes
	Drop   bool  `json:",omitempty"` // superseded versions
}

// ledgerPage is what a crashBody says.
type ledgerPage struct {
	Op   int64
	List []ledgerLine
}

func readPage(v fhir.Version) (ledgerPage, error) {
	var page ledgerPage
	if err := json.Unmarshal(v.Body.JSON, &page); err != nil {
		return page, fmt.Errorf("version %d of %s is no JSON: %w", v.Number, v.Key, err)
	}
	return page, nil
}

// writeUntilKilled is the process that is killed.
func writeUntilKilled(t *testing.T, open Factory, dir string, opt CrashOptions) {
	var calls atomic.Int64
	now := func() time.Time { // jumps back now and then
		if calls.Add(1)%7 == 0 {
			return time.Now().Add(-3 * time.Second)
		}
		return time.Now()
	}
	s := open(t, dir, now)
	var mu sync.Mutex
	pipe := os.NewFile(3, "acknowledgements")
	say := func(format string, args ...any) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintf(pipe, format+"\n", args...)
		return err
	}
	if err := say("opened"); err != nil {
		t.Fatalf("say: %v", err)
	}
	errs := make(chan error)
	for i := range opt.Writers {
		w := &crashWriter{id: i, store: s, rng: rand.New(rand.NewPCG(opt.Seed, uint64(i))), say: say}
		go func() { errs <- w.run(t.Context()) }()
	}
	go func() { errs <- reindexUntilKilled(t.Context(), s) }()
	select {
	case err := <-errs: // the others end with the process
		t.Errorf("writer: %v", err)
	case <-time.After(2 * time.Minute):
		t.Error("nobody has killed this process")
	}
	os.Exit(1)
}

// reindexUntilKilled gives resources, a few at a time, the index values that
// their bodies say they have. Done with a body that is not current any more,
// that would leave them with the wrong ones.
func reindexUntilKilled(ctx context.Context, s store.Store) error {
	after := map[fhir.Type]uint64{}
	for {
		for _, t := range []fhir.Type{patient, observation, encounter} {
			page, err := s.Current(ctx, t, after[t], 5)
			if err != nil {
				return err
			}
			after[t] = 0 // from the start again
			var entries []store.Index
			for _, c := range page {
				entries = append(entries, store.Index{Key: c.Key, Position: c.Position, Values: CrashValues(t, c.Body)})
				after[t] = c.Number
			}
			if _, err := s.Reindex(ctx, entries); err != nil {
				return err
			}
			if err := s.SetState(ctx, map[string][]byte{"after/" + string(t): fmt.Append(nil, after[t])}); err != nil {
				return err
			}
		}
	}
}

type crashWriter struct {
	id      int
	store   store.Store
	rng     *rand.Rand
	say     func(string, ...any) error
	op      int64
	numbers map[fhir.Key]int64
}

// run writes for ever, from where the process before was killed.
func (w *crashWriter) run(ctx context.Context) error {
	w.numbers = map[fhir.Key]int64{}
	keys := []fhir.Key{ledgerKey(w.id), singleKey(w.id)}
	for i := range ownedByWriter {
		keys = append(keys, ownedKey(w.id, i))
	}
	for _, k := range keys {
		v, err := w.store.Read(ctx, k)
		switch {
		case fault.Is(err, fault.NotFound):
			continue
		case err != nil:
			return err
		}
		w.numbers[k] = v.Number
		if v.Deleted() {
			continue
		}
		page, err := readPage(v)
		if err != nil {
			return err
		}
		w.op = max(w.op, page.Op)
	}
	for {
		kind, writes := "single", []store.Write{w.draft(fhir.Put, singleKey(w.id))}
		if w.op++; w.rng.IntN(3) > 0 {
			kind, writes = "ledger", w.several()
		}
		writes[0].Body = crashBody(writes[0].Key, w.op, w.list(writes[1:]))
		for i := range writes {
			if k := writes[i].Key; writes[i].Method == fhir.Put {
				writes[i].Values = crashValues(k.Type, w.op)
				if i > 0 {
					writes[i].Body = crashBody(k, w.op, nil)
				}
			}
		}
		made, err := w.store.Write(ctx, writes)
		if err != nil {
			return err
		}
		for _, v := range made {
			w.numbers[v.Key] = v.Number
		}
		if err := w.say("%s %d %d %d", kind, w.id, made[0].Number, w.op); err != nil {
			return err
		}
	}
}

// draft is a write without its content.
func (w *crashWriter) draft(method fhir.Method, k fhir.Key) store.Write {
	expect := w.numbers[k]
	if w.rng.IntN(3) == 0 {
		expect = store.AnyVersion
	}
	return store.Write{Key: k, Method: method, Expect: expect}
}

// several drafts a call with the ledger and up to four other writes.
func (w *crashWriter) several() []store.Write {
	writes := []store.Write{w.draft(fhir.Put, ledgerKey(w.id))}
	for _, i := range w.rng.Perm(ownedByWriter)[:1+w.rng.IntN(4)] {
		k := ownedKey(w.id, i)
		method := fhir.Put
		if n := w.rng.IntN(10); w.numbers[k] > 0 && n < 2 {
			method = fhir.Delete
		} else if w.numbers[k] > 0 && n == 2 {
			method = fhir.Purge
		}
		x := w.draft(method, k)
		x.DropSuperseded = w.rng.IntN(4) == 0
		writes = append(writes, x)
	}
	return writes
}

// list is what the ledger says of the other writes of its call.
func (w *crashWriter) list(writes []store.Write) []ledgerLine {
	var list []ledgerLine
	for _, x := range writes {
		line := ledgerLine{x.Key.Type, x.Key.ID, x.Method, w.numbers[x.Key] + 1, x.DropSuperseded}
		if x.Method == fhir.Purge {
			line.Number = 0
		}
		list = append(list, line)
	}
	return list
}

// CrashValues returns the index values that the writing process gave with a
// body. An engine needs it only if it rebuilds its index from bodies.
func CrashValues(t fhir.Type, b fhir.Body) []searchparam.Entry {
	if len(b.JSON) == 0 {
		return nil
	}
	page, err := readPage(fhir.Version{Body: b})
	if err != nil {
		panic(err)
	}
	return crashValues(t, page.Op)
}
