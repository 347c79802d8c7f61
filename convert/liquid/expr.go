package liquid

import (
	"strconv"
	"strings"

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
	return toDecimal(s)
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
	c := r.borrow()
	defer r.giveBack(c)
	for i := range pl.filters {
		f := &pl.filters[i]
		c.in, c.args = v, c.args[:0]
		for _, a := range f.args {
			arg, err := a.value(r)
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, arg)
		}
		if v, err = f.filter.call(c); err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok && len(s) > maxText {
			return nil, tooLong()
		}
	}
	return v, nil
}

// borrow returns a call that is not in use, and giveBack takes it back. Filters may render templates, and so have others at work within them.
func (r *run) borrow() *call {
	if n := len(r.calls); n > 0 {
		c := r.calls[n-1]
		r.calls = r.calls[:n-1]
		return c
	}
	return &call{r: r}
}

func (r *run) giveBack(c *call) {
	c.in = nil
	clear(c.args[:cap(c.args)])
	r.calls = append(r.calls, c)
}
