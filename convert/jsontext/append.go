package jsontext

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"time"

	"salus/convert"
)

// Append appends a value as JSON, without blanks if indent is 0 and otherwise with a line for each member, indented by as many blanks for each level.
// It returns an error for a value that JSON has no form of.
func Append(dst []byte, v convert.Value, indent int) ([]byte, error) {
	return appendValue(dst, v, indent, 0)
}

func appendValue(dst []byte, v convert.Value, indent, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, convert.Errorf(convert.JSONParsingError, "values lie within one another no deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case *big.Int:
		return v.Append(dst, 10), nil
	case float64:
		switch {
		case math.IsNaN(v): // JSON has no numbers for these
			return append(dst, `"NaN"`...), nil
		case math.IsInf(v, -1):
			return append(dst, `"-Infinity"`...), nil
		case math.IsInf(v, 1):
			return append(dst, `"Infinity"`...), nil
		}
		return appendDouble(dst, v), nil
	case convert.Decimal:
		at := len(dst)
		if dst = append(dst, v.Text('f')...); bytes.IndexByte(dst[at:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst, nil
	case string:
		return appendString(dst, v), nil
	case time.Time:
		return append(v.AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.9999999Z07:00"), '"'), nil
	case *convert.Map:
		dst = append(dst, '{')
		for i := range v.Len() {
			key, item := v.At(i)
			dst = appendString(newLine(dst, i, indent, depth+1), key)
			if dst = append(dst, ':'); indent > 0 {
				dst = append(dst, ' ')
			}
			var err error
			if dst, err = appendValue(dst, item, indent, depth+1); err != nil {
				return nil, err
			}
		}
		return append(lastLine(dst, v.Len(), indent, depth), '}'), nil
	case *convert.List:
		return appendList(dst, v.Items, indent, depth)
	case convert.Enumerable:
		return appendList(dst, v.Items(), indent, depth)
	}
	return nil, convert.Errorf(convert.JSONParsingError, "a value of a message has no form in JSON")
}

func appendList(dst []byte, items []convert.Value, indent, depth int) ([]byte, error) {
	dst = append(dst, '[')
	for i, item := range items {
		var err error
		if dst, err = appendValue(newLine(dst, i, indent, depth+1), item, indent, depth+1); err != nil {
			return nil, err
		}
	}
	return append(lastLine(dst, len(items), indent, depth), ']'), nil
}

// newLine begins the i-th member.
func newLine(dst []byte, i, indent, depth int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	if indent > 0 {
		dst = append(append(dst, '\n'), blanks[:min(indent*depth, len(blanks))]...)
	}
	return dst
}

func lastLine(dst []byte, members, indent, depth int) []byte {
	if indent > 0 && members > 0 {
		dst = append(append(dst, '\n'), blanks[:min(indent*depth, len(blanks))]...)
	}
	return dst
}
