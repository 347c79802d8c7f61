package liquid

import (
	"context"
	"errors"

	"salus/convert"
)

// run is one rendering at work.
type run struct {
	ctx    context.Context
	set    *Set
	o      Run
	out    []byte
	parent string // before the names of templates
	depth  int    // of scopes
	steps  int

	vars   []variable     // by number of their name
	scopes []mark         // of what is bound in open scopes
	calls  []*call        // that are not in use
	loops  map[string]int // where loops that go on left off
	cycles map[string]int
	last   map[*ifChangedNode]string
}

// variable has what a name stands for: what was assigned, what scopes bind it to, and what it is from the start.
type variable struct {
	assigned bool
	defined  bool
	outer    convert.Value // assigned, seen by all
	given    convert.Value
	inner    []convert.Value // bound by scopes, the innermost last
}

// mark is a name that a scope binds.
type mark struct{ name, scope int }

// maxDepth is how many scopes may be open.
const maxDepth = 80

// begin makes ready for a rendering.
func (r *run) begin(ctx context.Context, dst []byte, o Run) {
	r.ctx, r.out, r.o, r.parent, r.depth, r.steps = ctx, dst, o, "", 0, 0
	if n := r.set.names.count(); len(r.vars) < n {
		r.vars = append(r.vars, make([]variable, n-len(r.vars))...)
	}
}

// end forgets all of a rendering but the room that it took.
func (r *run) end() {
	for i := range r.vars {
		r.vars[i] = variable{inner: r.vars[i].inner[:0]}
	}
	r.ctx, r.out, r.o = nil, nil, Run{}
	clear(r.loops)
	clear(r.cycles)
	clear(r.last)
}

func (r *run) variable(name int) *variable {
	if name >= len(r.vars) {
		r.vars = append(r.vars, make([]variable, max(name+1-len(r.vars), 256))...)
	}
	return &r.vars[name]
}

func (r *run) define(name string, v convert.Value) {
	x := r.variable(r.set.names.number(name))
	x.given, x.defined = v, true
}

func (r *run) lookup(name int) convert.Value {
	if name >= len(r.vars) {
		return nil
	}
	v := &r.vars[name]
	if n := len(v.inner); n > 0 {
		return v.inner[n-1]
	}
	if v.assigned {
		return v.outer
	}
	return v.given
}

// assign gives a name a value that all templates see, but where a scope binds it.
func (r *run) assign(name int, v convert.Value) {
	x := r.variable(name)
	x.outer, x.assigned = v, true
}

// push opens a scope.
func (r *run) push() error {
	if r.depth++; r.depth > maxDepth {
		return convert.Errorf(convert.TemplateRenderingError, "templates and tags lie within one another deeper than %d", maxDepth)
	}
	return nil
}

// pop closes the innermost scope.
func (r *run) pop() {
	for n := len(r.scopes) - 1; n >= 0 && r.scopes[n].scope == r.depth; n-- {
		v := &r.vars[r.scopes[n].name]
		last := len(v.inner) - 1
		v.inner[last] = nil
		v.inner = v.inner[:last]
		r.scopes = r.scopes[:n]
	}
	r.depth--
}

// bind gives a name a value in the innermost scope.
func (r *run) bind(name int, v convert.Value) {
	x := r.variable(name)
	for n := len(r.scopes) - 1; n >= 0 && r.scopes[n].scope == r.depth; n-- {
		if r.scopes[n].name == name {
			x.inner[len(x.inner)-1] = v
			return
		}
	}
	x.inner = append(x.inner, v)
	r.scopes = append(r.scopes, mark{name, r.depth})
}

// flow is how a block ended.
type flow uint8

const (
	onward flow = iota
	breaking
	continuing
)

// template renders a template where the rendering stands. A break or continue in it ends with it.
func (r *run) template(t *template) (flow, error) {
	_, err := r.block(t.root)
	return onward, err
}

// check ends a rendering whose time is over or that wrote too much. It is asked often and looks at the clock seldom.
func (r *run) check() error {
	if err := r.fits(); err != nil {
		return err
	}
	if r.steps++; r.steps%64 != 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		e := convert.Errorf(convert.TimeoutError, "the conversion took too long")
		if errors.Is(err, context.Canceled) {
			e.Rule = "the conversion was cancelled"
		}
		e.Cause = err
		return e
	}
	return nil
}

// fits returns an error once too much is written.
func (r *run) fits() error {
	if r.o.MaxOutput > 0 && len(r.out) > r.o.MaxOutput {
		return convert.Errorf(convert.TemplateRenderingError, "the template writes more than %d bytes", r.o.MaxOutput)
	}
	return nil
}

// write writes what an output shows of a value. Of many items it stops at the first that is too much.
func (r *run) write(v convert.Value) error {
	l, ok := v.(*convert.List)
	if !ok {
		r.out = appendPrinted(r.out, v)
		return r.fits()
	}
	for _, item := range l.Items {
		if b, ok := item.(bool); ok {
			item = boolName(b)
		}
		if err := r.write(item); err != nil {
			return err
		}
	}
	return nil
}

// captured renders a block and returns what it wrote instead of leaving it in the output.
func (r *run) captured(render func() error) (string, error) {
	start := len(r.out)
	err := render()
	if err == nil && len(r.out)-start > maxText {
		err = tooLong()
	}
	text := string(r.out[start:])
	r.out = r.out[:start]
	return text, err
}

// partial returns the template of a name within a template.
func (r *run) partial(name string) (*template, error) { return r.set.find(r.parent + name) }
