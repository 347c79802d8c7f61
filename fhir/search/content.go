package search

import (
	"strings"

	"salus/fault"
	"salus/fhir/searchparam"
)

// Content holds when all words of one of the alternatives occur in a resource's
// strings or, if Narrative, in its narrative (searchparam.Words). It has at least
// one alternative, of at least one word.
type Content struct {
	Narrative bool
	Any       [][]Word
}

// Word is a word in the form of searchparam.SplitWords, or the beginning of words.
type Word struct {
	Text   string
	Prefix bool
}

func (Content) isFilter() {}

// In reports whether words, as searchparam.Words gives them, satisfy f.
func (f Content) In(words []string) bool {
	for _, all := range f.Any {
		n := 0
		for _, want := range all {
			for _, word := range words {
				if word == want.Text || want.Prefix && strings.HasPrefix(word, want.Text) {
					n++
					break
				}
			}
		}
		if n == len(all) {
			return true
		}
	}
	return false
}

// HasContent reports whether f asks for words anywhere.
func HasContent(f Filter) bool {
	any := func(parts []Filter) bool {
		for _, part := range parts {
			if HasContent(part) {
				return true
			}
		}
		return false
	}
	switch f := f.(type) {
	case And:
		return any(f)
	case Or:
		return any(f)
	case Not:
		return HasContent(f.Filter)
	case Chain:
		return HasContent(f.Filter)
	case Has:
		return HasContent(f.Filter)
	case Content:
		return true
	}
	return false
}

// content reads _text and _content: words that must all occur, word* for the
// beginning of one, and OR or a comma between alternatives.
func content(code, modifier, value string) (Filter, error) {
	if modifier != "" {
		return nil, fault.New(fault.Refused, "%s takes no modifier", code)
	}
	if strings.Contains(value, `"`) {
		return nil, fault.New(fault.Refused, "%s: a phrase in quotation marks is not supported, only words", code)
	}
	f := Content{Narrative: code == "_text"}
	for _, alternative := range split(value, ',') {
		var all []Word
		for _, token := range append(strings.Fields(unescape(alternative)), "OR") {
			switch token {
			case "AND":
			case "OR":
				if len(all) == 0 {
					return nil, invalid(code, "an alternative has no words")
				}
				f.Any, all = append(f.Any, all), nil
			default:
				words := searchparam.SplitWords(nil, token)
				for i, word := range words {
					all = append(all, Word{Text: word, Prefix: i == len(words)-1 && strings.HasSuffix(token, "*")})
				}
			}
		}
	}
	return f, nil
}
