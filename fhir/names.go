package fhir

// manyNames is from how many properties on names are looked up in a map.
const manyNames = 24

// names are the property names of one object, as far as it is read.
type names struct {
	marks uint64              // a bit per name, by length and last byte: most names find theirs free
	many  map[string]struct{} // once there are many
}

// add adds the name of child c of object i and reports whether it was there before.
func (n *names) add(p *parser, i, c int) bool {
	x := &p.nodes[c]
	if p.nodes[i].count > manyNames {
		return n.addMany(p, i, c)
	}
	mark := ^uint64(0) // an escaped name may equal any other
	if !x.keyEscaped && x.keyLen > 0 {
		mark = 1 << ((x.keyLen<<2 ^ uint16(p.raw[x.key+uint32(x.keyLen)-1])) & 63)
	}
	free := n.marks&mark == 0
	if n.marks |= mark; free {
		return false
	}
	name := p.name(c)
	for j := i + 1; j != c; j = int(p.nodes[j].next) {
		if y := &p.nodes[j]; (y.keyEscaped || int(y.keyLen) == len(name)) && p.name(j) == name {
			return true
		}
	}
	return false
}

// addMany is add for an object with many properties.
func (n *names) addMany(p *parser, i, c int) bool {
	if n.many == nil {
		n.many = make(map[string]struct{}, 2*manyNames)
		for j := i + 1; j != c; j = int(p.nodes[j].next) {
			n.many[p.name(j)] = struct{}{}
		}
	}
	before := len(n.many)
	n.many[p.name(c)] = struct{}{}
	return len(n.many) == before
}

// name returns the property name of node i.
func (p *parser) name(i int) string {
	x := &p.nodes[i]
	b := p.raw[x.key : x.key+uint32(x.keyLen)]
	if x.keyEscaped {
		return view(unescape(make([]byte, 0, len(b)), b))
	}
	return view(b)
}
