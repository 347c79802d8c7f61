package liquid

import (
	"strings"

	"salus/convert"
)

// node is a piece of a template that renders itself.
type node interface {
	render(r *run) (flow, error)
}

// block is a run of nodes, each with its line.
type block struct {
	nodes []node
	lines []int
	t     *template
}

// block renders nodes until one ends the block.
func (r *run) block(b block) (flow, error) {
	for i, n := range b.nodes {
		f, err := n.render(r)
		if err != nil {
			return f, convert.At(err, b.t.name, b.lines[i])
		}
		if f != onward {
			return f, nil
		}
	}
	return onward, nil
}

// parser makes nodes of tokens.
type parser struct {
	set    *Set
	t      *template
	tokens []token
	at     int
	depth  int // of blocks within one another
}

// maxNesting is how deep blocks may lie within one another in one template.
const maxNesting = 500

func parse(t *template) (block, error) {
	tokens, err := lex(t.name, t.source)
	if err != nil {
		return block{}, err
	}
	p := &parser{set: t.set, t: t, tokens: tokens}
	b, end, err := p.block()
	if err == nil && end.tag != "" {
		err = p.wrong("there is no tag that %s could belong to", end.tag)
	}
	return b, err
}

func (p *parser) wrong(format string, args ...any) error {
	e := convert.Errorf(convert.TemplateSyntaxError, format, args...)
	e.Template = p.t.name
	if p.at > 0 && p.at <= len(p.tokens) {
		e.Line = p.tokens[p.at-1].line
	}
	return e
}

// block reads nodes up to a tag that ends or parts a block, which it returns; an empty token at the end.
func (p *parser) block() (block, token, error) {
	if p.depth++; p.depth > maxNesting {
		return block{}, token{}, p.wrong("blocks lie within one another deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	b := block{t: p.t}
	for p.at < len(p.tokens) {
		t := p.tokens[p.at]
		p.at++
		var n node
		switch t.kind {
		case textToken:
			n = textNode(t.text)
		case outputToken:
			from, err := p.parsePipeline(t.text)
			if err != nil {
				return b, token{}, err
			}
			n = outputNode{from}
		case tagToken:
			if parts[t.tag] || strings.HasPrefix(t.tag, "end") {
				return b, t, nil
			}
			read, ok := tags[t.tag]
			if !ok {
				return b, token{}, p.wrong("there is no tag %s", t.tag)
			}
			var err error
			if n, err = read(p, t); err != nil {
				return b, token{}, err
			}
		}
		if n != nil {
			b.nodes = append(b.nodes, n)
			b.lines = append(b.lines, t.line)
		}
	}
	return b, token{}, nil
}

// parts are tags that begin another part of a block.
var parts = map[string]bool{"else": true, "elsif": true, "elseif": true, "when": true}

// body reads a block that a tag ends.
func (p *parser) body(tag string) (block, error) {
	line := p.at
	b, end, err := p.block()
	if err != nil {
		return b, err
	}
	if end.tag != "end"+tag {
		p.at = line
		return b, p.wrong("%s is not ended by end%s", tag, tag)
	}
	return b, nil
}

// attributes reads names with values behind colons, wherever they stand in markup.
func (p *parser) attributes(s string) (all []attribute) {
	for i := 0; i < len(s); {
		switch {
		case s[i] == '"' || s[i] == '\'':
			end := strings.IndexByte(s[i+1:], s[i])
			if end < 0 {
				return all
			}
			i += end + 2
		case isWord(s[i]):
			n := i
			for n < len(s) && isWord(s[n]) {
				n++
			}
			name, colon := s[i:n], n
			for colon < len(s) && (s[colon] == ' ' || s[colon] == '\t') {
				colon++
			}
			if colon == len(s) || s[colon] != ':' {
				i = n
				continue
			}
			for colon++; colon < len(s) && (s[colon] == ' ' || s[colon] == '\t'); {
				colon++
			}
			text, length := fragment(s[colon:])
			if length == 0 {
				i = max(colon, n+1)
				continue
			}
			all = append(all, attribute{name, p.set.names.number(name), p.parseFragment(text)})
			i = colon + length
		default:
			i++
		}
	}
	return all
}

type attribute struct {
	name   string
	number int
	value  expression
}

// bind gives the attributes their values, one after the other in the innermost scope.
func bindAll(r *run, all []attribute) error {
	for _, a := range all {
		v, err := a.value.value(r)
		if err != nil {
			return err
		}
		r.bind(a.number, v)
	}
	return nil
}
