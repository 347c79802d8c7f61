package reindex

import (
	"context"
	"encoding/json"

	"salus/fhir"
	"salus/fhir/searchparam"
)

// Work does the active job in the caller's goroutine.
func (x *Indexer) Work(ctx context.Context) {
	x.mu.Lock()
	j := x.active()
	x.mu.Unlock()
	if j != nil {
		x.run(ctx, j)
	}
}

// EarlierState is what a store has for a type that an earlier program has indexed.
func EarlierState(r *searchparam.Registry, t fhir.Type) map[string][]byte {
	m := firstMarks(r, t)
	for code, k := range m {
		k.Revision = 0
		m[code] = k
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return map[string][]byte{stateIndex + string(t): b}
}
