package fhirpath

import (
	"strings"

	"salus/fhir"
	"salus/fhir/decimal"
)

// Equal compares two collections as the operator = does (FHIRPath N1 §6.1.1).
// known is false where = has no result: an empty side, or dates of different precision.
func Equal(a, b []Item) (equal, known bool) {
	t := (&run{}).equal(a, b)
	return t == yes, t != unknown
}

// Equivalent compares two collections as the operator ~ does (FHIRPath N1 §6.1.2).
func Equivalent(a, b []Item) bool { return (&run{}).equivalent(a, b) }

func (r *run) equal(a, b []Item) truth {
	if len(a) == 0 || len(b) == 0 {
		return unknown
	}
	if len(a) != len(b) {
		return no
	}
	result := yes
	for i := range a {
		switch r.equalItems(a[i], b[i]) {
		case no:
			return no
		case unknown:
			result = unknown
		}
	}
	return result
}

func (r *run) equalItems(a, b Item) truth {
	if a.node.Exists() && a.node.Same(b.node) && !a.primitive() {
		return yes
	}
	v, w := a.system(), b.system()
	switch {
	case v != nil && w != nil:
		return equalValues(v, w)
	case v != nil || w != nil:
		return no
	}
	if !a.node.Exists() && !a.twin.Exists() {
		return unknown // a reference that was not followed: nothing of its target is known but the type
	}
	return truthOf(r.sameTree(a.node, b.node) && r.sameTree(a.twin, b.twin))
}

func equalValues(v, w any) truth {
	switch v := v.(type) {
	case bool:
		w, ok := w.(bool)
		return truthOf(ok && v == w)
	case string:
		w, ok := w.(string)
		return truthOf(ok && v == w)
	case typeInfo:
		w, ok := w.(typeInfo)
		return truthOf(ok && v == w)
	case int64:
		if w, ok := w.(int64); ok {
			return truthOf(v == w)
		}
	case Temporal:
		w, ok := w.(Temporal)
		if !ok || (v.kind == TimeKind) != (w.kind == TimeKind) {
			return no
		}
		order, known := v.compare(w)
		return orderTruth(order == 0, known)
	}
	return equalNumbers(v, w)
}

func equalNumbers(v, w any) truth {
	x, ok := number(v)
	y, also := number(w)
	if ok && also {
		return truthOf(x.Cmp(y) == 0)
	}
	p, ok := quantity(v)
	q, also := quantity(w)
	if !ok || !also {
		return no
	}
	order, known := p.compare(q)
	return orderTruth(order == 0, known)
}

func orderTruth(holds, known bool) truth {
	if !known {
		return unknown
	}
	return truthOf(holds)
}

// quantity returns v as a quantity when it is one or a number.
func quantity(v any) (Quantity, bool) {
	if q, ok := v.(Quantity); ok {
		return q, true
	}
	d, ok := number(v)
	return Quantity{Value: d, Unit: "1"}, ok
}

// sameTree compares JSON trees: order of properties and spelling of numbers do not count.
func (r *run) sameTree(a, b fhir.Node) bool {
	if r.steps++; a.Same(b) {
		return true
	}
	if a.Kind() != b.Kind() || r.steps > maxSteps {
		return false
	}
	switch a.Kind() {
	case fhir.String:
		return a.Text() == b.Text()
	case fhir.Number:
		return sameNumber(a.Text(), b.Text())
	case fhir.Bool:
		return a.True() == b.True()
	case fhir.Array:
		if a.Len() != b.Len() {
			return false
		}
		for c, d := a.First(), b.First(); c.Exists(); c, d = c.Next(), d.Next() {
			if !r.sameTree(c, d) {
				return false
			}
		}
	case fhir.Object:
		if a.Len() != b.Len() {
			return false
		}
		for c := range a.Children {
			if !r.sameTree(c, b.Get(c.Name())) {
				return false
			}
		}
	}
	return true
}

func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, err := decimal.Parse(a)
	y, err2 := decimal.Parse(b)
	return err == nil && err2 == nil && x.Cmp(y) == 0
}

func (r *run) equivalent(a, b []Item) bool {
	if len(a) != len(b) {
		return false
	}
	return r.pair(len(a), func(i, j int) bool { return r.equivalentItems(a[i], b[j]) })
}

// pair reports whether each of n on one side finds its own partner on the other, in any order.
func (r *run) pair(n int, same func(i, j int) bool) bool {
	taken := make([]bool, n)
next:
	for i := range n {
		for j := range n {
			if r.steps++; r.steps > maxSteps {
				return false
			}
			if !taken[j] && same(i, j) {
				taken[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func (r *run) equivalentItems(a, b Item) bool {
	v, w := a.system(), b.system()
	switch {
	case v != nil && w != nil:
		return equivalentValues(v, w)
	case v != nil || w != nil:
		return false
	}
	return r.equivalentTree(a.node, b.node)
}

func equivalentValues(v, w any) bool {
	switch v := v.(type) {
	case string:
		w, ok := w.(string)
		return ok && normal(v) == normal(w)
	case Temporal:
		w, ok := w.(Temporal)
		if !ok || (v.kind == TimeKind) != (w.kind == TimeKind) || min(v.prec, Second) != min(w.prec, Second) {
			return false
		}
		order, known := v.compare(w)
		return known && order == 0
	case Quantity:
		w, ok := quantity(w)
		return ok && v.equivalent(w)
	}
	x, ok := number(v)
	if y, also := number(w); ok && also {
		return equivalentDecimals(x, y)
	}
	if q, also := w.(Quantity); ok && also {
		return q.equivalent(Quantity{Value: x, Unit: "1"})
	}
	return equalValues(v, w) == yes
}

// normal folds case and white space.
func normal(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

func (r *run) equivalentTree(a, b fhir.Node) bool {
	if r.steps++; a.Same(b) {
		return true
	}
	if a.Kind() != b.Kind() || a.Len() != b.Len() || r.steps > maxSteps {
		return false
	}
	switch a.Kind() {
	case fhir.String:
		return normal(a.Text()) == normal(b.Text())
	case fhir.Array:
		var x, y []fhir.Node
		for c := range a.Children {
			x = append(x, c)
		}
		for c := range b.Children {
			y = append(y, c)
		}
		return r.pair(len(x), func(i, j int) bool { return r.equivalentTree(x[i], y[j]) })
	case fhir.Object:
		for c := range a.Children {
			if !r.equivalentTree(c, b.Get(c.Name())) {
				return false
			}
		}
		return true
	}
	return r.sameTree(a, b)
}
