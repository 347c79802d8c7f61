package xmlformat

// append appends the object that item x is, as JSON.
func (r *reader) append(dst []byte, x *item) []byte {
	dst = append(dst, '{')
	if x.object != nil {
		dst = append(append(append(dst, `"resourceType":"`...), x.object.typ.Name...), '"')
	}
	for c := x.first; c != 0; {
		end, values, twins := r.group(c)
		p := r.items[c].prop
		if values {
			dst = append(append(begin(dst), p.name...), `":`...)
			dst = r.appendGroup(dst, c, end, false)
		}
		if twins {
			dst = append(append(append(begin(dst), '_'), p.name...), `":`...)
			dst = r.appendGroup(dst, c, end, true)
		}
		c = end
	}
	return append(dst, '}')
}

// begin begins a property.
func begin(dst []byte) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(dst, '"')
}

// group returns where the items with the property of item c end, and whether some have a value
// and some are primitives with an id or extensions.
func (r *reader) group(c uint32) (end uint32, values, twins bool) {
	p := r.items[c].prop
	for end = c; end != 0 && r.items[end].prop == p; end = r.items[end].next {
		x := &r.items[end]
		if p.form <= formResource {
			values = true
			continue
		}
		values = values || x.from < x.to
		twins = twins || x.first != 0
	}
	return end, values, twins
}

// appendGroup appends the values of the items from c up to end, or what else these
// primitives have (FHIR R4 json §2.6.2.3: null stands where there is nothing).
func (r *reader) appendGroup(dst []byte, c, end uint32, twins bool) []byte {
	list := r.items[c].prop.list
	if list {
		dst = append(dst, '[')
	}
	for first := true; c != end; c, first = r.items[c].next, false {
		if !first {
			dst = append(dst, ',')
		}
		x := &r.items[c]
		switch complex := x.prop.form <= formResource; {
		case complex, twins && x.first != 0:
			dst = r.append(dst, x)
		case !twins && x.from < x.to:
			dst = append(dst, r.text[x.from:x.to]...)
		default:
			dst = append(dst, "null"...)
		}
	}
	if list {
		dst = append(dst, ']')
	}
	return dst
}
