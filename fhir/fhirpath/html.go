package fhirpath

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// htmlNames are the elements that a narrative may have (FHIR R4 narrative §2.4.0, rule txt-1).
var htmlNames = func() map[string]bool {
	names := map[string]bool{}
	for _, n := range strings.Fields(`a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt
em h1 h2 h3 h4 h5 h6 hr i img ins kbd li map object ol p param pre q samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var`) {
		names[n] = true
	}
	return names
}()

// htmlChecks applies the rules txt-1 and txt-2 to an xhtml.
func htmlChecks(r *run, _ *Call, in []Item, _ *frame) ([]Item, error) {
	it, ok, err := single(in, "what htmlChecks takes")
	if err != nil || !ok {
		return nil, err
	}
	s, ok := it.AsString()
	return boolean(ok && narrative(s)), r.spend(1 + len(s)/4)
}

// narrative reports whether s is one well-formed div of allowed elements without scripts, and not blank.
func narrative(s string) bool {
	d := xml.NewDecoder(strings.NewReader(s))
	d.Entity = xml.HTMLEntity
	depth, roots, content := 0, 0, false
	for {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF) && roots == 1 && content
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth == 0 && t.Name.Local != "div" || !htmlNames[t.Name.Local] || !harmless(t.Attr) {
				return false
			}
			content = content || t.Name.Local == "img"
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			content = content || depth > 0 && strings.TrimSpace(string(t)) != ""
		case xml.Directive, xml.ProcInst:
			return false
		}
	}
}

// harmless reports whether no attribute runs a script.
func harmless(attrs []xml.Attr) bool {
	for _, a := range attrs {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(strings.TrimSpace(a.Value))
		if strings.HasPrefix(name, "on") || strings.HasPrefix(value, "javascript:") {
			return false
		}
	}
	return true
}
