package fhirpath

import (
	"maps"
	"slices"
	"strconv"
)

// function is one function of the language.
type function struct {
	min, max int // number of arguments
	eval     evaluator
	prepare  func(c *Call) (prep any, problem string) // at Compile; may be nil
}

// evaluator computes a function on its input. Arguments are expressions: each
// function decides on what and how often they are evaluated.
type evaluator func(r *run, c *Call, in []Item, f *frame) ([]Item, error)

// functions holds every function by name, one table a family.
var functions = func() map[string]*function {
	all := map[string]*function{}
	for _, family := range []map[string]*function{
		existenceFunctions, filteringFunctions, subsettingFunctions, combiningFunctions, conversionFunctions,
		stringFunctions, mathFunctions, treeFunctions, utilityFunctions, aggregateFunctions, boundaryFunctions, fhirFunctions,
	} {
		maps.Copy(all, family)
	}
	return all
}()

// Functions returns the names of all functions in alphabetical order.
func Functions() []string {
	names := slices.AppendSeq([]string{"as", "is", "ofType"}, maps.Keys(functions))
	slices.Sort(names)
	return names
}

// bind finds the function that e calls; problem says why there is none.
func (e *Call) bind() (problem string) {
	e.fn = functions[e.Name]
	switch n := len(e.Args); {
	case e.fn == nil:
		return "no function is called " + e.Name
	case n < e.fn.min || n > e.fn.max:
		want := strconv.Itoa(e.fn.min)
		if e.fn.max != e.fn.min {
			want += " to " + strconv.Itoa(e.fn.max)
		}
		return e.Name + " takes " + want + " arguments, not " + strconv.Itoa(n)
	}
	if e.fn.prepare != nil {
		e.prep, problem = e.fn.prepare(e)
	}
	return problem
}

// literal returns the string that an argument is, when it is a literal.
func literal(e Expr) (string, bool) {
	if l, ok := e.(*Literal); ok && len(l.Values) == 1 {
		s, ok := l.Values[0].value.(string)
		return s, ok
	}
	return "", false
}

// argument evaluates an argument that may be any single item.
func (r *run) argument(e Expr, f *frame, what string) (Item, bool, error) {
	items, err := r.eval(e, f)
	if err != nil {
		return Item{}, false, err
	}
	return single(items, what)
}

// integerArg evaluates an argument that has to be an Integer; ok is false when it is empty.
func (r *run) integerArg(e Expr, f *frame, what string) (n int64, ok bool, err error) {
	it, ok, err := r.argument(e, f, what)
	if err != nil || !ok {
		return 0, false, err
	}
	if n, ok = it.AsInteger(); !ok {
		return 0, false, invalid("%s has to be an Integer, not %s", what, it.TypeName())
	}
	return n, true, nil
}

// stringArg evaluates an argument that has to be a String; ok is false when it is empty.
func (r *run) stringArg(e Expr, f *frame, what string) (s string, ok bool, err error) {
	it, ok, err := r.argument(e, f, what)
	if err != nil || !ok {
		return "", false, err
	}
	if s, ok = it.AsString(); !ok {
		return "", false, invalid("%s has to be a String, not %s", what, it.TypeName())
	}
	return s, true, nil
}

// loop evaluates e once for every item, which is $this meanwhile, and hands over the results until visit says stop.
func (r *run) loop(e Expr, in []Item, f *frame, visit func(i int, result []Item) (more bool, err error)) error {
	inner := frame{total: f.total}
	for i := range in {
		inner.focus, inner.index = in[i:i+1:i+1], i
		result, err := r.eval(e, &inner)
		if err != nil {
			return err
		}
		if more, err := visit(i, result); err != nil || !more {
			return err
		}
	}
	return nil
}
