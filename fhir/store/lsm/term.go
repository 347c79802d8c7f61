package lsm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"unicode/utf8"

	"salus/fhir"
	"salus/fhir/decimal"
	"salus/fhir/searchparam"
)

// A term is what the index knows a value by: a tag byte and an encoding that
// is fixed in length, self-delimiting or last, and whose byte order is the
// order of the values where they have one. Terms of one parameter live side by
// side; the tag keeps their kinds apart.
const (
	tagToken      = 'c' // hash of code, hash of system
	tagSystem     = 'y' // derived: hash of system
	tagIdentifier = 'j' // reference by identifier: as tagToken
	tagOfType     = 'f' // long hash of the system and code of an identifier's type and its value
	tagText       = 'w' // normalised text, end mark
	tagExact      = 'e' // long hash of the text
	tagOverflow   = 'o' // whole normalised text; only in the forward record
	tagURI        = 'u' // text, end mark
	tagDate       = 'd' // start, end
	tagYear       = 'Y' // derived, up to a day long: year of start
	tagMonth      = 'M' // derived, up to a day long: month of start
	tagLong       = 'l' // derived, when longer than a day: class of length, start, end
	tagEnd        = 'm' // derived, when longer: end, start
	tagLongYear   = 'A' // derived, when longer: year of start
	tagLongMonth  = 'B' // derived, when longer: month of start
	tagEndYear    = 'E' // derived, when longer: year of end
	tagEndMonth   = 'F' // derived, when longer: month of end
	tagNumber     = 'n' // ordered decimal
	tagNumberHead = 'b' // derived: sign, exponent and two digits of it
	tagNumRange   = 'N' // bounds
	tagQuantity   = 'q' // unit, ordered decimal
	tagQtyHead    = 'Q' // derived: unit, sign, exponent and two digits
	tagQtyRange   = 'z' // unit, bounds
	tagReference  = 'r' // document
	tagURL        = 'x' // long hash of the reference's text
	tagID         = 'i' // long hash of the id, of a reference that is an id alone
	tagTail       = 't' // long hash of Type/id, of an absolute reference
	tagPosition   = 'p' // cell
	tagSignature  = 'g' // hash of a signature
	tagComposite  = 'k' // the terms of the components, one behind the other

	noTagPosition = 0xff // stands for values that are no terms: positions of the change log
)

// Ends of a text or URI within a term: complete, or cut with a hash behind it.
const (
	endWhole = 0
	endCut   = 1
)

// maxText is up to how many bytes a text stands in a term.
const maxText = 256

// day is the length up to which an interval counts as short.
const day = searchparam.Ticks(24 * 3600 * 1e7)

func hash8(dst []byte, s string) []byte {
	h := sha256.Sum256([]byte(s))
	return append(dst, h[:8]...)
}

// hash12 is long enough to stand for the text itself: 96 bits of SHA-256.
func hash12(dst []byte, s string) []byte {
	h := sha256.Sum256([]byte(s))
	return append(dst, h[:12]...)
}

// hashTail appends what tagTail has of a resource elsewhere.
func hashTail(dst []byte, t fhir.Type, id fhir.ID) []byte {
	return hash12(dst, string(t)+"/"+string(id))
}

// hashOfType appends what tagOfType has of an identifier of a type.
func hashOfType(dst []byte, system, code, value string) []byte {
	return hash12(dst, system+"\x00"+code+"\x00"+value)
}

// appendToken appends the two hashes of a token. Together they have 128 bits;
// the eight zeros that stand for "no system" are no text's hash.
func appendToken(dst []byte, system, code string) []byte {
	dst = hash8(dst, code)
	if system == "" {
		return append(dst, make([]byte, 8)...)
	}
	return hash8(dst, system)
}

// appendText appends a text with its end mark; a text that is too long is cut
// at a rune and marked. The marks' own bytes occur in no FHIR string; where they
// do they are taken for U+0002, in stored and in searched text alike.
func appendText(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, cutText(s)...)
	for i := start; i < len(dst); i++ {
		if dst[i] <= endCut {
			dst[i] = 2
		}
	}
	if len(s) <= maxText {
		return append(dst, endWhole)
	}
	return hash12(append(dst, endCut), s)
}

func cutText(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// textOf returns the text of what appendText wrote, and whether it was cut.
func textOf(b []byte) (text []byte, cut bool) {
	for i, c := range b {
		if c <= endCut {
			return b[:i], c == endCut
		}
	}
	return b, false
}

// appendDate appends the two ends of an interval.
func appendDate(dst []byte, start, end searchparam.Ticks) []byte {
	return appendU64(appendU64(dst, uint64(start)), uint64(end))
}

func dateOf(b []byte) (start, end searchparam.Ticks) {
	return searchparam.Ticks(binary.BigEndian.Uint64(b)), searchparam.Ticks(binary.BigEndian.Uint64(b[8:]))
}

// lengthClass groups intervals: class k holds lengths up to 2^k days.
func lengthClass(start, end searchparam.Ticks) byte {
	class := byte(0)
	for limit := day; limit < end-start && class < openClass; limit *= 2 {
		class++
	}
	return class
}

// openClass is the class of intervals beyond 2^21 days (5,700 years): those
// with an open end.
const openClass = 22

// classSpan returns the greatest length in a class.
func classSpan(class byte) searchparam.Ticks {
	if class >= openClass {
		return searchparam.MaxTicks
	}
	return day << class
}

// Bounds of a stored range: which ends are open.
const (
	openLow  = 1
	openHigh = 2
)

func appendBounds(dst []byte, v *searchparam.Value) []byte {
	var flags byte
	if v.OpenLow {
		flags |= openLow
	}
	if v.OpenHigh {
		flags |= openHigh
	}
	dst = append(dst, flags)
	dst = v.Low.AppendOrdered(dst)
	return v.High.AppendOrdered(dst)
}

// boundsLen returns the length of the bounds at the start of b.
func boundsLen(b []byte) int {
	n := min(1, len(b))
	n += decimalLen(b[n:])
	return n + decimalLen(b[n:])
}

// decimalLen returns the length of the ordered decimal at the start of b.
func decimalLen(b []byte) int {
	if len(b) == 0 || b[0] == 0x80 {
		return min(len(b), 1)
	}
	end := byte(0)
	if b[0] < 0x80 {
		end = 0xff
	}
	if len(b) < 4 {
		return len(b)
	}
	i := bytes.IndexByte(b[3:], end)
	if i < 0 {
		return len(b)
	}
	return 3 + i + 1
}

// decimalHead returns sign, exponent and two digits of an ordered decimal.
func decimalHead(b []byte) []byte { return b[:min(4, decimalLen(b))] }

func ordered(d decimal.Decimal) []byte { return d.AppendOrdered(nil) }

// derive calls add for every term that follows from a primary one. prefix is
// what stands before the deriving part: a composite's first components.
func derive(prefix, term []byte, scratch []byte, add func([]byte)) []byte {
	emit := func(tag byte, parts ...[]byte) {
		scratch = append(append(scratch[:0], prefix...), tag)
		for _, p := range parts {
			scratch = append(scratch, p...)
		}
		add(scratch)
	}
	switch body := term[1:]; term[0] {
	case tagToken:
		if len(prefix) == 0 && binary.BigEndian.Uint64(body[8:]) != 0 {
			emit(tagSystem, body[8:16])
		}
	case tagDate:
		start, end := dateOf(body)
		if end-start <= day {
			emit(tagYear, yearOf(start))
			emit(tagMonth, monthOf(start))
			break
		}
		emit(tagLong, []byte{lengthClass(start, end)}, body[:16])
		emit(tagEnd, body[8:16], body[:8])
		emit(tagLongYear, yearOf(start))
		emit(tagLongMonth, monthOf(start))
		emit(tagEndYear, yearOf(end))
		emit(tagEndMonth, monthOf(end))
	case tagNumber:
		emit(tagNumberHead, decimalHead(body))
	case tagQuantity:
		emit(tagQtyHead, body[:4], decimalHead(body[4:]))
	case tagComposite:
		if n := 1 + componentLen(body); len(prefix) == 0 && n < len(term) {
			scratch = derive(term[:n], term[n:], scratch, add)
		}
	}
	return scratch
}

// componentLen returns the length of the component term at the start of b.
func componentLen(b []byte) int {
	n := len(b)
	if n == 0 {
		return 0
	}
	switch b[0] {
	case tagToken, tagIdentifier, tagDate:
		n = 17
	case tagReference:
		n = 5
	case tagURL, tagID, tagTail, tagExact:
		n = 13
	case tagNumber:
		n = 1 + decimalLen(b[1:])
	case tagQuantity:
		if len(b) > 5 {
			n = 5 + decimalLen(b[5:])
		}
	case tagNumRange:
		n = 1 + boundsLen(b[1:])
	case tagQtyRange:
		if len(b) > 5 {
			n = 5 + boundsLen(b[5:])
		}
	case tagText, tagURI:
		text, cut := textOf(b[1:])
		if n = 1 + len(text) + 1; cut {
			n += 12
		}
	}
	return min(n, len(b))
}
