// Package jsonmodel writes data sets as DICOM JSON and reads them back (PS3.18 annex F).
//
// Text becomes UTF-8, and Specific Character Set says so. Decimal and integer strings are numbers with the digits that the file has, where they
// are numbers at all. Bytes and words are not written as values: they get the address that the caller gives, or are written inline when they
// are small and it gives none.
package jsonmodel

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"salus/dicom"
	"salus/dicom/tag"
)

// Options say how a data set is written.
type Options struct {
	// BulkDataURI returns the address of a value that is not written, by its path: tags and, counted from 1, items between them, such as
	// 00880200/1/7FE00010. An empty address leaves the element out. When the function is nil, what is in memory is written inline.
	BulkDataURI func(path string) string
	// Skip leaves an element out.
	Skip func(*dicom.Element) bool
}

// Append appends a data set as one JSON object.
func Append(b []byte, d *dicom.Dataset, o Options) []byte {
	w := &encoder{options: o}
	return w.dataset(b, d, "")
}

// AppendValue appends what stands behind an attribute's tag: an object with the VR and the values. It reports false, and appends nothing,
// when the element is left out.
func AppendValue(b []byte, d *dicom.Dataset, e *dicom.Element, o Options) ([]byte, bool) {
	w := &encoder{options: o}
	return w.element(b, d, e, "")
}

type encoder struct {
	options Options
}

func (w *encoder) dataset(b []byte, d *dicom.Dataset, path string) []byte {
	b = append(b, '{')
	first := true
	for i := range d.Elements {
		e := &d.Elements[i]
		// Group lengths say nothing of the content, and group 2 is of the file (PS3.18 §F.2.2).
		if e.Tag.GroupLength() || e.Tag.Group() == 2 || w.options.Skip != nil && w.options.Skip(e) {
			continue
		}
		before := len(b)
		if !first {
			b = append(b, ',')
		}
		b = append(appendHex(append(b, '"'), e.Tag), '"', ':')
		var written bool
		if b, written = w.element(b, d, e, path); !written {
			b = b[:before]
			continue
		}
		first = false
	}
	return append(b, '}')
}

func (w *encoder) element(b []byte, d *dicom.Dataset, e *dicom.Element, path string) ([]byte, bool) {
	before := len(b)
	b = append(b, `{"vr":"`...)
	b = append(b, byte(e.VR>>8), byte(e.VR), '"')
	b, written := w.value(b, d, e, path)
	if !written {
		return b[:before], false
	}
	return append(b, '}'), true
}

func appendHex(b []byte, t dicom.Tag) []byte {
	const digits = "0123456789ABCDEF"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[t>>shift&15])
	}
	return b
}

// value appends what follows the VR; false leaves the element out.
func (w *encoder) value(b []byte, d *dicom.Dataset, e *dicom.Element, path string) ([]byte, bool) {
	switch {
	case e.Items != nil:
		return w.items(b, e, path), true
	case e.Empty():
		return b, true
	case e.VR.Bulk() || e.Bulk != nil:
		return w.bulk(b, e, path)
	case e.Tag == tag.SpecificCharacterSet:
		return append(b, `,"Value":["ISO_IR 192"]`...), true
	}
	const open = `,"Value":[`
	if !e.VR.Text() {
		return append(appendNumbers(append(b, open...), d, e), ']'), true
	}
	texts := d.Text(e)
	if len(texts) == 0 {
		return b, true // nothing but padding
	}
	return append(appendTexts(append(b, open...), e.VR, texts), ']'), true
}

func (w *encoder) items(b []byte, e *dicom.Element, path string) []byte {
	if len(e.Items) == 0 {
		return b
	}
	b = append(b, `,"Value":[`...)
	for i, item := range e.Items {
		if i > 0 {
			b = append(b, ',')
		}
		inner := ""
		if w.options.BulkDataURI != nil {
			inner = path + e.Tag.Hex() + "/" + strconv.Itoa(i+1) + "/"
		}
		b = w.dataset(b, item, inner)
	}
	return append(b, ']')
}

func (w *encoder) bulk(b []byte, e *dicom.Element, path string) ([]byte, bool) {
	if w.options.BulkDataURI != nil {
		address := w.options.BulkDataURI(path + e.Tag.Hex())
		if address == "" {
			return b, false
		}
		b = append(b, `,"BulkDataURI":`...)
		return appendString(b, address), true
	}
	if e.Bulk != nil {
		return b, false // it is not in memory
	}
	b = append(b, `,"InlineBinary":"`...)
	b = base64.StdEncoding.AppendEncode(b, e.Value)
	return append(b, '"'), true
}

func appendTexts(b []byte, vr dicom.VR, values []string) []byte {
	for i, s := range values {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case s == "":
			b = append(b, "null"...)
		case vr == dicom.PN:
			b = appendName(b, dicom.ParsePersonName(s))
		case vr == dicom.DS || vr == dicom.IS:
			b = appendDecimal(b, s)
		default:
			b = appendString(b, s)
		}
	}
	return b
}

func appendName(b []byte, n dicom.PersonName) []byte {
	b = append(b, '{')
	first := true
	for _, g := range [...]struct{ key, value string }{
		{`"Alphabetic":`, n.Alphabetic}, {`"Ideographic":`, n.Ideographic}, {`"Phonetic":`, n.Phonetic},
	} {
		if g.value == "" {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, g.key...)
		b = appendString(b, g.value)
	}
	return append(b, '}')
}

// appendDecimal appends a number with its own digits when they are those of a JSON number, else rewritten as one, else as a string.
func appendDecimal(b []byte, s string) []byte {
	if isNumber(s) {
		return append(b, s...)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return appendString(b, s)
	}
	// What is left has a plus sign, zeros too many in front, or no digit beside the point.
	sign, digits := "", strings.TrimPrefix(s, "+")
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		digits = "0" + digits
	}
	if i := strings.Index(digits, "."); i >= 0 && (i+1 == len(digits) || digits[i+1] < '0' || digits[i+1] > '9') {
		digits = digits[:i] + digits[i+1:]
	}
	if isNumber(sign + digits) {
		return append(append(b, sign...), digits...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// isNumber reports whether s is a number in the grammar of JSON (RFC 8259 §6).
func isNumber(s string) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if zero := i; !digits() || s[zero] == '0' && i > zero+1 {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

func appendNumbers(b []byte, d *dicom.Dataset, e *dicom.Element) []byte {
	switch e.VR {
	case dicom.FL:
		for i, f := range values(e.Value, 4) {
			b = appendFloat(comma(b, i), float64(math.Float32frombits(binary.LittleEndian.Uint32(f))), 32)
		}
		return b
	case dicom.FD:
		for i, f := range values(e.Value, 8) {
			b = appendFloat(comma(b, i), math.Float64frombits(binary.LittleEndian.Uint64(f)), 64)
		}
		return b
	case dicom.UV:
		for i, n := range values(e.Value, 8) {
			b = strconv.AppendUint(comma(b, i), binary.LittleEndian.Uint64(n), 10)
		}
		return b
	}
	for i, n := range d.IntsOf(e) {
		b = comma(b, i)
		if e.VR == dicom.AT {
			b = append(appendHex(append(b, '"'), dicom.Tag(n)), '"')
			continue
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return b
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

// values yields the values of a width; what is left over at the end is none.
func values(b []byte, width int) func(func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for i := 0; len(b) >= width && yield(i, b[:width]); i++ {
			b = b[width:]
		}
	}
}

// appendFloat appends a number; those that JSON has not are written as strings.
func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}

// appendString appends a JSON string (RFC 8259 §7).
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), `\ufffd`...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
