package fhirpath

import (
	"strings"

	"salus/fhir/decimal"
	"salus/fhir/ucum"
)

// conversionFunctions are those of FHIRPath N1 §5.5.
var conversionFunctions = func() map[string]*function {
	all := map[string]*function{
		"iif":                {min: 2, max: 3, eval: iif},
		"toQuantity":         {max: 1, eval: toQuantity},
		"convertsToQuantity": {max: 1, eval: convertsToQuantity},
	}
	for name, convert := range map[string]converter{
		"Boolean": asBoolean, "Integer": asInteger, "Decimal": asDecimal, "String": asText,
		"Date": asDate, "DateTime": asDateTime, "Time": asTime,
	} {
		all["to"+name] = &function{eval: func(_ *run, c *Call, in []Item, _ *frame) ([]Item, error) {
			it, ok, err := single(in, "what "+c.Name+" takes")
			if err != nil || !ok {
				return nil, err
			}
			if v, ok := convert(it.system()); ok {
				return []Item{{value: v}}, nil
			}
			return nil, nil
		}}
		all["convertsTo"+name] = &function{eval: func(_ *run, c *Call, in []Item, _ *frame) ([]Item, error) {
			it, ok, err := single(in, "what "+c.Name+" takes")
			if err != nil || !ok {
				return nil, err
			}
			_, ok = convert(it.system())
			return boolean(ok), nil
		}}
	}
	return all
}()

// iif evaluates only the branch that it takes (FHIRPath N1 §5.5.1).
func iif(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	inner := *f
	if c.Of != nil {
		if _, _, err := single(in, "what iif takes"); err != nil {
			return nil, err
		}
		inner.focus, inner.index = in, 0
	}
	it, ok, err := r.argument(c.Args[0], &inner, "the criterion of iif")
	if err != nil {
		return nil, err
	}
	met, isBool := it.AsBool()
	switch {
	case ok && !isBool:
		return nil, invalid("the criterion of iif has to be a Boolean, not %s", it.TypeName())
	case met:
		return r.eval(c.Args[1], &inner)
	case len(c.Args) == 3:
		return r.eval(c.Args[2], &inner)
	}
	return nil, nil
}

// converter converts one value; ok is false where the specification has no conversion.
type converter func(v any) (result any, ok bool)

var truthWords = map[string]bool{
	"true": true, "t": true, "yes": true, "y": true, "1": true, "1.0": true,
	"false": false, "f": false, "no": false, "n": false, "0": false, "0.0": false,
}

func asBoolean(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		b, ok := truthWords[strings.ToLower(v)]
		return b, ok
	}
	d, ok := number(v)
	n, whole := d.Int64()
	return n == 1, ok && whole && (n == 0 || n == 1)
}

func asInteger(v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case string:
		if strings.Contains(v, ".") || !isNumber(v) {
			return nil, false
		}
		d, err := decimal.Parse(v)
		n, ok := d.Int64()
		return n, err == nil && ok && n >= minInteger && n <= maxInteger
	}
	return nil, false
}

func asDecimal(v any) (any, bool) {
	if b, ok := v.(bool); ok {
		n, _ := asInteger(b)
		return decimal.FromInt(n.(int64)), true
	}
	if s, ok := v.(string); ok {
		d, err := decimal.Parse(s)
		return d, err == nil && isNumber(s)
	}
	d, ok := number(v)
	return d, ok
}

func asText(v any) (any, bool) {
	s, ok := text(v)
	return s, ok
}

func asDate(v any) (any, bool) {
	t, ok := v.(Temporal)
	if s, isString := v.(string); isString {
		if t, ok = parseTemporal(s, DateKind); !ok {
			t, ok = parseTemporal(s, DateTimeKind)
		}
	}
	if !ok || t.kind == TimeKind {
		return nil, false
	}
	return Temporal{kind: DateKind, prec: min(t.prec, Day), year: t.year, month: t.month, day: t.day}, true
}

func asDateTime(v any) (any, bool) {
	t, ok := v.(Temporal)
	if s, isString := v.(string); isString {
		t, ok = parseTemporal(s, DateTimeKind)
	}
	if !ok || t.kind == TimeKind {
		return nil, false
	}
	t.kind = DateTimeKind
	return t, true
}

func asTime(v any) (any, bool) {
	t, ok := v.(Temporal)
	if s, isString := v.(string); isString {
		t, ok = parseTemporal(strings.TrimPrefix(s, "T"), TimeKind)
	}
	return t, ok && t.kind == TimeKind
}

func asQuantity(v any) (Quantity, bool) {
	switch v := v.(type) {
	case string:
		return ParseQuantity(v)
	case bool:
		d, _ := asDecimal(v)
		return Quantity{Value: d.(decimal.Decimal), Unit: "1"}, true
	}
	return quantity(v)
}

func toQuantity(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	it, ok, err := single(in, "what toQuantity takes")
	if err != nil || !ok {
		return nil, err
	}
	q, ok := asQuantity(it.system())
	if !ok {
		return nil, nil
	}
	if len(c.Args) == 1 {
		unit, given, err := r.stringArg(c.Args[0], f, "the unit of toQuantity")
		if err != nil {
			return nil, err
		}
		if given {
			v, err := ucum.Convert(q.Value, q.ucumUnit(), unit)
			if err != nil || q.foreign {
				return nil, nil // no conversion: the function's result is empty
			}
			q = Quantity{Value: v, Unit: unit}
		}
	}
	return []Item{QuantityItem(q)}, nil
}

func convertsToQuantity(r *run, c *Call, in []Item, f *frame) ([]Item, error) {
	if len(in) == 0 {
		return nil, nil
	}
	result, err := toQuantity(r, c, in, f)
	return boolean(len(result) > 0), err
}
