package hl7v2

import "strings"

// Split parts a file into its messages (HL7 v2.9 §2.10.3): each begins with MSH, and the segments FHS, BHS, BTS and FTS around them belong to none. Text
// that begins with another segment is one message, so that whoever reads it says what is wrong.
func Split(text string) []string {
	var all []string
	start := -1
	end := func(at int) {
		if start >= 0 {
			all = append(all, text[start:at])
		}
		start = -1
	}
	for at := 0; at < len(text); {
		next := strings.IndexAny(text[at:], "\r\n")
		if next < 0 {
			next = len(text)
		} else {
			next += at + 1
		}
		switch id := strings.ToUpper(text[at:min(at+3, len(text))]); {
		case id == "MSH":
			end(at)
			start = at
		case id == "FHS" || id == "BHS" || id == "BTS" || id == "FTS":
			end(at)
		case start < 0 && all == nil && strings.TrimSpace(text[at:next]) != "":
			return []string{text}
		}
		at = next
	}
	end(len(text))
	if all == nil {
		return []string{text}
	}
	return all
}
