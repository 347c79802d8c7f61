package liquid

import (
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"salus/convert"
)

func init() {
	register(map[string]filter{
		"first":                 {call: func(c *call) (convert.Value, error) { return ends(c.in, "first"), nil }},
		"last":                  {call: func(c *call) (convert.Value, error) { return ends(c.in, "last"), nil }},
		"join":                  {max: 1, call: join},
		"sort":                  {max: 1, call: sorted},
		"sort_natural":          {max: 1, call: sorted},
		"reverse":               {call: reverse},
		"uniq":                  {call: unique},
		"compact":               {call: compact},
		"map":                   {min: 1, max: 1, call: mapped},
		"where":                 {min: 1, max: 2, call: where},
		"to_array":              {call: toArray},
		"concat":                {min: 1, max: 1, call: concat},
		"batch_render":          {min: 2, max: 3, call: batchRender},
		"batch_render_parallel": {min: 2, max: 3, call: batchRender},
		"get_property":          {min: 1, max: 2, call: property},
		"generate_id_input":     {min: 2, max: 3, call: idInput},
		"generate_uuid":         {call: uuid},
		"evaluate":              {min: 1, max: 1, call: noJSONPath},
		"get_object":            {min: 1, max: 1, call: noJSONPath},
	})
}

// noJSONPath stands for the filters that look into JSON by JSONPath unless the caller has them: to pass them over as unknown would be to pretend.
func noJSONPath(*call) (convert.Value, error) {
	return nil, convert.Errorf(convert.TemplateRenderingError, "the filters evaluate and get_object (JSONPath) are not supported")
}

func join(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if !ok {
		return nil, nil
	}
	glue := " "
	if len(c.args) > 0 {
		var err error
		if glue, _, err = c.text(0); err != nil {
			return nil, err
		}
	}
	var b []byte
	for i, item := range all {
		if i > 0 {
			b = append(b, glue...)
		}
		if t, ok := item.(bool); ok {
			item = boolName(t)
		}
		if b = appendPrinted(b, item); len(b) > maxText {
			return nil, tooLong()
		}
	}
	return string(b), nil
}

// member returns what a name leads to from an item.
func (c *call) member(item convert.Value, name string) (convert.Value, error) {
	if item == nil || name == "" {
		return item, nil
	}
	s := step{name: name}
	return s.from(c.r, item)
}

// sorted orders without regard to case.
func sorted(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if !ok {
		return c.in, nil
	}
	name, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	type keyed struct{ key, item convert.Value }
	list := make([]keyed, len(all))
	for i, item := range all {
		key, err := c.member(item, name)
		if err != nil {
			return nil, err
		}
		list[i] = keyed{key, item}
	}
	var failed error
	slices.SortStableFunc(list, func(a, b keyed) int {
		switch {
		case a.key == nil && b.key == nil:
			return 0
		case a.key == nil:
			return -1
		case b.key == nil:
			return 1
		}
		if x, ok := a.key.(string); ok {
			if y, ok := b.key.(string); ok {
				return strings.Compare(strings.ToLower(x), strings.ToLower(y))
			}
		}
		n, err := compare(a.key, b.key)
		if err != nil && failed == nil {
			failed = err
		}
		return n
	})
	out := &convert.List{Items: make([]convert.Value, len(list))}
	for i := range list {
		out.Items[i] = list[i].item
	}
	return out, failed
}

func reverse(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if _, text := c.in.(string); !ok || text {
		return c.in, nil
	}
	turned := slices.Clone(all)
	slices.Reverse(turned)
	return &convert.List{Items: turned}, nil
}

func unique(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if !ok {
		return c.in, nil
	}
	out := &convert.List{}
	seen := make(map[any]bool, len(all))
	for _, item := range all {
		key, ok := identity(item)
		if !ok || !seen[key] {
			if ok {
				seen[key] = true
			}
			out.Items = append(out.Items, item)
		}
	}
	return out, nil
}

// identity returns what values of one kind that are the same have in common; ok is false for one that is never the same as another.
func identity(v convert.Value) (key any, ok bool) {
	type decimal string
	type integer string
	switch v := v.(type) {
	case nil, string, bool, int64, *convert.Map, *convert.List:
		return v, true
	case float64:
		return v, !math.IsNaN(v)
	case convert.Decimal:
		return decimal(formatDecimal(v)), true
	case *big.Int:
		return integer(v.String()), true
	case convert.Time:
		return v.UTC(), true
	}
	return v, reflect.ValueOf(v).Comparable()
}

func compact(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if !ok {
		return c.in, nil
	}
	out := &convert.List{}
	for _, item := range all {
		if item != nil {
			out.Items = append(out.Items, item)
		}
	}
	return out, nil
}

func mapped(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if !ok {
		return nil, nil
	}
	name, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	out := &convert.List{Items: make([]convert.Value, len(all))}
	for i, item := range all {
		if out.Items[i], err = c.member(item, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func where(c *call) (convert.Value, error) {
	all, ok := items(c.in)
	if !ok {
		return nil, nil
	}
	name, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	out := &convert.List{}
	for _, item := range all {
		v, err := c.member(item, name)
		if err != nil {
			return nil, err
		}
		if len(c.args) > 1 && equal(v, c.args[1]) || len(c.args) == 1 && truth(v) {
			out.Items = append(out.Items, item)
		}
	}
	return out, nil
}

// toArray makes a list of anything: nothing is an empty one, and what is no list the only item of one.
func toArray(c *call) (convert.Value, error) {
	switch v := c.in.(type) {
	case nil:
		return &convert.List{}, nil
	case *convert.List:
		return &convert.List{Items: slices.Clone(v.Items)}, nil
	}
	return &convert.List{Items: []convert.Value{c.in}}, nil
}

// list returns a value as a list that filters made.
func list(v convert.Value) ([]convert.Value, error) {
	if v == nil {
		return nil, nil
	}
	l, ok := v.(*convert.List)
	if !ok || l.Fixed {
		return nil, convert.Errorf(convert.TemplateRenderingError, "a list is wanted; to_array makes one")
	}
	return l.Items, nil
}

func concat(c *call) (convert.Value, error) {
	a, err := list(c.in)
	if err != nil {
		return nil, err
	}
	b, err := list(c.args[0])
	if len(a)+len(b) > maxItems {
		return nil, tooMany()
	}
	return &convert.List{Items: slices.Concat(a, b)}, err
}

// batchRender renders a template for each item, with a comma behind each.
func batchRender(c *call) (convert.Value, error) {
	all, err := list(c.in)
	if err != nil || c.in == nil {
		return "", err
	}
	name, _, err := c.text(0)
	if err != nil {
		return nil, err
	}
	item, _, err := c.text(1)
	if err != nil {
		return nil, err
	}
	whole, _, err := c.text(2)
	if err != nil {
		return nil, err
	}
	r := c.r
	t, err := r.partial(name)
	if err != nil {
		return nil, err
	}
	return r.captured(func() error {
		if err := r.push(); err != nil {
			return err
		}
		defer r.pop()
		if whole != "" {
			r.bind(r.set.names.number(whole), c.in)
		}
		number := r.set.names.number(item)
		for _, v := range all {
			if err := r.check(); err != nil {
				return err
			}
			r.bind(number, v)
			if _, err := r.template(t); err != nil {
				return err
			}
			r.out = append(r.out, ',')
		}
		return nil
	})
}
