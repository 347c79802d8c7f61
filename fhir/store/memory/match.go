package memory

import (
	"slices"
	"strings"

	"salus/fhir/search"
	"salus/fhir/searchparam"
)

// satisfies reports whether one value satisfies an operand.
func satisfies(v searchparam.Value, operand search.Operand) bool {
	switch o := operand.(type) {
	case search.Token:
		return (o.AnySystem || v.System == o.System) && (o.AnyCode || v.Code == o.Code)
	case search.Text:
		return textSatisfies(v.Text, o)
	case *search.Concepts:
		return slices.ContainsFunc(o.Codes, func(t search.Token) bool { return satisfies(v, t) })
	case search.OfType:
		return len(v.Parts) == 2 && v.Parts[0].System == o.System && v.Parts[0].Code == o.Code && v.Parts[1].Code == o.Value
	case search.Date:
		return dateSatisfies(v.Start, v.End, o)
	case search.Number:
		return numberSatisfies(v, o)
	case search.Quantity:
		n, ok := o.In(v.System, v.Code)
		return ok && numberSatisfies(v, n)
	case search.Near:
		cell, ok := search.CellOf(v.Low, v.High)
		return ok && o.Holds(cell)
	case search.Ref:
		return refSatisfies(v, o)
	case search.URI:
		return uriSatisfies(v.Text, o)
	case search.Composite:
		for i, part := range o.Parts {
			if i >= len(v.Parts) || !satisfies(v.Parts[i], part) {
				return false
			}
		}
		return true
	}
	return false
}

func textSatisfies(text string, o search.Text) bool {
	switch o.Mode {
	case search.Exact:
		return text == o.Text
	case search.Contains:
		return strings.Contains(searchparam.Normalize(text), searchparam.Normalize(o.Text))
	case search.Whole:
		return searchparam.Normalize(text) == searchparam.Normalize(o.Text)
	case search.Ends:
		return strings.HasSuffix(searchparam.Normalize(text), searchparam.Normalize(o.Text))
	default:
		return strings.HasPrefix(searchparam.Normalize(text), searchparam.Normalize(o.Text))
	}
}

func dateSatisfies(start, end searchparam.Ticks, o search.Date) bool {
	switch o.Prefix {
	case search.Ne:
		return start < o.Start || end > o.End
	case search.Lt:
		return start < o.Start
	case search.Le:
		if o.Within {
			return start < o.Start || end <= o.End
		}
		return start <= o.End
	case search.Gt:
		return end > o.End
	case search.Ge:
		if o.Within {
			return end > o.End || start >= o.Start
		}
		return end >= o.Start
	case search.Sa:
		return start > o.End
	case search.Eb:
		return end < o.Start
	case search.Eq:
		if o.Within {
			return start >= o.Start && end <= o.End
		}
	}
	return start <= o.End && end >= o.Start
}

// numberSatisfies takes an open end of a stored range as infinite.
func numberSatisfies(v searchparam.Value, o search.Number) bool {
	inside := !v.OpenLow && v.Low.Cmp(o.Low) >= 0 && !v.OpenHigh && v.High.Cmp(o.High) <= 0 && (!o.Open || v.High.Cmp(o.High) < 0)
	switch o.Prefix {
	case search.Ne:
		return !inside
	case search.Gt:
		return v.OpenHigh || v.High.Cmp(o.Value) > 0
	case search.Ge:
		return v.OpenHigh || v.High.Cmp(o.Value) >= 0
	case search.Lt:
		return v.OpenLow || v.Low.Cmp(o.Value) < 0
	case search.Le:
		return v.OpenLow || v.Low.Cmp(o.Value) <= 0
	case search.Sa:
		return !v.OpenLow && v.Low.Cmp(o.Value) > 0
	case search.Eb:
		return !v.OpenHigh && v.High.Cmp(o.Value) < 0
	default:
		return inside
	}
}

// refSatisfies compares references. One to a version is also one to the resource.
func refSatisfies(v searchparam.Value, o search.Ref) bool {
	switch {
	case o.URL != "":
		current := v.Ref
		current.Version = ""
		return v.Ref.String() == o.URL || v.Ref.Base != "" && current.String() == o.URL
	case o.Type != "":
		return v.Ref.Type == o.Type && v.Ref.ID == o.ID && (v.Ref.Base == "" || !o.Here)
	default:
		bare := v.Ref.Type == "" && v.Ref.Base == ""
		return v.Ref.ID == o.ID && (bare || slices.Contains(o.Types, v.Ref.Type) && (v.Ref.Base == "" || !o.Here))
	}
}

func uriSatisfies(uri string, o search.URI) bool {
	switch o.Mode {
	case search.Below:
		return strings.HasPrefix(uri, o.Text) && !strings.HasPrefix(uri, "urn:") && (!o.Segments || search.EndsSegment(uri, len(o.Text)))
	case search.Above:
		return strings.HasPrefix(o.Text, uri) && !strings.HasPrefix(uri, "urn:") && (!o.Segments || search.EndsSegment(o.Text, len(uri)))
	default:
		return uri == o.Text
	}
}
