package searchparam

import (
	"salus/fhir"
	"salus/fhir/spec"
)

// codes gives the systems of the codes of a code element, which are implied by
// its required binding (FHIR R4 search §3.1.1.4.10: "the system is defined in
// the value set"). A code has the implied system only: gender=male and
// gender=http://hl7.org/fhir/administrative-gender|male find it, gender=|male,
// which asks for codes without a system, does not.
type codes struct {
	system string            // of all codes
	each   map[string]string // by code, when the value set draws on several systems
}

func impliedSystems(set *spec.ValueSet) codes {
	if set == nil || len(set.Codes) == 0 {
		return codes{}
	}
	c := codes{system: set.Codes[0].System}
	for _, coding := range set.Codes {
		if coding.System != c.system {
			c.system, c.each = "", make(map[string]string, len(set.Codes))
			break
		}
	}
	for _, coding := range set.Codes {
		if c.each == nil {
			break
		}
		if other, found := c.each[coding.Code]; found && other != coding.System {
			c.each[coding.Code] = "" // ambiguous
			continue
		}
		c.each[coding.Code] = coding.System
	}
	return c
}

func (c codes) systemOf(code string) string {
	if c.each != nil {
		return c.each[code]
	}
	return c.system
}

// tokenConverter returns how a value of a type becomes tokens, nil when it does
// not. ContactPoints, identifiers of resources, booleans and strings have no
// system.
func tokenConverter(t *spec.Type) converter {
	switch t.Name {
	case "code":
		return codeToken
	case "Coding":
		return codingToken
	case "CodeableConcept":
		return conceptTokens
	case "Identifier":
		return identifierToken
	case "ContactPoint":
		return contactToken
	}
	if t.Kind == spec.Primitive && t.Name != "xhtml" && t.Name != "base64Binary" {
		return plainToken
	}
	return nil
}

func codeToken(x *extraction, s *sink, n fhir.Node) {
	if code := n.Text(); code != "" {
		x.add(s.param, Value{System: s.codes.systemOf(code), Code: code})
	}
}

func plainToken(x *extraction, s *sink, n fhir.Node) {
	if code := x.text(n); code != "" {
		x.add(s.param, Value{Code: code})
	}
}

func codingToken(x *extraction, s *sink, n fhir.Node) {
	var v Value
	for c := n.First(); c.Exists(); c = c.Next() {
		switch c.Name() {
		case "system":
			v.System = c.Text()
		case "code":
			v.Code = c.Text()
		case "display":
			v.Text = c.Text()
		}
	}
	if v.System != "" || v.Code != "" || v.Text != "" {
		x.add(s.param, v)
	}
}

// conceptTokens adds each coding, and the text as a token of its own without a
// code, which only a search by text can find.
func conceptTokens(x *extraction, s *sink, n fhir.Node) {
	for coding := n.Get("coding").First(); coding.Exists(); coding = coding.Next() {
		codingToken(x, s, coding)
	}
	if text := n.Get("text").Text(); text != "" {
		x.add(s.param, Value{Text: text})
	}
}

func identifierToken(x *extraction, s *sink, n fhir.Node) {
	var v Value
	for c := n.First(); c.Exists(); c = c.Next() {
		switch c.Name() {
		case "system":
			v.System = x.text(c)
		case "value":
			v.Code = c.Text()
		case "type":
			v.Text = c.Get("text").Text()
		}
	}
	if v.System != "" || v.Code != "" {
		x.add(s.param, v)
	}
	if v.Code != "" {
		identifierTypes(x, s, n.Path("type", "coding"), v.Code)
	}
}

// identifierTypes adds what :of-type compares: each coding of an identifier's
// type with its value.
func identifierTypes(x *extraction, s *sink, codings fhir.Node, value string) {
	if x.gathering {
		return // a composite has no modifiers
	}
	for c := codings.First(); c.Exists(); c = c.Next() {
		if system, code := c.Get("system").Text(), c.Get("code").Text(); system != "" && code != "" {
			x.add(s.param, Value{Parts: []Value{{System: system, Code: code}, {Code: value}}})
		}
	}
}

func contactToken(x *extraction, s *sink, n fhir.Node) {
	if code := n.Get("value").Text(); code != "" {
		x.add(s.param, Value{Code: code})
	}
}
