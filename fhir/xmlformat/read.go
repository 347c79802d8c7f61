package xmlformat

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"salus/fault"
	"salus/fhir"
)

// The limits of reading.
const (
	maxText   = 1 << 30 // bytes of a text
	maxIssues = 50      // reported at once; reading goes on without more
)

// item is one element or attribute that was read, apart from the root. Children are
// linked in the order in which JSON has them.
type item struct {
	prop        *property
	object      *object // of a resource
	first, last uint32  // children
	next        uint32  // sibling
	from, to    uint32  // of the value's JSON in reader.text; equal when there is no value
}

// reader is one pass over a text.
type reader struct {
	f      *Format
	raw    []byte
	d      *xml.Decoder
	items  []item
	text   []byte   // values as JSON
	open   []uint32 // items from the root to where reading is
	depth  int      // of what is open, in JSON
	order  []uint32 // scratch for sorting
	issues []fault.Issue

	offset       int // of the last token
	line, column int // of the last token
}

// JSON reads one resource in XML and appends it to dst as JSON, with the properties in the
// order of the definitions. Errors are faults of kind Invalid, with up to 50 issues,
// or TooLarge above 1 GiB.
func (f *Format) JSON(dst, text []byte) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if len(text) > maxText {
		return dst, fault.New(fault.TooLarge, "an XML text may have at most 1 GiB")
	}
	r := &reader{f: f, raw: text, d: xml.NewDecoder(&source{raw: text}), items: make([]item, 0, 64+len(text)/64), text: make([]byte, 0, len(text)/2)}
	r.document()
	if len(r.issues) > 0 {
		return dst, fault.With(fault.Invalid, r.issues...)
	}
	return r.append(dst, &r.items[0]), nil
}

// fail reports why the text cannot be read any further.
func (r *reader) fail(rule string) bool {
	r.issues = append(r.issues, fault.Issue{
		Severity: fault.Error, Code: "structure", Text: "XML: " + rule, Location: r.place(),
	})
	return false
}

func (r *reader) tooDeep() bool {
	return r.fail(fmt.Sprintf("nested deeper than %d levels", fhir.MaxDepth))
}

func (r *reader) place() string { return fmt.Sprintf("line %d, column %d", r.line, r.column) }

// report reports a problem of what is called child in the innermost open element,
// or of that element when child is "".
func (r *reader) report(child, code, rule string) {
	if len(r.issues) >= maxIssues {
		return
	}
	place := r.path()
	if child != "" {
		place += "." + child
	}
	r.issues = append(r.issues, fault.Issue{
		Severity: fault.Error, Code: code, Text: place + ": " + rule, Expression: place, Location: r.place(),
	})
}

// path returns the place of the innermost open element as FHIRPath.
func (r *reader) path() string {
	b := []byte(r.items[0].object.typ.Name)
	for depth, i := range r.open[1:] {
		p := r.items[i].prop
		b = append(append(b, '.'), p.element.Name...)
		if p.element.Choice {
			b = append(append(append(b, ".ofType("...), p.typ.Name...), ')')
		}
		if p.list {
			n := int64(0)
			for c := r.items[r.open[depth]].first; c != i && c != 0; c = r.items[c].next {
				if r.items[c].prop == p {
					n++
				}
			}
			b = append(strconv.AppendInt(append(b, '['), n, 10), ']')
		}
	}
	return string(b)
}

// shown returns an unknown name if it looks like one; other text might be
// patient data.
func shown(name string) string {
	if len(name) == 0 || len(name) > 64 || strings.ContainsFunc(name, func(c rune) bool {
		return !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_')
	}) {
		return "?"
	}
	return name
}

// next returns the next token, nil at the end or after a failure.
func (r *reader) next() xml.Token {
	r.line, r.column = r.d.InputPos()
	r.offset = int(r.d.InputOffset())
	t, err := r.d.Token()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		r.line, r.column = r.d.InputPos()
		if errors.Is(err, errCrowded) {
			r.fail("an element has too many attributes")
			return nil
		}
		r.fail("the text is not well-formed XML in UTF-8, or uses an entity other than XML's own")
		return nil
	}
	if _, ok := t.(xml.Directive); ok {
		r.fail("a document type declaration is not allowed")
		return nil
	}
	return t
}

// document reads the whole text.
func (r *reader) document() {
	for {
		switch t := r.next().(type) {
		case nil:
			if len(r.issues) == 0 && len(r.items) == 0 {
				r.fail("the text has no element")
			}
			return
		case xml.StartElement:
			if len(r.items) > 0 {
				r.fail("there must be one element around everything")
				return
			}
			if !r.root(t) {
				return
			}
		case xml.CharData:
			if !blank(t) {
				r.fail("there must be no text outside of the resource")
				return
			}
		}
	}
}

// root reads the resource that the text is.
func (r *reader) root(t xml.StartElement) bool {
	if t.Name.Space != Namespace {
		return r.fail("the root element must be in the namespace " + Namespace)
	}
	o := r.f.resources[t.Name.Local]
	if o == nil {
		return r.fail("the root element must be a resource type of FHIR R4")
	}
	r.items = append(r.items, item{object: o})
	r.open, r.depth = append(r.open, 0), 1
	t.Attr = slices.DeleteFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Space == xsiNamespace }) // FHIR R4 xml §2.6.1.1: schemaLocation may be there
	return r.inside(o, t)
}

// inside reads attributes and content of the element that was opened last, up to
// its end.
func (r *reader) inside(o *object, t xml.StartElement) bool {
	i := r.open[len(r.open)-1]
	if r.depth > fhir.MaxDepth {
		return r.tooDeep()
	}
	if !r.attributes(o, t.Attr) {
		return false
	}
	var seen uint64
	last, sorted, told := uint8(0), true, false
	for c := r.items[i].first; c != 0; c = r.items[c].next { // the attributes
		sorted = sorted && r.items[c].prop.order >= last
		last = r.items[c].prop.order
	}
	for {
		switch t := r.next().(type) {
		case nil:
			return false
		case xml.StartElement:
			p := o.properties[t.Name.Local]
			if p == nil || p.attribute || (t.Name.Space != Namespace && p.form != formXHTML) {
				r.stranger(t, p)
				if !r.skip() {
					return false
				}
				continue
			}
			bit := uint64(1) << p.order
			if seen&bit != 0 && !p.list {
				r.twice(p)
			}
			seen |= bit
			sorted = sorted && p.order >= last
			last = p.order
			levels := 1
			if p.list {
				levels = 2
			}
			r.open, r.depth = append(r.open, r.add(i, p)), r.depth+levels
			if !r.element(p, t) {
				return false
			}
			r.open, r.depth = r.open[:len(r.open)-1], r.depth-levels
		case xml.CharData:
			if !told && !blank(t) {
				r.report("", "structure", "there must be no text in this element")
				told = true
			}
		case xml.EndElement:
			if !sorted {
				r.sort(i)
			}
			return true
		}
	}
}

// stranger reports an element that has no place here. p is what the name would mean.
func (r *reader) stranger(t xml.StartElement, p *property) {
	switch {
	case p == nil:
		r.report(shown(t.Name.Local), "structure", "no such element in this place")
	case p.attribute:
		r.report(p.name, "structure", "must be an attribute")
	default:
		r.report(p.name, "structure", "must be in the namespace "+Namespace)
	}
}

func (r *reader) twice(p *property) {
	rule := "the element must stand only once"
	if p.element.Choice {
		rule = "an element with a choice of types must have one of them only"
	}
	r.report(p.name, "structure", rule)
}

// add adds a child of item i.
func (r *reader) add(i uint32, p *property) uint32 {
	n := uint32(len(r.items))
	r.items = append(r.items, item{prop: p})
	if last := r.items[i].last; last != 0 {
		r.items[last].next = n
	} else {
		r.items[i].first = n
	}
	r.items[i].last = n
	return n
}

// attributes reads the attributes of an element other than its value.
func (r *reader) attributes(o *object, attrs []xml.Attr) bool {
	i := r.open[len(r.open)-1]
	for n, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		if slices.ContainsFunc(attrs[:n], func(b xml.Attr) bool { return b.Name == a.Name }) {
			return r.fail("an attribute stands twice in one element")
		}
		p := o.properties[a.Name.Local]
		own := r.items[i].prop
		switch primitive := own != nil && own.form > formResource; {
		case a.Name.Space == "" && p != nil && p.attribute:
			r.value(r.add(i, p), a.Value)
		case a.Name.Space == "" && a.Name.Local == "value" && primitive && own.form != formXHTML:
			r.value(i, a.Value)
		default:
			r.report(shown(a.Name.Local), "structure", "no such attribute in this place")
		}
	}
	return true
}

// element reads an element, which was opened.
func (r *reader) element(p *property, t xml.StartElement) bool {
	i, before := r.open[len(r.open)-1], len(r.issues)
	var ok bool
	switch p.form {
	case formResource:
		ok = r.wrapped(i, t)
	case formXHTML:
		ok = r.narrative(i, t)
	default:
		ok = r.inside(p.object, t)
	}
	if x := &r.items[i]; ok && x.first == 0 && x.from == x.to && x.object == nil && len(r.issues) == before {
		r.report("", "structure", "an element must have a value or children (ele-1)")
	}
	return ok
}

// wrapped reads an element around a resource.
func (r *reader) wrapped(i uint32, t xml.StartElement) bool {
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			r.report(shown(a.Name.Local), "structure", "no such attribute in this place")
		}
	}
	for {
		switch t := r.next().(type) {
		case nil:
			return false
		case xml.StartElement:
			o := r.f.resources[t.Name.Local]
			switch {
			case t.Name.Space != Namespace || o == nil:
				r.report(shown(t.Name.Local), "structure", "must be a resource type, in the namespace "+Namespace)
			case r.items[i].object != nil:
				r.report("", "structure", "there must be one resource in this element")
			default:
				r.items[i].object = o
				if !r.inside(o, t) {
					return false
				}
				continue
			}
			if !r.skip() {
				return false
			}
		case xml.CharData:
			if !blank(t) {
				r.report("", "structure", "there must be no text in this element")
			}
		case xml.EndElement:
			return true
		}
	}
}

// skip reads on to the end of an element whose start was read.
func (r *reader) skip() bool {
	for depth := 1; depth > 0; {
		switch r.next().(type) {
		case nil:
			return false
		case xml.StartElement:
			if depth++; depth > fhir.MaxDepth {
				return r.tooDeep()
			}
		case xml.EndElement:
			depth--
		}
	}
	return true
}

// sort puts the children of item i in the order of the definitions. What repeats
// keeps its order.
func (r *reader) sort(i uint32) {
	r.order = r.order[:0]
	for c := r.items[i].first; c != 0; c = r.items[c].next {
		r.order = append(r.order, c)
	}
	slices.SortStableFunc(r.order, func(a, b uint32) int { return int(r.items[a].prop.order) - int(r.items[b].prop.order) })
	for n, c := range r.order[:len(r.order)-1] {
		r.items[c].next = r.order[n+1]
	}
	r.items[i].first, r.items[i].last = r.order[0], r.order[len(r.order)-1]
	r.items[r.items[i].last].next = 0
}

func blank(b []byte) bool { return len(bytes.Trim(b, " \t\r\n")) == 0 }
