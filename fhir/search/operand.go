package search

import (
	"slices"
	"strings"

	"salus/fault"
	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/searchparam"
)

// invalid is the fault of a value that breaks a rule.
func invalid(code, rule string) error {
	return fault.With(fault.Invalid, fault.Issue{Code: "invalid", Text: show(code) + ": " + rule})
}

var prefixes = map[string]Prefix{
	"eq": Eq, "ne": Ne, "gt": Gt, "lt": Lt, "ge": Ge, "le": Le, "sa": Sa, "eb": Eb, "ap": Ap,
}

// cutPrefix takes the comparison prefix off an ordered value.
func cutPrefix(s string) (Prefix, string) {
	if len(s) > 2 {
		if prefix, ok := prefixes[s[:2]]; ok {
			return prefix, s[2:]
		}
	}
	return Eq, s
}

// token reads code, system|code, |code or system|.
func token(param *searchparam.Param, s string) (Token, error) {
	parts := split(s, '|')
	switch {
	case len(parts) == 1:
		return Token{Code: unescape(s), AnySystem: true}, nil
	case len(parts) > 2:
		return Token{}, invalid(param.Code, "a token has at most one unescaped |")
	case parts[0] == "" && parts[1] == "":
		return Token{}, invalid(param.Code, "a token needs a system or a code")
	}
	return Token{System: unescape(parts[0]), Code: unescape(parts[1]), AnyCode: parts[1] == ""}, nil
}

// modifiedToken reads a token as its modifier has it. :text compares what people
// read: the display, or the text of a concept or of an identifier's type.
func (s *parsing) modifiedToken(param *searchparam.Param, modifier, text string) (Operand, error) {
	switch modifier {
	case "text":
		return Text{Text: unescape(text)}, nil
	case "of-type":
		return ofType(param, text)
	case "in", "not-in", "above", "below":
		return s.concepts(param, modifier, text)
	}
	return token(param, text)
}

// concepts reads what stands for many codes: the URL of a value set, or a code
// with all above or below it.
func (s *parsing) concepts(param *searchparam.Param, modifier, text string) (*Concepts, error) {
	c := &Concepts{}
	switch modifier {
	case "in", "not-in":
		c.ValueSet = strings.TrimPrefix(unescape(text), s.request.Base+"/")
	default:
		t, err := token(param, text)
		if err != nil {
			return nil, err
		}
		if t.AnySystem || t.AnyCode || t.System == "" {
			return nil, fault.New(fault.Refused, "%s:%s needs system|code: only a system says what is above and below", show(param.Code), modifier)
		}
		c.System, c.Code, c.Up = t.System, t.Code, modifier == "above"
	}
	s.query.Concepts = append(s.query.Concepts, c)
	return c, nil
}

// ofType reads system|code|value: an identifier of a type (FHIR R4 search
// §3.1.1.4.10). All three parts must be present.
func ofType(param *searchparam.Param, s string) (OfType, error) {
	if !param.Identifier {
		return OfType{}, fault.New(fault.Refused, "modifier “of-type” is not supported for %s, which is no identifier", show(param.Code))
	}
	parts := split(s, '|')
	if len(parts) != 3 || slices.Contains(parts, "") {
		return OfType{}, invalid(param.Code, "of-type needs system|code|value, the first two of the identifier's type")
	}
	return OfType{System: unescape(parts[0]), Code: unescape(parts[1]), Value: unescape(parts[2])}, nil
}

// uri reads a URI.
//
// Compat: :above and :below of URIs compare characters, in FHIR R4 the segments of a
// path; a profile is not found by its version, though in FHIR R4 it is.
func (s *parsing) uri(param *searchparam.Param, modifier, text string) URI {
	if s.options.Compat == fhir.Azure && param.Code == "_profile" && strings.Contains(text, "|") {
		return URI{} // no URI is empty
	}
	mode := map[string]URIMode{"": Equal, "above": Above, "below": Below}[modifier]
	return URI{Mode: mode, Text: text, Segments: mode != Equal && s.options.Compat == fhir.Strict}
}

// date reads a date of any precision. Approximately is within a tenth of the
// distance from now (FHIR R4 search §3.1.1.4.7 leaves the measure to the server).
func (s *parsing) date(code, text string) (Date, error) {
	prefix, text := cutPrefix(text)
	start, end, ok := searchparam.ParseDate(unescape(text))
	if !ok {
		return Date{}, invalid(code, "not a date, or one of a precision that does not exist")
	}
	if prefix == Ap {
		now := searchparam.TicksOf(s.request.Now)
		start = max(start-distance(start, now)/10, searchparam.MinTicks)
		end = min(end+distance(end, now)/10, searchparam.MaxTicks)
	}
	within := s.options.Compat == fhir.Strict && (prefix == Eq || prefix == Ge || prefix == Le)
	return Date{Prefix: prefix, Start: start, End: end, Within: within}, nil
}

func distance(a, b searchparam.Ticks) searchparam.Ticks { return max(a-b, b-a) }

var tenth = mustParse("0.1")

// greatest is the greatest number that the reference has.
var greatest = mustParse("79228162514264337593543950335")

// number reads a number and the window that it stands for: half a unit of its
// last digit, or a tenth of it for approximately.
//
// Compat: a number finds what rounds to it, its upper end included; in FHIR R4 100 is
// from 99.5 to below 100.5. The reference refuses numbers that its own cannot hold,
// such as 1e30.
func (s *parsing) number(code, text string) (Number, error) {
	prefix, text := cutPrefix(text)
	d, err := decimal.Parse(unescape(text))
	if err != nil {
		return Number{}, invalid(code, err.Error())
	}
	if s.options.Compat == fhir.Azure && d.Abs().Cmp(greatest) > 0 {
		return Number{}, fault.With(fault.Invalid, fault.Issue{Code: "too-long", Text: show(code) + ": the number is too great"})
	}
	half := d.HalfUnit()
	if prefix == Ap {
		half = d.Abs().Mul(tenth)
	}
	open := s.options.Compat == fhir.Strict && (prefix == Eq || prefix == Ne)
	return Number{Prefix: prefix, Value: d, Low: d.Sub(half), High: d.Add(half), Open: open}, nil
}

// quantity reads number, number|system|code, number||code or number|system.
func (s *parsing) quantity(param *searchparam.Param, text string) (Quantity, error) {
	parts := split(text, '|')
	if len(parts) > 3 {
		return Quantity{}, invalid(param.Code, "a quantity is number|system|code")
	}
	n, err := s.number(param.Code, parts[0])
	if err != nil {
		return Quantity{}, err
	}
	q := Quantity{Number: n, AnySystem: true, AnyCode: true}
	if len(parts) > 1 && parts[1] != "" {
		q.System, q.AnySystem = unescape(parts[1]), false
	}
	if len(parts) > 2 && parts[2] != "" {
		q.Code, q.AnyCode = unescape(parts[2]), false
	}
	q.AnyUnit = q.AnySystem && q.AnyCode
	return q, nil
}

// reference reads id, Type/id or a URL. A URL below the service's own base is a
// reference to a resource here, an id or Type/id also one to a resource
// elsewhere; everything in no such form is compared as text.
//
// Compat: the version in a reference Type/id/_history/version is not looked at in a search.
func (s *parsing) reference(param *searchparam.Param, only fhir.Type, text string) Ref {
	ref := fhir.ParseReference(text, s.registry.IsType)
	here := ref.Base != "" && ref.Base == s.request.Base
	if here {
		ref.Base = ""
	}
	types := param.Targets
	if only != "" {
		types = []fhir.Type{only}
	}
	switch {
	case ref.Base != "" || ref.ID == "":
		return Ref{URL: ref.String()}
	case ref.Type == "" && len(types) == 1:
		return Ref{Type: types[0], ID: ref.ID}
	case ref.Type == "":
		return Ref{Types: types, ID: ref.ID}
	case only != "" && only != ref.Type:
		return Ref{Types: []fhir.Type{}, ID: ref.ID} // subject:Patient=Group/1 finds nothing
	}
	return Ref{Type: ref.Type, ID: ref.ID, Here: here}
}

// composite reads a$b. It may have fewer parts than the parameter has components.
func (s *parsing) composite(param *searchparam.Param, text string) (Composite, error) {
	parts := split(text, '$')
	if len(parts) > len(param.Components) {
		return Composite{}, fault.New(fault.Refused, "%s has %d components", show(param.Code), len(param.Components))
	}
	var c Composite
	for i, part := range parts {
		if strings.TrimSpace(part) == "" {
			return Composite{}, invalid(param.Code, "a component is empty")
		}
		operand, err := s.operand(param.Components[i], "", "", part)
		if err != nil {
			return Composite{}, err
		}
		c.Parts = append(c.Parts, operand)
	}
	return c, nil
}
