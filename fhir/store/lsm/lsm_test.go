package lsm_test

import (
	"testing"
	"time"

	"salus/fhir/store"
	"salus/fhir/store/lsm"
	"salus/fhir/store/storetest"
)

func open(t testing.TB, dir string, now func() time.Time) store.Store {
	t.Helper()
	s, err := lsm.Open(dir, lsm.Options{Now: now, Reserve: 1 << 20})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

func TestStore(t *testing.T) { storetest.Run(t, open) }

func TestModel(t *testing.T) { storetest.RunModel(t, open) }
