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

// Anywhere is the parameter under which a service that keeps referential
// integrity finds the references of resources of type t that no other parameter
// covers. It is in no registry, and no query can name it.
func Anywhere(t fhir.Type) *Param { return &Param{Type: t, Code: "#anywhere", Kind: Reference} }

// AppendAnywhere appends to dst, the values of one resource of type t, those of
// its references that it lacks, under Anywhere.
func AppendAnywhere(dst []Entry, t fhir.Type, refs []Located) []Entry {
	indexed := map[fhir.Key]bool{}
	for i := range dst {
		if p := dst[i].Param; p.Kind == Reference && dst[i].Value.Ref.Local() {
			indexed[dst[i].Value.Ref.Key()] = true
		}
	}
	for _, r := range refs {
		if !indexed[r.Key] {
			indexed[r.Key] = true
			dst = append(dst, Entry{Param: Anywhere(t), Value: Value{Ref: fhir.Reference{Type: r.Key.Type, ID: r.Key.ID}}})
		}
	}
	return dst
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
