package liquid

import (
	"strings"
)

// tags are what reads each tag.
var tags map[string]func(*parser, token) (node, error)

func init() {
	tags = map[string]func(*parser, token) (node, error){
		"assign": readAssign, "capture": readCapture, "if": readIf, "unless": readIf, "case": readCase, "for": readFor,
		"break":    func(*parser, token) (node, error) { return jumpNode(breaking), nil },
		"continue": func(*parser, token) (node, error) { return jumpNode(continuing), nil },
		"include":  readInclude, "evaluate": readEvaluate, "mergeDiff": readMergeDiff, "validate": readValidate,
		"comment": readComment, "raw": readRaw, "literal": readRaw,
		"cycle": readCycle, "ifchanged": readIfChanged, "tablerow": readTableRow,
	}
}

func readAssign(p *parser, t token) (node, error) {
	name, markup, ok := strings.Cut(t.text, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return nil, p.wrong("assign wants a name, = and a value")
	}
	from, err := p.parsePipeline(strings.TrimSpace(markup))
	return assignNode{p.set.names.number(name), from}, err
}

func readCapture(p *parser, t token) (node, error) {
	name := strings.Trim(t.text, " \t'\"")
	if name == "" {
		return nil, p.wrong("capture wants a name")
	}
	body, err := p.body("capture")
	return captureNode{p.set.names.number(name), body}, err
}

// readIf reads if and unless.
func readIf(p *parser, t token) (node, error) {
	var n ifNode
	markup, not := t.text, t.tag == "unless"
	for {
		var b branch
		if t.tag != "else" {
			c, err := p.parseCondition(markup)
			if err != nil {
				return nil, err
			}
			b.condition, b.not = c, not
		}
		body, end, err := p.block()
		if err != nil {
			return nil, err
		}
		b.body = body
		n = append(n, b)
		switch end.tag {
		case "endif", "endunless":
			return n, nil
		case "else":
			t = end
		case "elsif", "elseif":
			t, markup, not = end, end.text, false
		default:
			return nil, p.wrong("a condition is not ended")
		}
	}
}

func readCase(p *parser, t token) (node, error) {
	text, _ := fragment(t.text)
	n := caseNode{value: p.parseFragment(text)}
	_, end, err := p.block() // what stands before the first branch is not for anything
	if err != nil {
		return nil, err
	}
	for {
		if end.tag == "endcase" {
			return n, nil
		}
		if end.tag != "when" && end.tag != "else" {
			return nil, p.wrong("case is not ended by endcase")
		}
		part := end
		var body block
		if body, end, err = p.block(); err != nil {
			return nil, err
		}
		if part.tag == "else" {
			n.branches = append(n.branches, caseBranch{others: true, body: body})
			continue
		}
		for _, value := range p.alternatives(part.text) {
			n.branches = append(n.branches, caseBranch{value: value, body: body})
		}
	}
}

// alternatives reads values with commas or the word or between them.
func (p *parser) alternatives(s string) (all []expression) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " \t,") {
		text, n := fragment(s)
		if n == 0 {
			return all
		}
		if text != "or" {
			all = append(all, p.parseFragment(text))
		}
		s = s[n:]
	}
	return all
}

// head reads a name, a word and a value, and returns what stands behind them.
func (p *parser) head(t token, word string) (name, value, rest string, err error) {
	name, rest, _ = strings.Cut(t.text, " ")
	is, rest, _ := strings.Cut(strings.TrimLeft(rest, " \t"), " ")
	rest = strings.TrimLeft(rest, " \t")
	value, length := fragment(rest)
	if name == "" || is != word || value == "" {
		return "", "", "", p.wrong("%s wants a name, %s and a value", t.tag, word)
	}
	return name, value, rest[length:], nil
}

func readFor(p *parser, t token) (node, error) {
	name, text, rest, err := p.head(t, "in")
	if err != nil {
		return nil, err
	}
	n := &forNode{item: p.set.names.number(name), name: name + "-" + text, loop: p.set.names.number("forloop"), from: p.parseFragment(text)}
	n.reversed = strings.HasPrefix(strings.TrimSpace(rest), "reversed")
	for _, a := range p.attributes(rest) {
		switch a.name {
		case "limit":
			n.limit = a.value
		case "offset":
			if n.goesOn = strings.Contains(rest, "continue"); !n.goesOn {
				n.offset = a.value
			}
		}
	}
	body, end, err := p.block()
	if err != nil {
		return nil, err
	}
	n.body, n.none.t = body, p.t
	if end.tag == "else" {
		if n.none, end, err = p.block(); err != nil {
			return nil, err
		}
	}
	if end.tag != "endfor" {
		return nil, p.wrong("for is not ended by endfor")
	}
	return n, nil
}

func readInclude(p *parser, t token) (node, error) {
	text, length := fragment(t.text)
	if text == "" {
		return nil, p.wrong("include wants the name of a template")
	}
	n := &includeNode{target: target{name: p.parseFragment(text)}}
	if c, ok := n.target.name.(constant); ok {
		if name, ok := c.v.(string); ok {
			n.target.path = p.parsePath(name)
		}
	}
	rest := strings.TrimLeft(t.text[length:], " \t,")
	if word, more, ok := strings.Cut(rest, " "); ok && (word == "with" || word == "for") {
		value, _ := fragment(strings.TrimLeft(more, " \t"))
		n.with = p.parseFragment(strings.TrimSuffix(value, ":"))
	}
	n.attributes = p.attributes(rest)
	return n, nil
}

func readEvaluate(p *parser, t token) (node, error) {
	name, text, rest, err := p.head(t, "using")
	if err != nil {
		return nil, err
	}
	return &evaluateNode{name: p.set.names.number(name), target: target{name: p.parseFragment(text)}, attributes: p.attributes(rest)}, nil
}

// readComment passes over everything up to endcomment.
func readComment(p *parser, t token) (node, error) {
	_, err := p.verbatim(t.tag)
	return nil, err
}

// readRaw takes everything up to the end as text.
func readRaw(p *parser, t token) (node, error) {
	text, err := p.verbatim(t.tag)
	return textNode(text), err
}

// verbatim returns what stands between a tag and its end, which the lexer has left as it is.
func (p *parser) verbatim(tag string) (text string, err error) {
	rest := p.tokens[p.at:]
	if len(rest) > 0 && rest[0].kind == textToken {
		text, rest = rest[0].text, rest[1:]
	}
	if len(rest) == 0 || rest[0].tag != "end"+tag {
		return "", p.wrong("%s is not ended by end%s", tag, tag)
	}
	p.at = len(p.tokens) - len(rest) + 1
	return text, nil
}
