package liquid

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"salus/convert"
)

// fragment is the piece of markup that names a value: up to a blank, comma or bar outside of quotes. n is its length.
func fragment(s string) (text string, n int) {
	for n < len(s) {
		switch b := s[n]; b {
		case '"', '\'':
			end := strings.IndexByte(s[n+1:], b)
			if end < 0 {
				return s[:n], n
			}
			if n += end + 2; n == end+2 {
				return s[:n], n // what begins with a quote ends with it
			}
		case ' ', '\t', '\r', '\n', ',', '|':
			return s[:n], n
		default:
			n++
		}
	}
	return s, n
}

// expression is a value that markup names.
type expression interface {
	value(r *run) (convert.Value, error)
}

// constant is a literal.
type constant struct{ v convert.Value }

func (c constant) value(*run) (convert.Value, error) { return c.v, nil }

// emptiness is what the words blank and empty stand for: equal to whatever can be gone through and has nothing in it.
type emptiness struct{}

// parseFragment reads a piece of markup.
func (p *parser) parseFragment(s string) expression {
	switch s {
	case "nil", "null", "":
		return constant{nil}
	case "true":
		return constant{true}
	case "false":
		return constant{false}
	case "blank", "empty":
		return constant{emptiness{}}
	}
	if q := s[0]; (q == '"' || q == '\'') && len(s) > 1 && s[len(s)-1] == q {
		return constant{s[1 : len(s)-1]}
	}
	if s[0] == '(' && s[len(s)-1] == ')' {
		if low, high, ok := strings.Cut(s[1:len(s)-1], ".."); ok {
			return interval{p.parseFragment(low), p.parseFragment(high)}
		}
	}
	if v, ok := parseNumber(s); ok {
		return constant{v}
	}
	return p.parsePath(s)
}

// parseNumber reads a number as markup has it.
func parseNumber(s string) (convert.Value, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return nil, false
	}
	if n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64); err == nil {
		return n, true
	}
	for i := range len(digits) {
		if b := digits[i]; (b < '0' || b > '9') && b != '.' && b != ',' {
			return nil, false
		}
	}
	d, _, err := apd.NewFromString(strings.ReplaceAll(strings.TrimPrefix(s, "+"), ",", ""))
	if err != nil {
		return nil, false
	}
	return d, true
}

// interval is a range of numbers.
type interval struct{ low, high expression }

func (i interval) value(r *run) (convert.Value, error) {
	low, err := i.low.value(r)
	if err != nil {
		return nil, err
	}
	high, err := i.high.value(r)
	if err != nil {
		return nil, err
	}
	from, _ := toInt(low)
	to, _ := toInt(high)
	l := &convert.List{}
	for n := from; n <= to; n++ {
		if len(l.Items) > r.o.MaxIterations {
			return nil, convert.Errorf(convert.TemplateRenderingError, "a range has more than %d numbers", r.o.MaxIterations)
		}
		l.Items = append(l.Items, n)
	}
	return l, nil
}

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
	for i := 0; i < len(s); {
		switch {
		case s[i] == '[':
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

// pipeline is a value and the filters that it goes through.
type pipeline struct {
	from    expression
	filters []application
}

// application is a filter with its arguments.
type application struct {
	filter filter
	args   []expression
}

// parsePipeline reads the markup of an output: a value, and filters behind bars.
func (p *parser) parsePipeline(s string) (expression, error) {
	s = strings.TrimLeft(s, " \t")
	text, n := fragment(s)
	from := p.parseFragment(text)
	var applied []application
	for rest := s[n:]; ; {
		i := strings.IndexByte(rest, '|')
		if i < 0 {
			break
		}
		rest = strings.TrimLeft(rest[i+1:], " \t")
		end := 0
		for end < len(rest) && isWord(rest[end]) {
			end++
		}
		name := rest[:end]
		var args []expression
		args, rest = p.arguments(rest[end:])
		f, ok := p.set.filters[name]
		if !ok {
			continue // one that is not known does nothing
		}
		if len(args) < f.min {
			return nil, p.wrong("filter %s wants at least %d arguments", name, f.min)
		}
		args = args[:min(len(args), f.max)]
		applied = append(applied, application{f, args})
	}
	if applied == nil {
		return from, nil
	}
	return &pipeline{from, applied}, nil
}

// arguments reads values behind colons and commas up to the next bar, and returns what is left. A comma with nothing behind it counts for nothing.
func (p *parser) arguments(s string) (args []expression, rest string) {
	for i := 0; i < len(s); {
		switch b := s[i]; b {
		case '|':
			return args, s[i:]
		case '"', '\'':
			end := strings.IndexByte(s[i+1:], b)
			if end < 0 {
				return args, ""
			}
			i += end + 2
		case ':', ',':
			i++
			for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
				i++
			}
			if i == len(s) || s[i] == ',' || s[i] == '|' || s[i] == ':' {
				continue
			}
			text, n := fragment(s[i:])
			args = append(args, p.parseFragment(text))
			i += n
		default:
			i++
		}
	}
	return args, ""
}

func (pl *pipeline) value(r *run) (convert.Value, error) {
	v, err := pl.from.value(r)
	if err != nil {
		return nil, err
	}
	for i := range pl.filters {
		f := &pl.filters[i]
		c := call{r: r, in: v}
		if len(f.args) > 0 {
			start := len(r.args)
			for _, a := range f.args {
				arg, err := a.value(r)
				if err != nil {
					return nil, err
				}
				r.args = append(r.args, arg)
			}
			c.args = r.args[start:len(r.args):len(r.args)]
			v, err = f.filter.call(&c)
			clear(r.args[start:])
			r.args = r.args[:start]
		} else {
			v, err = f.filter.call(&c)
		}
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}
