package web

import (
	"slices"
	"strconv"
	"strings"

	"salus/fault"
)

// media is a media range that a client accepts (RFC 9110 §12.5.1), with the parameters of PS3.18 §8.7.
type media struct {
	name           string // in lower case; of the parts when multipart
	multipart      bool
	transferSyntax string // empty when not named, or *
	q              float64
}

// accepted reads the Accept headers of a call, best first. A query parameter accept takes the headers' place (PS3.18 §8.3.3.1). Types of
// parts may stand without quotes, although they have a slash: many viewers leave them out. No header means anything.
func (c *call) accepted() []media {
	headers := c.Header.Values("Accept")
	if q := c.URL.Query()["accept"]; len(q) > 0 {
		headers = q
	}
	if len(headers) == 0 {
		return []media{{name: "*/*", transferSyntax: "*", q: 1}}
	}
	return parseAccept(headers)
}

// parseAccept reads lists of media ranges, best first.
func parseAccept(lists []string) []media {
	var all []media
	for _, h := range lists {
		for _, part := range cut(h, ',') {
			if m, ok := parseMedia(part); ok {
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b media) int {
		switch {
		case a.q > b.q:
			return -1
		case a.q < b.q:
			return 1
		}
		return 0
	})
	return all
}

func parseMedia(s string) (media, bool) {
	fields := cut(s, ';')
	m := media{name: strings.ToLower(strings.TrimSpace(fields[0])), q: 1}
	if m.name == "" {
		return m, false
	}
	if m.name == "multipart/related" {
		m.multipart, m.name = true, "*/*"
	}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "type":
			if m.multipart {
				m.name = strings.ToLower(value)
			}
		case "transfer-syntax":
			m.transferSyntax = value
		case "q":
			q, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return m, false
			}
			m.q = q
		}
	}
	return m, m.q > 0
}

// cut splits at a character that does not stand in quotes.
func cut(s string, at byte) []string {
	var all []string
	quoted, from := false, 0
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case at:
			if !quoted {
				all = append(all, s[from:i])
				from = i + 1
			}
		}
	}
	return append(all, s[from:])
}

// takes reports whether a range includes a media type.
func (m media) takes(name string) bool {
	if m.name == name || m.name == "*/*" {
		return true
	}
	major, _, _ := strings.Cut(name, "/")
	return m.name == major+"/*"
}

// acceptsJSON reports whether a call takes DICOM JSON.
func (c *call) acceptsJSON() bool {
	return slices.ContainsFunc(c.accepted(), media.isJSON)
}

func (m media) isJSON() bool {
	return !m.multipart && (m.takes(typeJSON) || m.name == "application/json")
}

// dataSets chooses between DICOM JSON and parts of XML (PS3.18 §8.7.3.2).
func (c *call) dataSets() (xml bool, err error) {
	for _, m := range c.accepted() {
		switch {
		case m.isJSON():
			return false, nil
		case m.multipart && m.takes(typeXML):
			return true, nil
		}
	}
	return false, fault.New(fault.NotAcceptable, "Accept must name %s, or multipart/related with %s", typeJSON, typeXML)
}
