package terminology

import (
	"context"
	"slices"
	"sync"

	"salus/fhir"
)

// maxKept is how much a cache keeps: a code of an answer weighs 1, a concept of
// a code system with its properties conceptWeight, and whatever is kept leastWeight
// besides.
const (
	maxKept       = 200_000
	conceptWeight = 8
	leastWeight   = 64
)

// cache keeps answers and code systems. It is bounded and safe for concurrent use;
// what was asked for longest ago goes first.
type cache struct {
	mu     sync.Mutex
	kept   map[string]*keeping
	order  []string // names of what is kept, the one asked for last at the end
	weight int
}

// keeping is what is kept, with what it was made of.
type keeping struct {
	value  any
	made   []origin
	weight int
}

// origin is a question to the Source and which definition answered it.
type origin struct {
	t            fhir.Type
	url, version string
	is           Identity
}

func (c *cache) get(name string) *keeping {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kept[name]
	if k != nil {
		c.order = append(slices.DeleteFunc(c.order, func(s string) bool { return s == name }), name)
	}
	return k
}

func (c *cache) put(name string, k *keeping) {
	if k.weight += leastWeight; k.weight > maxKept/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(name)
	for c.weight+k.weight > maxKept {
		c.drop(c.order[0])
	}
	if c.kept == nil {
		c.kept = map[string]*keeping{}
	}
	c.kept[name], c.order = k, append(c.order, name)
	c.weight += k.weight
}

func (c *cache) drop(name string) {
	k := c.kept[name]
	if k == nil {
		return
	}
	c.weight -= k.weight
	delete(c.kept, name)
	c.order = slices.DeleteFunc(c.order, func(s string) bool { return s == name })
}

// asking is the work on one question. It notes which definitions are used.
type asking struct {
	*Engine
	made []origin
}

func (a *asking) find(ctx context.Context, t fhir.Type, url, version string) (Definition, error) {
	d, err := a.source.Find(ctx, t, url, version)
	if err == nil {
		a.made = append(a.made, origin{t, url, version, d.Identity})
	}
	return d, err
}

func (i Identity) equal(o Identity) bool {
	return i.Key == o.Key && i.Number == o.Number && i.Updated.Equal(o.Updated)
}

// still reports whether the same definitions would be found now.
func (e *Engine) still(ctx context.Context, made []origin) (bool, error) {
	for _, o := range made {
		d, err := e.source.Find(ctx, o.t, o.url, o.version)
		if err != nil || !d.equal(o.is) {
			return false, err
		}
	}
	return true, nil
}
