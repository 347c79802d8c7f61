package liquid

import (
	"strconv"
	"strings"

	"salus/convert"
	"salus/convert/jsontext"
)

// mergeDiffNode writes a dictionary with members replaced by those of a block.
type mergeDiffNode struct {
	from expression
	body block
}

func readMergeDiff(p *parser, t token) (node, error) {
	text, _ := fragment(t.text)
	if text == "" {
		return nil, p.wrong("mergeDiff wants a value")
	}
	body, err := p.body("mergeDiff")
	return &mergeDiffNode{p.parseFragment(text), body}, err
}

func (n *mergeDiffNode) render(r *run) (flow, error) {
	if err := r.push(); err != nil {
		return onward, err
	}
	defer r.pop()
	v, err := n.from.value(r)
	if err != nil {
		return onward, err
	}
	var f flow
	text, err := r.captured(func() (err error) {
		f, err = r.block(n.body)
		return err
	})
	if err != nil || f != onward {
		return f, err
	}
	if v == nil {
		r.out = append(r.out, `""`...)
		return onward, nil
	}
	base, ok := v.(*convert.Map)
	if !ok {
		return onward, convert.Errorf(convert.InvalidInputOfMergeDiffBlock, "mergeDiff changes dictionaries, and the value is none")
	}
	merged, err := mergeDiff(base, text)
	if err != nil {
		return onward, err
	}
	out, err := jsontext.Append(r.out, merged, 0)
	if err != nil {
		return onward, err
	}
	r.out = out
	return onward, r.fits()
}

// mergeDiff returns a dictionary with the members of a JSON object put in the place of its own.
func mergeDiff(base *convert.Map, text string) (*convert.Map, error) {
	if strings.TrimSpace(text) == "" {
		return base, nil
	}
	read, err := jsontext.Read([]byte(text), jsontext.Options{Dates: true})
	if err != nil {
		return nil, &convert.Error{Code: convert.InvalidMergeDiffBlockContent, Rule: "the block of mergeDiff is no JSON object", Cause: err}
	}
	diff, ok := read.(*convert.Map)
	if !ok {
		return nil, convert.Errorf(convert.InvalidMergeDiffBlockContent, "the block of mergeDiff is no JSON object")
	}
	merged := convert.NewMap(base.Len() + diff.Len())
	for i := range base.Len() {
		merged.Set(base.At(i))
	}
	for i := range diff.Len() {
		key, v := diff.At(i)
		if v == nil {
			v = ""
		}
		start, choice := strings.CutSuffix(key, "[x]")
		if !choice {
			merged.Set(key, v)
			continue
		}
		if start == "" {
			return nil, convert.Errorf(convert.InvalidMergeDiffBlockContent, "a member of mergeDiff's block has no name before [x]")
		}
		for k := range merged.Len() { // what the block itself has put there counts too
			if name, _ := merged.At(k); strings.HasPrefix(name, start) {
				merged.Set(name, v)
				break
			}
		}
	}
	return merged, nil
}

// validateNode is the tag validate.
type validateNode struct {
	schema expression
	body   block
}

func readValidate(p *parser, t token) (node, error) {
	text, _ := fragment(t.text)
	if text == "" {
		return nil, p.wrong("validate wants the name of a schema")
	}
	body, err := p.body("validate")
	return &validateNode{p.parseFragment(text), body}, err
}

func (n *validateNode) render(*run) (flow, error) {
	return onward, convert.Errorf(convert.InvalidJSONSchema, "blocks are not validated by JSON schemas here")
}

// cycleNode writes one of some values, each time the next.
type cycleNode struct {
	key    string
	values []expression
}

func readCycle(p *parser, t token) (node, error) {
	markup, key := t.text, t.text
	if name, n := fragment(markup); n > 0 { // a name in front of a colon, in quotes or not
		name, rest := strings.TrimSuffix(name, ":"), strings.TrimLeft(markup[n:], " \t")
		if after, ok := strings.CutPrefix(rest, ":"); ok || strings.HasSuffix(markup[:n], ":") {
			key, markup = name, after
		}
	}
	n := cycleNode{key: key, values: p.alternatives(markup)}
	if len(n.values) == 0 {
		return nil, p.wrong("cycle wants values")
	}
	return n, nil
}

func (n cycleNode) render(r *run) (flow, error) {
	if r.cycles == nil {
		r.cycles = map[string]int{}
	}
	i := r.cycles[n.key]
	r.cycles[n.key] = (i + 1) % len(n.values)
	v, err := n.values[i%len(n.values)].value(r)
	if err == nil {
		err = r.write(v)
	}
	return onward, err
}

// ifChangedNode writes its block if that is not what it wrote last.
type ifChangedNode struct{ body block }

func readIfChanged(p *parser, _ token) (node, error) {
	body, err := p.body("ifchanged")
	return &ifChangedNode{body}, err
}

func (n *ifChangedNode) render(r *run) (f flow, err error) {
	text, err := r.captured(func() (err error) {
		f, err = r.block(n.body)
		return err
	})
	if last, ok := r.last[n]; err != nil || f != onward || ok && last == text {
		return f, err
	}
	if r.last == nil {
		r.last = map[*ifChangedNode]string{}
	}
	r.last[n] = text
	r.out = append(r.out, text...)
	return f, nil
}

// tableRowNode writes the rows of an HTML table.
type tableRowNode struct {
	loop *forNode
	cols expression
	name int // tablerowloop
}

func readTableRow(p *parser, t token) (node, error) {
	name, text, rest, err := p.head(t, "in")
	if err != nil {
		return nil, err
	}
	loop := &forNode{item: p.set.names.number(name), name: name + "-" + text, from: p.parseFragment(text)}
	n := &tableRowNode{loop: loop, name: p.set.names.number("tablerowloop")}
	for _, a := range p.attributes(rest) {
		switch a.name {
		case "limit":
			n.loop.limit = a.value
		case "offset":
			n.loop.offset = a.value
		case "cols":
			n.cols = a.value
		}
	}
	n.loop.body, err = p.body("tablerow")
	return n, err
}

func (n *tableRowNode) render(r *run) (flow, error) {
	v, err := n.loop.from.value(r)
	if err != nil {
		return onward, err
	}
	all, err := n.loop.items(r, v)
	if err != nil {
		return onward, err
	}
	cols := int64(len(all))
	if n.cols != nil {
		v, err := n.cols.value(r)
		if err != nil {
			return onward, err
		}
		if number, ok := toInt(v); ok && number > 0 {
			cols = number
		}
	}
	if err := r.push(); err != nil {
		return onward, err
	}
	defer r.pop()
	state := &rowState{loopState: loopState{name: n.loop.name, length: len(all)}, cols: int(min(cols, maxText))}
	r.bind(n.name, state)
	r.out = append(r.out, "<tr class=\"row1\">\n"...)
	for i, item := range all {
		if err := r.check(); err != nil {
			return onward, err
		}
		state.index = i
		r.bind(n.loop.item, item)
		r.out = append(strconv.AppendInt(append(r.out, `<td class="col`...), int64(state.col()), 10), `">`...)
		if _, err := r.block(n.loop.body); err != nil {
			return onward, err
		}
		r.out = append(r.out, "</td>"...)
		if state.col() == state.cols && i+1 < len(all) {
			r.out = append(strconv.AppendInt(append(r.out, "</tr>\n<tr class=\"row"...), int64(i/state.cols+2), 10), `">`...)
		}
	}
	r.out = append(r.out, "</tr>\n"...)
	return onward, nil
}

// rowState is the value tablerowloop.
type rowState struct {
	loopState
	cols int
}

// col returns the number of the column, from 1.
func (s *rowState) col() int { return s.index%s.cols + 1 }

// Member implements convert.Drop.
func (s *rowState) Member(name string) (convert.Value, error) {
	switch name {
	case "col":
		return int64(s.col()), nil
	case "col0":
		return int64(s.col() - 1), nil
	case "col_first":
		return s.col() == 1, nil
	case "col_last":
		return s.col() == s.cols, nil
	}
	return s.loopState.Member(name)
}
