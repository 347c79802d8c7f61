package reindex

import (
	"context"
	"slices"

	"salus/fhir"
	"salus/fhir/searchparam"
	"salus/fhir/store"
)

// Preview returns the index values that a resource has under the parameters of
// now, those that are not searched by yet included. NotFound when there is no such resource.
func (x *Indexer) Preview(ctx context.Context, key fhir.Key) ([]searchparam.Entry, error) {
	_, values, err := x.valuesOf(ctx, key)
	return searchable(values), err
}

// Resource indexes one resource anew and returns its values. Should it be written
// meanwhile, that write has indexed it.
func (x *Indexer) Resource(ctx context.Context, key fhir.Key) ([]searchparam.Entry, error) {
	c, values, err := x.valuesOf(ctx, key)
	if err != nil {
		return nil, err
	}
	_, err = x.store.Reindex(ctx, []store.Index{{Key: key, Position: c.Position, Values: values}})
	return searchable(values), err
}

// searchable returns the values that a query can ask for.
func searchable(values []searchparam.Entry) []searchparam.Entry {
	return slices.DeleteFunc(slices.Clone(values), func(e searchparam.Entry) bool { return e.Param.Code == searchparam.AnywhereCode })
}

func (x *Indexer) valuesOf(ctx context.Context, key fhir.Key) (store.Current, []searchparam.Entry, error) {
	c, err := x.store.CurrentOf(ctx, key)
	if err != nil {
		return c, nil, err
	}
	x.mu.Lock()
	o := searchparam.Options{Bases: x.bases}
	x.mu.Unlock()
	values, err := x.extract(x.live.Registry(), c.Body, o)
	return c, values, err
}
