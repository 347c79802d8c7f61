package dicom

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
)

// trimText takes the padding off a text: spaces and, against the standard but common, zeros.
func trimText(b []byte) []byte { return bytes.TrimRight(b, " \x00") }

func split(s string) []string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, `\`)
	for i := range parts {
		parts[i] = strings.Trim(parts[i], " \x00")
	}
	return parts
}

// Text returns the values of an element whose VR is text, decoded and without padding; empty values are kept, for their place counts.
// It returns nil for other VRs and for elements without a value.
func (d *Dataset) Text(e *Element) []string {
	switch {
	case e == nil || !e.VR.Text() || len(e.Value) == 0:
		return nil
	case !e.VR.Extendable():
		s := string(trimText(e.Value))
		if e.VR.Single() {
			return one(s)
		}
		return split(s)
	}
	s := d.Charset().Decode(trimText(e.Value), e.VR == PN)
	if e.VR.Single() {
		return one(s) // leading spaces have a meaning (PS3.5 §6.2)
	}
	return split(s)
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Strings returns the values of a text attribute.
func (d *Dataset) Strings(t Tag) []string { return d.Text(d.Get(t)) }

// String returns the first value of a text attribute, or "".
func (d *Dataset) String(t Tag) string {
	if all := d.Strings(t); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Ints returns the values of an attribute of whole numbers, binary or text. A value that is no number ends the list.
func (d *Dataset) Ints(t Tag) []int64 {
	e := d.Get(t)
	if e == nil {
		return nil
	}
	return d.IntsOf(e)
}

// IntsOf is Ints of an element.
func (d *Dataset) IntsOf(e *Element) []int64 {
	if e.VR.Text() {
		var all []int64
		for _, s := range d.Text(e) {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				break
			}
			all = append(all, n)
		}
		return all
	}
	w := e.VR.Width()
	if e.VR == AT {
		w = 4
	}
	all := make([]int64, 0, len(e.Value)/w)
	for b := e.Value; len(b) >= w; b = b[w:] {
		switch e.VR {
		case US, OW:
			all = append(all, int64(binary.LittleEndian.Uint16(b)))
		case SS:
			all = append(all, int64(int16(binary.LittleEndian.Uint16(b))))
		case UL, OL:
			all = append(all, int64(binary.LittleEndian.Uint32(b)))
		case SL:
			all = append(all, int64(int32(binary.LittleEndian.Uint32(b))))
		case SV, UV, OV:
			all = append(all, int64(binary.LittleEndian.Uint64(b)))
		case AT:
			all = append(all, int64(binary.LittleEndian.Uint16(b))<<16|int64(binary.LittleEndian.Uint16(b[2:])))
		default:
			return nil
		}
	}
	return all
}

// Int returns the first value of an attribute of whole numbers; ok is false when there is none.
func (d *Dataset) Int(t Tag) (n int64, ok bool) {
	if all := d.Ints(t); len(all) > 0 {
		return all[0], true
	}
	return 0, false
}

// Floats returns the values of a numeric attribute, binary or text. A value that is no number ends the list.
func (d *Dataset) Floats(t Tag) []float64 {
	e := d.Get(t)
	if e == nil {
		return nil
	}
	var all []float64
	switch e.VR {
	case FL, OF:
		for b := e.Value; len(b) >= 4; b = b[4:] {
			all = append(all, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
	case FD, OD:
		for b := e.Value; len(b) >= 8; b = b[8:] {
			all = append(all, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
	case DS:
		for _, s := range d.Text(e) {
			f, err := strconv.ParseFloat(s, 64)
			if err != nil {
				break
			}
			all = append(all, f)
		}
	default:
		for _, n := range d.IntsOf(e) {
			all = append(all, float64(n))
		}
	}
	return all
}

// Float returns the first value of a numeric attribute; ok is false when there is none.
func (d *Dataset) Float(t Tag) (f float64, ok bool) {
	if all := d.Floats(t); len(all) > 0 {
		return all[0], true
	}
	return 0, false
}

// Text makes an element of text values, which are to be in the character set of the data set it goes into.
func Text(t Tag, vr VR, values ...string) Element {
	b := []byte(strings.Join(values, `\`))
	if len(b)%2 == 1 {
		b = append(b, vr.Padding())
	}
	return Element{Tag: t, VR: vr, Value: b}
}

// Uint16 makes an element of unsigned 16-bit numbers.
func Uint16(t Tag, values ...uint16) Element {
	b := make([]byte, 0, 2*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return Element{Tag: t, VR: US, Value: b}
}

// Uint32 makes an element of unsigned 32-bit numbers.
func Uint32(t Tag, values ...uint32) Element {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return Element{Tag: t, VR: UL, Value: b}
}

// Sequence makes an element of items.
func Sequence(t Tag, items ...*Dataset) Element { return Element{Tag: t, VR: SQ, Items: items} }

// Resolve returns the VR that an attribute has in a data set when the file does not say: the dictionary's, of which some depend on
// others (PS3.5 §A.1, PS3.6). Unknown and private attributes are UN.
func (d *Dataset) Resolve(t Tag) VR {
	a, ok := Lookup(t)
	if !ok || a.VR == 0 {
		return UN
	}
	switch a.Or {
	case "SS", "SS/OW":
		if n, ok := d.Int(pixelRepresentation); ok && n == 1 {
			return SS
		}
	case "OW":
		if a.VR == OB {
			return OW // Implicit VR writes words (PS3.5 §A.1)
		}
		return a.VR
	}
	return a.VR
}
