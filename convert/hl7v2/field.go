package hl7v2

import (
	"salus/convert"
	"slices"
	"strings"
)

// repetitions parts the field where it is repeated.
func (f *field) repetitions() []*field {
	if f.repeats != nil {
		return f.repeats
	}
	sep := string(f.segment.message.encoding.repetition)
	if f.plain || !strings.Contains(f.raw, sep) {
		f.repeats = []*field{f}
		return f.repeats
	}
	start := f.start
	for part := range strings.SplitSeq(f.raw, sep) {
		f.repeats = append(f.repeats, &field{segment: f.segment, raw: part, start: start})
		start += len(part) + 1
	}
	for _, r := range f.repeats {
		r.repeats = []*field{r}
	}
	return f.repeats
}

// split parts the field's first repetition into components, of which the first has number 1.
func (f *field) split() []*component {
	if first := f.repetitions()[0]; first != f {
		return first.split()
	}
	if f.components != nil {
		return f.components
	}
	f.components = []*component{nil}
	if f.plain {
		f.components = append(f.components, &component{field: f, raw: f.raw, start: f.start})
		return f.components
	}
	start := f.start
	for part := range strings.SplitSeq(f.raw, string(f.segment.message.encoding.component)) {
		var c *component
		if part != "" {
			c = &component{field: f, raw: part, start: start}
		}
		f.components = append(f.components, c)
		start += len(part) + 1
	}
	return f.components
}

// Member implements convert.Drop.
func (f *field) Member(name string) (convert.Value, error) {
	switch {
	case strings.EqualFold(name, "value"):
		f.seen = true
		if f.plain {
			return f.raw, nil
		}
		return f.segment.message.normal(f.raw), nil
	case strings.EqualFold(name, "repeats"):
		f.seen = true
		return drops(f.repetitions()), nil
	case strings.EqualFold(name, "components"):
		return drops(f.split()), nil
	}
	n, err := index(name)
	if err != nil {
		return nil, err
	}
	if all := f.split(); n >= 0 && n < len(all) && all[n] != nil {
		return all[n], nil
	}
	return nil, nil
}

// Member implements convert.Drop.
func (c *component) Member(name string) (convert.Value, error) {
	c.seen = true
	switch {
	case strings.EqualFold(name, "value"):
		if c.field.plain {
			return c.raw, nil
		}
		return c.field.segment.message.normal(c.raw), nil
	case strings.EqualFold(name, "subcomponents"):
		return list{c.split()}, nil
	}
	n, err := index(name)
	if err != nil {
		return nil, err
	}
	if all := c.split(); n >= 0 && n < len(all) {
		return all[n], nil
	}
	return nil, nil
}

// split parts the component into subcomponents, of which the first has number 1.
func (c *component) split() []convert.Value {
	if c.parts != nil {
		return c.parts
	}
	c.parts = []convert.Value{nil}
	m := c.field.segment.message
	if c.field.plain {
		c.parts = append(c.parts, c.raw)
		return c.parts
	}
	for part := range strings.SplitSeq(c.raw, string(m.encoding.subcomponent)) {
		c.parts = append(c.parts, m.normal(part))
	}
	return c.parts
}

// Unused lists the segments with components that were not looked at.
func (m *Message) Unused() []convert.Unused {
	var all []convert.Unused
	for _, s := range m.segments {
		if s.whole {
			continue
		}
		u := convert.Unused{Type: s.id(), Line: s.line}
		for i, f := range s.split() {
			if i == 0 || f == nil || f.plain {
				continue
			}
			u.Components = append(u.Components, f.unused()...)
		}
		if len(u.Components) > 0 {
			all = append(all, u)
		}
	}
	return all
}

func (f *field) unused() (all []convert.Place) {
	if f.seen {
		return nil
	}
	for _, r := range f.repetitions() {
		if r.seen {
			continue
		}
		for _, c := range r.split() {
			if c != nil && !c.seen {
				all = append(all, convert.Place{Start: c.start, End: c.start + len(c.raw)})
			}
		}
	}
	return all
}

// find returns the place of a segment among all.
func (m *Message) find(s *Segment) int { return slices.Index(m.segments, s) }
