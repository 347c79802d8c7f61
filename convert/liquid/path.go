package liquid

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"salus/convert"
)

// reference is a path: a variable and the steps from it.
type reference struct {
	name    int        // of the variable
	dynamic expression // gives the name instead
	steps   []step
}

type step struct {
	name    string
	bracket expression // gives the name or number instead
}

// parsePath reads a path: brackets, and runs of letters, digits, underscores and hyphens. All else in it is passed over.
func (p *parser) parsePath(s string) expression {
	var parts []step
	closes := strings.LastIndexByte(s, ']')
	for i := 0; i < len(s); {
		switch {
		case s[i] == '[' && i < closes:
			end := strings.IndexByte(s[i:], ']')
			if end < 2 {
				i++
				continue
			}
			parts = append(parts, step{bracket: p.parseFragment(strings.TrimSpace(s[i+1 : i+end]))})
			i += end + 1
		case isWord(s[i]) || s[i] == '-':
			n := i
			for n < len(s) && (isWord(s[n]) || s[n] == '-') {
				n++
			}
			parts = append(parts, step{name: s[i:n]})
			i = n
		default:
			i++
		}
	}
	if len(parts) == 0 {
		return constant{nil}
	}
	ref := &reference{steps: parts[1:]}
	if first := parts[0]; first.bracket != nil {
		ref.dynamic = first.bracket
	} else {
		ref.name = p.set.names.number(first.name)
	}
	return ref
}

func (ref *reference) value(r *run) (convert.Value, error) {
	name := ref.name
	if ref.dynamic != nil {
		v, err := ref.dynamic.value(r)
		if err != nil {
			return nil, err
		}
		text, err := printed(v)
		if err != nil {
			return nil, err
		}
		var known bool
		if name, known = r.set.names.find(text); !known {
			return nil, nil
		}
	}
	v := r.lookup(name)
	for i := range ref.steps {
		if v == nil {
			return nil, nil
		}
		var err error
		if v, err = ref.steps[i].from(r, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// from returns what the step leads to from a value; nil if it leads nowhere.
func (s *step) from(r *run, v convert.Value) (convert.Value, error) {
	name := s.name
	number, numbered := int64(0), false
	if s.bracket != nil {
		key, err := s.bracket.value(r)
		if err != nil || key == nil {
			return nil, err
		}
		if number, numbered = key.(int64); numbered {
			name = strconv.FormatInt(number, 10)
		} else if name, err = printed(key); err != nil {
			return nil, err
		}
	}
	switch v := v.(type) {
	case *convert.Map:
		if found, ok := v.Get(name); ok {
			return found, nil
		}
	case *convert.List:
		if numbered {
			if number < 0 || number >= int64(len(v.Items)) {
				return nil, convert.Errorf(convert.TemplateRenderingError, "a list has no item of the number that is asked for")
			}
			return v.Items[number], nil
		}
	case pair:
		return v.member(name, number, numbered), nil
	case convert.Drop:
		return v.Member(name)
	}
	if s.bracket != nil {
		return nil, nil
	}
	return ends(v, name), nil
}

// ends returns the size, the first or the last of what can be gone through.
func ends(v convert.Value, name string) convert.Value {
	if name != "size" && name != "first" && name != "last" {
		return nil
	}
	if s, ok := v.(string); ok {
		first, n := utf8.DecodeRuneInString(s)
		last, _ := utf8.DecodeLastRuneInString(s)
		switch {
		case name == "size":
			return int64(units(s))
		case n == 0:
			return nil
		case name == "first":
			return string(first)
		}
		return string(last)
	}
	items, ok := items(v)
	switch {
	case !ok:
		return nil
	case name == "size":
		return int64(len(items))
	case len(items) == 0:
		return nil
	case name == "first":
		return items[0]
	}
	return items[len(items)-1]
}

// pair is a member of a dictionary that is gone through.
type pair struct {
	key  string
	item convert.Value
}

func (p pair) member(name string, number int64, numbered bool) convert.Value {
	switch {
	case numbered && number == 0, name == "Key", name == "itemName", name == "0":
		return p.key
	case numbered && number == 1, name == "Value", name == "1", name == p.key:
		return p.item
	}
	if m, ok := p.item.(*convert.Map); ok {
		v, _ := m.Get(name)
		return v
	}
	return nil
}

// items returns what a value has in it; ok is false if it cannot be gone through.
func items(v convert.Value) (all []convert.Value, ok bool) {
	switch v := v.(type) {
	case *convert.List:
		return v.Items, true
	case convert.Enumerable:
		return v.Items(), true
	case *convert.Map:
		all = make([]convert.Value, v.Len())
		for i := range all {
			key, item := v.At(i)
			all[i] = pair{key, item}
		}
		return all, true
	case string:
		for _, r := range v {
			all = append(all, string(r))
		}
		return all, true
	}
	return nil, false
}

// some returns what a value has in it, of a long text no more than its first characters.
func some(v convert.Value, n int) (all []convert.Value, ok bool) {
	s, is := v.(string)
	if !is || len(s) <= n {
		return items(v)
	}
	for _, r := range s {
		if len(all) == n {
			break
		}
		all = append(all, string(r))
	}
	return all, true
}
