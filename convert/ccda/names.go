package ccda

import "strings"

// binding is a prefix, empty for the default, that stands for a namespace within an element (Namespaces in XML 1.0 §6).
type binding struct {
	prefix, space string
	hidden        bool // another name of the root's default namespace: known, but no name is written with it
}

// names are the namespaces that are known where a reader is.
type names struct {
	bound []binding // the innermost last
	root  []binding // prefixes of the root element for other namespaces than the default
}

// declare adds the namespaces that an element's attributes bind. Those of the root element rename elements.
func (n *names) declare(attributes []attribute, root bool) {
	start := len(n.bound)
	for _, a := range attributes {
		if a.prefix == "xmlns" {
			n.bound = append(n.bound, binding{prefix: a.local, space: a.value})
		} else if a.prefix == "" && a.local == "xmlns" {
			n.bound = append(n.bound, binding{space: a.value})
		}
	}
	if !root {
		return
	}
	standard, _ := n.space("")
	for i := start; i < len(n.bound); i++ {
		if b := &n.bound[i]; b.prefix != "" {
			if b.hidden = strings.EqualFold(b.space, standard); !b.hidden {
				n.root = append(n.root, *b)
			}
		}
	}
}

// hides reports whether a prefix is another name of the root's default namespace.
func (n *names) hides(prefix string) bool {
	for i := range n.bound {
		if n.bound[i].prefix == prefix {
			return n.bound[i].hidden
		}
	}
	return false
}

// space returns the namespace that a prefix stands for.
func (n *names) space(prefix string) (space string, known bool) {
	for i := len(n.bound) - 1; i >= 0; i-- {
		if n.bound[i].prefix == prefix {
			return n.bound[i].space, true
		}
	}
	return "", prefix == ""
}

// written returns the prefix that names of a namespace are written with: the innermost, whatever the document has.
func (n *names) written(space string) (prefix string, ok bool) {
	for i := len(n.bound) - 1; i >= 0; i-- {
		if b := &n.bound[i]; b.space == space && !b.hidden {
			if now, _ := n.space(b.prefix); now == space {
				return b.prefix, true
			}
		}
	}
	return "", false
}

// element returns the key of an element, and the namespace that it is in then: an underscore is behind a prefix of the root element.
func (n *names) element(prefix, local string) (key, space string) {
	space, known := n.space(prefix)
	if !known { // which the reference refuses
		return prefix + ":" + local, ""
	}
	if space == "" {
		return local, ""
	}
	for i := range n.root {
		if strings.EqualFold(n.root[i].space, space) {
			return n.root[i].prefix + "_" + local, ""
		}
	}
	if p, _ := n.written(space); p != "" {
		return p + ":" + local, space
	}
	return local, space
}

// attribute returns the key of an attribute.
func (n *names) attribute(a *attribute) string {
	switch a.prefix {
	case "":
		return a.local
	case "xml", "xmlns":
		return a.prefix + ":" + a.local
	}
	space, known := n.space(a.prefix)
	if !known {
		return a.prefix + ":" + a.local
	}
	if p, _ := n.written(space); p != "" {
		return p + ":" + a.local
	}
	return a.local
}

// implicit reports whether an element that is put into a namespace has to say so: its parent is in another, no prefix stands for it and no attribute
// binds it.
func (n *names) implicit(space, parent string, attributes []attribute) bool {
	if space == "" || space == parent {
		return false
	}
	for i := range n.bound {
		if b := &n.bound[i]; b.prefix != "" && b.space == space && !b.hidden {
			return false
		}
	}
	for i := range attributes {
		if a := &attributes[i]; a.prefix == "" && a.local == "xmlns" && a.value == space {
			return false
		}
	}
	return true
}
