package fhirpath

import (
	"salus/fhir"
	"salus/fhir/decimal"
)

// set holds items without those equal to an earlier one.
type set struct {
	r     *run
	items []Item
	index map[uint64][]int32 // by hash, once there are many
}

// fewItems is up to where comparing with each one is cheaper than hashing.
const fewItems = 12

// has reports whether an equal item is in the set.
func (s *set) has(it Item) bool {
	if s.index == nil {
		for i := range s.items {
			if s.same(i, it) {
				return true
			}
		}
		return false
	}
	for _, i := range s.index[s.r.hash(it)] {
		if s.same(int(i), it) {
			return true
		}
	}
	return false
}

func (s *set) same(i int, it Item) bool {
	s.r.steps++
	return s.r.equalItems(s.items[i], it) == yes
}

// add adds it unless an equal one is there, and reports whether it did.
func (s *set) add(it Item) bool {
	if s.has(it) {
		return false
	}
	s.items = append(s.items, it)
	switch n := len(s.items); {
	case s.index != nil:
		s.put(n - 1)
	case n > fewItems:
		s.index = make(map[uint64][]int32, 4*fewItems)
		for i := range s.items {
			s.put(i)
		}
	}
	return true
}

func (s *set) put(i int) {
	h := s.r.hash(s.items[i])
	s.index[h] = append(s.index[h], int32(i))
}

// setOf returns the set of items.
func (r *run) setOf(items []Item) (*set, error) {
	s := &set{r: r}
	for _, it := range items {
		s.add(it)
		if err := r.spend(1); err != nil {
			return nil, err
		}
	}
	return s, nil
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashString(h uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

func hashInt(h, n uint64) uint64 {
	h = (h ^ n) * fnvPrime
	return h ^ h>>29
}

// hash is equal for items that are equal.
func (r *run) hash(it Item) uint64 {
	if v := it.system(); v != nil {
		return hashValue(v)
	}
	return hashInt(r.hashTree(it.node), r.hashTree(it.twin))
}

func hashValue(v any) uint64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
		return 2
	case int64:
		return hashInt(fnvOffset, uint64(v))
	case decimal.Decimal:
		return hashDecimal(v)
	case string:
		return hashString(fnvOffset, v)
	case Temporal:
		first, last := v.Bounds()
		return hashInt(hashInt(fnvOffset, uint64(first.Unix())), uint64(last.Unix())<<1|uint64(first.Nanosecond())<<20)
	case Quantity:
		value, unit, ok := v.canonical()
		if !ok {
			value, unit = v.Value, v.Unit
		}
		if unit == "1" {
			return hashDecimal(value)
		}
		return hashString(hashDecimal(value), unit)
	}
	return 0
}

func hashDecimal(d decimal.Decimal) uint64 {
	if n, ok := d.Int64(); ok {
		return hashInt(fnvOffset, uint64(n))
	}
	return hashString(fnvOffset, d.Reduce().String())
}

func (r *run) hashTree(n fhir.Node) uint64 {
	r.steps++
	switch n.Kind() {
	case fhir.String:
		return hashString(fnvOffset, n.Text())
	case fhir.Number:
		if d, err := decimal.Parse(n.Text()); err == nil {
			return hashDecimal(d)
		}
		return 3
	case fhir.Bool:
		return hashValue(n.True())
	case fhir.Array:
		h := uint64(fnvOffset)
		for c := range n.Children {
			h = hashInt(h, r.hashTree(c))
		}
		return h
	case fhir.Object:
		h := uint64(fnvPrime)
		for c := range n.Children {
			h += hashInt(hashString(fnvOffset, c.Name()), r.hashTree(c)) // order does not count
		}
		return h
	}
	return 4
}
