package demo

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"time"

	"salus/fhir"
)

// ident is a resource's id in the form of a UUID.
type ident [36]byte

func newIdent(r *rand.Rand) ident {
	const hex = "0123456789abcdef"
	high, low := r.Uint64(), r.Uint64()
	high = high&^0xf000 | 0x4000 // version 4
	low = low&^(3<<62) | 1<<63   // variant of RFC 9562
	var id ident
	at := 0
	for i := range 32 {
		half := high
		if i >= 16 {
			half = low
		}
		if i == 8 || i == 12 || i == 16 || i == 20 {
			id[at] = '-'
			at++
		}
		id[at] = hex[half>>(60-4*(i%16))&15]
		at++
	}
	return id
}

// sheet is where resources are written, one after the other: as entries of a
// transaction bundle, or as lines.
type sheet struct {
	bundle bool
	b      []byte
	open   []byte // closing brackets of what is begun, innermost last
	ends   []int  // of the lines, when there is no bundle
	count  int    // resources so far
	tail   []byte // request of the entry that is begun
}

const bundleHead = `{"resourceType":"Bundle","type":"transaction","entry":[`

func (s *sheet) reset() {
	s.b, s.open, s.ends, s.count = s.b[:0], s.open[:0], s.ends[:0], 0
	if s.bundle {
		s.b = append(s.b, bundleHead...)
	}
}

func (s *sheet) takeBundle() []byte { return append(bytes.Clone(s.b), "]}"...) }

func (s *sheet) yieldEach(yield func([]byte) bool) bool {
	from := 0
	for _, end := range s.ends {
		if !yield(bytes.Clone(s.b[from:end])) {
			return false
		}
		from = end
	}
	return true
}

// begin starts a resource that others of the same patient refer to by id. The
// service gives it an id of its own.
func (s *sheet) begin(typ string, id ident) {
	s.count++
	if s.bundle {
		s.comma()
		s.b = append(s.b, `{"fullUrl":"urn:uuid:`...)
		s.b = append(s.b, id[:]...)
		s.b = append(s.b, `","resource":`...)
		s.tail = append(append(append(s.tail[:0], `,"request":{"method":"POST","url":"`...), typ...), `"}}`...)
	}
	s.object("")
	s.str("resourceType", typ)
	if !s.bundle {
		s.str("id", string(id[:]))
	}
}

// beginFixed starts a resource whose id is the same in every service.
func (s *sheet) beginFixed(typ, id string) {
	s.count++
	if s.bundle {
		s.comma()
		s.b = append(s.b, `{"resource":`...)
		s.tail = append(append(append(s.tail[:0], `,"request":{"method":"PUT","url":"`...), typ...), '/')
		s.tail = append(append(s.tail, id...), `"}}`...)
	}
	s.object("")
	s.str("resourceType", typ)
	s.str("id", id)
}

// finish ends the resource.
func (s *sheet) finish() {
	s.end()
	if s.bundle {
		s.b = append(s.b, s.tail...)
		return
	}
	s.ends = append(s.ends, len(s.b))
}

func (s *sheet) comma() {
	if len(s.b) == 0 || len(s.ends) > 0 && s.ends[len(s.ends)-1] == len(s.b) {
		return
	}
	switch s.b[len(s.b)-1] {
	case '{', '[', ':':
	default:
		s.b = append(s.b, ',')
	}
}

// name begins a property, or with "" an item of a list.
func (s *sheet) name(name string) {
	s.comma()
	if name != "" {
		s.b = append(s.b, '"')
		s.b = append(s.b, name...)
		s.b = append(s.b, '"', ':')
	}
}

func (s *sheet) object(name string) {
	s.name(name)
	s.b = append(s.b, '{')
	s.open = append(s.open, '}')
}

func (s *sheet) list(name string) {
	s.name(name)
	s.b = append(s.b, '[')
	s.open = append(s.open, ']')
}

// end closes what was begun last.
func (s *sheet) end() {
	last := len(s.open) - 1
	s.b = append(s.b, s.open[last])
	s.open = s.open[:last]
}

// close ends the n innermost.
func (s *sheet) close(n int) {
	for range n {
		s.end()
	}
}

func (s *sheet) str(name, value string) {
	s.name(name)
	s.b = fhir.AppendString(s.b, value)
}

func (s *sheet) boolean(name string, value bool) {
	s.name(name)
	s.b = strconv.AppendBool(s.b, value)
}

func (s *sheet) integer(name string, value int) {
	s.name(name)
	s.b = strconv.AppendInt(s.b, int64(value), 10)
}

// decimal writes value / 10^digits, keeping trailing zeros: FHIR R4 datatypes
// decimal, precision is significant.
func (s *sheet) decimal(name string, value int, digits int) {
	s.name(name)
	if value < 0 {
		s.b = append(s.b, '-')
		value = -value
	}
	scale := 1
	for range digits {
		scale *= 10
	}
	s.b = strconv.AppendInt(s.b, int64(value/scale), 10)
	if digits > 0 {
		s.b = append(s.b, '.')
		for rest := value % scale; scale > 1; rest %= scale {
			scale /= 10
			s.b = append(s.b, '0'+byte(rest/scale))
		}
	}
}

func (s *sheet) date(name string, t time.Time) {
	s.name(name)
	s.b = t.AppendFormat(append(s.b, '"'), time.DateOnly)
	s.b = append(s.b, '"')
}

func (s *sheet) time(name string, t time.Time) {
	s.name(name)
	s.b = t.AppendFormat(append(s.b, '"'), "2006-01-02T15:04:05-07:00")
	s.b = append(s.b, '"')
}

func (s *sheet) instant(name string, t time.Time) {
	s.name(name)
	s.b = t.AppendFormat(append(s.b, '"'), "2006-01-02T15:04:05.000-07:00")
	s.b = append(s.b, '"')
}

func (s *sheet) period(name string, start, end time.Time) {
	s.object(name)
	s.time("start", start)
	s.time("end", end)
	s.end()
}

// ref writes a Reference to a resource of the same patient.
func (s *sheet) ref(name, typ string, id ident, display string) {
	s.object(name)
	s.name("reference")
	s.b = append(s.b, '"')
	if s.bundle {
		s.b = append(s.b, "urn:uuid:"...)
	} else {
		s.b = append(append(s.b, typ...), '/')
	}
	s.b = append(s.b, id[:]...)
	s.b = append(s.b, '"')
	if display != "" {
		s.str("display", display)
	}
	s.end()
}

// refFixed writes a Reference to a resource with a fixed id.
func (s *sheet) refFixed(name, reference, display string) {
	s.object(name)
	s.str("reference", reference)
	if display != "" {
		s.str("display", display)
	}
	s.end()
}

// coding is a code with its system and what it means.
type coding struct{ system, code, display string }

func (s *sheet) coding(name string, c coding) {
	s.object(name)
	s.str("system", c.system)
	s.str("code", c.code)
	if c.display != "" {
		s.str("display", c.display)
	}
	s.end()
}

// concept writes a CodeableConcept; its text is the coding's display.
func (s *sheet) concept(name string, c coding) {
	s.object(name)
	s.list("coding")
	s.coding("", c)
	s.end()
	if c.display != "" {
		s.str("text", c.display)
	}
	s.end()
}

// concepts writes a list of one CodeableConcept.
func (s *sheet) concepts(name string, c coding) {
	s.list(name)
	s.concept("", c)
	s.end()
}

func (s *sheet) quantity(name string, value, digits int, unit, code string) {
	s.object(name)
	s.decimal("value", value, digits)
	s.str("unit", unit)
	s.str("system", ucum)
	s.str("code", code)
	s.end()
}

// money writes an amount given in hundredths.
func (s *sheet) money(name string, cents int) {
	s.object(name)
	s.decimal("value", cents, 2)
	s.str("currency", "EUR")
	s.end()
}

func (s *sheet) identifier(typ coding, system, value string) {
	s.object("")
	if typ.code != "" {
		s.concept("type", typ)
	}
	s.str("system", system)
	s.str("value", value)
	s.end()
}

func (s *sheet) profile(url string) {
	s.object("meta")
	s.list("profile")
	s.str("", url)
	s.close(2)
}

// narrative writes the text element; div is the inside of its div, XHTML.
func (s *sheet) narrative(div string) {
	s.object("text")
	s.str("status", "generated")
	s.str("div", `<div xmlns="http://www.w3.org/1999/xhtml">`+div+`</div>`)
	s.end()
}
