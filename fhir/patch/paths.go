package patch

import (
	"slices"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// pathOp is an operation of a FHIRPath Patch.
type pathOp struct {
	typ           string
	path          *fhirpath.Expression
	parent        *fhirpath.Expression // path without its last name; nil when it has none
	last          string               // the name that parent lacks
	name          string
	value         fhir.Node // the part of the parameter that holds it
	index, source int
	destination   int
}

// shown is the operation's path without the literals in it, which may be of a patient.
func (op *pathOp) shown() string { return shown(op.path.String()) }

func shown(path string) string {
	var b strings.Builder
	for i := 0; i < len(path) && b.Len() < 200; i++ {
		c := path[i]
		switch {
		case c == '\'':
			b.WriteString("'…'")
			for i++; i < len(path) && path[i] != '\''; i++ {
				if path[i] == '\\' {
					i++
				}
			}
		case c == '@':
			b.WriteString("@…")
			for i+1 < len(path) && strings.IndexByte("0123456789-:TZ+.", path[i+1]) >= 0 {
				i++
			}
		case c < ' ':
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return strings.ToValidUTF8(b.String(), "")
}

// split takes the last name off a path: "Patient.name.where(use='x').given"
// is "Patient.name.where(use='x')" and "given". ok is false for a path that
// ends in something else.
func split(path string) (parent, name string, ok bool) {
	dot := strings.LastIndexByte(path, '.')
	if dot <= 0 {
		return "", "", false
	}
	name = strings.TrimSpace(path[dot+1:])
	for _, c := range []byte(name) {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return "", "", false
		}
	}
	return path[:dot], name, name != ""
}

// FHIRPath reads a FHIRPath Patch, a resource of type Parameters.
func FHIRPath(n fhir.Node, defs *spec.Definitions, rules fhir.Compat) (*Patch, error) {
	if n.Type() != "Parameters" {
		return nil, invalid("a FHIRPath Patch must be a resource of type Parameters")
	}
	params := n.Get("parameter")
	if params.Exists() && params.Kind() != fhir.Array {
		return nil, invalid("Parameters.parameter must be an array")
	}
	if params.Len() > maxOperations {
		return nil, tooMuch()
	}
	p := &Patch{defs: defs, rules: rules}
	for param := range params.Children {
		if param.Get("name").Text() != "operation" {
			return nil, invalid("the parameters of a FHIRPath Patch must be called operation")
		}
		op, err := readPathOp(param, defs)
		if err != nil {
			return nil, err
		}
		p.paths = append(p.paths, op)
	}
	return p, nil
}

// needs are the parts that an operation must have beside its type and path.
var needs = map[string][]string{
	"add": {"name", "value"}, "insert": {"value", "index"}, "delete": nil, "replace": {"value"},
	"move": {"source", "destination"}, "upsert": {"value"},
}

func readPathOp(n fhir.Node, defs *spec.Definitions) (op pathOp, err error) {
	parts := map[string]fhir.Node{}
	for part := range n.Get("part").Children {
		name := part.Get("name").Text()
		if _, twice := parts[name]; twice {
			return op, invalid("a part of a patch operation stands twice")
		}
		parts[name] = part
	}
	op.typ = literalOf(parts["type"]).Text()
	if op.typ == "" {
		return op, invalid("Patch operations must have the 'type' part.")
	}
	wanted, known := needs[op.typ]
	if !known {
		return op, invalid("Invalid patch operation type. Only 'add', 'insert', 'delete', 'replace', 'upsert', and 'move' are allowed.")
	}
	path := literalOf(parts["path"]).Text()
	if path == "" {
		return op, invalid("Patch %s operations must have the 'path' part.", op.typ)
	}
	for _, name := range wanted {
		if !parts[name].Exists() {
			return op, invalid("Patch %s operations must have the '%s' part.", op.typ, name)
		}
	}
	op.name, op.value = literalOf(parts["name"]).Text(), parts["value"]
	if op.typ == "add" && op.name == "" {
		return op, invalid("Patch %s operations must have the 'name' part.", op.typ)
	}
	for name, to := range map[string]*int{"index": &op.index, "source": &op.source, "destination": &op.destination} {
		if !parts[name].Exists() {
			continue
		}
		if *to, err = strconv.Atoi(literalOf(parts[name]).Text()); err != nil || *to < 0 {
			return op, invalid("The '%s' part of a patch operation must be a whole number from 0.", name)
		}
	}
	if op.path, err = fhirpath.Compile(path, defs); err != nil {
		return op, err
	}
	if parent, last, ok := split(path); ok {
		if op.parent, err = fhirpath.Compile(parent, defs); err != nil {
			op.parent = nil // the dot stands within something else
			return op, nil
		}
		op.last = last
	}
	return op, nil
}

// literalOf returns the value[x] of a part, of whatever type.
func literalOf(part fhir.Node) fhir.Node {
	for c := range part.Children {
		if strings.HasPrefix(c.Name(), "value") {
			return c
		}
	}
	return fhir.Node{}
}

// applyPaths applies the operations one after the other. Paths are evaluated on
// bytes that cannot change, so that each operation has a document of its own.
func (p *Patch) applyPaths(n fhir.Node, root *value) (*value, error) {
	read := 0
	for i := range p.paths {
		at := n
		if i > 0 {
			prune(root)
			d, err := fhir.Parse(root.append(nil))
			if err != nil {
				return nil, err
			}
			at, root = d.Root(), build(d.Root())
		}
		if read += len(at.Raw()); read > maxRead {
			return nil, tooMuch()
		}
		w := work{op: &p.paths[i], defs: p.defs, doc: at, root: root}
		if err := w.apply(); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// work is one operation at work on one state of the resource: doc and root are the same.
type work struct {
	op   *pathOp
	defs *spec.Definitions
	doc  fhir.Node
	root *value
}

func (w *work) apply() error {
	switch w.op.typ {
	case "add":
		return w.add(w.op.path, w.op.name)
	case "insert", "move":
		return w.arrange()
	case "upsert":
		return w.upsert()
	}
	found, err := w.op.path.Eval(nil, fhirpath.NodeItem(w.defs, w.doc))
	switch {
	case err != nil:
		return err
	case len(found) == 0 && w.op.typ == "delete":
		return nil
	case len(found) == 0:
		return w.noContent()
	case len(found) > 1:
		return w.several()
	}
	s, i, err := w.place(found[0])
	if err != nil {
		return err
	}
	items := s.load()
	if w.op.typ == "delete" {
		s.store(slices.Delete(items, i, i+1))
		return nil
	}
	if items[i], err = w.content(w.op.value, s.typ, s.element, nil); err != nil {
		return err
	}
	s.store(items)
	return nil
}

func (w *work) noContent() error {
	return invalid("No content found at %s when processing patch %s operation.", w.op.shown(), w.op.typ)
}

func (w *work) several() error {
	return invalid("Multiple matches found for %s when processing patch %s operation.", w.op.shown(), w.op.typ)
}

func (w *work) unknown(name string) error {
	if !plain(name) {
		name = "?" // could be anything
	}
	return invalid("Element %s not found at %s when processing patch %s operation.", name, w.op.shown(), w.op.typ)
}

func (w *work) badInput(name string) error {
	return invalid("Invalid input for %s at %s when processing patch %s operation.", name, w.op.shown(), w.op.typ)
}

func plain(name string) bool {
	_, _, ok := split("x." + name)
	return ok && len(name) <= 64
}

// one evaluates a path that has to select one item.
func (w *work) one(path *fhirpath.Expression) (it fhirpath.Item, err error) {
	found, err := path.Eval(nil, fhirpath.NodeItem(w.defs, w.doc))
	switch {
	case err != nil:
		return it, err
	case len(found) == 0:
		return it, w.noContent()
	case len(found) > 1:
		return it, w.several()
	}
	return found[0], nil
}

// add gives the item that parent selects another element.
func (w *work) add(parent *fhirpath.Expression, name string) error {
	it, err := w.one(parent)
	if err != nil {
		return err
	}
	s, spelled, err := w.child(it, name)
	if err != nil {
		return err
	}
	items := s.load()
	if !s.element.Repeats() && len(items) > 0 {
		return invalid("Existing element %s found at %s when processing patch %s operation.", name, w.op.shown(), w.op.typ)
	}
	c, err := w.content(w.op.value, s.typ, s.element, spelled)
	if err != nil {
		return err
	}
	s.store(append(items, c))
	return nil
}

// arrange inserts into a list or moves within it. The list need not be there yet.
func (w *work) arrange() error {
	if w.op.parent == nil {
		return invalid("the path of a patch %s operation must end in the name of a list", w.op.typ)
	}
	it, err := w.one(w.op.parent)
	if err != nil {
		return err
	}
	s, spelled, err := w.child(it, w.op.last)
	if err != nil {
		return err
	}
	if !s.element.Repeats() {
		return invalid("Element %s is no list, as a patch %s operation needs it", s.element.Name, w.op.typ)
	}
	items := s.load()
	if w.op.typ == "move" {
		if w.op.source >= len(items) || w.op.destination >= len(items) {
			return invalid("Source or destination is out of bounds when processing patch move operation.")
		}
		c := items[w.op.source]
		items = slices.Insert(slices.Delete(items, w.op.source, w.op.source+1), w.op.destination, c)
		s.store(items)
		return nil
	}
	if w.op.index > len(items) {
		return invalid("Index is out of bounds when processing patch insert operation.")
	}
	c, err := w.content(w.op.value, s.typ, s.element, spelled)
	if err != nil {
		return err
	}
	s.store(slices.Insert(items, w.op.index, c))
	return nil
}

// upsert replaces what is there and adds what is not: the reference's operation
// beside those of FHIR. To a list it adds, unless the list has an equal item.
func (w *work) upsert() error {
	parent, name := w.op.path, w.op.name
	if name == "" {
		found, err := w.op.path.Eval(nil, fhirpath.NodeItem(w.defs, w.doc))
		switch {
		case err != nil:
			return err
		case len(found) > 1:
			return w.several()
		case len(found) == 1:
			s, i, err := w.place(found[0])
			if err != nil {
				return err
			}
			return w.put(s, i, nil)
		case w.op.parent == nil:
			return w.noContent()
		}
		parent, name = w.op.parent, w.op.last
	}
	it, err := w.one(parent)
	if err != nil {
		return err
	}
	s, spelled, err := w.child(it, name)
	if err != nil {
		return err
	}
	if s.element.Repeats() {
		return w.put(s, -1, spelled)
	}
	return w.put(s, 0, spelled)
}

// put replaces item i, and adds when there is no such item.
func (w *work) put(s *slot, i int, spelled *spec.TypeRef) error {
	c, err := w.content(w.op.value, s.typ, s.element, spelled)
	if err != nil {
		return err
	}
	items := s.load()
	if i >= 0 && i < len(items) {
		items[i] = c
		s.store(items)
		return nil
	}
	for _, other := range items {
		left := maxCompared
		if c.value == nil || other.value == nil {
			continue
		}
		if same, err := c.value.equals(other.value, &left); same || err != nil {
			return err
		}
	}
	s.store(append(items, c))
	return nil
}

// elsewhere is the fault of a path that selects what is no part of the resource.
func elsewhere() error {
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: "the path of a patch operation must select an element of the resource"})
}
