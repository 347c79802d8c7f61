package patch

import (
	"strings"

	"salus/fhir"
	"salus/fhir/fhirpath"
	"salus/fhir/spec"
)

// slot is an element within an object: the properties of its values and of what
// belongs to them under the underscore.
type slot struct {
	object  *value
	typ     *spec.Type // of the object
	element *spec.Element
	name    string // of the property, without underscore
}

// content is one value of an element. A primitive may have a twin, its id and
// extensions, and even nothing but that.
type content struct {
	name        string // of the property
	value, twin *value
}

// newSlot returns the slot of an element. A choice that has a value goes by its name.
func newSlot(object *value, typ *spec.Type, e *spec.Element) *slot {
	s := &slot{object: object, typ: typ, element: e, name: e.JSONName(e.Types[0])}
	if !e.Choice {
		return s
	}
	for _, name := range object.names {
		plain := strings.TrimPrefix(name, "_")
		if found, _, ok := typ.Property(plain); ok && found == e {
			s.name = plain
		}
	}
	return s
}

// load returns the values that there are.
func (s *slot) load() []content {
	values, twins := s.object.get(s.name), s.object.get("_"+s.name)
	if !s.element.Repeats() {
		if values == nil && twins == nil {
			return nil
		}
		return []content{{s.name, values, twins}}
	}
	var items []content
	for i := 0; i < count(values) || i < count(twins); i++ {
		items = append(items, content{s.name, item(values, i), item(twins, i)})
	}
	return items
}

func count(list *value) int {
	if list == nil {
		return 0
	}
	return len(list.items)
}

// item returns item i of a list, nil when it is null or not there.
func item(list *value, i int) *value {
	if i >= count(list) || list.items[i].kind == fhir.Null {
		return nil
	}
	return list.items[i]
}

// store makes items the values of the element.
func (s *slot) store(items []content) {
	name := s.name
	if len(items) > 0 {
		name = items[0].name
	}
	var values, twins *value
	if s.element.Repeats() {
		values, twins = &value{kind: fhir.Array}, &value{kind: fhir.Array}
		some, more := false, false
		for _, c := range items {
			some, more = some || c.value != nil, more || c.twin != nil
			values.items, twins.items = append(values.items, orNull(c.value)), append(twins.items, orNull(c.twin))
		}
		if !some {
			values = nil
		}
		if !more {
			twins = nil
		}
	} else if len(items) > 0 {
		values, twins = items[0].value, items[0].twin
	}
	s.property(s.name, name, values)
	s.property("_"+s.name, "_"+name, twins)
}

func orNull(v *value) *value {
	if v == nil {
		return null()
	}
	return v
}

// property puts v, or nothing, in place of a property, which may change its name.
func (s *slot) property(before, name string, v *value) {
	i := s.object.at(before)
	switch {
	case v == nil && i >= 0:
		s.object.drop(i)
	case v == nil:
	case i >= 0:
		s.object.names[i], s.object.items[i] = name, v
	default:
		s.object.set(name, v)
	}
}

// place finds the slot that an item stands in, and which of its values it is.
func (w *work) place(it fhirpath.Item) (s *slot, index int, err error) {
	target := it.Node()
	if !target.Exists() {
		target = it.Twin()
	}
	if !target.Exists() || it.IsSystem() {
		return nil, 0, elsewhere()
	}
	at, v, t := w.doc, w.root, w.defs.Resource(string(w.doc.Type()))
	var names []string
	for !at.Same(target) {
		i := 0
		c := at.First()
		for ; c.Exists() && c.Offset()+len(c.Raw()) <= target.Offset(); c = c.Next() {
			i++
		}
		if !c.Exists() {
			return nil, 0, elsewhere()
		}
		if at.Kind() == fhir.Array {
			index = i
		} else {
			plain := strings.TrimPrefix(c.Name(), "_")
			e, ref, ok := t.Property(plain)
			if !ok {
				return nil, 0, isImmutable([]string{"resourceType"})
			}
			s, index = &slot{object: v, typ: t, element: e, name: plain}, 0
			names, t = append(names, plain), ref.Type
		}
		at, v = c, v.items[i]
		if t.Kind == spec.Resource && at.Kind() == fhir.Object {
			if t = w.defs.Resource(string(at.Type())); t == nil {
				return nil, 0, elsewhere()
			}
		}
	}
	if s == nil {
		return nil, 0, invalid("the path of a patch %s operation must not select the whole resource", w.op.typ)
	}
	if w.op.typ == "delete" {
		err = guarded(names)
	}
	return s, index, err
}

// child returns the slot of an element of an item by name. A choice may be
// named with its type, valueQuantity, which then is spelled.
func (w *work) child(it fhirpath.Item, name string) (s *slot, spelled *spec.TypeRef, err error) {
	object, t := w.root, it.Type()
	if t == nil {
		return nil, nil, elsewhere()
	}
	if !it.Node().Same(w.doc) {
		within, i, err := w.place(it)
		if err != nil {
			return nil, nil, err
		}
		items := within.load()
		object = items[i].value
		if t.Kind == spec.Primitive { // its children are in the twin
			if items[i].twin == nil {
				items[i].twin = &value{kind: fhir.Object}
				within.store(items)
			}
			object = items[i].twin
		}
	}
	e := t.Element(name)
	if e == nil {
		found, ref, ok := t.Property(name)
		if !ok {
			return nil, nil, w.unknown(name)
		}
		e, spelled = found, &ref
	}
	if object == nil || object.kind != fhir.Object {
		return nil, nil, elsewhere()
	}
	return newSlot(object, t, e), spelled, nil
}
