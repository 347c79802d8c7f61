package fhirpath

import (
	"slices"

	"salus/fhir/decimal"
)

// aggregateFunctions are aggregate() of FHIRPath N1 §7 and the later sum, min, max, avg and sort.
var aggregateFunctions = map[string]*function{
	"aggregate": {min: 1, max: 2, eval: aggregate},
	"sum":       {eval: sum},
	"avg":       {eval: average},
	"min":       {eval: extreme(-1)},
	"max":       {eval: extreme(1)},
	"sort":      {max: 16, eval: order},
}

func aggregate(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	inner := frame{}
	var err error
	if len(c.Args) == 2 {
		if inner.total, err = r.eval(c.Args[1], f); err != nil {
			return nil, err
		}
	}
	for i := range in {
		inner.focus, inner.index = in[i:i+1:i+1], i
		if inner.total, err = r.eval(c.Args[0], &inner); err != nil {
			return nil, err
		}
	}
	return inner.total, nil
}

func sum(r *run, _ *Call, in []Item, f *frame) ([]Item, error) {
	if len(in) == 0 {
		return nil, nil
	}
	plus := &Binary{Op: "+", op: opPlus}
	total := in[:1:1]
	for i := 1; i < len(in); i++ {
		plus.Left, plus.Right = &Literal{Values: total}, &Literal{Values: in[i : i+1]}
		var err error
		if total, err = r.binary(plus, f); err != nil || len(total) == 0 {
			return nil, err
		}
	}
	if _, ok := quantity(total[0].system()); !ok {
		return nil, invalid("sum and avg take numbers or quantities, not %s", total[0].TypeName())
	}
	return total, nil
}

func average(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	total, err := sum(r, c, in, f)
	if err != nil || len(total) == 0 {
		return nil, err
	}
	q, _ := quantity(total[0].system())
	v, ok := q.Value.Quo(decimal.FromInt(int64(len(in))))
	if _, is := total[0].AsQuantity(); !is || !ok {
		return decimalItems(v, ok), nil
	}
	q.Value = v
	return []Item{QuantityItem(q)}, nil
}

// extreme makes min and max.
func extreme(sign int) evaluator {
	return func(r *run, c *Call, in []Item, _ *frame) ([]Item, error) {
		if len(in) == 0 {
			return nil, nil
		}
		best := 0
		for i := 1; i < len(in); i++ {
			order, known, ok := compareValues(in[i].system(), in[best].system())
			switch {
			case !ok:
				return nil, operands(c.Name, in[i], in[best])
			case !known:
				return nil, nil
			case order*sign > 0:
				best = i
			}
		}
		return in[best : best+1 : best+1], r.spend(len(in))
	}
}

// order is sort(): by the items themselves or by keys; a minus before a key
// turns its direction. Items without a key come last, with a minus first.
func order(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	if len(in) < 2 {
		return in, nil
	}
	keys := make([]sortKey, max(1, len(c.Args)))
	for k := range keys {
		if err := r.sortKey(&keys[k], c, k, in, f); err != nil {
			return nil, err
		}
	}
	places := make([]int, len(in))
	for i := range places {
		places[i] = i
	}
	var failed error
	slices.SortStableFunc(places, func(i, j int) int {
		for k := range keys {
			n, err := keys[k].compare(i, j)
			if r.steps++; failed == nil {
				failed = err
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	out := make([]Item, len(in))
	for i, place := range places {
		out[i] = in[place]
	}
	return out, firstError(failed, r.spend(len(in)))
}

// sortKey is one key of every item.
type sortKey struct {
	values []any // nil where an item has none
	down   bool
}

func (r *run) sortKey(key *sortKey, c *Call, k int, in []Item, f *frame) error {
	key.values = make([]any, len(in))
	if len(c.Args) == 0 {
		for i, it := range in {
			key.values[i] = it.system()
		}
		return nil
	}
	e := c.Args[k]
	if sign, ok := e.(*Polarity); ok {
		e, key.down = sign.Of, sign.Minus
	}
	return r.loop(e, in, f, func(i int, result []Item) (bool, error) {
		it, ok, err := single(result, "a key of sort")
		if ok {
			key.values[i] = it.system()
		}
		return true, err
	})
}

func (k *sortKey) compare(i, j int) (int, error) {
	v, w := k.values[i], k.values[j]
	if k.down {
		v, w = w, v
	}
	switch {
	case v == nil && w == nil:
		return 0, nil
	case v == nil:
		return 1, nil
	case w == nil:
		return -1, nil
	}
	n, _, ok := compareValues(v, w)
	if !ok {
		return 0, invalid("sort cannot order %s and %s", Item{value: v}.TypeName(), Item{value: w}.TypeName())
	}
	return n, nil
}
