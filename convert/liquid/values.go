package liquid

import (
	"cmp"
	"errors"
	"math"
	"math/big"
	"reflect"
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
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
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

// equal compares values as == does: the right one is taken for what the left one is, or if that cannot be the left one for what the right one is.
func equal(a, b convert.Value) bool {
	if _, ok := a.(emptiness); ok {
		a, b = b, a
	}
	if _, ok := b.(emptiness); ok {
		return vacant(a)
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if x, ok := a.(string); ok { // what there is most
		if y, ok := b.(string); ok {
			return x == y
		}
	}
	if c, ok := converted(b, a); ok {
		return same(a, c)
	}
	if c, ok := converted(a, b); ok {
		return same(c, b)
	}
	return false
}

// vacant reports whether a value can be gone through and has nothing in it.
func vacant(v convert.Value) bool {
	switch v := v.(type) {
	case emptiness:
		return true
	case string:
		return v == ""
	case *convert.List:
		return len(v.Items) == 0
	case *convert.Map:
		return v.Len() == 0
	case convert.Enumerable:
		return len(v.Items()) == 0
	}
	return false
}

// converted returns a value as one of the kind of another; ok is false if it is of another kind and there is no such value.
func converted(v, like convert.Value) (c convert.Value, ok bool) {
	switch like.(type) {
	case string:
		s, ok := scalar(v)
		return s, ok
	case bool:
		switch v := v.(type) {
		case bool:
			return v, true
		case string:
			switch strings.ToLower(strings.TrimSpace(v)) {
			case "true":
				return true, true
			case "false":
				return false, true
			}
			return nil, false
		}
		f, ok := toDouble(v)
		return f != 0, ok
	case int64:
		if b, is := v.(*big.Int); is {
			return b.Int64(), b.IsInt64()
		}
		n, ok := toInt(v)
		return n, ok
	case float64:
		f, ok := toDouble(v)
		return f, ok
	case convert.Decimal:
		return toDecimal(v)
	case *big.Int:
		switch v := v.(type) {
		case *big.Int:
			return v, true
		case int64:
			return big.NewInt(v), true
		}
		return nil, false
	case time.Time:
		switch v := v.(type) {
		case time.Time:
			return v, true
		case string:
			t, _, ok := parseDate(v, time.UTC)
			return t, ok
		}
		return nil, false
	}
	return v, sameKind(v, like)
}

// sameKind reports whether neither of two values is a scalar.
func sameKind(a, b convert.Value) bool {
	_, x := scalar(a)
	_, y := scalar(b)
	return !x && !y
}

// same reports whether two values of one kind are the same: scalars by what they are, others only if they are one.
func same(a, b convert.Value) bool {
	switch x := a.(type) {
	case string, bool, int64, float64:
		return a == b
	case convert.Decimal:
		y, ok := b.(convert.Decimal)
		return ok && x.Cmp(y) == 0
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case pair:
		return false
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
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
		return parseDouble(v)
	}
	return 0, false
}

// parseDouble reads a number as .NET reads doubles: with an exponent, and with commas between its digits.
func parseDouble(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "infinity", "-infinity", "+infinity", "nan":
	default:
		for i := range len(s) {
			if b := s[i]; (b < '0' || b > '9') && strings.IndexByte("+-.,eE", b) < 0 {
				return 0, false
			}
		}
		if strings.HasPrefix(s, ",") {
			return 0, false
		}
		s = strings.ReplaceAll(s, ",", "")
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || errors.Is(err, strconv.ErrRange) // beyond all numbers is infinite
}

// maxDigits is how many digits a text may have that is read as a decimal, and wholeDigits how many before the point the result may.
const (
	maxDigits   = 60
	wholeDigits = 29
)

// parseDecimal reads a number with digits and a point, as .NET reads decimals.
func parseDecimal(s string) (convert.Decimal, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(digits) == 0 || len(s)-len(digits) > 1 || len(digits) > maxDigits {
		return nil, false
	}
	for i := range len(digits) {
		if b := digits[i]; (b < '0' || b > '9') && b != '.' {
			return nil, false
		}
	}
	d, _, err := apd.NewFromString(strings.TrimPrefix(s, "+"))
	if err != nil || d.NumDigits()+int64(d.Exponent) > wholeDigits {
		return nil, false
	}
	return d, true
}

// toDecimal returns the decimal that a value is or has the text of.
func toDecimal(v convert.Value) (convert.Value, bool) {
	switch v := v.(type) {
	case convert.Decimal:
		return v, true
	case int64:
		return apd.New(v, 0), true
	case bool:
		if v {
			return apd.New(1, 0), true
		}
		return apd.New(0, 0), true
	case float64:
		d, ok := parseDecimal(strconv.FormatFloat(v, 'f', -1, 64))
		return d, ok
	case string:
		d, ok := parseDecimal(strings.ReplaceAll(strings.TrimSpace(v), ",", ""))
		return d, ok
	}
	return nil, false
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
	n, whole := wholeOf(math.RoundToEven(f))
	return n, ok && whole
}

// wholeOf returns a number as an integer; ok is false if it is too large for one.
func wholeOf(f float64) (n int64, ok bool) {
	if math.IsNaN(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// compare orders values as < does: the right one is taken for what the left one is.
func compare(a, b convert.Value) (int, error) {
	c, ok := converted(b, a)
	if !ok {
		return 0, noOrder()
	}
	switch x := a.(type) {
	case string:
		return compareText(x, c.(string)), nil
	case int64:
		return cmp.Compare(x, c.(int64)), nil
	case float64:
		return cmp.Compare(x, c.(float64)), nil
	case convert.Decimal:
		return x.Cmp(c.(convert.Decimal)), nil
	case *big.Int:
		return x.Cmp(c.(*big.Int)), nil
	case time.Time:
		return x.Compare(c.(time.Time)), nil
	case bool:
		y := c.(bool)
		switch {
		case x == y:
			return 0, nil
		case y:
			return -1, nil
		}
		return 1, nil
	}
	return 0, noOrder()
}

func noOrder() error {
	return convert.Errorf(convert.TemplateRenderingError, "values are compared that have no order")
}

// compareText orders texts without regard to case, and equal ones with lower case first.
func compareText(a, b string) int {
	if c := strings.Compare(strings.ToLower(a), strings.ToLower(b)); c != 0 {
		return c
	}
	return strings.Compare(b, a)
}
