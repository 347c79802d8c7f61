package patch

import (
	"strconv"
	"strings"

	"salus/fhir"
)

// pointerOp is an operation of a JSON Patch.
type pointerOp struct {
	op         string
	path, from []string // JSON Pointers (RFC 6901), taken apart
	value      fhir.Node
}

// JSON reads a JSON Patch (RFC 6902). Under the rules of the reference service an
// operation cannot be about the whole resource.
func JSON(body fhir.Node, rules fhir.Compat) (*Patch, error) {
	if body.Kind() != fhir.Array {
		return nil, invalid("a JSON Patch must be an array of operations")
	}
	if body.Len() > maxOperations {
		return nil, tooMuch()
	}
	p := &Patch{json: make([]pointerOp, 0, body.Len()), rules: rules}
	i := 0
	for n := range body.Children {
		op, err := readPointerOp(n, i, rules)
		if err != nil {
			return nil, err
		}
		p.json = append(p.json, op)
		i++
	}
	return p, nil
}

func readPointerOp(n fhir.Node, i int, rules fhir.Compat) (op pointerOp, err error) {
	if n.Kind() != fhir.Object {
		return op, invalid("operation %d of the patch must be an object", i)
	}
	op.op = n.Get("op").Text()
	needsValue, needsFrom := false, false
	switch op.op {
	case "remove":
	case "add", "replace", "test":
		needsValue = true
	case "move", "copy":
		needsFrom = true
	default:
		return op, invalid("operation %d of the patch: op must be add, remove, replace, move, copy or test", i)
	}
	if op.path, err = readPointer(n, "path", i, rules); err != nil {
		return op, err
	}
	if needsFrom {
		if op.from, err = readPointer(n, "from", i, rules); err != nil {
			return op, err
		}
	}
	op.value = n.Get("value")
	if needsValue && !op.value.Exists() {
		return op, invalid("operation %d of the patch: %s needs a value", i, op.op)
	}
	return op, nil
}

// readPointer reads the JSON Pointer in a property of an operation.
//
// Compat: the reference takes no empty path in a JSON Patch; in RFC 6902 it stands
// for the whole resource.
func readPointer(n fhir.Node, name string, i int, rules fhir.Compat) ([]string, error) {
	at := n.Get(name)
	if at.Kind() != fhir.String {
		return nil, invalid("operation %d of the patch: %s is missing", i, name)
	}
	text := at.Text()
	if text == "" && rules == fhir.Strict {
		return []string{}, nil
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, invalid("operation %d of the patch: %s must be a JSON Pointer, which begins with /", i, name)
	}
	segments := strings.Split(rest, "/")
	for j, s := range segments {
		if tilde := strings.Count(s, "~"); tilde > 0 {
			if tilde != strings.Count(s, "~0")+strings.Count(s, "~1") {
				return nil, invalid("operation %d of the patch: in %s, ~ must be followed by 0 or 1", i, name)
			}
			segments[j] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
		}
	}
	return segments, nil
}

// editing is the state of one application of a JSON Patch.
type editing struct {
	root             **value
	copied, compared int // what is left of the bounds
	number           int // of the operation
}

func (p *Patch) applyPointers(root **value) error {
	e := editing{root: root, copied: maxCopied, compared: maxCompared}
	for i := range p.json {
		e.number = i
		if err := e.apply(&p.json[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *editing) failed(format string, args ...any) error {
	return invalid("operation "+strconv.Itoa(e.number)+" of the patch: "+format, args...)
}

func (e *editing) apply(op *pointerOp) error {
	switch op.op {
	case "add":
		return e.add(op.path, build(op.value))
	case "remove":
		_, err := e.remove(op.path)
		return err
	case "replace":
		if _, err := e.find(op.path); err != nil {
			return err
		}
		return e.replace(op.path, build(op.value))
	case "test":
		v, err := e.find(op.path)
		if err != nil {
			return err
		}
		same, err := v.equals(build(op.value), &e.compared)
		if err == nil && !same {
			err = e.failed("the test fails: the value is another")
		}
		return err
	case "copy":
		v, err := e.find(op.from)
		if err != nil {
			return err
		}
		own, err := v.copy(&e.copied)
		if err != nil {
			return err
		}
		return e.add(op.path, own)
	}
	return e.move(op)
}

// move takes a value from its place to another (RFC 6902 §4.4).
func (e *editing) move(op *pointerOp) error {
	if within(op.path, op.from) {
		if len(op.path) == len(op.from) {
			_, err := e.find(op.from)
			return err
		}
		return e.failed("a value cannot be moved into itself")
	}
	v, err := e.remove(op.from)
	if err != nil {
		return err
	}
	return e.add(op.path, v)
}

// within reports whether a pointer leads into what outer points to, or to itself.
func within(path, outer []string) bool {
	if len(path) < len(outer) {
		return false
	}
	for i := range outer {
		if path[i] != outer[i] {
			return false
		}
	}
	return true
}

// find returns the value that a pointer leads to.
func (e *editing) find(path []string) (*value, error) {
	v := *e.root
	for _, name := range path {
		i, err := e.child(v, name, false)
		if err != nil {
			return nil, err
		}
		v = v.items[i]
	}
	return v, nil
}

// child returns where the child called name stands; with end it may be one behind the last of an array.
func (e *editing) child(v *value, name string, end bool) (int, error) {
	switch v.kind {
	case fhir.Object:
		if i := v.at(name); i >= 0 {
			return i, nil
		}
	case fhir.Array:
		if end && name == "-" {
			return len(v.items), nil
		}
		n, err := strconv.ParseUint(name, 10, 31)
		if err != nil || len(name) > 1 && name[0] == '0' || name[0] == '+' {
			return 0, e.failed("an item of an array is named by its index")
		}
		if limit := len(v.items); int(n) < limit || end && int(n) == limit {
			return int(n), nil
		}
	}
	return 0, e.failed("the path leads nowhere")
}

func (e *editing) add(path []string, v *value) error {
	if len(path) == 0 {
		*e.root = v
		return nil
	}
	last := path[len(path)-1]
	parent, err := e.find(path[:len(path)-1])
	if err != nil {
		return err
	}
	if parent.kind == fhir.Object {
		parent.set(last, v)
		return nil
	}
	i, err := e.child(parent, last, true)
	if err != nil {
		return err
	}
	parent.items = append(parent.items, nil)
	copy(parent.items[i+1:], parent.items[i:])
	parent.items[i] = v
	return nil
}

func (e *editing) replace(path []string, v *value) error {
	if len(path) == 0 {
		*e.root = v
		return nil
	}
	parent, err := e.find(path[:len(path)-1])
	if err != nil {
		return err
	}
	i, err := e.child(parent, path[len(path)-1], false)
	if err != nil {
		return err
	}
	parent.items[i] = v
	return nil
}

func (e *editing) remove(path []string) (*value, error) {
	if len(path) == 0 {
		return nil, e.failed("the whole resource cannot be removed")
	}
	if err := guarded(path); err != nil {
		return nil, err
	}
	parent, err := e.find(path[:len(path)-1])
	if err != nil {
		return nil, err
	}
	i, err := e.child(parent, path[len(path)-1], false)
	if err != nil {
		return nil, err
	}
	v := parent.items[i]
	parent.drop(i)
	return v, nil
}
