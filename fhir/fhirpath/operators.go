package fhirpath

import (
	"strings"

	"salus/fault"
	"salus/fhir/decimal"
	"salus/fhir/ucum"
)

// The range of System.Integer (FHIRPath N1 §4.1.3).
const (
	minInteger = -1 << 31
	maxInteger = 1<<31 - 1
)

// maxDecimalDigits is how many digits a result may have; beyond, it is empty
// like every result that cannot be represented (FHIRPath N1 §6.6).
const maxDecimalDigits = 200

// maxUnit is how long the unit of a product may get.
const maxUnit = 256

func integerItems(n int64) []Item {
	if n < minInteger || n > maxInteger {
		return nil
	}
	return []Item{Integer(n)}
}

func decimalItems(d decimal.Decimal, ok bool) []Item {
	if !ok || d.Digits() > maxDecimalDigits || d.Scale() > maxDecimalDigits || d.Scale() < -maxDecimalDigits {
		return nil
	}
	return []Item{Decimal(d)}
}

func (r *run) stringItems(s string) ([]Item, error) {
	if len(s) > maxString {
		return nil, fault.New(fault.TooLarge, "FHIRPath: string longer than %d bytes", maxString)
	}
	return []Item{String(s)}, r.spend(1 + len(s)/64)
}

func (r *run) binary(e *Binary, f *frame) ([]Item, error) {
	left, err := r.eval(e.Left, f)
	if err != nil {
		return nil, err
	}
	if e.op >= opImplies && e.op <= opAnd {
		return r.logic(e, left, f)
	}
	right, err := r.eval(e.Right, f)
	if err != nil {
		return nil, err
	}
	switch e.op {
	case opEqual:
		return r.equal(left, right).items(), nil
	case opNotEqual:
		return not(r.equal(left, right)).items(), nil
	case opEquivalent:
		return boolean(r.equivalent(left, right)), r.spend(0)
	case opNotEquivalent:
		return boolean(!r.equivalent(left, right)), r.spend(0)
	case opIn:
		return r.member(left, right, e.Op)
	case opContains:
		return r.member(right, left, e.Op)
	case opConcat:
		return r.concat(left, right)
	}
	a, ok, err := single(left, "the left side of "+e.Op)
	b, also, err2 := single(right, "the right side of "+e.Op)
	if err != nil || err2 != nil || !ok || !also {
		return nil, firstError(err, err2)
	}
	v, w := a.system(), b.system()
	if v == nil || w == nil {
		return nil, operands(e.Op, a, b)
	}
	if e.op >= opLess && e.op <= opGreaterOrEqual {
		return compare(e, a, b, v, w)
	}
	return r.arithmetic(e, a, b, v, w)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// operands is the error of an operator that does not take these types.
func operands(op string, a, b Item) error {
	return invalid("%s does not take %s and %s", op, a.TypeName(), b.TypeName())
}

func not(t truth) truth {
	if t == unknown {
		return unknown
	}
	return truthOf(t == no)
}

// logic evaluates and, or, xor, implies; the right side only when it matters (FHIRPath N1 §6.5).
func (r *run) logic(e *Binary, left []Item, f *frame) ([]Item, error) {
	a, err := singleton(left, "the left side of "+e.Op)
	if err != nil {
		return nil, err
	}
	switch {
	case e.op == opAnd && a == no:
		return falseItems, nil
	case e.op == opOr && a == yes, e.op == opImplies && a == no:
		return trueItems, nil
	}
	right, err := r.eval(e.Right, f)
	if err != nil {
		return nil, err
	}
	b, err := singleton(right, "the right side of "+e.Op)
	if err != nil {
		return nil, err
	}
	switch e.op {
	case opAnd:
		switch {
		case b == no:
			return falseItems, nil
		case a == yes && b == yes:
			return trueItems, nil
		}
		return nil, nil
	case opXor:
		if a == unknown || b == unknown {
			return nil, nil
		}
		return boolean(a != b), nil
	}
	// or, and implies, which is: not a, or b
	if b == yes {
		return trueItems, nil
	}
	if a == unknown || b == unknown {
		return nil, nil
	}
	return falseItems, nil
}

// member is item in list.
func (r *run) member(item, list []Item, op string) ([]Item, error) {
	it, ok, err := single(item, "what "+op+" looks for")
	if err != nil || !ok {
		return nil, err
	}
	for i := range list {
		if r.steps++; r.equalItems(it, list[i]) == yes {
			return trueItems, nil
		}
	}
	return falseItems, r.spend(0)
}

func (r *run) concat(left, right []Item) ([]Item, error) {
	var b strings.Builder
	for _, side := range [2][]Item{left, right} {
		it, ok, err := single(side, "a side of &")
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // an empty side counts as the empty string (FHIRPath N1 §6.6.7)
		}
		s, ok := it.system().(string)
		if !ok {
			return nil, invalid("& does not take %s", it.TypeName())
		}
		b.WriteString(s)
	}
	return r.stringItems(b.String())
}

// compare is < <= > >= (FHIRPath N1 §6.2).
func compare(e *Binary, a, b Item, v, w any) ([]Item, error) {
	order, known, ok := compareValues(v, w)
	if !ok {
		return nil, operands(e.Op, a, b)
	}
	if !known {
		return nil, nil
	}
	switch e.op {
	case opLess:
		return boolean(order < 0), nil
	case opLessOrEqual:
		return boolean(order <= 0), nil
	case opGreater:
		return boolean(order > 0), nil
	}
	return boolean(order >= 0), nil
}

// compareValues orders two values; ok is false for types without a common order.
func compareValues(v, w any) (order int, known, ok bool) {
	switch v := v.(type) {
	case string:
		w, ok := w.(string)
		return strings.Compare(v, w), true, ok
	case Temporal:
		w, ok := w.(Temporal)
		if !ok || (v.kind == TimeKind) != (w.kind == TimeKind) {
			return 0, false, false
		}
		order, known = v.compare(w)
		return order, known, true
	}
	x, ok := number(v)
	y, also := number(w)
	if ok && also {
		return x.Cmp(y), true, true
	}
	p, ok := quantity(v)
	q, also := quantity(w)
	if !ok || !also {
		return 0, false, false
	}
	order, known = p.compare(q)
	return order, known, true
}

// arithmetic is + - * / div mod (FHIRPath N1 §6.6).
func (r *run) arithmetic(e *Binary, a, b Item, v, w any) ([]Item, error) {
	if m, ok := v.(int64); ok {
		if n, ok := w.(int64); ok {
			return integers(e.op, m, n), nil
		}
	}
	x, ok := number(v)
	y, also := number(w)
	if ok && also {
		return decimals(e.op, x, y), nil
	}
	switch v := v.(type) {
	case string:
		if w, ok := w.(string); ok && e.op == opPlus {
			return r.stringItems(v + w)
		}
	case Temporal:
		if q, ok := w.(Quantity); ok && (e.op == opPlus || e.op == opMinus) {
			return temporalSum(v, q, e.op == opMinus)
		}
	}
	p, ok := quantity(v)
	q, also := quantity(w)
	if ok && also && e.op != opDiv && e.op != opMod {
		return quantities(e.op, p, q), nil
	}
	return nil, operands(e.Op, a, b)
}

func integers(op operator, m, n int64) []Item {
	switch op {
	case opPlus:
		return integerItems(m + n)
	case opMinus:
		return integerItems(m - n)
	case opTimes:
		if m > maxInteger || m < minInteger || n > maxInteger || n < minInteger {
			return nil
		}
		return integerItems(m * n)
	}
	if n == 0 {
		return nil
	}
	switch op {
	case opDiv:
		return integerItems(m / n)
	case opMod:
		return integerItems(m % n)
	}
	return decimals(op, decimal.FromInt(m), decimal.FromInt(n))
}

func decimals(op operator, x, y decimal.Decimal) []Item {
	switch op {
	case opPlus:
		return decimalItems(x.Add(y), true)
	case opMinus:
		return decimalItems(x.Sub(y), true)
	case opTimes:
		return decimalItems(x.Mul(y), true)
	case opDivide:
		return decimalItems(x.Quo(y))
	case opMod:
		return decimalItems(x.Rem(y))
	}
	z, ok := x.QuoInteger(y)
	if n, fits := z.Int64(); ok && fits {
		return integerItems(n)
	}
	return nil
}

// quantities adds and subtracts in the left unit, and multiplies and divides units.
func quantities(op operator, p, q Quantity) []Item {
	switch op {
	case opPlus, opMinus:
		if p.Unit != q.Unit || p.calendar != q.calendar {
			if p.foreign || q.foreign {
				return nil
			}
			v, err := ucum.Convert(q.Value, q.ucumUnit(), p.ucumUnit())
			if _, known := p.compare(q); err != nil || !known {
				return nil
			}
			q.Value = v
		}
		if op == opMinus {
			q.Value = q.Value.Neg()
		}
		p.Value = p.Value.Add(q.Value)
		return []Item{QuantityItem(p)}
	}
	if p.foreign || q.foreign {
		return nil
	}
	v, ok := p.Value.Mul(q.Value), true
	unit := product(p.ucumUnit(), q.ucumUnit())
	if op == opDivide {
		v, ok = p.Value.Quo(q.Value)
		unit = quotient(p.ucumUnit(), q.ucumUnit())
	}
	if !ok || len(decimalItems(v, true)) == 0 || len(unit) > maxUnit {
		return nil
	}
	return []Item{QuantityItem(Quantity{Value: v, Unit: unit})}
}

func product(a, b string) string {
	switch {
	case a == "1":
		return b
	case b == "1":
		return a
	}
	return group(a) + "." + group(b)
}

func quotient(a, b string) string {
	switch {
	case a == b:
		return "1"
	case b == "1":
		return a
	case a == "1":
		return "/" + group(b)
	}
	return group(a) + "/" + group(b)
}

// group keeps a unit together as a factor.
func group(unit string) string {
	if strings.ContainsAny(unit, "./") {
		return "(" + unit + ")"
	}
	return unit
}

func (r *run) polarity(e *Polarity, f *frame) ([]Item, error) {
	of, err := r.eval(e.Of, f)
	if err != nil {
		return nil, err
	}
	it, ok, err := single(of, "what a sign precedes")
	if err != nil || !ok {
		return nil, err
	}
	v := it.system()
	if !e.Minus {
		if _, ok := quantity(v); ok {
			return of, nil
		}
	}
	switch v := v.(type) {
	case int64:
		return integerItems(-v), nil
	case decimal.Decimal:
		return []Item{Decimal(v.Neg())}, nil
	case Quantity:
		v.Value = v.Value.Neg()
		return []Item{QuantityItem(v)}, nil
	}
	return nil, invalid("a sign cannot precede %s", it.TypeName())
}
