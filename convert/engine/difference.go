package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// Difference tells the first place in which two JSON documents differ, without their values; empty if in none. The order of members and the zones of
// instants do not count.
func Difference(want, got []byte) string {
	read := func(b []byte) (v any, err error) {
		d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))))
		d.UseNumber()
		err = d.Decode(&v)
		return v, err
	}
	a, err := read(want)
	if err != nil {
		return "what is expected is no JSON"
	}
	b, err := read(got)
	if err != nil {
		return "the result is no JSON"
	}
	return difference("", a, b)
}

func difference(path string, a, b any) string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return path + " must be an object"
		}
		return objectDifference(path, x, y)
	case []any:
		y, ok := b.([]any)
		if !ok {
			return path + " must be an array"
		}
		for i := range min(len(x), len(y)) {
			if d := difference(fmt.Sprintf("%s[%d]", path, i), x[i], y[i]); d != "" {
				return d
			}
		}
		if len(x) != len(y) {
			return fmt.Sprintf("%s must have %d items, and has %d", path, len(x), len(y))
		}
		return ""
	case string:
		if y, ok := b.(string); ok && (x == y || sameInstant(x, y)) {
			return ""
		}
	default:
		if a == b {
			return ""
		}
	}
	return path + " has another value"
}

func objectDifference(path string, x, y map[string]any) string {
	for _, key := range slices.Sorted(maps.Keys(x)) {
		if _, ok := y[key]; !ok {
			return path + "." + key + " is missing"
		}
		if d := difference(path+"."+key, x[key], y[key]); d != "" {
			return d
		}
	}
	for _, key := range slices.Sorted(maps.Keys(y)) {
		if _, ok := x[key]; !ok {
			return path + "." + key + " is not expected"
		}
	}
	return ""
}

var instant = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`)

func sameInstant(x, y string) bool {
	if !instant.MatchString(x) || !instant.MatchString(y) {
		return false
	}
	a, err := time.Parse(time.RFC3339Nano, x)
	b, err2 := time.Parse(time.RFC3339Nano, y)
	return err == nil && err2 == nil && a.Equal(b)
}
