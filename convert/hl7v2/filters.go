package hl7v2

import (
	"strings"

	"salus/convert"
)

// Filters are those that templates have for messages, by name. The first argument is the message.
func Filters() map[string]func(args []convert.Value) (convert.Value, error) {
	return map[string]func([]convert.Value) (convert.Value, error){
		"get_first_segments":       filter(1, firstSegments),
		"get_segment_lists":        filter(1, segmentLists),
		"get_related_segment_list": filter(2, relatedSegments),
		"get_parent_segment":       filter(3, parentSegment),
		"has_segments":             filter(1, hasSegments),
		"split_data_by_segments":   filter(1, splitBySegments),
	}
}

// filter makes a filter of f, which wants some arguments besides the message.
func filter(wants int, f func(*Message, []convert.Value) (convert.Value, error)) func([]convert.Value) (convert.Value, error) {
	return func(args []convert.Value) (convert.Value, error) {
		if len(args) <= wants {
			return nil, convert.Errorf(convert.TemplateSyntaxError, "the filter wants %d arguments", wants)
		}
		m, ok := args[0].(*Message)
		if !ok {
			return nil, convert.Errorf(convert.TemplateDataMismatch, "the filter is for HL7v2 messages")
		}
		return f(m, args[1:])
	}
}

// text returns a text among arguments; empty if it is not there.
func text(args []convert.Value, i int) string {
	if i >= len(args) {
		return ""
	}
	s, _ := args[i].(string)
	return s
}

// named calls f with the segments whose id is in a list with bars between.
func (m *Message) named(ids string, f func(id string, s *Segment)) {
	for _, s := range m.segments {
		id := s.id()
		for name := range strings.SplitSeq(ids, "|") {
			if name == id {
				f(id, s)
				break
			}
		}
	}
}

func firstSegments(m *Message, args []convert.Value) (convert.Value, error) {
	found := convert.NewMap(4)
	m.named(text(args, 0), func(id string, s *Segment) {
		if _, ok := found.Get(id); !ok {
			found.Set(id, s)
		}
	})
	return found, nil
}

func segmentLists(m *Message, args []convert.Value) (convert.Value, error) {
	found := convert.NewMap(4)
	m.named(text(args, 0), func(id string, s *Segment) {
		if l, ok := found.Get(id); ok {
			all := l.(*convert.List)
			all.Items = append(all.Items, s)
			return
		}
		found.Set(id, &convert.List{Items: []convert.Value{s}})
	})
	return found, nil
}

// relatedSegments takes the next segments of a name behind a parent, of which none of another name is between.
func relatedSegments(m *Message, args []convert.Value) (convert.Value, error) {
	found := convert.NewMap(1)
	parent, _ := args[0].(*Segment)
	child := text(args, 1)
	at := m.find(parent)
	if parent == nil || at < 0 {
		return found, nil
	}
	var all []convert.Value
	for _, s := range m.segments[at+1:] {
		if s.id() == child {
			all = append(all, s)
		} else if len(all) > 0 {
			break
		}
	}
	if len(all) > 0 {
		found.Set(child, &convert.List{Items: all})
	}
	return found, nil
}

// parentSegment takes the nearest segment of a name before the n-th child.
func parentSegment(m *Message, args []convert.Value) (convert.Value, error) {
	found := convert.NewMap(1)
	child, parent := text(args, 0), text(args, 2)
	n, _ := args[1].(int64)
	for at, s := range m.segments {
		if s.id() != child {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		for i := at - 1; i >= 0; i-- {
			if m.segments[i].id() == parent {
				found.Set(parent, m.segments[i])
				break
			}
		}
		break
	}
	return found, nil
}

func hasSegments(m *Message, args []convert.Value) (convert.Value, error) {
	for name := range strings.SplitSeq(text(args, 0), "|") {
		there := false
		m.named(name, func(string, *Segment) { there = true })
		if !there {
			return false, nil
		}
	}
	return true, nil
}

// splitBySegments parts a message before each segment of some names. What stands before the first of them is a part, too.
func splitBySegments(m *Message, args []convert.Value) (convert.Value, error) {
	ids := strings.Split(text(args, 0), "|")
	parts := []convert.Value{}
	part := &Message{text: m.text, encoding: m.encoding}
	found := false
	for _, s := range m.segments {
		for _, id := range ids {
			if s.id() == id {
				found = true
				parts = append(parts, part)
				part = &Message{text: m.text, encoding: m.encoding}
				break
			}
		}
		part.segments = append(part.segments, s)
		part.meta.items = append(part.meta.items, s.id())
		part.data.items = append(part.data.items, s)
	}
	if !found {
		return &convert.List{Items: []convert.Value{m}}, nil
	}
	return &convert.List{Items: append(parts, part)}, nil
}
