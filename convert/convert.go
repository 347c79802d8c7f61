// Package convert is the vocabulary of conversion: the values that templates work on, and the errors that say where a message or a template is
// wrong.
//
// A source (HL7v2, C-CDA, JSON, FHIR STU3) is parsed into values; a template in the dialect of package liquid writes JSON text from them; package
// engine makes the resources out of the text. The values are those of the reference service's converter, for which the templates are written:
// what they print, compare and convert to is theirs.
package convert

import "slices"

// A Value is one of: nil, bool, int64, *big.Int (integers of more digits), float64, Decimal, string, Time, *Map, *List or a Drop.
type Value = any

// Map is a dictionary whose keys have an order, in which they were set first.
type Map struct {
	keys   []string
	values []Value
	places map[string]int // of the keys, once there are many
}

// mapFrom is from how many keys on a map keeps their places.
const mapFrom = 12

// NewMap makes a map with room for n keys.
func NewMap(n int) *Map { return &Map{keys: make([]string, 0, n), values: make([]Value, 0, n)} }

// Len returns the number of keys.
func (m *Map) Len() int { return len(m.keys) }

// At returns the i-th key and its value.
func (m *Map) At(i int) (string, Value) { return m.keys[i], m.values[i] }

// Get returns the value of a key, whose case counts.
func (m *Map) Get(key string) (Value, bool) {
	if i := m.place(key); i >= 0 {
		return m.values[i], true
	}
	return nil, false
}

// Set gives a key a value; a key that is there keeps its place.
func (m *Map) Set(key string, v Value) {
	if i := m.place(key); i >= 0 {
		m.values[i] = v
		return
	}
	m.keys, m.values = append(m.keys, key), append(m.values, v)
	if m.places != nil {
		m.places[key] = len(m.keys) - 1
	} else if len(m.keys) == mapFrom {
		m.places = make(map[string]int, 2*mapFrom)
		for i, k := range m.keys {
			m.places[k] = i
		}
	}
}

func (m *Map) place(key string) int {
	if m.places != nil {
		if i, ok := m.places[key]; ok {
			return i
		}
		return -1
	}
	return slices.Index(m.keys, key)
}

// List is a list. Sources make fixed ones, which some filters do not take for lists; filters make others.
type List struct {
	Items []Value
	Fixed bool
}

// Drop is a value of a source with members of its own, such as a segment of a message. It prints as nothing.
type Drop interface {
	// Member returns a member by the name or number that a path has; nil when it is not there. A name that no such value has is an error of
	// code PropertyNotFound.
	Member(name string) (Value, error)
}

// Enumerable is a Drop that can be gone through: a list in which a number beyond the end is nothing.
type Enumerable interface {
	Drop
	Items() []Value
}
