package liquid

import (
	"salus/convert"
)

// filter is what a name behind a bar stands for.
type filter struct {
	min, max int // arguments besides what it is applied to
	call     func(c *call) (convert.Value, error)
}

// call is one application of a filter.
type call struct {
	r    *run
	in   convert.Value
	args []convert.Value
}

func (c *call) arg(i int) convert.Value {
	if i < len(c.args) {
		return c.args[i]
	}
	return nil
}

// text returns an argument as text; ok is false if it is nothing.
func (c *call) text(i int) (s string, ok bool, err error) {
	v := c.arg(i)
	if v == nil {
		return "", false, nil
	}
	s, err = printed(v)
	return s, true, err
}

// number returns an argument as a whole number; nothing is 0.
func (c *call) number(i int) (int, error) {
	n, ok := toInt(c.arg(i))
	if !ok {
		return 0, convert.Errorf(convert.TemplateRenderingError, "an argument of a filter is no whole number")
	}
	return int(n), nil
}

// onText makes a filter of a function on texts. Nothing stays nothing.
func onText(f func(s string) convert.Value) filter {
	return filter{call: func(c *call) (convert.Value, error) {
		if c.in == nil {
			return nil, nil
		}
		s, err := printed(c.in)
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}}
}

// maxText is how many bytes a text may have that filters put together.
const maxText = 64 << 20

// maxItems is how many items a list may have that filters put together.
const maxItems = 1 << 20

func tooLong() error {
	return convert.Errorf(convert.TemplateRenderingError, "a text becomes longer than %d MiB", maxText>>20)
}

func tooMany() error {
	return convert.Errorf(convert.TemplateRenderingError, "a list gets more than %d items", maxItems)
}

// withText makes a filter of a function on a text and another; for nothing it gives nothing.
func withText(f func(s, other string) (convert.Value, error)) filter {
	return filter{min: 1, max: 1, call: func(c *call) (convert.Value, error) {
		if c.in == nil {
			return nil, nil
		}
		s, err := printed(c.in)
		if err != nil {
			return nil, err
		}
		other, _, err := c.text(0)
		if err != nil {
			return nil, err
		}
		return f(s, other)
	}}
}

// builtin are the filters that every set has.
var builtin = map[string]filter{}

func register(all map[string]filter) {
	for name, f := range all {
		builtin[name] = f
	}
}
