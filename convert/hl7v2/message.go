// Package hl7v2 reads HL7 version 2 messages (HL7 v2.9 chapter 2) into values for templates.
//
// Numbers in paths are those of the standard: a segment's field n, the n-th component of a field's first repetition, the n-th subcomponent. What is
// empty is nothing. Texts have their escape sequences replaced and are then escaped for being put between the quotes of JSON, as the templates expect
// it. A message notes what of it is looked at, so it serves one conversion at a time.
package hl7v2

import (
	"strconv"
	"strings"

	"salus/convert"
)

// Message is a message as a value.
type Message struct {
	text     string
	encoding encoding
	segments []*Segment
	meta     list
	data     list
}

// encoding has the characters that part a message (HL7 v2.9 §2.5.4).
type encoding struct {
	field, component, repetition, escape, subcomponent byte
}

// Segment is a segment as a value.
type Segment struct {
	message *Message
	raw     string
	line    int // of the message, from 1
	first   bool
	fields  []*field // nil until it is looked at; items are nil where nothing is
	whole   bool     // its text was looked at
}

type field struct {
	segment    *Segment
	raw        string
	start      int // in the segment
	repeats    []*field
	components []*component
	seen       bool // all of it was looked at
	plain      bool // stands for itself: the characters that part the message
}

type component struct {
	field *field
	raw   string
	start int
	parts []convert.Value
	seen  bool
}

// list is a list of values in which a number beyond the end is nothing.
type list struct{ items []convert.Value }

// Items implements convert.Enumerable.
func (l list) Items() []convert.Value { return l.items }

// Member implements convert.Drop.
func (l list) Member(name string) (convert.Value, error) {
	switch name {
	case "first":
		return l.at(0), nil
	case "last":
		return l.at(len(l.items) - 1), nil
	case "size":
		return int64(len(l.items)), nil
	}
	n, err := index(name)
	if err != nil {
		return nil, err
	}
	return l.at(n), nil
}

func (l list) at(n int) convert.Value {
	if n < 0 || n >= len(l.items) {
		return nil
	}
	return l.items[n]
}

// index reads the number that a path has.
func index(name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(name))
	if err != nil {
		return 0, convert.Errorf(convert.PropertyNotFound, "a part of a message has no member of this name")
	}
	return n, nil
}

// Parse reads a message. Its first segment must be MSH. Bytes that are not UTF-8 become U+FFFD.
func Parse(text string) (*Message, error) {
	m, err := parse(strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		e := convert.Errorf(convert.InputParsingError, "the message cannot be read: %s", err.(*convert.Error).Rule)
		e.Cause = err
		return nil, e
	}
	return m, nil
}

func parse(text string) (*Message, error) {
	if strings.TrimSpace(text) == "" {
		return nil, convert.Errorf(convert.NullOrWhiteSpaceInput, "it is empty")
	}
	m := &Message{text: text}
	number := 0
	for len(text) > 0 {
		line := text
		if i := strings.IndexAny(text, "\r\n"); i < 0 {
			text = ""
		} else {
			line = text[:i]
			if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			text = text[i+1:]
		}
		if number++; line == "" {
			continue
		}
		if len(m.segments) == 0 {
			if err := m.header(line); err != nil {
				return nil, err
			}
		}
		if err := m.add(line, number); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// header reads the characters that part the message from its first segment.
func (m *Message) header(line string) error {
	if len(line) < 3 || !strings.EqualFold(line[:3], "MSH") {
		return convert.Errorf(convert.InvalidHL7v2Message, "its first segment is not MSH (HL7 v2.9 §2.14.9)")
	}
	if len(line) < 8 {
		return convert.Errorf(convert.MissingHL7v2Separators, "MSH-1 and MSH-2 do not name five characters (HL7 v2.9 §2.5.4)")
	}
	s := line[3:8]
	for i := range s {
		if strings.IndexByte(s[i+1:], s[i]) >= 0 {
			return convert.Errorf(convert.DuplicateHL7v2Separators, "MSH-1 and MSH-2 name a character twice (HL7 v2.9 §2.5.4)")
		}
	}
	m.encoding = encoding{field: s[0], component: s[1], repetition: s[2], escape: s[3], subcomponent: s[4]}
	if m.encoding.escape != '\\' {
		return convert.Errorf(convert.InvalidHL7v2EscapeCharacter, "the escape character in MSH-2 is not \\ (HL7 v2.9 §2.5.4)")
	}
	return nil
}

func (m *Message) add(line string, number int) error {
	s := &Segment{message: m, raw: line, line: number, first: len(m.segments) == 0}
	if err := checkEscapes(line, m.encoding.escape); err != nil {
		return err
	}
	m.segments = append(m.segments, s)
	m.meta.items = append(m.meta.items, s.id())
	m.data.items = append(m.data.items, s)
	return nil
}

// id is the segment's name: what stands before the first field.
func (s *Segment) id() string {
	id, _, _ := strings.Cut(s.raw, string(s.message.encoding.field))
	return id
}

// Member implements convert.Drop.
func (m *Message) Member(name string) (convert.Value, error) {
	switch strings.ToLower(name) {
	case "value":
		return m.text, nil
	case "meta":
		return m.meta, nil
	case "data":
		return m.data, nil
	case "encodingcharacters":
		e := m.encoding
		return string([]byte{e.field, e.component, e.repetition, e.escape, e.subcomponent}), nil
	}
	return nil, convert.Errorf(convert.PropertyNotFound, "a message has no member of this name")
}

// split parts the segment into fields.
func (s *Segment) split() []*field {
	if s.fields != nil {
		return s.fields
	}
	sep := s.message.encoding.field
	s.fields = make([]*field, 0, strings.Count(s.raw, string(sep))+2)
	for start := 0; start <= len(s.raw); {
		end := strings.IndexByte(s.raw[start:], sep)
		if end < 0 {
			end = len(s.raw)
		} else {
			end += start
		}
		s.fields = append(s.fields, s.field(s.raw[start:end], start))
		start = end + 1
		if s.first && len(s.fields) == 1 { // the character behind MSH is a field of its own, and what follows is not parted
			s.fields = append(s.fields, &field{segment: s, raw: string(sep), start: end, plain: true})
			end = strings.IndexByte(s.raw[start:], sep)
			if end < 0 {
				end = len(s.raw)
			} else {
				end += start
			}
			s.fields = append(s.fields, &field{segment: s, raw: s.raw[start:end], start: start, plain: true})
			start = end + 1
		}
	}
	return s.fields
}

func (s *Segment) field(raw string, start int) *field {
	if raw == "" {
		return nil
	}
	return &field{segment: s, raw: raw, start: start}
}

// Member implements convert.Drop.
func (s *Segment) Member(name string) (convert.Value, error) {
	switch {
	case strings.EqualFold(name, "value"):
		s.whole = true
		return s.message.normal(s.raw), nil
	case strings.EqualFold(name, "fields"):
		return drops(s.split()), nil
	}
	n, err := index(name)
	if err != nil {
		return nil, err
	}
	if fields := s.split(); n >= 0 && n < len(fields) && fields[n] != nil {
		return fields[n], nil
	}
	return nil, nil
}

// drops makes a list of parts; those that are nothing are nil in it.
func drops[T interface {
	comparable
	convert.Drop
}](parts []T) list {
	var zero T
	items := make([]convert.Value, len(parts))
	for i, p := range parts {
		if p != zero {
			items[i] = p
		}
	}
	return list{items}
}
