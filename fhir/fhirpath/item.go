package fhirpath

import (
	"strconv"

	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/spec"
)

// Item is one member of a collection: a place in a resource tree with its FHIR
// type, or a value of the System namespace. Items are values; copying one copies
// no data of the resource.
type Item struct {
	node  fhir.Node
	twin  fhir.Node  // of a primitive: the property with the underscore, its id and extensions
	typ   *spec.Type // nil for System values
	value any        // of the System: bool, int64, decimal.Decimal, string, Temporal, Quantity or typeInfo
}

// typeInfo is what type() answers with (FHIRPath N1 §10.2).
type typeInfo struct {
	namespace, name, base string
}

// NodeItem returns the item of a resource; its type comes from resourceType.
// A resource of unknown type gets the abstract type Resource.
func NodeItem(defs *spec.Definitions, n fhir.Node) Item {
	if !n.Exists() {
		return Item{}
	}
	return Item{node: n, typ: resourceType(defs, n, nil)}
}

// TypedItem returns the item of an element. The twin of a primitive holds its
// id and extensions; it, or for extensions without a value n, may be zero.
func TypedItem(n, twin fhir.Node, t *spec.Type) Item { return Item{node: n, twin: twin, typ: t} }

// Boolean returns a System.Boolean.
func Boolean(v bool) Item { return Item{value: v} }

// Integer returns a System.Integer.
func Integer(v int64) Item { return Item{value: v} }

// Decimal returns a System.Decimal.
func Decimal(v decimal.Decimal) Item { return Item{value: v} }

// String returns a System.String.
func String(v string) Item { return Item{value: v} }

// Time returns a System.Date, DateTime or Time.
func Time(v Temporal) Item { return Item{value: v} }

// QuantityItem returns a System.Quantity.
func QuantityItem(v Quantity) Item { return Item{value: v} }

// Exists reports whether it is an item at all; the zero Item is none.
func (it Item) Exists() bool { return it.typ != nil || it.value != nil || it.node.Exists() }

// Node returns the place in the tree; the zero Node for System values, for
// primitives that only have extensions, and for references that were not followed.
func (it Item) Node() fhir.Node { return it.node }

// Twin returns the node with a primitive's id and extensions, mostly the zero Node.
func (it Item) Twin() fhir.Node { return it.twin }

// Type returns the FHIR type, nil for System values.
func (it Item) Type() *spec.Type { return it.typ }

// IsSystem reports whether it is a value of the System namespace.
func (it Item) IsSystem() bool { return it.value != nil }

// TypeName returns the name of the type without its namespace: "HumanName",
// "boolean", "Patient.contact", or for System values "Boolean", "Quantity".
func (it Item) TypeName() string {
	if it.typ != nil {
		return it.typ.Name
	}
	switch v := it.value.(type) {
	case bool:
		return "Boolean"
	case int64:
		return "Integer"
	case decimal.Decimal:
		return "Decimal"
	case string:
		return "String"
	case Temporal:
		return v.kind.String()
	case Quantity:
		return "Quantity"
	case typeInfo:
		return "TypeInfo"
	}
	return ""
}

// primitive reports whether it is of a FHIR primitive type.
func (it Item) primitive() bool { return it.typ != nil && it.typ.Kind == spec.Primitive }

// system returns the System value that it is or implicitly converts to
// (FHIR R4 fhirpath §2.9.1.2), nil when there is none.
func (it Item) system() any {
	if it.typ == nil {
		return it.value
	}
	if it.typ.Kind == spec.Complex {
		if it.typ.Is("Quantity") && it.node.Exists() {
			if q, ok := quantityOf(it.node); ok {
				return q
			}
		}
		return nil
	}
	if it.typ.Kind != spec.Primitive || !it.node.Exists() {
		return nil
	}
	return primitiveValue(it.node, it.typ.Name)
}

// primitiveValue reads a primitive's literal. A literal that breaks the rules of
// its type counts as the string it is: validation is not this package's task.
func primitiveValue(n fhir.Node, typ string) any {
	switch n.Kind() {
	case fhir.Bool:
		return n.True()
	case fhir.Number:
		if typ != "decimal" {
			if i, err := strconv.ParseInt(n.Text(), 10, 64); err == nil {
				return i
			}
		}
		if d, err := decimal.Parse(n.Text()); err == nil {
			return d
		}
		return n.Text()
	case fhir.String:
		s := n.Text()
		switch typ {
		case "date", "dateTime", "instant", "time":
			if t, ok := parseTemporal(s, temporalKinds[typ]); ok {
				return t
			}
		}
		return s
	}
	return nil
}

var temporalKinds = map[string]TemporalKind{"date": DateKind, "dateTime": DateTimeKind, "instant": DateTimeKind, "time": TimeKind}

// AsBool returns the value of a boolean of either namespace.
func (it Item) AsBool() (v, ok bool) {
	if it.typ != nil && it.node.Kind() == fhir.Bool {
		return it.node.True(), true
	}
	v, ok = it.value.(bool)
	return v, ok
}

// AsInteger returns the value of an integer of either namespace.
func (it Item) AsInteger() (v int64, ok bool) { v, ok = it.system().(int64); return v, ok }

// AsDecimal returns the value of a number of either namespace; integers convert.
func (it Item) AsDecimal() (v decimal.Decimal, ok bool) { return number(it.system()) }

// AsString returns the value of a string-like item of either namespace.
func (it Item) AsString() (v string, ok bool) { v, ok = it.system().(string); return v, ok }

// AsTime returns the value of a date, dateTime, instant or time of either namespace.
func (it Item) AsTime() (v Temporal, ok bool) { v, ok = it.system().(Temporal); return v, ok }

// AsQuantity returns the value of a Quantity of either namespace.
func (it Item) AsQuantity() (v Quantity, ok bool) { v, ok = it.system().(Quantity); return v, ok }

// Text returns the primitive or System value as text, as toString() does; ok is
// false for complex items.
func (it Item) Text() (s string, ok bool) {
	if it.typ != nil && it.node.Kind() == fhir.String {
		return it.node.Text(), true
	}
	return text(it.system())
}

func text(v any) (string, bool) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case decimal.Decimal:
		return v.String(), true
	case string:
		return v, true
	case Temporal:
		return v.String(), true
	case Quantity:
		return v.String(), true
	}
	return "", false
}

// number returns v as a decimal when it is an Integer or a Decimal.
func number(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case int64:
		return decimal.FromInt(v), true
	case decimal.Decimal:
		return v, true
	}
	return decimal.Decimal{}, false
}
