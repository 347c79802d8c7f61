package pixel

import (
	"encoding/binary"

	"salus/dicom"
	"salus/dicom/tag"
	"salus/fault"
)

// table maps values, as modality and VOI tables do (PS3.3 §C.11.1.1, §C.11.2.1.1).
type table struct {
	first  int64
	bits   int64 // of each value
	values []uint16
}

// at returns what a value becomes; those outside the table become what is at its end.
func (t *table) at(v int64) uint16 { return t.values[min(max(v-t.first, 0), int64(len(t.values)-1))] }

// readTable reads a table from the item of a sequence; nil when there is none that can be used.
func readTable(item *dicom.Dataset) *table {
	n, data := item.Ints(tag.LUTDescriptor), item.Get(tag.LUTData)
	if len(n) != 3 || data == nil || len(data.Value) == 0 {
		return nil
	}
	entries := int(n[0]) & 0xFFFF
	if entries == 0 {
		entries = 1 << 16
	}
	t := &table{first: n[1], bits: min(max(n[2], 8), 16)}
	if n[2] <= 8 && len(data.Value) < 2*entries { // one byte for each
		for _, v := range data.Value {
			t.values = append(t.values, uint16(v))
		}
		return t
	}
	for b := data.Value; len(b) >= 2 && len(t.values) < entries; b = b[2:] {
		t.values = append(t.values, binary.LittleEndian.Uint16(b))
	}
	if len(t.values) == 0 {
		return nil
	}
	return t
}

// lookup is a table of one colour.
type lookup struct {
	first  int64
	values []byte
}

// at returns the colour of a value; those outside the table have that of its end (PS3.3 §C.7.6.3.1.5).
func (l lookup) at(v int64) byte { return l.values[min(max(v-l.first, 0), int64(len(l.values)-1))] }

// readLookup reads a table, plain or in segments.
func readLookup(d *dicom.Dataset, descriptor, plain, segmented dicom.Tag) (lookup, error) {
	n := d.Ints(descriptor)
	if len(n) != 3 {
		return lookup{}, fault.New(fault.NotAcceptable, "%s is missing (PS3.3 §C.7.6.3.1.5)", descriptor.Keyword())
	}
	entries := int(n[0]) & 0xFFFF
	if entries == 0 {
		entries = 1 << 16
	}
	l := lookup{first: n[1]}
	e := d.Get(plain)
	switch {
	case e != nil && n[2] <= 8 && len(e.Value) < 2*entries:
		l.values = e.Value // one byte for each
	case e != nil:
		for b := e.Value; len(b) >= 2 && len(l.values) < entries; b = b[2:] {
			l.values = append(l.values, eight(binary.LittleEndian.Uint16(b), n[2]))
		}
	default:
		var err error
		if l.values, err = readSegments(d.Get(segmented), n[2], entries); err != nil {
			return l, err
		}
	}
	if len(l.values) == 0 {
		return l, fault.New(fault.NotAcceptable, "the palette has no colours (PS3.3 §C.7.6.3.1.6)")
	}
	return l, nil
}

// eight returns the highest eight of a number of bits.
func eight(v uint16, bits int64) byte { return byte(v >> max(bits-8, 0)) }

// readSegments reads a table that is written as runs and slopes (PS3.3 §C.7.9.2).
func readSegments(e *dicom.Element, bits int64, entries int) ([]byte, error) {
	broken := fault.New(fault.NotAcceptable, "the segments of the palette cannot be read (PS3.3 §C.7.9.2)")
	if e == nil || bits <= 8 {
		return nil, broken
	}
	words := make([]uint16, len(e.Value)/2)
	for i := range words {
		words[i] = binary.LittleEndian.Uint16(e.Value[2*i:])
	}
	var all []uint16
	if !segments(words, words, &all, entries, false) || len(all) == 0 {
		return nil, broken
	}
	out := make([]byte, len(all))
	for i, v := range all {
		out[i] = eight(v, bits)
	}
	return out, nil
}

// segments reads words into all, which grows to entries at most, and reports whether they were in order. Inner are those of an indirect segment.
func segments(words, whole []uint16, all *[]uint16, entries int, inner bool) bool {
	for len(words) > 0 && len(*all) < entries {
		if len(words) < 2 {
			return false
		}
		code, n := words[0], int(words[1])
		words = words[2:]
		switch code {
		case 0: // discrete
			if len(words) < n {
				return false
			}
			*all = append(*all, words[:min(n, entries-len(*all))]...)
			words = words[n:]
		case 1: // linear
			if len(words) < 1 || len(*all) == 0 {
				return false
			}
			from, to := int((*all)[len(*all)-1]), int(words[0])
			for i := 1; i <= n && len(*all) < entries; i++ {
				*all = append(*all, uint16(from+(to-from)*i/n))
			}
			words = words[1:]
		case 2: // indirect: n segments from a place in bytes
			if inner || len(words) < 2 {
				return false
			}
			at := (int(words[0]) | int(words[1])<<16) / 2
			if at < 0 || at > len(whole) || !repeat(whole[at:], whole, n, all, entries) {
				return false
			}
			words = words[2:]
		default:
			return false
		}
	}
	return true
}

// repeat reads n segments.
func repeat(words, whole []uint16, n int, all *[]uint16, entries int) bool {
	for range n {
		if len(words) < 2 {
			return false
		}
		length := 3
		if words[0] == 0 {
			length = 2 + int(words[1])
		}
		if len(words) < length || !segments(words[:length], whole, all, entries, true) {
			return false
		}
		words = words[length:]
	}
	return true
}
