package xmlformat

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"

	"salus/fhir"
)

// maxEntity is more than the length of any of HTML's entities.
const maxEntity = 16

// carriageReturn is how a carriage return is written, which would else be read
// as the end of a line: in XML these are line feeds, whatever the text had (XML 1.0
// §2.11).
const carriageReturn = "&#13;"

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", carriageReturn, "\r")

// narrative reads the div of a narrative into item i: as it stands when it is
// written as JSON has it, which is without prefixes and with its own xmlns; otherwise
// written anew.
func (r *reader) narrative(i uint32, t xml.StartElement) bool {
	start := r.offset
	if t.Name.Space != xhtmlNamespace {
		r.report("", "structure", "must be in the namespace "+xhtmlNamespace)
		return r.skip()
	}
	from := len(r.text)
	if own(t) && bytes.HasPrefix(r.raw[start:], []byte("<div")) && r.raw[start+len("<div")] != ':' {
		if !r.skip() {
			return false
		}
		r.text = fhir.AppendString(r.text, lineEnds.Replace(string(r.raw[start:r.d.InputOffset()])))
	} else {
		div, ok := r.rewritten(t)
		if !ok {
			return false
		}
		r.text = fhir.AppendString(r.text, string(div))
	}
	r.items[i].from, r.items[i].to = uint32(from), uint32(len(r.text))
	return true
}

// own reports whether an element states the namespace of XHTML.
func own(t xml.StartElement) bool {
	for _, a := range t.Attr {
		if a.Name.Space == "" && a.Name.Local == "xmlns" {
			return a.Value == xhtmlNamespace
		}
	}
	return false
}

// rewritten reads a div and returns it without prefixes.
func (r *reader) rewritten(t xml.StartElement) ([]byte, bool) {
	b := appendTag(nil, t, ` xmlns="`+xhtmlNamespace+`"`)
	for open := []string{t.Name.Local}; len(open) > 0; {
		switch t := r.next().(type) {
		case nil:
			return nil, false
		case xml.StartElement:
			if t.Name.Space != xhtmlNamespace {
				r.report("", "structure", "everything in a narrative must be in the namespace "+xhtmlNamespace)
			}
			b = appendTag(b, t, "")
			if open = append(open, t.Name.Local); len(open) > fhir.MaxDepth {
				return nil, r.tooDeep()
			}
		case xml.EndElement:
			b = append(append(append(b, "</"...), open[len(open)-1]...), '>')
			open = open[:len(open)-1]
		case xml.CharData:
			b = appendText(b, string(t))
		case xml.Comment:
			b = append(append(append(b, "<!--"...), t...), "-->"...)
		case xml.ProcInst:
			r.report("", "structure", "a narrative must not have processing instructions (txt-1)")
		}
	}
	return b, true
}

// appendTag appends a start tag with more after its name, without declarations of namespaces.
func appendTag(b []byte, t xml.StartElement, more string) []byte {
	b = append(append(append(b, '<'), t.Name.Local...), more...)
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		b = append(b, ' ')
		if a.Name.Space == xmlNamespace {
			b = append(b, "xml:"...)
		}
		b = append(append(b, a.Name.Local...), `="`...)
		b = append(appendText(b, a.Value), '"')
	}
	return append(b, '>')
}

// appendDiv appends a narrative's div, which JSON has as a string, with character
// references in place of HTML's entities, which XML does not know. It reports
// whether it is one well-formed element.
func appendDiv(b []byte, s string) ([]byte, bool) {
	s = strings.Trim(s, " \t\r\n")
	if strings.ContainsFunc(s, noCharacter) {
		s = strings.Map(func(c rune) rune {
			if noCharacter(c) {
				return '\ufffd'
			}
			return c
		}, s)
	}
	if !strings.HasPrefix(s, "<div") || !wellFormed(s) {
		return b, false
	}
	s = strings.ReplaceAll(s, "\r", carriageReturn)
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			return append(b, s...), true
		}
		b, s = append(b, s[:i]...), s[i:]
		name, _, ok := strings.Cut(s[1:min(len(s), maxEntity)], ";")
		if text, known := xml.HTMLEntity[name]; ok && known && !ofXML(name) {
			for _, c := range text {
				b = append(strconv.AppendInt(append(b, "&#"...), int64(c), 10), ';')
			}
			s = s[len(name)+2:]
			continue
		}
		b, s = append(b, '&'), s[1:]
	}
}

// noCharacter reports whether XML 1.0 cannot hold c.
func noCharacter(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff
}

// ofXML reports whether an entity is one of XML's own.
func ofXML(name string) bool {
	switch name {
	case "amp", "lt", "gt", "quot", "apos":
		return true
	}
	return false
}

// wellFormed reports whether s is one element of XML and nothing else, apart from
// entities of HTML.
func wellFormed(s string) bool {
	d := xml.NewDecoder(strings.NewReader(s))
	d.Entity = xml.HTMLEntity
	depth, ended := 0, false
	for {
		t, err := d.Token()
		if err != nil {
			return err == io.EOF && ended
		}
		if ended {
			return false
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
			ended = depth == 0
		case xml.Directive, xml.ProcInst:
			return false
		}
	}
}
