package searchparam

import (
	"salus/fault"
	"salus/fhir"
)

// Options are what extraction needs to know besides the resource.
type Options struct {
	// Replace may give new text for a string node, as fhir.NewBody takes it: a
	// transaction rewrites references while it stores. Nil leaves all as it is.
	Replace func(fhir.Node) (string, bool)

	// Base is the service's own absolute base URL without trailing slash.
	// References below it are local.
	Base string

	// Bases are other absolute base URLs under which the service has been reached.
	Bases []string
}

// Extract appends to dst the index values of resource n under all parameters
// of its type. Equal values of a parameter come once. Values may share the
// bytes of n's document.
//
// What a resource says against the rules of its data types is left out: to
// refuse it is a matter of validation. Errors are faults: Invalid for an
// unknown resource type, Unprocessable for a resource with far too many values.
func (r *Registry) Extract(dst []Entry, n fhir.Node, o Options) ([]Entry, error) {
	res := r.compiled(n.Type())
	if res == nil {
		return dst, fault.New(fault.Invalid, "the resource is of no known type")
	}
	if res.failures != nil {
		return dst, res.failures
	}
	x := extraction{registry: r, options: o, root: n, out: dst, start: len(dst)}
	if err := x.all(res); err != nil {
		return dst, err
	}
	return x.out, nil
}

// extraction is the state of one call of Extract.
type extraction struct {
	registry *Registry
	options  Options
	root     fhir.Node
	out      []Entry
	start    int // where the values of this resource begin in out
	seen     map[uint64]int
	err      error

	gathering bool    // values belong to a component of a composite
	gathered  []Value // by component, the last one first
	bounds    []int   // where in gathered each component begins
}

// all adds the values of all parameters of the resource's type.
func (x *extraction) all(res *resource) error {
	x.walk(res.root, x.root, 0)
	for _, g := range res.general {
		if x.err != nil {
			break
		}
		x.err = g.extract(x)
	}
	return x.err
}

func (x *extraction) isType(t fhir.Type) bool { return x.registry.IsType(t) }

// text returns a string node's text as it will be stored.
func (x *extraction) text(n fhir.Node) string {
	if x.options.Replace != nil && n.Kind() == fhir.String {
		if s, ok := x.options.Replace(n); ok {
			return s
		}
	}
	return n.Text()
}

// add adds a value unless the parameter has an equal one.
func (x *extraction) add(p *Param, v Value) {
	if x.gathering {
		x.part(p, v)
		return
	}
	if !x.known(p, &v) {
		x.out = append(x.out, Entry{p, v})
	}
}
