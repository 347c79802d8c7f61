package search

import (
	"fmt"
	"strings"

	"salus/fhir"
	"salus/fhir/searchparam"
)

// Describe tells in a few words what a filter asks of resources of a type: the
// parameter and the kind of comparison, and never a value. Of a filter that has
// parts it tells how they are joined.
func Describe(t fhir.Type, f Filter) string {
	switch f := f.(type) {
	case nil:
		return "all of type " + string(t)
	case And:
		return fmt.Sprintf("%d conditions of which all must hold", len(f))
	case Or:
		return fmt.Sprintf("%d conditions of which one must hold", len(f))
	case Not:
		return "what does not"
	case Match:
		return f.Param.Name() + ": " + comparison(f.Param, f.Operand)
	case Missing:
		if f.Missing {
			return f.Param.Name() + ": missing"
		}
		return f.Param.Name() + ": present"
	case IDs:
		return fmt.Sprintf("%s._id: one of %d", t, len(f))
	case Updated:
		return fmt.Sprintf("%s._lastUpdated: %s", t, f.Date.Prefix)
	case Chain:
		return fmt.Sprintf("%s: leads to %s", f.Param.Name(), f.Target)
	case Has:
		return f.Param.Name() + ": leads here"
	case Content:
		if f.Narrative {
			return fmt.Sprintf("%s._text: words", t)
		}
		return fmt.Sprintf("%s._content: words", t)
	}
	return "a condition"
}

// String returns the prefix as it is written in searches.
func (p Prefix) String() string { return prefixNames[p] }

var prefixNames = [...]string{Eq: "eq", Ne: "ne", Gt: "gt", Lt: "lt", Ge: "ge", Le: "le", Sa: "sa", Eb: "eb", Ap: "ap"}

var textModes = [...]string{Starts: "starts with", Contains: "contains", Exact: "exact", Whole: "equals", Ends: "ends with"}

var uriModes = [...]string{Equal: "equals", Below: "below", Above: "above"}

// comparison tells how values of a parameter are compared with an operand.
func comparison(p *searchparam.Param, o Operand) string {
	switch o := o.(type) {
	case Token:
		switch {
		case o.AnyCode:
			return "system"
		case o.AnySystem:
			return "code"
		}
		return "system and code"
	case Text:
		return "text " + textModes[o.Mode]
	case OfType:
		return "identifier of a type"
	case *Concepts:
		return fmt.Sprintf("one of %d codes", len(o.Codes))
	case Date:
		return "date " + o.Prefix.String()
	case Number:
		return "number " + o.Prefix.String()
	case Quantity:
		if o.AnyUnit {
			return "quantity " + o.Prefix.String() + " in any unit"
		}
		return "quantity " + o.Prefix.String()
	case Ref:
		switch {
		case o.URL != "":
			return "reference by URL"
		case o.Type == "":
			return "reference by id"
		}
		return "reference by type and id"
	case URI:
		return "URI " + uriModes[o.Mode]
	case Near:
		return "position near"
	case Composite:
		parts := make([]string, len(o.Parts))
		for i, part := range o.Parts {
			parts[i] = comparison(p.Components[i], part)
		}
		return strings.Join(parts, " with ")
	}
	return "a value"
}
