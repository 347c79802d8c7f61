package searchparam

import (
	"strconv"

	"salus/fhir"
)

// Located is a literal reference to a resource of the own service.
type Located struct {
	Key        fhir.Key
	Expression string // of the element that holds it, such as Observation.hasMember[1]
}

// AnywhereCode is the code of Anywhere. No parameter that is defined can have it.
const AnywhereCode = "#anywhere"

// Anywhere is the parameter under which a service that keeps referential
// integrity finds all references of resources of type t, wherever they stand and
// whatever other parameters there are. It is in no registry, and no query can name it.
func Anywhere(t fhir.Type) *Param { return &Param{Type: t, Code: AnywhereCode, Kind: Reference} }

// ExtractWhole is Extract for a service that keeps referential integrity: it
// appends the references of n under Anywhere too, and returns them.
func (r *Registry) ExtractWhole(dst []Entry, n fhir.Node, o Options) ([]Entry, []Located, error) {
	dst, err := r.Extract(dst, n, o)
	if err != nil {
		return dst, nil, err
	}
	refs := r.References(n, o)
	if len(refs) == 0 {
		return dst, nil, nil
	}
	anywhere, seen := Anywhere(n.Type()), make(map[fhir.Key]bool, len(refs))
	for _, ref := range refs {
		if !seen[ref.Key] {
			seen[ref.Key] = true
			dst = append(dst, Entry{Param: anywhere, Value: Value{Ref: fhir.Reference{Type: ref.Key.Type, ID: ref.Key.ID}}})
		}
	}
	return dst, refs, nil
}

// References returns the references of n to resources of the own service, in the
// order of the document: not those to contained resources, by URN, by identifier
// or to other servers, and not those between the entries of a Bundle.
func (r *Registry) References(n fhir.Node, o Options) []Located {
	w := locating{extraction: extraction{registry: r, options: o}}
	w.walk(n, string(n.Type()))
	return w.found
}

type locating struct {
	extraction
	found []Located
}

func (w *locating) walk(n fhir.Node, path string) {
	for c := range n.Children {
		switch name := c.Name(); c.Kind() {
		case fhir.Object:
			w.walk(c, path+"."+name)
		case fhir.Array:
			if path == "Bundle" && name == "entry" {
				continue
			}
			i := 0
			for item := range c.Children {
				if item.Kind() == fhir.Object {
					w.walk(item, path+"."+name+"["+strconv.Itoa(i)+"]")
				}
				i++
			}
		case fhir.String:
			if name != "reference" {
				continue
			}
			if ref := w.reference(w.text(c)); ref.Local() {
				w.found = append(w.found, Located{ref.Key(), path})
			}
		}
	}
}
