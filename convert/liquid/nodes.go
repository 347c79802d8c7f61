package liquid

import (
	"strings"
	"sync/atomic"
	"unicode"

	"salus/convert"
)

// textNode is text that is written as it is.
type textNode string

func (n textNode) render(r *run) (flow, error) {
	r.out = append(r.out, n...)
	return onward, r.check()
}

// outputNode writes a value.
type outputNode struct{ from expression }

func (n outputNode) render(r *run) (flow, error) {
	v, err := n.from.value(r)
	if err == nil {
		err = r.write(v)
	}
	return onward, err
}

// assignNode gives a name a value that all templates see.
type assignNode struct {
	name int
	from expression
}

func (n assignNode) render(r *run) (flow, error) {
	v, err := n.from.value(r)
	if err == nil {
		r.assign(n.name, v)
	}
	return onward, err
}

// captureNode assigns what a block writes.
type captureNode struct {
	name int
	body block
}

func (n captureNode) render(r *run) (f flow, err error) {
	text, err := r.captured(func() (err error) {
		f, err = r.block(n.body)
		return err
	})
	if err == nil && f == onward { // what a break leaves is not assigned
		r.assign(n.name, text)
	}
	return f, err
}

// branch is a condition with what to do when it holds; without a condition it always does.
type branch struct {
	condition *condition
	not       bool
	body      block
}

// ifNode renders the first branch whose condition holds.
type ifNode []branch

func (n ifNode) render(r *run) (flow, error) {
	if err := r.push(); err != nil {
		return onward, err
	}
	defer r.pop()
	for i := range n {
		b := &n[i]
		if b.condition != nil {
			holds, err := b.condition.holds(r)
			if err != nil {
				return onward, err
			}
			if holds == b.not {
				continue
			}
		}
		return r.block(b.body)
	}
	return onward, nil
}

// caseNode renders every branch that has the value, and otherwise those for all others.
type caseNode struct {
	value    expression
	branches []caseBranch
}

type caseBranch struct {
	value  expression
	others bool // for values that no branch before has
	body   block
}

func (n caseNode) render(r *run) (flow, error) {
	if err := r.push(); err != nil {
		return onward, err
	}
	defer r.pop()
	v, err := n.value.value(r)
	if err != nil {
		return onward, err
	}
	matched := false
	for i := range n.branches {
		b := &n.branches[i]
		if b.others {
			if matched {
				continue
			}
		} else {
			want, err := b.value.value(r)
			if err != nil {
				return onward, err
			}
			if !equal(v, want) {
				continue
			}
			matched = true
		}
		if f, err := r.block(b.body); err != nil || f != onward {
			return f, err
		}
	}
	return onward, nil
}

// forNode renders a block for each item.
type forNode struct {
	item          int
	name          string // of the item and what is gone through
	loop          int    // the name forloop
	from          expression
	reversed      bool
	limit, offset expression
	goesOn        bool // from where the loop of this name left off
	body, none    block
}

func (n *forNode) render(r *run) (flow, error) {
	v, err := n.from.value(r)
	if err != nil {
		return onward, err
	}
	all, err := n.items(r, v)
	if err != nil {
		return onward, err
	}
	if len(all) == 0 {
		return r.block(n.none)
	}
	if err := r.push(); err != nil {
		return onward, err
	}
	defer r.pop()
	state := &loopState{name: n.name, length: len(all)}
	r.bind(n.loop, state)
	for i, item := range all {
		if err := r.check(); err != nil {
			return onward, err
		}
		state.index = i
		r.bind(n.item, item)
		f, err := r.block(n.body)
		if err != nil {
			return onward, err
		}
		if f == breaking {
			break
		}
	}
	return onward, nil
}

// items returns what the loop goes through.
func (n *forNode) items(r *run, v convert.Value) ([]convert.Value, error) {
	from := 0
	if n.goesOn {
		from = r.loops[n.name]
	} else if n.offset != nil {
		v, err := n.offset.value(r)
		if err != nil {
			return nil, err
		}
		number, _ := toInt(v)
		from = int(number)
	}
	from = max(from, 0)
	all, _ := some(v, r.o.MaxIterations+1+min(from, maxText))
	all = all[min(from, len(all)):]
	if n.limit != nil {
		v, err := n.limit.value(r)
		if err != nil {
			return nil, err
		}
		if number, ok := toInt(v); ok && v != nil {
			all = all[:min(max(int(number), 0), len(all))]
		}
	}
	if len(all) > r.o.MaxIterations {
		return nil, convert.Errorf(convert.TemplateRenderingError, "a loop runs more than %d times", r.o.MaxIterations)
	}
	if r.loops == nil {
		r.loops = map[string]int{}
	}
	r.loops[n.name] = from + len(all)
	if n.reversed {
		turned := make([]convert.Value, len(all))
		for i, item := range all {
			turned[len(all)-1-i] = item
		}
		all = turned
	}
	return all, nil
}

// loopState is the value forloop.
type loopState struct {
	name          string
	length, index int
}

// Member implements convert.Drop.
func (s *loopState) Member(name string) (convert.Value, error) {
	switch name {
	case "name":
		return s.name, nil
	case "length":
		return int64(s.length), nil
	case "index":
		return int64(s.index + 1), nil
	case "index0":
		return int64(s.index), nil
	case "rindex":
		return int64(s.length - s.index), nil
	case "rindex0":
		return int64(s.length - s.index - 1), nil
	case "first":
		return s.index == 0, nil
	case "last":
		return s.index == s.length-1, nil
	}
	return nil, nil
}

// jumpNode is break or continue.
type jumpNode flow

func (n jumpNode) render(*run) (flow, error) { return flow(n), nil }

// target is a template that a tag names.
type target struct {
	name  expression
	path  expression // the name read as a path; nil if it is not constant
	known atomic.Pointer[found]
}

// found is what a constant name led to below the folder of a root template.
type found struct {
	parent, name string
	t            *template
}

// template returns the template and its name.
func (t *target) template(r *run) (*template, string, error) {
	if k := t.known.Load(); k != nil && k.parent == r.parent {
		return k.t, k.name, nil
	}
	v, err := t.name.value(r)
	if err != nil {
		return nil, "", err
	}
	name, err := printed(v)
	if err != nil {
		return nil, "", err
	}
	partial, err := r.partial(name)
	_, constant := t.name.(constant)
	switch {
	case err == nil && constant:
		t.known.Store(&found{r.parent, name, partial})
	case !constant && convert.Is(err, convert.TemplateNotFound):
		err = convert.Errorf(convert.TemplateNotFound, "there is no template of the name that is made here") // it may be made of data
	}
	return partial, name, err
}

// includeNode renders another template where it stands.
type includeNode struct {
	target     target
	with       expression // nil: what the template's name leads to, read as a path
	attributes []attribute
}

func (n *includeNode) render(r *run) (flow, error) {
	if err := r.check(); err != nil {
		return onward, err
	}
	t, name, err := n.target.template(r)
	if err != nil {
		return onward, err
	}
	var with convert.Value
	if n.with != nil {
		if with, err = n.with.value(r); err != nil {
			return onward, err
		}
	} else if n.target.path != nil {
		if with, err = n.target.path.value(r); err != nil {
			return onward, err
		}
	}
	if err := r.push(); err != nil {
		return onward, err
	}
	defer r.pop()
	if err := bindAll(r, n.attributes); err != nil {
		return onward, err
	}
	all, many := some(with, r.o.MaxIterations+1)
	if !many {
		if with != nil {
			r.bind(r.set.names.number(name), with)
		}
		return r.template(t)
	}
	if len(all) > r.o.MaxIterations {
		return onward, convert.Errorf(convert.TemplateRenderingError, "a template is included for more than %d items", r.o.MaxIterations)
	}
	number := r.set.names.number(name)
	for _, item := range all {
		if err := r.check(); err != nil {
			return onward, err
		}
		r.bind(number, item)
		if _, err := r.template(t); err != nil {
			return onward, err
		}
	}
	return onward, nil
}

// evaluateNode assigns what another template writes, without blanks at its ends; nothing if that is nothing.
type evaluateNode struct {
	name       int
	target     target
	attributes []attribute
}

func (n *evaluateNode) render(r *run) (flow, error) {
	if err := r.check(); err != nil {
		return onward, err
	}
	t, _, err := n.target.template(r)
	if err != nil {
		return onward, err
	}
	text, err := r.captured(func() error {
		if err := r.push(); err != nil {
			return err
		}
		defer r.pop()
		if err := bindAll(r, n.attributes); err != nil {
			return err
		}
		_, err := r.template(t)
		return err
	})
	if err != nil {
		return onward, err
	}
	var v convert.Value
	if text = strings.TrimFunc(text, unicode.IsSpace); text != "" {
		v = text
	}
	r.assign(n.name, v)
	return onward, nil
}
