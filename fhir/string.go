package fhir

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string; p.at stands at its opening quote.
func (p *parser) str() (escaped, ok bool) {
	start := p.at
	for i := plain(p.raw, p.at+1); i < len(p.raw); i = plain(p.raw, i) {
		switch p.raw[i] {
		case '"':
			p.at = i + 1
			return escaped, true
		case '\\':
			escaped = true
			n := escapeLen(p.raw[i:])
			if n == 0 {
				return true, p.fail(i, "bad escape in a string")
			}
			i += n
		default:
			return escaped, p.fail(i, "a control character in a string must be escaped")
		}
	}
	return escaped, p.fail(start, "a string has no end")
}

// plain returns where, from i on, the first byte stands that means something in
// a string: a quote, a backslash or a control character. It looks at eight bytes at
// once: x-ones&^x has the high bit set in the lowest zero byte of x (and maybe
// in others above it), and likewise x-0x20…&^x in the lowest byte below 0x20.
func plain(b []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^ones*'"', x^ones*'\\'
		if found := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*0x20)&^x) & high; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
		i++
	}
	return i
}

// escapeLen returns the length of the escape at the start of b, 0 if it is
// bad. A high surrogate must come with its low one.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r := hex4(b[2:])
		if r < 0 {
			return 0
		}
		if !utf16.IsSurrogate(r) {
			return 6
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' && utf16.DecodeRune(r, hex4(b[8:])) != utf8.RuneError {
			return 12
		}
	}
	return 0
}

func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape appends the characters of a string's inside to dst.
func unescape(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		n := escapeLen(b[i:])
		switch b[i+1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(b[i+2:])
			if n == 12 {
				r = utf16.DecodeRune(r, hex4(b[i+8:]))
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, b[i+1])
		}
		b = b[i+n:]
	}
}
