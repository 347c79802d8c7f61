package spec

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
)

// Format is the version of the table's format, its first byte. DESIGN.md describes it.
const Format = 1

// decode reads a table.
func decode(table []byte) (d *Definitions, err error) {
	if len(table) == 0 || table[0] != Format {
		return nil, fmt.Errorf("table is not of format %d", Format)
	}
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(table[1:])))
	if err != nil {
		return nil, fmt.Errorf("decompress table: %w", err)
	}
	defer func() { // a table is trusted or damaged: no check at every step
		if p := recover(); p != nil {
			d, err = nil, fmt.Errorf("table is damaged: %v", p)
		}
	}()
	r := &reader{rest: raw}
	r.readStrings()
	d = &Definitions{Version: r.string()}
	r.readTypes(d)
	r.readSearch(d)
	r.readSets(d)
	if len(r.rest) != 0 {
		return nil, fmt.Errorf("table is damaged: %d bytes too many", len(r.rest))
	}
	return d, nil
}

type reader struct {
	rest    []byte
	strings []string

	types     []Type
	ruleLists [][]Invariant
	typeLists [][]TypeRef
	bindings  []Binding
}

func (r *reader) uint() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		panic("bad number")
	}
	r.rest = r.rest[size:]
	return int(n)
}

func (r *reader) readStrings() {
	lengths := make([]int, r.uint())
	total := 0
	for i := range lengths {
		lengths[i] = r.uint()
		total += lengths[i]
	}
	all := string(r.rest[:total])
	r.rest = r.rest[total:]
	r.strings = make([]string, len(lengths))
	for i, n := range lengths {
		r.strings[i], all = all[:n], all[n:]
	}
}

func (r *reader) string() string { return r.strings[r.uint()] }

func (r *reader) list() []string {
	n := r.uint()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.string()
	}
	return list
}

// typ reads a reference to a type, nil for none.
func (r *reader) typ() *Type {
	n := r.uint()
	if n == 0 {
		return nil
	}
	return &r.types[n-1]
}

func (r *reader) readTypes(d *Definitions) {
	r.types = make([]Type, r.uint())
	d.types = make(map[string]*Type, len(r.types))
	for i := range r.types {
		t := &r.types[i]
		t.Name, t.Kind, t.Abstract, t.Base, t.Pattern = r.string(), Kind(r.uint()), r.uint() != 0, r.typ(), r.string()
		d.types[t.Name] = t
		if t.Kind == Resource && !t.Abstract {
			d.resources = append(d.resources, t)
		}
	}
	r.readPools()
	elements := make([]Element, r.uint())
	pointers := make([]*Element, len(elements))
	for i := range elements {
		pointers[i] = &elements[i]
	}
	for i := range r.types {
		t := &r.types[i]
		t.Invariants = r.ruleLists[r.uint()]
		n := r.uint()
		t.Elements, pointers = pointers[:n:n], pointers[n:]
		for _, e := range t.Elements {
			r.readElement(t, e)
		}
	}
	for i := range r.types {
		r.types[i].index()
	}
}

// readPools reads what elements share.
func (r *reader) readPools() {
	rules := make([]Invariant, r.uint())
	for i := range rules {
		rules[i] = Invariant{Key: r.string(), Severity: Severity(r.uint()), Expression: r.string()}
	}
	r.ruleLists = make([][]Invariant, r.uint())
	for i := range r.ruleLists {
		for range r.uint() {
			r.ruleLists[i] = append(r.ruleLists[i], rules[r.uint()])
		}
	}
	targets := make([][]string, r.uint())
	for i := range targets {
		targets[i] = r.list()
	}
	r.typeLists = make([][]TypeRef, r.uint())
	for i := range r.typeLists {
		r.typeLists[i] = make([]TypeRef, r.uint())
		for j := range r.typeLists[i] {
			r.typeLists[i][j] = TypeRef{Type: r.typ(), Targets: targets[r.uint()]}
		}
	}
	r.bindings = make([]Binding, r.uint())
	for i := range r.bindings {
		r.bindings[i] = Binding{Strength: Strength(r.uint()), ValueSet: r.string()}
	}
}

func (r *reader) readElement(t *Type, e *Element) {
	e.Name, e.Min, e.Max = r.string(), r.uint(), r.uint()-1
	flags := r.uint()
	e.Choice, e.Modifier, e.Summary = flags&1 != 0, flags&2 != 0, flags&4 != 0
	e.Path = t.Name + "." + e.Name
	if e.Choice {
		e.Path += "[x]"
	}
	e.Types = r.typeLists[r.uint()]
	if n := r.uint(); n > 0 {
		e.Binding = &r.bindings[n-1]
	}
	e.Invariants = r.ruleLists[r.uint()]
}

// index fills the tables by which elements are found.
func (t *Type) index() {
	properties := 0
	for _, e := range t.Elements {
		properties += len(e.Types)
	}
	t.byName = make(map[string]*Element, len(t.Elements))
	t.byJSON = make(map[string]jsonProperty, properties)
	for _, e := range t.Elements {
		t.byName[e.Name] = e
		for _, ref := range e.Types {
			t.byJSON[e.JSONName(ref)] = jsonProperty{e, ref}
		}
	}
}

func (r *reader) readSearch(d *Definitions) {
	params := make([]SearchParam, r.uint())
	d.searchParams = make([]*SearchParam, len(params))
	for i := range params {
		params[i] = SearchParam{URL: r.string(), Code: r.string(), Name: r.string(), Type: r.string(),
			Base: r.list(), Expression: r.string(), Targets: r.list()}
		for range r.uint() {
			params[i].Components = append(params[i].Components, Component{Definition: r.string(), Expression: r.string()})
		}
		d.searchParams[i] = &params[i]
	}
	for range r.uint() {
		c := &Compartment{Code: r.string(), Params: map[string][]string{}}
		for range r.uint() {
			if name, params := r.string(), r.list(); len(params) > 0 {
				c.Params[name] = params
			}
		}
		d.compartments = append(d.compartments, c)
	}
	for range r.uint() {
		o := &Operation{URL: r.string(), Code: r.string()}
		flags := r.uint()
		o.System, o.OnType, o.Instance, o.Affects = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
		o.Types = r.list()
		d.operations = append(d.operations, o)
	}
}

func (r *reader) readSets(d *Definitions) {
	n := r.uint()
	d.valueSets = make(map[string]*ValueSet, n)
	for range n {
		set := &ValueSet{URL: r.string()}
		for range r.uint() {
			system := r.string()
			for _, code := range r.list() {
				set.Codes = append(set.Codes, Coding{system, code})
			}
		}
		d.valueSets[set.URL] = set
	}
}
