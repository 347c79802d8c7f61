package liquid

import (
	"strings"

	"salus/convert"
)

// condition is what if and unless ask.
type condition struct {
	left, right expression
	operate     operator   // nil: whether left is true
	and         bool       // both this and the rest must hold; otherwise one of them
	rest        *condition // what stands behind and or or
}

// parseCondition reads a condition. Its parts are taken together from the right, and and or bind alike.
func (p *parser) parseCondition(s string) (*condition, error) {
	var first *condition
	for next := &first; ; {
		clause, word, rest := cutClause(s)
		c, err := p.parseComparison(clause)
		if err != nil {
			return nil, err
		}
		*next = c
		if word == "" {
			return first, nil
		}
		c.and = word == "and"
		next, s = &c.rest, rest
	}
}

// cutClause cuts markup at the first word and or or outside of quotes.
func cutClause(s string) (clause, word, rest string) {
	for i := 0; i < len(s); {
		switch {
		case s[i] == '"' || s[i] == '\'':
			end := strings.IndexByte(s[i+1:], s[i])
			if end < 0 {
				return s, "", ""
			}
			i += end + 2
		case isWord(s[i]):
			n := i
			for n < len(s) && (isWord(s[n]) || s[n] == '-' || s[n] == '.') {
				n++
			}
			if w := s[i:n]; (w == "and" || w == "or") && (i == 0 || s[i-1] == ' ' || s[i-1] == ')') {
				return s[:i], w, s[n:]
			}
			i = n
		default:
			i++
		}
	}
	return s, "", ""
}

func (p *parser) parseComparison(s string) (*condition, error) {
	s = strings.TrimSpace(s)
	left, n := fragment(s)
	if left == "" {
		return nil, p.wrong("a condition has no value")
	}
	c := &condition{left: p.parseFragment(trimParentheses(left))}
	rest := strings.TrimSpace(s[n:])
	if rest == "" || rest == ")" {
		return c, nil
	}
	end := 0
	for end < len(rest) && (strings.IndexByte("=!<>", rest[end]) >= 0 || isWord(rest[end])) {
		end++
	}
	if c.operate = operators[rest[:end]]; c.operate == nil {
		return nil, p.wrong("there is no operator %q", rest[:end])
	}
	right, _ := fragment(strings.TrimSpace(rest[end:]))
	c.right = p.parseFragment(trimParentheses(right))
	return c, nil
}

// trimParentheses takes one parenthesis from the beginning and one from the end of what is no range.
func trimParentheses(s string) string {
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") && strings.Contains(s, "..") {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "("), ")")
}

func (c *condition) holds(r *run) (bool, error) {
	for {
		is, err := c.compare(r)
		if err != nil || c.rest == nil || is != c.and {
			return is, err
		}
		c = c.rest
	}
}

func (c *condition) compare(r *run) (bool, error) {
	left, err := c.left.value(r)
	if err != nil {
		return false, err
	}
	if c.operate == nil {
		return truth(left), nil
	}
	right, err := c.right.value(r)
	if err != nil {
		return false, err
	}
	return c.operate(left, right)
}

type operator func(left, right convert.Value) (bool, error)

var operators map[string]operator

func init() {
	ordered := func(holds func(c int) bool) operator {
		return func(left, right convert.Value) (bool, error) {
			if left == nil || right == nil {
				return false, nil
			}
			c, err := compare(left, right)
			return err == nil && holds(c), err
		}
	}
	differs := func(left, right convert.Value) (bool, error) { return !equal(left, right), nil }
	starts := func(left, right convert.Value) (bool, error) { return edge(left, right, strings.HasPrefix, 0) }
	ends := func(left, right convert.Value) (bool, error) { return edge(left, right, strings.HasSuffix, -1) }
	operators = map[string]operator{
		"==": func(left, right convert.Value) (bool, error) { return equal(left, right), nil },
		"!=": differs, "<>": differs,
		"<": ordered(func(c int) bool { return c < 0 }), ">": ordered(func(c int) bool { return c > 0 }),
		"<=": ordered(func(c int) bool { return c <= 0 }), ">=": ordered(func(c int) bool { return c >= 0 }),
		"contains": contains, "Contains": contains,
		"startsWith": starts, "StartsWith": starts, "starts_with": starts,
		"endsWith": ends, "EndsWith": ends, "ends_with": ends,
		"hasKey": hasKey, "HasKey": hasKey, "has_key": hasKey,
		"hasValue": hasValue, "HasValue": hasValue, "has_value": hasValue,
	}
}

// contains tells whether a text is in a text, or an item in a list.
func contains(left, right convert.Value) (bool, error) {
	if s, ok := left.(string); ok {
		part, is := right.(string)
		if !is {
			return false, convert.Errorf(convert.TemplateRenderingError, "contains looks for a text in a text")
		}
		return strings.Contains(s, part), nil
	}
	all, _ := items(left)
	for _, item := range all {
		if equal(item, right) {
			return true, nil
		}
	}
	return false, nil
}

// edge tells whether a text, or a list, has another at one of its ends.
func edge(left, right convert.Value, has func(s, part string) bool, at int) (bool, error) {
	if s, ok := left.(string); ok {
		part, is := right.(string)
		return is && has(s, part), nil
	}
	all, _ := items(left)
	if len(all) == 0 {
		return false, nil
	}
	if at < 0 {
		at = len(all) - 1
	}
	return equal(all[at], right), nil
}

func hasKey(left, right convert.Value) (bool, error) {
	m, ok := left.(*convert.Map)
	if !ok {
		return false, nil
	}
	key, err := printed(right)
	if err != nil {
		return false, err
	}
	_, ok = m.Get(key)
	return ok, nil
}

func hasValue(left, right convert.Value) (bool, error) {
	m, ok := left.(*convert.Map)
	if !ok {
		return false, nil
	}
	for i := range m.Len() {
		if _, item := m.At(i); equal(item, right) {
			return true, nil
		}
	}
	return false, nil
}
