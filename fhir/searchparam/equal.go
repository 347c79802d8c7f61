package searchparam

import (
	"encoding/binary"
	"hash/maphash"

	"salus/fhir/decimal"
)

// fewValues is up to how many values equal ones are found by comparing all.
const fewValues = 48

// known reports whether the resource already has this value under p. If not,
// the caller appends it to x.out.
func (x *extraction) known(p *Param, v *Value) bool {
	if len(x.out)-x.start < fewValues {
		for i := x.start; i < len(x.out); i++ {
			if x.out[i].Param == p && x.out[i].Value.equal(v) {
				return true
			}
		}
		return false
	}
	if x.seen == nil {
		x.seen = make(map[uint64]int, 4*fewValues)
		for i := x.start; i < len(x.out); i++ {
			slot, _ := x.slot(x.out[i].Param, &x.out[i].Value)
			x.seen[slot] = i
		}
	}
	slot, found := x.slot(p, v)
	if !found {
		x.seen[slot] = len(x.out)
	}
	return found
}

var seed = maphash.MakeSeed()

// slot returns where in x.seen the value is or belongs: at its hash, or behind
// unequal values with the same hash.
func (x *extraction) slot(p *Param, v *Value) (slot uint64, found bool) {
	var buffer [256]byte
	slot = maphash.Bytes(seed, v.appendKey(append(buffer[:0], p.Code...)))
	for ; ; slot++ {
		i, taken := x.seen[slot]
		if !taken {
			return slot, false
		}
		if x.out[i].Param == p && x.out[i].Value.equal(v) {
			return slot, true
		}
	}
}

// appendKey appends bytes that are the same for equal values.
func (v *Value) appendKey(dst []byte) []byte {
	for _, s := range [...]string{v.System, v.Code, v.Text, v.Ref.Base, string(v.Ref.Type), string(v.Ref.ID), v.Ref.Version, v.Ref.URL} {
		dst = append(dst, s...)
		dst = append(dst, 0)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Start))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(v.End))
	dst = v.Low.AppendOrdered(dst)
	dst = v.High.AppendOrdered(dst)
	for i := range v.Parts {
		dst = v.Parts[i].appendKey(dst)
	}
	return dst
}

func (v *Value) equal(w *Value) bool {
	if v.Code != w.Code || v.System != w.System || v.Text != w.Text || v.Start != w.Start || v.End != w.End ||
		v.Ref != w.Ref || v.OpenLow != w.OpenLow || v.OpenHigh != w.OpenHigh ||
		!sameNumber(&v.Low, &w.Low) || !sameNumber(&v.High, &w.High) || len(v.Parts) != len(w.Parts) {
		return false
	}
	for i := range v.Parts {
		if !v.Parts[i].equal(&w.Parts[i]) {
			return false
		}
	}
	return true
}

// sameNumber compares what most values lack; two zero decimals are the same at a glance.
func sameNumber(a, b *decimal.Decimal) bool { return *a == *b || a.Cmp(*b) == 0 }
