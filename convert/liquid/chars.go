package liquid

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// chars are the characters of a text as .NET counts them.
type chars struct {
	plain string // a text of ASCII is cut as it is
	wide  []uint16
}

func charsOf(s string) chars {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return chars{wide: utf16.Encode([]rune(s))}
		}
	}
	return chars{plain: s}
}

func (c chars) len() int { return max(len(c.plain), len(c.wide)) }

func (c chars) slice(from, to int) string {
	if c.wide == nil {
		return c.plain[from:to]
	}
	return string(utf16.Decode(c.wide[from:to]))
}

// units returns how many characters .NET counts in a text: those that UTF-16 writes as two are two.
func units(s string) (n int) {
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// titled makes the first letter of each word a capital and the others small; words of capitals only stay.
func titled(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); {
		if !unicode.IsLetter(runes[i]) {
			b.WriteRune(runes[i])
			i++
			continue
		}
		start, small := i, unicode.IsLower(runes[i])
		b.WriteRune(unicode.ToTitle(runes[i]))
		part := i + 1 // of the word, from which on it is written
		for i++; i < len(runes) && inWord(runes[i]); i++ {
			if runes[i] == '\'' && i > start { // letters behind an apostrophe are small
				writePart(&b, runes[part:i], small)
				part, small = i, true
				continue
			}
			small = small || unicode.IsLower(runes[i])
		}
		writePart(&b, runes[part:i], small)
	}
	return b.String()
}

func inWord(r rune) bool {
	return r == '\'' || r != '_' && !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.IsPunct(r) && !unicode.IsSymbol(r)
}

func writePart(b *strings.Builder, part []rune, small bool) {
	for _, r := range part {
		if small {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
}
