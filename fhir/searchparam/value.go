package searchparam

import (
	"time"

	"salus/fhir"
	"salus/fhir/decimal"
)

// Kind is the type of a search parameter.
type Kind uint8

// The types of search parameters (FHIR R4 search §3.1.1.4).
const (
	Number Kind = iota + 1
	Date
	String
	Token
	Reference
	Composite
	Quantity
	URI
	Special
	Position // of Location.near, which is typed special
)

// Param is a search parameter as it applies to one resource type.
type Param struct {
	Type       fhir.Type // the resource type that is searched
	Code       string    // as it stands in a query
	URL        string    // of its definition
	Kind       Kind
	Targets    []fhir.Type // of a reference: resource types it may point at
	Components []*Param    // of a composite, in order
	Identifier bool        // of a token: its values may be identifiers, so that :of-type can be asked
	Single     bool        // of a date, number, quantity or reference: no resource has more than one value
}

// Name returns "Type.code", which is unique in a registry.
func (p *Param) Name() string { return string(p.Type) + "." + p.Code }

// Ticks count 100 ns since 0001-01-01T00:00:00Z.
type Ticks int64

// The ends of time, for open intervals.
const (
	MinTicks Ticks = 0
	MaxTicks Ticks = 3155378975999999999 // 9999-12-31T23:59:59.9999999Z
)

// TicksOf returns t in ticks, cut to the range from MinTicks to MaxTicks.
func TicksOf(t time.Time) Ticks {
	const unixEpoch = 62135596800 // seconds from 0001-01-01 to 1970-01-01
	s := t.Unix() + unixEpoch
	switch {
	case s < 0:
		return MinTicks
	case s > int64(MaxTicks)/1e7:
		return MaxTicks
	}
	return Ticks(s*1e7 + int64(t.Nanosecond())/100)
}

// Value is one index value of a parameter. Which fields count depends on the
// parameter's kind:
//
//	Token      System (empty when the code has none), Code, Text (display or text);
//	           of an identifier besides, for each coding of its type, a value of two Parts alone:
//	           System and Code of the coding, and the identifier's value as Code
//	String     Text, as it stands in the resource
//	URI        Text, as it stands
//	Date       Start, End: closed interval, MinTicks or MaxTicks where open
//	Number     Low, High: equal for a single value
//	Quantity   Low, High, System, Code (the unit's code, or the unit text when there is none)
//	Reference  Ref; System and Code when it is a logical reference by identifier
//	Position   Low: latitude, High: longitude, in degrees, up to 90 and 180 in either direction
//	Composite  Parts: one Value for each component
//
// OpenLow and OpenHigh mark a number or quantity range without that end.
type Value struct {
	System, Code      string
	Text              string
	Start, End        Ticks
	Low, High         decimal.Decimal
	OpenLow, OpenHigh bool
	Ref               fhir.Reference
	Parts             []Value
}

// Entry is an index value with its parameter.
type Entry struct {
	Param *Param
	Value Value
}
