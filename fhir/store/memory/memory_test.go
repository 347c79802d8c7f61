package memory_test

import (
	"sync"
	"testing"
	"time"

	"salus/fhir/store"
	"salus/fhir/store/memory"
	"salus/fhir/store/storetest"
)

// disk gives the factory of stores that remember what was in a directory.
func disk() storetest.Factory {
	var mu sync.Mutex
	stored := map[string]*memory.Store{}
	return func(_ testing.TB, dir string, now func() time.Time) store.Store {
		mu.Lock()
		defer mu.Unlock()
		s, ok := stored[dir]
		if ok {
			s = s.Reopen(now)
		} else {
			s = memory.New(now)
		}
		stored[dir] = s
		return s
	}
}

func TestStore(t *testing.T) { storetest.Run(t, disk()) }

// The model against itself proves that the harness works, not the model.
func TestModel(t *testing.T) { storetest.RunModel(t, disk()) }
