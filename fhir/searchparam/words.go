package searchparam

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"salus/fhir"
)

// MaxWord is up to how many bytes of a word count.
const MaxWord = 64

// opaque is from which length on a string without white space is no text but
// data, such as an attachment in base64.
const opaque = 1024

// SplitWords appends the words of a text to dst: its letters and digits in the form
// that Normalize gives, cut to MaxWord bytes. What stands between words counts as space.
func SplitWords(dst []string, text string) []string {
	between := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for word := range strings.FieldsFuncSeq(Normalize(text), between) {
		if len(word) > MaxWord {
			n := MaxWord
			for !utf8.RuneStart(word[n]) {
				n--
			}
			word = word[:n]
		}
		dst = append(dst, word)
	}
	return dst
}

// Words appends the words of a resource to content: those of all its strings, for
// _content; and those of its narrative, which are among them, to narrative, for
// _text (FHIR R4 search §3.1.1.4.15). Words come as often as they occur. It is
// what engines index text by.
func Words(content, narrative []string, n fhir.Node) (inAll, inNarrative []string) {
	div := n.Path("text", "div")
	if div.Kind() == fhir.String {
		narrative = SplitWords(narrative, withoutTags(div.Text()))
	}
	return append(wordsOf(content, n, div), narrative...), narrative
}

func wordsOf(dst []string, n, without fhir.Node) []string {
	for c := range n.Children {
		switch c.Kind() {
		case fhir.Object, fhir.Array:
			dst = wordsOf(dst, c, without)
		case fhir.String:
			if c.Same(without) {
				continue
			}
			text := c.Text()
			if len(text) >= opaque && !strings.ContainsAny(text[:opaque], " \t\n") {
				continue
			}
			dst = SplitWords(dst, text)
		}
	}
	return dst
}

// withoutTags returns the text of XHTML, with a space for each tag.
func withoutTags(s string) string {
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(s, "<")
		b.WriteString(text)
		if !found {
			return html.UnescapeString(b.String())
		}
		b.WriteByte(' ')
		if _, s, found = strings.Cut(rest, ">"); !found {
			return html.UnescapeString(b.String())
		}
	}
}
