package ccda

import (
	"strings"

	"salus/convert"
)

// reader makes values of what a scanner finds.
type reader struct {
	scanner *scanner
	names   names
	open    []frame // elements that have not ended; the first is the document
	members []member
	rooted  bool // the root element has begun
}

// frame is an element that has not ended.
type frame struct {
	prefix, local string // as they are written
	key           string
	space         string
	members       int // where its own begin
	attributes    int // how many of them are attributes
	bound         int // how many namespaces were known before it
	comments      int
	preserve      bool // xml:space
	closed        bool // by itself: <a/>
}

// member is what an element has in it.
type member struct {
	kind  kind
	key   string
	value convert.Value
}

type kind uint8

const (
	plain   kind = iota // an attribute or a processing instruction: one of a name
	element             // one of perhaps many
	words               // which come behind the elements, the last first
	comment
)

func (r *reader) add(k kind, key string, v convert.Value) {
	r.members = append(r.members, member{k, key, v})
}

func (r *reader) top() *frame { return &r.open[len(r.open)-1] }

func (r *reader) begin(prefix, local string, attributes []attribute, closed bool) error {
	root := len(r.open) == 1
	switch {
	case root && r.rooted:
		return r.scanner.wrong("there are two root elements")
	case len(r.open) > maxDepth:
		return r.scanner.wrong("elements lie too deep within one another")
	}
	parent := r.top()
	f := frame{prefix: prefix, local: local, members: len(r.members), bound: len(r.names.bound), preserve: parent.preserve, closed: closed}
	if r.names.declare(attributes, root); len(r.names.bound) > maxBound {
		return r.scanner.wrong("too many prefixes are bound")
	}
	r.rooted = true
	f.key, f.space = r.names.element(prefix, local)
	if r.names.implicit(f.space, parent.space, attributes) {
		r.add(plain, "xmlns", f.space)
	}
	for i := range attributes {
		a := &attributes[i]
		if root && a.prefix == "xmlns" && r.names.hides(a.local) {
			continue
		}
		if a.prefix == "xml" && a.local == "space" {
			f.preserve = a.value == "preserve"
		}
		r.add(plain, r.names.attribute(a), text(a.value))
	}
	f.attributes = len(r.members) - f.members
	r.open = append(r.open, f)
	if closed {
		r.close()
	}
	return nil
}

func (r *reader) end(prefix, local string) error {
	if f := r.top(); len(r.open) == 1 || f.local != local || f.prefix != prefix {
		return r.scanner.wrong("an element is ended that is not open")
	}
	r.close()
	return nil
}

// close makes the value of the innermost element. One without anything in it is nothing, or an empty text.
func (r *reader) close() {
	at := len(r.open) - 1
	f := r.open[at]
	var v convert.Value
	switch {
	case len(r.members) > f.members:
		v = r.dictionary(at)
	case !f.closed:
		v = ""
	}
	r.members = r.members[:f.members]
	r.names.bound = r.names.bound[:f.bound]
	r.open = r.open[:at]
	r.add(element, f.key, v)
}

// text adds a text to the innermost element. Blanks alone are nothing, unless it wants them.
func (r *reader) text(s string, section bool) error {
	outside := len(r.open) == 1
	if !section && (!r.top().preserve || outside) && strings.Trim(s, blanks) == "" {
		return nil
	}
	if outside {
		return r.scanner.wrong("there is text outside of the root element")
	}
	r.add(words, "_", text(s))
	return nil
}

func (r *reader) comment() {
	r.top().comments++
	r.add(comment, "#comment", nil)
}

func (r *reader) instruction(target, data string) {
	if target != "xml" {
		r.add(plain, "?"+target, text(data))
		return
	}
	declaration := convert.NewMap(3)
	for _, name := range []string{"version", "encoding", "standalone"} {
		if v := attributeOf(data, name); v != "" {
			declaration.Set(name, v)
		}
	}
	r.add(plain, "?xml", declaration)
}

// dictionary makes one of the members of an element. Of comments nothing stays, but of several an empty list.
func (r *reader) dictionary(at int) *convert.Map {
	f := &r.open[at]
	members := r.members[f.members:]
	m := convert.NewMap(len(members))
	texts := 0
	for i := range members {
		switch e := &members[i]; e.kind {
		case plain:
			m.Set(e.key, e.value)
		case element:
			if attribute := named(members[:f.attributes], e.key); attribute != nil {
				attribute.key = "" // Compat: the first element of its name takes its place
				m.Set(e.key, e.value)
			} else {
				put(m, e.key, e.value)
			}
		case words:
			texts++
		case comment:
			if f.comments > 1 {
				m.Set(e.key, &convert.List{})
			}
		}
	}
	for i := len(members) - 1; texts > 0; i-- {
		if members[i].kind == words {
			put(m, members[i].key, members[i].value)
			texts--
		}
	}
	return m
}

// named returns the member of a key; nil if there is none.
func named(members []member, key string) *member {
	for i := range members {
		if members[i].key == key {
			return &members[i]
		}
	}
	return nil
}

// put adds a member; several of one name become a list.
func put(m *convert.Map, key string, v convert.Value) {
	have, ok := m.Get(key)
	if !ok {
		m.Set(key, v)
		return
	}
	if l, many := have.(*convert.List); many {
		l.Items = append(l.Items, v)
		return
	}
	m.Set(key, &convert.List{Items: []convert.Value{have, v}})
}
