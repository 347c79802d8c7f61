package liquid

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"

	"salus/convert"
)

// appendPrinted appends what an output shows of a value.
func appendPrinted(dst []byte, v convert.Value) []byte {
	switch v := v.(type) {
	case string:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case *convert.List:
		for _, item := range v.Items {
			if b, ok := item.(bool); ok {
				dst = append(dst, boolName(b)...)
				continue
			}
			dst = appendPrinted(dst, item)
		}
		return dst
	case *convert.Map:
		for i := range v.Len() {
			key, item := v.At(i)
			dst = append(append(append(dst, '['), key...), ", "...)
			dst = append(appendPrinted(dst, item), ']')
		}
		return dst
	case pair:
		dst = append(append(append(dst, '['), v.key...), ", "...)
		return append(appendPrinted(dst, v.item), ']')
	case int64:
		return strconv.AppendInt(dst, v, 10)
	}
	s, _ := scalar(v)
	return append(dst, s...)
}

// boolName is how .NET writes a truth value where it is no output.
func boolName(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// scalar returns the text of a value that is one thing.
func scalar(v convert.Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return boolName(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case *big.Int:
		return v.String(), true
	case float64:
		return formatDouble(v), true
	case convert.Decimal:
		return formatDecimal(v), true
	case time.Time:
		return v.Format("01/02/2006 15:04:05"), true
	}
	return "", false
}

// formatDouble writes a number as .NET does: its shortest form.
func formatDouble(f float64) string {
	s := strconv.FormatFloat(f, 'G', -1, 64)
	if !strings.Contains(s, "E") {
		return s
	}
	if abs := max(f, -f); abs >= 1e-4 && abs < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return s
}

// formatDecimal writes a number without zeros at its end.
func formatDecimal(d convert.Decimal) string {
	var reduced apd.Decimal
	reduced.Reduce(d)
	return reduced.Text('f')
}

// printed returns the text of a value that filters take for one: an error for lists, dictionaries and parts of messages. Nothing is an empty text.
func printed(v convert.Value) (string, error) {
	if v == nil {
		return "", nil
	}
	if s, ok := scalar(v); ok {
		return s, nil
	}
	return "", convert.Errorf(convert.TemplateRenderingError, "a text is wanted, and the value is a list, a dictionary or a part of a message")
}

// truth reports whether a condition takes a value for true: all but nothing and false.
func truth(v convert.Value) bool {
	b, is := v.(bool)
	return v != nil && (!is || b)
}

// equal compares values as == does.
func equal(a, b convert.Value) bool {
	if _, ok := a.(emptiness); ok {
		a, b = b, a
	}
	if _, ok := b.(emptiness); ok {
		if _, both := a.(emptiness); both {
			return true
		}
		all, ok := items(a)
		return ok && len(all) == 0
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	switch x := a.(type) {
	case string:
		y, ok := scalar(b)
		return ok && x == y
	case bool:
		switch y := b.(type) {
		case bool:
			return x == y
		case string:
			return strings.EqualFold(strings.TrimSpace(y), strconv.FormatBool(x))
		}
		n, ok := toDouble(b)
		return ok && (n != 0) == x
	case *convert.Map, *convert.List:
		return same(a, b)
	}
	if x, ok := a.(time.Time); ok {
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	if x, ok := toDouble(a); ok {
		y, ok := toDouble(b)
		return ok && x == y
	}
	return same(a, b)
}

// same reports whether two values are the same one.
func same(a, b convert.Value) (is bool) {
	switch a.(type) {
	case pair:
		return false
	}
	defer func() {
		if recover() != nil { // values of a kind that Go does not compare
			is = false
		}
	}()
	return a == b
}

// toDouble returns the number that a value is or has the text of.
func toDouble(v convert.Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	case convert.Decimal:
		f, err := v.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil
	}
	return 0, false
}

// toInt returns the whole number that a value is, has the text of, or is nearest to.
func toInt(v convert.Value) (int64, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		return v, true
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n, err == nil
	}
	f, ok := toDouble(v)
	if !ok {
		return 0, false
	}
	return int64(roundEven(f)), true
}

// compare orders values as < does: the right one is taken for what the left one is.
func compare(a, b convert.Value) (int, error) {
	if x, ok := a.(string); ok {
		y, err := printed(b)
		return compareText(x, y), err
	}
	if x, ok := a.(time.Time); ok {
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	}
	x, ok := toDouble(a)
	y, also := toDouble(b)
	if !ok || !also {
		return 0, convert.Errorf(convert.TemplateRenderingError, "values are compared that have no order")
	}
	switch {
	case x < y:
		return -1, nil
	case x > y:
		return 1, nil
	}
	return 0, nil
}

// compareText orders texts without regard to case, and equal ones with lower case first.
func compareText(a, b string) int {
	if c := strings.Compare(strings.ToLower(a), strings.ToLower(b)); c != 0 {
		return c
	}
	return strings.Compare(b, a)
}
