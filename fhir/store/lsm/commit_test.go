package lsm

import (
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/search"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

var subject = &searchparam.Param{Type: "Observation", Code: "subject", Kind: searchparam.Reference}

func openDamageable(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), Options{Reserve: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func key(typ fhir.Type, id fhir.ID) fhir.Key { return fhir.Key{Type: typ, ID: id} }

// put is a write of a resource that refers to others.
func put(k fhir.Key, subjects ...fhir.Key) store.Write {
	head := `{"resourceType":"` + string(k.Type) + `","id":"` + string(k.ID) + `","meta":{`
	w := store.Write{Key: k, Method: fhir.Put, Expect: store.AnyVersion, Body: fhir.ReadBody([]byte(head+`}}`), len(head))}
	for _, to := range subjects {
		ref := fhir.Reference{Type: to.Type, ID: to.ID}
		w.Values = append(w.Values, searchparam.Entry{Param: subject, Value: searchparam.Value{Ref: ref}})
	}
	return w
}

func write(t *testing.T, s *Store, writes ...store.Write) {
	t.Helper()
	if _, err := s.Write(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
}

func headOf(t *testing.T, s *Store, k fhir.Key) head {
	t.Helper()
	h, found, err := s.headOf(s.db, k)
	if err != nil || !found {
		t.Fatalf("head of %s: found %t, %v", k, found, err)
	}
	return h
}

// A number that a failed commit was to store is still to be stored by the next
// commit that uses it.
func TestWrite_StoresWhatAFailedCommitDidNot(t *testing.T) {
	s := openDamageable(t)
	broken, target := key("Observation", "broken"), key("Patient", "p")
	write(t, s, put(broken))
	h := headOf(t, s, broken)
	if err := s.db.Set(forwardKey(nil, h.doc), []byte{0xff}, pebble.NoSync); err != nil {
		t.Fatal(err)
	}

	// a holds the number of the target while the other call fails.
	a := &pending{writes: []store.Write{put(key("Observation", "a"), target)}, claims: claimSet{}, done: make(chan struct{}), lead: make(chan struct{})}
	if err := s.prepare(a); err != nil {
		t.Fatal(err)
	}
	_, err := s.Write(t.Context(), []store.Write{put(target), put(broken)})
	if !fault.Is(err, fault.Internal) {
		t.Fatalf("a write over damaged data gave %v", err)
	}
	s.queue.join(a)
	if _, err := s.await(a); err != nil {
		t.Fatal(err)
	}
	s.release(a.claims)

	write(t, s, put(target))
	page, err := s.Search(t.Context(), &search.Plan{Count: 10, Branches: []search.Branch{{
		Type: "Observation", Filter: search.Chain{Param: subject, Target: "Patient"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Matches) != 1 || page.Matches[0].ID != "a" {
		t.Errorf("%d resources refer to the target, want a", len(page.Matches))
	}
}

func TestRead_OfAVersionThatIsLostIsAnError(t *testing.T) {
	s := openDamageable(t)
	k := key("Patient", "p")
	write(t, s, put(k))
	h := headOf(t, s, k)
	if err := s.db.Delete(versionKey(nil, h.seq), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), k); !fault.Is(err, fault.Internal) {
		t.Errorf("read gave %v", err)
	}
}

func TestSearch_OverADamagedPostingIsAnError(t *testing.T) {
	s := openDamageable(t)
	p := key("Patient", "p")
	write(t, s, put(p), put(key("Observation", "a"), p))
	live, _ := s.names.knownParam("Patient" + paramLive)
	if err := s.db.Set(appendU32(postingPrefix(nil, live, nil), 0), []byte("?"), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]search.Filter{
		"none": nil, "not": search.Not{Filter: search.IDs{"p"}}, "has": search.Has{Param: subject}, "and": search.And{search.Not{Filter: search.IDs{"p"}}},
	} {
		_, err := s.Search(t.Context(), &search.Plan{Count: 10, Branches: []search.Branch{{Type: "Patient", Filter: f}}})
		if !fault.Is(err, fault.Internal) {
			t.Errorf("%s: search gave %v", name, err)
		}
	}
}
