package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"salus/fhir/spec"
)

// writer writes the format that DESIGN.md of package spec describes.
type writer struct {
	out     []byte
	strings map[string]int
	pools   [poolCount]pool
	err     error
}

// pool numbers distinct records.
type pool struct {
	number  map[string]int
	records []string
}

const (
	rules = iota
	ruleLists
	targetLists
	typeLists
	bindings
	poolCount
)

// file returns the bytes of the table: a format version and the compressed rest.
func (t *table) file() ([]byte, error) {
	w := &writer{strings: map[string]int{"": 0}}
	t.write(w) // collects the strings
	all := slices.Sorted(maps.Keys(w.strings))
	for i, s := range all {
		w.strings[s] = i
	}
	t.write(w)
	if w.err != nil {
		return nil, w.err
	}
	body := w.out
	w.out = nil
	w.uint(len(all))
	for _, s := range all {
		w.uint(len(s))
	}
	for _, s := range all {
		w.out = append(w.out, s...)
	}
	b := bytes.NewBuffer([]byte{spec.Format})
	z, err := flate.NewWriter(b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(append(w.out, body...)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// write writes everything behind the strings.
func (t *table) write(w *writer) {
	w.out, w.pools = nil, [poolCount]pool{}
	for i := range w.pools {
		w.pools[i].number = map[string]int{}
	}
	elements := w.record(func() {
		for _, x := range t.types {
			w.uint(w.rules(x.rules))
			w.uint(len(x.elements))
			for _, e := range x.elements {
				t.element(w, x, e)
			}
		}
	})
	w.string(t.version)
	w.uint(len(t.types))
	for _, x := range t.types {
		w.string(x.name)
		w.uint(int(x.kind))
		w.flags(x.abstract)
		w.uint(t.typeNumber(w, x.base))
		w.string(x.pattern)
	}
	for _, p := range w.pools {
		w.uint(len(p.records))
		for _, r := range p.records {
			w.out = append(w.out, r...)
		}
	}
	w.uint(elementCount(t.types))
	w.out = append(w.out, elements...)
	t.writeSearch(w)
	t.writeSets(w)
}

func elementCount(types []*typeDesc) (n int) {
	for _, x := range types {
		n += len(x.elements)
	}
	return n
}

// typeNumber returns the number of the type called name plus 1, 0 for none.
func (t *table) typeNumber(w *writer, name string) int {
	n, ok := t.number[name]
	if !ok {
		if name != "" && w.err == nil {
			w.err = fmt.Errorf("no such type: %s", name)
		}
		return 0
	}
	return n + 1
}

func (t *table) element(w *writer, holder *typeDesc, e *elementDef) {
	limit, err := e.max()
	if err != nil {
		w.err = fmt.Errorf("element %s: %w", e.Path, err)
	}
	names := e.typeNames(holder.kind)
	if len(names) == 0 {
		w.err = fmt.Errorf("element %s has no type", e.Path)
	}
	w.string(e.name())
	w.uint(e.Min)
	w.uint(limit + 1) // Unbounded is -1
	w.flags(e.Path[len(e.Path)-1] == ']', e.Modifier, e.Summary)
	w.uint(w.pooled(typeLists, func() {
		w.uint(len(names))
		for i, name := range names {
			w.uint(t.typeNumber(w, name))
			var targets []string
			if e.ContentReference == "" {
				targets = e.Types[i].targets()
			}
			w.uint(w.pooled(targetLists, func() { w.list(targets) }))
		}
	}))
	binding := 0
	if b := e.Binding; b != nil {
		strength, ok := strengths[b.Strength]
		if !ok {
			w.err = fmt.Errorf("element %s: unknown strength %q", e.Path, b.Strength)
		}
		binding = 1 + w.pooled(bindings, func() {
			w.uint(int(strength))
			w.string(withoutVersion(b.ValueSet))
		})
	}
	w.uint(binding)
	w.uint(w.rules(e.Constraints))
}

var strengths = map[string]spec.Strength{
	"example": spec.Example, "preferred": spec.Preferred, "extensible": spec.Extensible, "required": spec.Required,
}

// rules returns the number of a list of invariants.
func (w *writer) rules(list []constraint) int {
	return w.pooled(ruleLists, func() {
		w.uint(len(list))
		for _, c := range list {
			severity := spec.SeverityWarning
			if c.Severity == "error" {
				severity = spec.SeverityError
			}
			w.uint(w.pooled(rules, func() {
				w.string(c.Key)
				w.uint(int(severity))
				w.string(c.Expression)
			}))
		}
	})
}

func (t *table) writeSearch(w *writer) {
	w.uint(len(t.params))
	for _, p := range t.params {
		w.string(p.URL)
		w.string(p.Code)
		w.string(p.Name)
		w.string(p.Type)
		w.list(p.Base)
		w.string(p.Expression)
		w.list(p.Targets)
		w.uint(len(p.Components))
		for _, c := range p.Components {
			w.string(c.Definition)
			w.string(c.Expression)
		}
	}
	w.uint(len(t.parts))
	for _, c := range t.parts {
		w.string(c.Code)
		w.uint(len(c.Resources))
		for _, r := range c.Resources {
			w.string(r.Code)
			w.list(r.Params)
		}
	}
	w.uint(len(t.operations))
	for _, o := range t.operations {
		w.string(o.URL)
		w.string(o.Code)
		w.flags(o.System, o.OnType, o.Instance, o.Affects)
		w.list(o.Types)
	}
}

func (t *table) writeSets(w *writer) {
	w.uint(len(t.sets))
	for _, s := range t.sets {
		w.string(s.url)
		w.uint(len(s.systems))
		for _, system := range s.systems {
			w.string(system.system)
			w.list(system.codes)
		}
	}
}

func (w *writer) uint(n int) { w.out = binary.AppendUvarint(w.out, uint64(n)) }

func (w *writer) string(s string) {
	n, ok := w.strings[s]
	if !ok {
		w.strings[s] = 0
	}
	w.uint(n)
}

func (w *writer) list(list []string) {
	w.uint(len(list))
	for _, s := range list {
		w.string(s)
	}
}

func (w *writer) flags(flags ...bool) {
	n := 0
	for i, f := range flags {
		if f {
			n |= 1 << i
		}
	}
	w.uint(n)
}

// record returns what put writes.
func (w *writer) record(put func()) []byte {
	before := w.out
	w.out = nil
	put()
	after := w.out
	w.out = before
	return after
}

// pooled returns the number, within a pool, of the record that put writes.
func (w *writer) pooled(which int, put func()) int {
	r := string(w.record(put))
	p := &w.pools[which]
	n, ok := p.number[r]
	if !ok {
		n = len(p.records)
		p.number[r], p.records = n, append(p.records, r)
	}
	return n
}
