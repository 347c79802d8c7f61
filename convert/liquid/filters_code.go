package liquid

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"salus/convert"
)

// property looks a code up in the code mapping.
func property(c *call) (convert.Value, error) {
	code, err := printed(c.in)
	if err != nil {
		return nil, err
	}
	name, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	wanted := "code"
	if len(c.args) > 1 {
		if wanted, _, err = c.text(1); err != nil {
			return nil, err
		}
	}
	if code == "" || name == "" || wanted == "" {
		return nil, nil
	}
	table, _ := member(member(c.r.lookup(c.r.set.codeMapping), "Mapping"), name).(*convert.Map)
	if table != nil {
		entry, ok := table.Get(code)
		if !ok {
			entry, _ = table.Get("__default__")
		}
		if m, ok := entry.(*convert.Map); ok {
			if v, ok := m.Get(wanted); ok {
				return v, nil
			}
		}
	}
	if wanted == "code" || wanted == "display" {
		return code, nil
	}
	return nil, nil
}

func member(v convert.Value, key string) convert.Value {
	m, ok := v.(*convert.Map)
	if !ok {
		return nil
	}
	found, _ := m.Get(key)
	return found
}

// idInput makes the text that the id of a resource is hashed from.
func idInput(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil || strings.TrimFunc(s, unicode.IsSpace) == "" {
		return nil, err
	}
	typ, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	base, based, err := c.text(2)
	if err != nil {
		return nil, err
	}
	required, err := truthOf(c.arg(1))
	if err != nil {
		return nil, err
	}
	if typ == "" || required && base == "" {
		return nil, convert.Errorf(convert.InvalidIDGenerationInput, "an id wants a type, and where it is required the id of another resource")
	}
	id := typ + "_" + strings.TrimFunc(s, unicode.IsSpace)
	if based {
		id += "_" + base
	}
	return id, nil
}

func truthOf(v convert.Value) (bool, error) {
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	case int64:
		return v != 0, nil
	}
	return false, convert.Errorf(convert.TemplateRenderingError, "an argument of a filter is neither true nor false")
}

// uuid makes an id of a text: the first half of its SHA-256, in the byte order in which .NET writes identifiers.
func uuid(c *call) (convert.Value, error) {
	s, err := printed(c.in)
	if err != nil || strings.TrimFunc(s, unicode.IsSpace) == "" {
		return nil, err
	}
	h := sha256.Sum256([]byte(s))
	b := h[:16]
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	x := hex.EncodeToString(b)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:], nil
}
